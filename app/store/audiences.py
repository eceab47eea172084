"""Who is in an audience, a slice of each lane at a time, with the facts the steps ahead ask for. Never lets anybody in."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from app.store.contacts import Wanted
from app.store.rows import Connection
from app.store.segments import clause
from flows.contract import Facts


class Found(NamedTuple):
    """A contact of the audience."""

    lane: int
    id: int
    facts: Facts


class DayFilter(NamedTuple):
    """A date entry's question: whose attribute is one of these days, in these zones (`known`: all zones that count)."""

    attribute: str
    dates: Sequence[str]  # ISO dates, or MM-DD of anniversaries
    yearly_until: date | None  # anniversaries: the date itself must not lie after this day
    zones: Sequence[str]
    known: Sequence[str]
    default: bool


def members(
    connection: Connection,
    workspace_id: int,
    lanes: Sequence[tuple[int, int]],
    *,
    wanted: Wanted,
    limit: int,
    filters: tuple[str, list[Any]],
) -> list[Found]:
    """The next members of each `(lane, after_id)`, at most `limit` in each lane, in order of id."""
    condition, bound = filters
    rows = connection.execute(
        f"""
        SELECT c.lane, c.id, {wanted.select}
        FROM unnest(%s::smallint[], %s::bigint[]) AS mine(lane, after_id) CROSS JOIN LATERAL (
            SELECT c.lane, c.id, c.attributes, c.tags, c.consents FROM contact c
            WHERE c.workspace_id = %s AND c.lane = mine.lane AND c.id > mine.after_id AND c.merged_into IS NULL
              AND {condition}
            ORDER BY c.id LIMIT %s
        ) AS c
        """,  # type: ignore[arg-type]  # made of fixed parts; every value is bound
        (*wanted.parameters, [lane for lane, _ in lanes], [after for _, after in lanes], workspace_id, *bound, limit),
    ).fetchall()
    facts = wanted.cohorts()
    return [Found(row[0], row[1], facts(row[2:])) for row in rows]


def rule_filter(rule: Any, at: datetime) -> tuple[str, list[Any]]:
    """A rule as a condition on `c`; no rule is everybody."""
    if rule is None:
        return "true", []
    parameters: list[Any] = []
    return clause(rule.tree, at=at, parameters=parameters), parameters


def day_filter(days: Iterable[DayFilter]) -> tuple[str, list[Any]]:
    """Date entries as a condition on `c`."""
    parts, bound = [], []
    for one in days:
        text, values = "left(c.attributes ->> %s, 10) = ANY(%s)", [one.attribute, list(one.dates)]
        if one.yearly_until is not None:
            text = (
                "c.attributes ->> %s ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' AND substr(c.attributes ->> %s, 6, 5) = ANY(%s)"
                " AND left(c.attributes ->> %s, 10) <= %s"
            )
            values = [one.attribute, one.attribute, list(one.dates), one.attribute, one.yearly_until.isoformat()]
        place = "c.attributes ->> 'timezone' = ANY(%s)"
        values.append(list(one.zones))
        if one.default:
            place = f"({place} OR coalesce(c.attributes ->> 'timezone', '') <> ALL(%s))"
            values.append(list(one.known))
        parts.append(f"({text} AND {place})")
        bound += values
    return f"({' OR '.join(parts)})" if parts else "false", bound


def joined(connection: Connection, workspace_id: int, journey_id: int, node: str, found: Sequence[Found]) -> list[Found]:
    """Remember members of a join entry; returns those who were not in before."""
    rows = connection.execute(
        """
        INSERT INTO audience_member (workspace_id, lane, journey_id, node, contact_id)
        SELECT %s, one.lane, %s, %s, one.id FROM unnest(%s::smallint[], %s::bigint[]) AS one(lane, id)
        ON CONFLICT DO NOTHING RETURNING contact_id
        """,
        (workspace_id, journey_id, node, [one.lane for one in found], [one.id for one in found]),
    ).fetchall()
    new = {contact for (contact,) in rows}
    return [one for one in found if one.id in new]


def left(
    connection: Connection, workspace_id: int, journey_id: int, node: str, lanes: Sequence[int], rule: tuple[str, list[Any]]
) -> None:
    """Forget members of a join entry whom the rule does not hold for any more, so that they may join again."""
    condition, bound = rule
    connection.execute(
        f"""
        DELETE FROM audience_member m WHERE m.workspace_id = %s AND m.lane = ANY(%s) AND m.journey_id = %s AND m.node = %s
          AND NOT EXISTS (
            SELECT FROM contact c WHERE c.workspace_id = m.workspace_id AND c.lane = m.lane AND c.id = m.contact_id
              AND {condition})
        """,  # type: ignore[arg-type]  # made of fixed parts; every value is bound
        (workspace_id, list(lanes), journey_id, node, *bound),
    )
