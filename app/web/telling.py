"""A simulated story in the reader's words: days, times, what happened at each step and why. Decides nothing."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import nh3
from babel import dates

from app import reasons
from app.language import LOCALES, words
from app.simulating import Story, Told
from app.simulating.notes import Moment
from app.simulating.watching import Reason
from app.web.sketch import way_word
from flows.calendar import zone
from flows.contract import NodeType
from flows.document import Document
from flows.durations import Language
from flows.durations import words as span_words
from flows.rules.explain import sentence
from flows.words import _

LEFT: Mapping[str, str] = {
    "goal": _("The goal is reached"),
    "exit_when": _("The exit rule takes the person out"),
    "visit_limit": _("Went round too often, and leaves"),
    "manual": _("Taken out"),
}
SENT: Mapping[str, str] = {"sent": _("sent"), "failed": _("failed"), "suppressed": _("not sent")}
# Steps that go on at once say enough by what they did.
QUIET = frozenset({"next"})


def plain(markup: str) -> str:
    """HTML of a mail as the panel may show it: its structure, without looks and without ways to elsewhere."""
    return nh3.clean(markup, attributes={}) if markup else ""


class Teller:
    """Turns the diary into lines for the page."""

    def __init__(
        self,
        document: Document,
        catalog: Mapping[str, NodeType],
        language: Language,
        *,
        story: Story,
        told: Told,
        zone_name: str,
    ) -> None:
        self.document, self.catalog, self.language = document, catalog, language
        self.story, self.told = story, told
        self.say = words(language).gettext
        self.place = zone(story.person.attributes.get("timezone")) or zone(zone_name) or ZoneInfo("UTC")
        self._nodes = document.index()

    def name(self, node: str) -> str:
        """What a step is called."""
        one = self._nodes.get(node)
        if one is None:
            return node
        kind = self.catalog.get(one.type)
        return one.name or (self.say(kind.title) if kind else one.type)

    def moment(self, at: datetime, seen_from: datetime | None = None) -> str:
        """Day and time, in the contact's own zone; the time alone where it is the same day."""
        local = at.astimezone(self.place)
        same = seen_from is not None and seen_from.astimezone(self.place).date() == local.date()
        return f"{local:%H:%M}" if same else f"{self._day(local)} {local:%H:%M}"

    def span(self, length: timedelta) -> str:
        """A length of time, as exact as one reads it."""
        seconds = int(length.total_seconds())
        days, rest = divmod(seconds, 86_400)
        hours, minutes = divmod(rest // 60, 60)
        parts = [
            text for count, text in ((days, f"P{days}D"), (hours, f"PT{hours}H"), (minutes, f"PT{minutes}M")) if count
        ]
        return " ".join(span_words(one, self.language) for one in parts[:2]) or span_words(
            f"PT{seconds}S", self.language
        )

    def events(self) -> list[str]:
        """Names of events that mean something to this journey, those that are waited for first."""
        found = dict.fromkeys(name for name in self.told.awaits if not name.startswith("message."))
        settings = self.document.settings
        found |= dict.fromkeys(one.event for one in (settings.goal, settings.exit_when) if one)
        for node in self.document.nodes:
            named = [node.settings, *(one for one in node.settings.get("events", ()) if isinstance(one, dict))]
            found |= dict.fromkeys(str(one["event"]) for one in named if isinstance(one.get("event"), str))
        return list(found)

    def days(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The lines by local day."""
        found: list[tuple[str, list[dict[str, Any]]]] = []
        for one in self.told.moments:
            if one.kind == "moved" and self._says_nothing(one):
                continue
            local = one.at.astimezone(self.place)
            day = self._day(local)
            if not found or found[-1][0] != day:
                found.append((day, []))
            found[-1][1].append(self._line(one, f"{local:%H:%M}"))
        return found

    def _day(self, local: datetime) -> str:
        pattern = "EEE d MMM y" if self.language == "en" else "y年M月d日 EEE"
        return dates.format_date(local, pattern, locale=LOCALES[self.language])

    def _says_nothing(self, one: Moment) -> bool:
        node = self._nodes.get(one.node)
        waits = node is not None and node.type.startswith("wait.")
        return (one.port in QUIET and not waits) or not one.port

    def _line(self, one: Moment, time: str) -> dict[str, Any]:
        node = self._nodes.get(one.node)
        kind = self.catalog.get(node.type) if node else None
        return {
            "kind": one.kind,
            "time": time,
            "node": one.node,
            "type": node.type if node else "",
            "hue": kind.group if kind else "flow",
            "name": self.name(one.node) if one.node else "",
            "way": way_word(one.port, self.say) if one.port else "",
            "port": one.port,
            "why": self._why(one),
            "reasons": [self._reason(reason) for reason in one.reasons],
            "detail": self._detail(one),
        }

    def _why(self, one: Moment) -> str:
        if one.kind == "refused":
            return self.say(one.why)
        if one.kind != "left":
            return ""
        if one.detail["status"] == "exited":
            return self.say(LEFT[one.why]) if one.why in LEFT else one.why
        node, dot, port = one.why.partition(".")
        if one.detail["status"] == "completed" and dot and node in self._nodes:
            return f"{self.name(node)}: {way_word(port, self.say)}"
        return self.name(one.node) if one.why == one.node else one.why

    def _reason(self, one: Reason) -> dict[str, Any]:
        """The leaf that decided in words, and what was seen."""
        asked = sentence(one.leaf, self.language) if one.leaf else ""
        return {"case": one.case, "held": one.held, "asked": asked, "seen": self._seen(one.seen)}

    def _seen(self, value: Any) -> str:
        if value is None:
            return self.say(_("nothing"))
        if isinstance(value, bool):
            return self.say(_("yes")) if value else self.say(_("no"))
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)

    def _detail(self, one: Moment) -> dict[str, Any]:
        detail = dict(one.detail)
        if one.kind in ("waits", "stays"):
            until = detail.get("until")
            detail["until"] = self.moment(until, one.at) if until else ""
            detail["span"] = self.span(until - one.at) if until else ""
            detail["awaits"] = [name for name in detail["awaits"] if not name.startswith("message.")]
            detail["receipt"] = len(detail["awaits"]) != len(one.detail["awaits"])
        if one.kind == "message":
            reason = str(detail.get("reason", ""))
            detail["markup"] = plain(detail.get("fields", {}).get("html", ""))
            detail |= {
                "word": self.say(SENT[detail["status"]]),
                "reason": reasons.sentence(reason, self.say),
            }
        for name in ("properties", "set"):
            if name in detail:
                detail[name] = [(key, self._seen(value)) for key, value in detail[name].items()]
        return detail
