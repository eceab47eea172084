"""Plans counted: what each has reached by day and what its messages cost, on a beat of its own, beside the lanes.

What rollups know is counted anew every minute; what only the history knows, more rarely the longer it takes. Pages show what
was counted last, with its time. Set-wise: as many statements for a hundred plans as for one. Never asks for the time of day.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app import progress
from app.budgets import of
from app.store import plan_spending, reckonings
from app.store.reckonings import Asked, Open, Window
from app.store.rows import Connection
from flows.calendar import zone
from flows.contract import NodeType
from flows.seasons import bounds

OFTEN, RARELY = timedelta(minutes=1), timedelta(minutes=10)
PATIENCE = 100  # what takes a second is counted every hundred seconds at most
FROM_HISTORY = ("event_people", "revenue")
AT_ONCE = 200  # plans counted by one call
DAY = timedelta(days=1)
PARTS = {"goal_share": ("!goal", "entered"), "click_share": ("!clicked", "!sent"), "goal_people": ("!goal", "")}
NEVER_SENT = ("!suppressed", "!failed", "!expired")


def reckon(connection: Connection, catalog: Mapping[str, NodeType], now: datetime, took_ms: int = 0) -> int:
    """Count the plans whose time it is; how many they were. In an open transaction; 0 also where somebody else counts.

    `took_ms`: how long the last call took, which says how soon the history is asked again.
    """
    if not reckonings.alone(connection):
        return 0
    due = [one for one in reckonings.countable(connection) if _is_due(one, now)][:AT_ONCE]
    if not due:
        return 0
    days = _by_day(connection, due, now)
    channels = {type_: node.channel.name for type_, node in catalog.items() if node.channel is not None}
    purses = {(one.workspace_id, one.id): purse for one in due if (purse := of(one.id, _held(one)))}
    # Locked before it is counted: what batches take out of a purse meanwhile comes after, on top.
    plan_spending.lock(connection, sorted(purses))
    fates = _fates(reckonings.messages(connection, [(one.workspace_id, one.id) for one in due], channels))
    spent = {
        key: sum(
            (budget.costs.get(one["channel"], Decimal(0)) * (one["sent"] + one["waiting"]) for one in fates[key[1]]),
            Decimal(0),
        )
        for key, budget in purses.items()
    }
    plan_spending.put(connection, spent)
    found: list[tuple[int, int, dict[str, Any]]] = []
    for one in due:
        detail: dict[str, Any] = {"channels": fates[one.id]}
        if one.details.get("measure"):
            detail["days"] = days[one.id]
        found.append((one.workspace_id, one.id, detail))
    reckonings.keep(connection, found, now, took_ms)
    return len(due)


def _held(one: Open) -> Mapping[str, Any] | None:
    budget = one.details.get("budget")
    return budget if budget and budget.get("over") == "hold" else None


def _metric(one: Open) -> str:
    return str((one.details.get("measure") or {}).get("metric", ""))


def _is_due(one: Open, now: datetime) -> bool:
    if one.as_of is None or one.as_of > now:
        return True
    wait = OFTEN
    if _metric(one) in FROM_HISTORY:
        wait = max(RARELY, timedelta(milliseconds=PATIENCE * one.took_ms))
    return now - one.as_of >= wait


def window(one: Open, now: datetime) -> tuple[datetime, datetime] | None:
    """From when until when a plan's target counts, as instants; never beyond this moment."""
    clock = zone(one.timezone) or ZoneInfo("UTC")
    days = progress.span(one.details, one.created_at, clock)
    if days is None:
        return None
    since, until = bounds(days.first, days.last, clock)
    return since.astimezone(UTC), min(until.astimezone(UTC), now + timedelta(minutes=1))


def _by_day(connection: Connection, due: Sequence[Open], now: datetime) -> dict[int, list[list[Any]]]:
    """By plan: `[day, part, whole]`, in order."""
    windows, asked = [], []
    for one in due:
        found = window(one, now)
        if found is None or found[0] >= found[1]:
            continue
        if _metric(one) in FROM_HISTORY:
            measure = one.details["measure"]
            asked.append(Asked(one.workspace_id, one.id, measure["event"], measure.get("property"), *found))
        else:
            windows.append(Window(one.workspace_id, one.id, found[0], *_days(*found), found[1]))
    metrics = {one.id: _metric(one) for one in due}
    counted: dict[int, dict[str, list[float]]] = defaultdict(dict)
    for plan, day, port, number in reckonings.tallied(connection, windows):
        part, whole = PARTS[metrics[plan]]
        place = counted[plan].setdefault(day, [0.0, 0.0])
        place[0] += number if port == part else 0
        place[1] += number if port == whole else 0
    for plan, day, _what, number in reckonings.happened(connection, asked):
        counted[plan][day] = [number, 0.0]
    return defaultdict(list, {plan: [[day, *counted[plan][day]] for day in sorted(counted[plan])] for plan in counted})


def _days(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The first and the last midnight (UTC) inside; the same where none or one is."""
    first = since.replace(hour=0, minute=0, second=0, microsecond=0)
    first += DAY if first < since else timedelta()
    return first, max(first, until.replace(hour=0, minute=0, second=0, microsecond=0))


def _fates(rows: Iterable[tuple[int, str, str, int]]) -> dict[int, list[dict[str, Any]]]:
    """By plan, for each channel: sent, delivered, opened, clicked, and what may still go out."""
    counted: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for plan, channel, port, count in rows:
        counted[plan, channel][port] = count
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for (plan, channel), ports in sorted(counted.items()):
        sent = ports.get("!sent", 0)
        over = sent + sum(ports.get(port, 0) for port in NEVER_SENT)
        one = {name: ports.get(f"!{name}", 0) for name in ("sent", "delivered", "opened", "clicked")}
        found[plan].append({"channel": channel, **one, "waiting": max(0, ports.get("!message", 0) - over)})
    return found
