"""What tallies say, in words: who came to a node, who is there, who left and how, what became of its messages. Pure.

For each node entered = waiting + left; for a journey entered = active + completed + exited + failed. Of a part of the time
`before` says who stood there already: before + entered = waiting + left. Never asks the database.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flows.interpret import TOLD_APART

Count = tuple[int, str, str, int]  # version, node, port, how many

ENDS = ("completed", "exited", "failed")
MAIL = ("sent", "delivered", "opened", "clicked", "failed", "bounced", "expired", "unsubscribed")
SUPPRESSED = "!suppressed:"


@dataclass(slots=True)
class Mail:
    """What became of a node's messages. `total` = pending + sent + failed + expired + suppressed; bounced are of those sent."""

    total: int = 0
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    failed: int = 0
    bounced: int = 0
    expired: int = 0
    unsubscribed: int = 0
    suppressed: dict[str, int] = field(default_factory=dict)

    @property
    def withheld(self) -> int:
        """How many were suppressed, for whatever reason."""
        return sum(self.suppressed.values())

    @property
    def pending(self) -> int:
        """On their way still, or of unknown fate."""
        return max(0, self.total - self.sent - self.failed - self.expired - self.withheld)

    def add(self, port: str, count: int) -> None:
        """Count what stands under a port of messages."""
        if port == "!message":
            self.total += count
        elif port.startswith(SUPPRESSED):
            reason = port.removeprefix(SUPPRESSED)
            self.suppressed[reason] = self.suppressed.get(reason, 0) + count
        elif (name := port[1:]) in MAIL:
            setattr(self, name, getattr(self, name) + count)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        shown = {name: getattr(self, name) for name in ("total", *MAIL, "pending")}
        return {**shown, "suppressed": dict(sorted(self.suppressed.items()))}


@dataclass(slots=True)
class AtNode:
    """Numbers of one node; `ended` left without a port: goals, exits, failures, the end of the flow."""

    entered: int = 0
    ended: int = 0
    ports: dict[str, int] = field(default_factory=dict)
    mail: Mail = field(default_factory=Mail)
    waiting: int = 0
    before: int = 0

    @property
    def left(self) -> int:
        """All who went on or ended here."""
        return self.ended + sum(self.ports.values())


@dataclass(slots=True)
class Totals:
    """Numbers of the journey. Of the exited, some are told apart: by goal, by exit rule, by hand, by too many visits."""

    entered: int = 0
    completed: int = 0
    exited: int = 0
    failed: int = 0
    goal: int = 0
    exit_when: int = 0
    manual: int = 0
    visit_limit: int = 0
    active: int = 0

    def plain(self) -> dict[str, int]:
        """As JSON."""
        names = ("entered", "active", "completed", "exited", "failed", *TOLD_APART)
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Numbers:
    """All numbers of a journey."""

    totals: Totals = field(default_factory=Totals)
    nodes: dict[str, AtNode] = field(default_factory=dict)


def gather(
    counted: Iterable[Count], *, later: Iterable[Count] | None = None, ever: Iterable[Count] | None = None
) -> Numbers:
    """Numbers of a period out of its counts.

    `ever`: the counts of all time, where the period is a part of it; `later`: those after the period's end.
    """
    numbers = _sum(counted)
    now = numbers if ever is None else _sum(ever)
    after = _sum(later or ())
    for name, there in now.nodes.items():
        node, past = numbers.nodes.setdefault(name, AtNode()), after.nodes.get(name, AtNode())
        node.waiting = there.entered - there.left - (past.entered - past.left)
        node.before = node.waiting + node.left - node.entered
    past_totals = after.totals
    numbers.totals.active = _inside(now.totals) - _inside(past_totals)
    return numbers


def _inside(totals: Totals) -> int:
    return totals.entered - totals.completed - totals.exited - totals.failed


def _sum(counted: Iterable[Count]) -> Numbers:
    numbers = Numbers()
    totals = numbers.totals
    for _, node, port, count in counted:
        if not node:
            name = port.removeprefix("!")
            if name in (TOLD_APART if name != port else ("entered", *ENDS)):
                setattr(totals, name, getattr(totals, name) + count)
            continue
        there = numbers.nodes.setdefault(node, AtNode())
        if not port:
            there.entered += count
        elif port == "!end":
            there.ended += count
        elif port.startswith("!"):
            there.mail.add(port, count)
        else:
            there.ports[port] = there.ports.get(port, 0) + count
    return numbers
