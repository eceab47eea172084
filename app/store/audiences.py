"""Who is in an audience, a slice of each lane at a time, with the facts the steps ahead ask for. Never lets anybody in."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from app.store.contacts import Wanted
from app.store.rows import Connection, array
from app.store.segments import Clause, clause
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
    audience: Clause,
) -> list[Found]:
    """The next members of each `(lane, after_id)`, at most `limit` in each lane, in order of id."""
    rows = connection.execute(
        f"""
        SELECT c.lane, c.id, {wanted.select}
        FROM unnest(%(lanes)s::smallint[], %(after)s::bigint[]) AS mine(lane, after_id) CROSS JOIN LATERAL (
            SELECT c.lane, c.id, c.attributes, c.tags, c.consents FROM contact c
            WHERE c.workspace_id = %(workspace_id)s AND c.lane = mine.lane AND c.id > mine.after_id
              AND c.merged_into IS NULL AND {audience.sql}
            ORDER BY c.id LIMIT %(limit)s
        ) AS c
        """,
        {
            **wanted.parameters,
            **audience.parameters,
            "lanes": array(lane for lane, _ in lanes),
            "after": array(after for _, after in lanes),
            "workspace_id": workspace_id,
            "limit": limit,
        },
    ).fetchall()
    facts = wanted.cohorts()
    return [Found(row[0], row[1], facts(row[2:])) for row in rows]


def rule_audience(rule: Any, at: datetime) -> Clause:
    """A rule as a condition on `c`; no rule is everybody."""
    return Clause("true", {}) if rule is None else clause(rule.tree, at=at)


def day_audience(days: Iterable[DayFilter]) -> Clause:
    """Date entries as a condition on `c`."""
    parts: list[str] = []
    bound: dict[str, Any] = {}
    for number, one in enumerate(days):
        name = f"day_{number}_"
        bound |= {
            f"{name}attribute": one.attribute,
            f"{name}dates": list(one.dates),
            f"{name}zones": list(one.zones),
            f"{name}known": list(one.known),
        }
        day = f"left(c.attributes ->> %({name}attribute)s, 10) = ANY(%({name}dates)s)"
        if one.yearly_until is not None:
            bound[f"{name}until"] = one.yearly_until.isoformat()
            value = f"c.attributes ->> %({name}attribute)s"
            day = (
                f"{value} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}' AND left({value}, 10) <= %({name}until)s"
                f" AND substr({value}, 6, 5) = ANY(%({name}dates)s)"
            )
        place = f"c.attributes ->> 'timezone' = ANY(%({name}zones)s)"
        if one.default:
            place = f"({place} OR coalesce(c.attributes ->> 'timezone', '') <> ALL(%({name}known)s))"
        parts.append(f"({day} AND {place})")
    return Clause(f"({' OR '.join(parts)})" if parts else "false", bound)


def joined(
    connection: Connection, workspace_id: int, journey_id: int, node: str, found: Sequence[Found]
) -> list[Found]:
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
    connection: Connection, workspace_id: int, journey_id: int, node: str, *, lanes: Sequence[int], audience: Clause
) -> None:
    """Forget members of a join entry whom the rule does not hold for any more, so that they may join again."""
    connection.execute(
        f"""
        DELETE FROM audience_member m WHERE m.workspace_id = %(workspace_id)s AND m.lane = ANY(%(lanes)s::smallint[])
          AND m.journey_id = %(journey_id)s AND m.node = %(node)s
          AND NOT EXISTS (
            SELECT FROM contact c WHERE c.workspace_id = m.workspace_id AND c.lane = m.lane AND c.id = m.contact_id
              AND {audience.sql})
        """,
        {
            **audience.parameters,
            "workspace_id": workspace_id,
            "lanes": array(lanes),
            "journey_id": journey_id,
            "node": node,
        },
    )
