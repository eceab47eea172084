"""What marketing plans may spend: who of a batch still fits, asked under the lock of the plan, so that none is overrun.

A place is taken when a message is written, also where it goes out later; what never goes out gives it back when the plan
is counted anew (`reckoning`). Never asks about a person, never commits.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from app.store import plan_spending
from app.store.rows import Connection
from flows.compile import Budget

OVER = "plan over budget"
NOTHING = Decimal(0)


class Want(NamedTuple):
    """A message that would go out: which plan pays for it, on which channel; only marketing is held back."""

    workspace_id: int
    budget: Budget
    channel: str
    marketing: bool


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
    keys = sorted({(one.workspace_id, one.budget.plan_id) for one in wants})
    spent = plan_spending.lock(connection, keys)
    added = dict.fromkeys(keys, NOTHING)
    beyond = set()
    for place, one in enumerate(wants):
        key = one.workspace_id, one.budget.plan_id
        cost = one.budget.costs.get(one.channel, NOTHING)
        if one.marketing and cost and spent[key] + added[key] + cost > one.budget.amount:
            beyond.add(place)
        else:
            added[key] += cost
    plan_spending.add(connection, {key: cost for key, cost in added.items() if cost})
    return beyond
