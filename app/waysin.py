"""Ways in as conditions over contacts: whom an entry would let in within a month. No SQL of its own, never counts.

A way in by a rule is asked now; one by an event is asked of the last month.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from app import schedules
from app.store import audiences, crowds, segments
from app.store.crowds import OURS
from app.store.segments import Clause
from flows.compile import Plan, Step
from flows.contract import Start
from flows.errors import RuleError
from flows.rules.audience import check_audience
from flows.rules.tree import Happened, Tree

MONTH = timedelta(days=30)
Basis = Literal["now", "events", "dates", "calls"]
EVERYBODY = Clause("true", {})


class Crowd(NamedTuple):
    """A flow's ways in as conditions."""

    ways: tuple[tuple[Step, Basis, Clause], ...]
    events: tuple[str, ...]

    @property
    def clause(self) -> Clause:
        """Who is in by any of them."""
        return crowds.any_of(clause for _, _, clause in self.ways)


def crowd_of(plan: Plan, now: datetime) -> Crowd:
    """The ways in of a flow."""
    entries = [(step, step.start) for step in plan.entries if step.start]
    ways = tuple((step, *way_in(start, f"way_{number}", now)) for number, (step, start) in enumerate(entries))
    return Crowd(ways, tuple(sorted({start.event for _, start in entries if start.kind == "event"})))


def way_in(start: Start, prefix: str, now: datetime) -> tuple[Basis, Clause]:
    """Whom a way in would let in, as a condition; `prefix` keeps its values apart from those of others in one statement."""
    if start.kind == "event":
        where = start.where.trees if start.where else ()
        happened: Tree = Happened(start.event, where, within="P30D")
        clauses = [segments.clause(happened, at=now, prefix=prefix)]
        if start.when is not None and _chooses(start.when.tree):
            clauses.append(segments.clause(start.when.tree, at=now, prefix=f"{prefix}_when"))
        return "events", all_of(clauses)
    if start.kind in ("segment", "schedule"):
        clause = segments.clause(start.rule.tree, at=now, prefix=prefix) if start.rule else EVERYBODY
        return "now", clause
    if start.kind == "date":
        clause = audiences.day_audience([_days(start, now)])
        return "dates", _renamed(clause, prefix)
    return "calls", OURS


def _days(start: Start, now: datetime) -> audiences.DayFilter:
    """Whose day comes within the month, wherever they live."""
    today = now.date()
    days = [today + timedelta(days=one) for one in range(MONTH.days + 1)]
    origins = [origin for day in days for origin in schedules.origins(start, day)]
    dates = schedules.month_days(origins) if start.every_year else [one.isoformat() for one in origins]
    until = max(origins, default=today) if start.every_year else None
    return audiences.DayFilter(start.attribute, sorted(set(dates)), until, [], [], default=True)


def _renamed(clause: Clause, prefix: str) -> Clause:
    names = {name: f"{prefix}_{name}" for name in clause.parameters}
    sql = clause.sql
    for name, other in names.items():
        sql = sql.replace(f"%({name})s", f"%({other})s")
    return Clause(sql, {names[name]: value for name, value in clause.parameters.items()})


def all_of(clauses: Sequence[Clause]) -> Clause:
    """Who is in each of these."""
    bound = {name: value for one in clauses for name, value in one.parameters.items()}
    return Clause("(" + " AND ".join(one.sql for one in clauses) + ")", bound)


def _chooses(tree: Tree) -> bool:
    try:
        check_audience(tree)
    except RuleError:
        return False
    return True
