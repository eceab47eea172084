"""The diary of a simulated walk: what happened at which moment, step and port, and why. Keeps; never decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from app.simulating.watching import CHANCE, Reason, Seen
from app.store.inbox import Letter
from app.store.messages import Draft
from flows.contract import Emit, Outcome, SetAttributes, Tag
from flows.interpret import Status, Traveller

Kind = Literal[
    "event",
    "entered",
    "refused",
    "moved",
    "waits",
    "stays",
    "message",
    "changed",
    "emitted",
    "left",
    "failed",
    "stopped",
]
ENDED = (Status.COMPLETED, Status.EXITED, Status.FAILED)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the story. `detail` holds what its kind needs: properties, texts, tags, until, awaited events…"""

    at: datetime
    kind: Kind
    node: str = ""
    port: str = ""
    why: str = ""
    reasons: tuple[Reason, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)


class Diary:
    """Moments in order, and the path through the flow."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.path: list[tuple[str, str]] = []
        self._entered: set[int] = set()
        self._left: set[int] = set()
        self._last: str = ""

    def full(self, most: int) -> bool:
        """Whether nothing more is to be told."""
        return len(self.moments) >= most or bool(self.moments and self.moments[-1].kind == "stopped")

    def last(self) -> tuple[str, ...]:
        """The step where the last walk ended."""
        return (self._last,) if self._last else ()

    def stop(self, at: datetime) -> None:
        """Something turns in a circle within one moment."""
        self.moments.append(Moment(at, "stopped"))

    def event(self, at: datetime, letter: Letter, properties: Mapping[str, Any]) -> None:
        """Something arrived."""
        detail = {"name": letter.name, "kind": letter.kind, "properties": dict(properties)}
        self.moments.append(Moment(at, "event", detail=detail))

    def refuse(self, at: datetime, node: str, why: str, reason: Reason | None = None) -> None:
        """An entry did not let the contact in."""
        self.moments.append(Moment(at, "refused", node, why=why, reasons=(reason,) if reason else ()))

    def message(self, draft: Draft) -> Moment:
        """A message of a step; its texts follow. It stands where its step does."""
        note = Moment(draft.at, "message", draft.step.id)
        for place in range(len(self.moments) - 1, -1, -1):
            one = self.moments[place]
            if one.node == draft.step.id and one.kind in ("moved", "waits"):
                self.moments.insert(place, note)
                return note
        self.moments.append(note)
        return note

    def walked(self, seen: Sequence[Seen], travellers: Mapping[int, Traveller]) -> None:
        """What the nodes said in one walk, and who left: first whom no node was asked about (a goal, an exit rule)."""
        last = {one.member: place for place, one in enumerate(seen)}
        ended = {one.id: one for one in travellers.values() if one.status in ENDED and one.id not in self._left}
        for id in ended.keys() - last.keys():
            self._leave(ended[id])
        for place, one in enumerate(seen):
            if one.member not in self._entered:
                self._entered.add(one.member)
                key = travellers[one.member].key if one.member in travellers else ""
                self.moments.append(Moment(one.at, "entered", one.step.id, detail={"key": key, "member": one.member}))
            self._said(one)
            if last[one.member] == place and one.member in ended:
                self._leave(ended[one.member])

    def _leave(self, one: Traveller) -> None:
        self._left.add(one.id)
        self._last = one.node
        if self.path[-1:] != [(one.node, "")] and one.status is not Status.COMPLETED:
            self.path.append((one.node, ""))
        detail = {"status": one.status.name.lower(), "key": one.key, "member": one.id}
        self.moments.append(Moment(one.arrived_at, "left", one.node, why=one.reason or "", detail=detail))

    def _said(self, one: Seen) -> None:
        outcome, node = one.outcome, one.step.id
        if outcome is None:
            self.moments.append(Moment(one.at, "failed", node))
            self.path.append((node, ""))
            return
        for effect in outcome.effects:
            if one.member in effect.members:
                self._effect(one, effect)
        detail: dict[str, Any] = {"arrived": not one.was_waiting, "member": one.member, "woken_by": one.woken_by}
        kind, port, more = _placed(one, outcome)
        why = outcome.why.get(one.member, "")
        self.moments.append(Moment(one.at, kind, node, port, why, one.reasons, detail | more))
        if kind == "moved":
            self.path.append((node, port))

    def _effect(self, one: Seen, effect: Tag | SetAttributes | Emit) -> None:
        if isinstance(effect, Emit):
            detail: dict[str, Any] = {"event": effect.event, "properties": dict(effect.properties)}
            self.moments.append(Moment(one.at, "emitted", one.step.id, detail=detail))
        elif isinstance(effect, Tag):
            detail = {"add": list(effect.add), "remove": list(effect.remove)}
            self.moments.append(Moment(one.at, "changed", one.step.id, detail=detail))
        else:
            self.moments.append(Moment(one.at, "changed", one.step.id, detail={"set": dict(effect.values)}))


def _placed(one: Seen, outcome: Outcome) -> tuple[Kind, str, dict[str, Any]]:
    """Where an answer puts the member: on by a port, at rest, or out (no port)."""
    for port, ids in outcome.go.items():
        if one.member in ids:
            drawn = {"drawn": True, "chosen": one.chosen, "ports": list(one.step.wires)}
            return "moved", port, drawn if one.step.type in CHANCE else {}
    for wait, ids in outcome.stay.items():
        if one.member in ids:
            named = (wait.event,) if isinstance(wait.event, str) else wait.event or ()
            rests = {"until": wait.until, "awaits": list(named)}
            return ("stays" if one.was_waiting and one.woken_by else "waits"), "", rests
    return "moved", "", {}
