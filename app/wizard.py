"""The guided start (F009): plan → audience → tool → effect. What was answered becomes a flow document; nothing is kept.

The answers travel in the form's hidden fields. Never a page and never a row: `web/starting` shows and saves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.copywriting import check
from app.gallery import SCENES
from app.gallery.filling import BlankError, address, duration_of
from flows.calendar import time_of_day
from flows.contract import Json
from flows.durations import seconds
from flows.words import _

STEPS = ("plan", "audience", "tool", "effect")
CONDITIONS = 3
REMINDERS_AT_MOST = 3
GOAL_DAYS_AT_MOST = 90
COLUMN, BELOW = 320, 128
WEEKDAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
Typed = Mapping[str, str]
Say = Callable[[str], str]

BEGIN: Mapping[str, str] = {
    "name": "", "scene": "convert", "plan": "",
    "who": "event", "event": "", "when": "join", "weekday": "1", "day": "1", "time": "10:00",
    "what.0": "did", "of.0": "", "op.0": "eq", "value.0": "", "days.0": "7",
    "what.1": "", "of.1": "", "op.1": "eq", "value.1": "", "days.1": "30",
    "what.2": "", "of.2": "", "op.2": "eq", "value.2": "", "days.2": "30",
    "channel": "", "title": "", "text": "", "link": "", "wait.amount": "0", "wait.unit": "H",
    "reminders": "1", "gap.amount": "3", "gap.unit": "D", "reminder": "",
    "goal": "", "within": "14", "holdout": "10", "again": "once", "rest": "30",
}  # fmt: skip
OPERATORS: Mapping[str, str] = {
    "eq": _("is"), "ne": _("is something other than"), "gte": _("is at least"), "lte": _("is at most"),
    "contains": _("contains"), "exists": _("is known"), "missing": _("is missing"),
}  # fmt: skip
WHATS: Mapping[str, str] = {
    "did": _("did"), "did_not": _("did not do"), "attribute": _("has the attribute"), "tag": _("has the tag"),
    "no_tag": _("has not the tag"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered, and what is wrong with it: texts by field."""

    typed: dict[str, str]
    wrong: dict[str, str]

    def of(self, field: str) -> str:
        """What stands in a field."""
        return self.typed[field]


def answered(typed: Typed, steps: Sequence[str] = STEPS) -> Answered:
    """The answers with the beginning's where nothing was said; the `steps` named are checked."""
    whole = {name: typed.get(name, begin).strip().replace("\x00", "") for name, begin in BEGIN.items()}
    found = Answered(whole, {})
    for step in steps:
        _CHECKS[step](found)
    return found


def _needed(found: Answered, *fields: str, most: int = 200) -> None:
    for field in fields:
        text = found.of(field)
        if not text:
            found.wrong[field] = _("is needed")
        elif len(text) > most:
            found.wrong[field] = _("is too long")
        elif "\n" in text:
            found.wrong[field] = _("must be one line")


def _copy(found: Answered, *fields: str) -> None:
    for field in fields:
        if field not in found.wrong and check(found.of(field)):
            found.wrong[field] = _("holds a {{ … }} that cannot be read")


def _whole(found: Answered, field: str, least: int, most: int) -> int:
    text = found.of(field)
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1
    if not least <= value <= most:
        found.wrong[field] = _("must be a whole number in the range shown")
        return least
    return value


def _check_plan(found: Answered) -> None:
    _needed(found, "name")
    if found.of("scene") not in SCENES:
        found.wrong["scene"] = _("choose one")


def _check_audience(found: Answered) -> None:
    if found.of("who") == "event":
        _needed(found, "event")
        if found.of("event").startswith("message."):
            found.wrong["event"] = _("events named message.… are receipts; choose another name")
        return
    try:
        rule(found)
    except BlankError as error:
        found.wrong["rule"] = str(error)
    _whole(found, "day", 1, 28)
    _whole(found, "weekday", 1, 7)
    try:
        time_of_day(found.of("time"))
    except ValueError:
        found.wrong["time"] = _("must be a time such as 09:00")
    if found.of("when") not in ("join", "weekly", "monthly"):
        found.wrong["when"] = _("choose one")


def _check_tool(found: Answered) -> None:
    _needed(found, "title", most=300)
    if len(found.of("text")) > 10_000:
        found.wrong["text"] = _("is too long")
    if found.of("link") and not found.of("link").startswith(("https://", "http://")):
        found.wrong["link"] = _("must begin with https://")
    if found.of("channel") and not found.of("text"):
        found.wrong["text"] = _("is needed")
    _copy(found, "title", "text", "link", "reminder")
    if _whole(found, "reminders", 0, REMINDERS_AT_MOST):
        _length(found, "gap")
    if found.of("wait.amount") not in ("", "0"):
        _length(found, "wait")


def _length(found: Answered, field: str) -> str:
    amount = found.of(f"{field}.amount")
    try:
        return duration_of(int(amount) if amount.isascii() and amount.isdecimal() else 0, found.of(f"{field}.unit"))
    except BlankError as error:
        found.wrong[field] = str(error)
        return "P1D"


def _check_effect(found: Answered) -> None:
    _needed(found, "goal")
    _whole(found, "within", 1, GOAL_DAYS_AT_MOST)
    _whole(found, "holdout", 0, 50)
    if found.of("again") == "rest":
        _whole(found, "rest", 1, 365)


_CHECKS: Mapping[str, Callable[[Answered], None]] = {
    "plan": _check_plan,
    "audience": _check_audience,
    "tool": _check_tool,
    "effect": _check_effect,
}


def rule(found: Answered) -> dict[str, Json]:
    """The audience as a rule; BlankError where it says nothing."""
    parts = [part for number in range(CONDITIONS) if (part := _condition(found, number))]
    if not parts:
        raise BlankError(_("say at least one thing about the people"))
    return parts[0] if len(parts) == 1 else {"all": parts}


def _condition(found: Answered, number: int) -> dict[str, Json] | None:
    what, name = found.of(f"what.{number}"), found.of(f"of.{number}")
    if not what or not name:
        return None
    if len(name) > 200:
        raise BlankError(_("is too long"))
    if what in ("tag", "no_tag"):
        return {"tag": name} if what == "tag" else {"not": {"tag": name}}
    if what == "attribute":
        return _attribute(name, found.of(f"op.{number}"), found.of(f"value.{number}"))
    days = found.of(f"days.{number}")
    happened: dict[str, Json] = {"event": name}
    if days:
        if not days.isdecimal() or not 1 <= int(days[:6]) <= 365:
            raise BlankError(_("days must be a whole number from 1 to 365"))
        happened["within"] = f"P{int(days)}D"
    return {"not": happened} if what == "did_not" else happened


def _attribute(name: str, operator: str, text: str) -> dict[str, Json]:
    if operator not in OPERATORS:
        raise BlankError(_("choose one"))
    if operator in ("exists", "missing"):
        return {"attribute": name, "op": operator}
    if not text:
        raise BlankError(_("a condition lacks its value"))
    value: Any = text
    if operator in ("gte", "lte") or (operator != "contains" and text.lstrip("-").isdecimal() and len(text) < 15):
        try:
            value = float(text) if "." in text else int(text)
        except ValueError:
            raise BlankError(_("must be a number")) from None
    return {"attribute": name, "op": operator, "value": value}


def compose(found: Answered, say: Say, accounts: Sequence[str]) -> dict[str, Json]:
    """The flow: who comes in, what they get and when, what counts as success. Says the names of steps by `say`."""
    chain = _Chain(say)
    chain.step("start", *_entry(found, say))
    held = int(found.of("holdout"))
    goal = f"P{int(found.of('within'))}D"
    if held:
        chain.step("control", "holdout", _("Control group"), {"percent": held}, port="go")
        chain.aside("watch", "wait.duration", _("Only watched"), {"duration": goal}, source="control", port="held")
        chain.aside("held", "exit", _("Held back"), {"reason": say(_("held back"))}, source="watch", port="next")
    used = 0
    if found.of("wait.amount") not in ("", "0"):
        length = _length(found, "wait")
        used += seconds(length)
        chain.step("pause", "wait.duration", _("Wait first"), {"duration": length})
    chain.step("message", "send.email", _("The message"), _words(found, found.of("title")))
    for number in range(1, int(found.of("reminders")) + 1):
        gap = _length(found, "gap")
        used += seconds(gap)
        chain.step(f"gap_{number}", "wait.duration", _("Time to act"), {"duration": gap})
        words = _words(found, found.of("reminder") or found.of("title"))
        chain.step(f"reminder_{number}", "send.email", _("Reminder"), words)
    rest = max(seconds(goal) - used, 86_400)
    chain.step("rest", "wait.duration", _("Until the goal is out of reach"), {"duration": _span(rest)})
    chain.step("end", "exit", _("Goal not reached"), {"reason": say(_("goal not reached"))})
    settings: dict[str, Json] = {"goal": {"event": found.of("goal"), "within": goal}, "reentry": {"mode": "once"}}
    if found.of("again") == "rest":
        settings["reentry"] = {"mode": "cooldown", "cooldown": f"P{int(found.of('rest'))}D"}
    document = {"schema": 1, "settings": settings, "nodes": chain.nodes, "edges": chain.edges}
    channel = found.of("channel")
    address(document, channel if channel in accounts else "")
    return document


def _span(length: int) -> str:
    days, rest = divmod(length, 86_400)
    return f"P{days}D" if not rest else f"PT{length // 60}M"


def _entry(found: Answered, say: Say) -> tuple[str, str, dict[str, Json]]:
    del say
    if found.of("who") == "event":
        return "entry.event", _("What they did"), {"event": found.of("event")}
    at = time_of_day(found.of("time"))
    schedules: Mapping[str, dict[str, str]] = {
        "join": {"on": "join"},
        "weekly": {"cron": f"{at.minute} {at.hour} * * {int(found.of('weekday')) % 7}"},
        "monthly": {"cron": f"{at.minute} {at.hour} {int(found.of('day'))} * *"},
    }
    return "entry.segment", _("The audience"), {"rule": rule(found), "schedule": schedules[found.of("when")]}


def _words(found: Answered, title: str) -> dict[str, Json]:
    return {"account": "", "subject": title, "text": found.of("text"), "url": found.of("link")}


class _Chain:
    """Steps in a row from left to right; a few stand below it."""

    def __init__(self, say: Say) -> None:
        self.nodes: list[dict[str, Json]] = []
        self.edges: list[dict[str, str]] = []
        self._say = say
        self._last: tuple[str, str] | None = None
        self._column = 0

    def step(
        self, id: str, type: str, name: str, settings: dict[str, Json], *, port: Literal["next", "go"] = "next"
    ) -> None:
        """The next step; the one after it hangs on `port`."""
        self._add(id, type, name, settings, place=(self._column, 0))
        if self._last:
            self.edges.append({"from": self._last[0], "port": self._last[1], "to": id})
        self._last = (id, port)
        self._column += 1

    def aside(self, id: str, type: str, name: str, settings: dict[str, Json], *, source: str, port: str) -> None:
        """A step below the row, to the right of its source."""
        column = next(int(node["x"]) for node in self.nodes if node["id"] == source) // COLUMN
        self._add(id, type, name, settings, place=(column + 1, 1))
        self.edges.append({"from": source, "port": port, "to": id})

    def _add(self, id: str, type: str, name: str, settings: dict[str, Json], *, place: tuple[int, int]) -> None:
        x, y = place[0] * COLUMN, place[1] * BELOW
        self.nodes.append(
            {"id": id, "type": type, "version": 1, "name": self._say(name), "settings": settings, "x": x, "y": y}
        )
