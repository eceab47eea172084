"""What marketing plans may spend: who of a batch still fits, asked under the lock of the plan, so that none is overrun.

A place is taken when a message is written, also where it goes out later; what never goes out gives it back when the plan
is counted anew (`reckoning`). Never asks about a person, never commits.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from app.store import plan_spending
from app.store.rows import Connection
from flows.compile import Budget

OVER = "plan over budget"
NOTHING = Decimal(0)


class Want(NamedTuple):
    """A message that would go out: which plan (workspace, number) pays for it and how much; only marketing is held back."""

    key: tuple[int, int]
    limit: Decimal
    cost: Decimal
    marketing: bool


def want(workspace_id: int, budget: Budget, channel: str, *, marketing: bool) -> Want:
    """What a message on this channel takes out of its plan's budget."""
    return Want((workspace_id, budget.plan_id), budget.amount, budget.costs.get(channel, NOTHING), marketing)


def of(plan_id: int | None, raw: Mapping[str, Any] | None) -> Budget | None:
    """The budget of a plan that holds back what goes beyond it."""
    if plan_id is None or not raw:
        return None
    try:
        costs = {channel: Decimal(str(cost)) for channel, cost in (raw.get("costs") or {}).items()}
        return Budget(plan_id, Decimal(str(raw["amount"])), costs)
    except (KeyError, InvalidOperation):
        return None  # written by another release: it only warns


def refused(connection: Connection, wants: Sequence[Want]) -> set[int]:
    """The places in `wants` that go beyond their plan's budget; what fits is spent. Two statements, whatever their number."""
    if not wants:
        return set()
    alike = Counter(wants)
    spent = plan_spending.lock(connection, sorted({one.key for one in alike}))
    added = dict.fromkeys(spent, NOTHING)
    for one, count in alike.items():
        added[one.key] += one.cost * count
    beyond: set[int] = set()
    if any(
        spent[one.key] + added[one.key] > one.limit for one in alike
    ):  # else everything fits, and nobody is looked at
        added = dict.fromkeys(spent, NOTHING)
        for place, one in enumerate(wants):
            if one.marketing and one.cost and spent[one.key] + added[one.key] + one.cost > one.limit:
                beyond.add(place)
            else:
                added[one.key] += one.cost
    plan_spending.add(connection, {key: cost for key, cost in added.items() if cost})
    return beyond
