"""A message as it would reach one person, shown beside its form: the very templates and filters, nothing sent or written.

Every field is rendered for itself, so that one that fails leaves the others to be seen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app import causes
from app.copyfilters import zone_of
from app.copywriting import CopyError, MissingVariable, check, render, variables
from app.rendering import LANGUAGES, values
from app.textlength import Length, measure
from app.vocabulary import Known
from flows.contract import Channel, Event, Json, NodeType
from flows.words import _, again, say

# Such a link leads nowhere: it shows where the real one will stand.
WAY_OUT = "https://example.com/u/preview"
SHORT_MESSAGES = ("sms",)
TEXT_AT_MOST = 200_000
LOOKS = {"email": "mail", "webhook": "request"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One field of a message. `error` says why it cannot be rendered for this person."""

    name: str
    title: str
    kind: str
    text: str
    error: str = ""
    length: Length | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A path that the copy reads, with what this person has there; `missing` where nothing is."""

    path: str
    value: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as it would look: `look` is mail, request or phone."""

    look: str
    channel: str
    fields: dict[str, Rendered]
    variables: list[Variable] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        return [one.path for one in self.variables if one.missing]

    def text(self, name: str) -> str:
        return self.fields[name].text if name in self.fields else ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a message is shown for: a contact, or somebody invented."""

    attributes: Mapping[str, Any]
    entry: Event | None = None
    timezone: str = "UTC"


def preview(kind: NodeType, settings: Mapping[str, Json], reader: Reader, now: datetime) -> Preview:
    """The message of a step for one reader, from settings that may be unfinished."""
    channel = kind.channel
    if channel is None:
        return Preview("phone", "", {})
    data = values(reader.attributes, reader.entry, {"id": 0, "version": 0}, {"unsubscribe": WAY_OUT}, now)
    templates = {name: str(settings.get(name) or "")[:TEXT_AT_MOST] for name in channel.fields}
    fields = {name: _rendered(kind, channel, name, template, data) for name, template in templates.items()}
    paths = {path for name, template in templates.items() for path in _paths(template, channel.fields[name])}
    found = [_variable(path, data) for path in sorted(paths)]
    return Preview(LOOKS.get(channel.name, "phone"), channel.name, fields, found)


def with_words(shown: Preview, fields: Mapping[str, str]) -> Preview:
    """The preview with the words that would really go out: what the sending code made of the same templates."""
    made = {
        name: replace(one, text=_pretty(fields[name]) if one.kind == "json" else fields[name], error="")
        for name, one in shown.fields.items()
        if name in fields
    }
    return replace(shown, fields={**shown.fields, **made})


def invented(
    known: tuple[Known, ...], properties: tuple[Known, ...], typed: Mapping[str, str], now: datetime
) -> Reader:
    """Somebody who has everything: an example of each attribute, and what was typed for a path instead."""
    attributes: dict[str, Any] = {"id": "someone", "email": "someone@example.com"}
    attributes |= {one.name: _typed(one.examples[0]) for one in known if one.examples}
    came: dict[str, Any] = {one.name: _typed(one.examples[0]) for one in properties if one.examples}
    for path, text in typed.items():
        if text:
            _put(attributes, path.removeprefix("contact."), text) if path.startswith("contact.") else None
    return Reader(attributes, _entry(came, typed, now))


def with_typed(reader: Reader, typed: Mapping[str, str], now: datetime) -> Reader:
    """The reader with what was typed for the entry's properties; a contact's own attributes stay theirs."""
    came = dict(reader.entry.properties) if reader.entry else {}
    return Reader(reader.attributes, _entry(came, typed, now), reader.timezone)


def _entry(came: dict[str, Any], typed: Mapping[str, str], now: datetime) -> Event:
    for path, text in typed.items():
        for start in ("entry.properties.", "event."):
            if text and path.startswith(start):
                _put(came, path.removeprefix(start), text)
    return Event("entered", now, came)


def _put(values: dict[str, Any], path: str, text: str) -> None:
    *above, last = path.split(".")
    for part in above:
        inner = values.get(part)
        values[part] = inner = dict(inner) if isinstance(inner, dict) else {}
        values = inner
    values[last] = _typed(text)


def _typed(text: str) -> Json:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and len(text) < 16 and not text.startswith("0") else text


def _rendered(kind: NodeType, channel: Channel, name: str, template: str, data: Mapping[str, Any]) -> Rendered:
    how = channel.fields[name]
    title = say(kind.settings.model_fields[name].title or name)
    person: Any = data["contact"]
    language = next((str(person[key]) for key in LANGUAGES if person.get(key)), "en")
    try:
        text = render(template, data, how, locale=language, zone=zone_of(str(person.get("timezone") or "UTC")))
    except MissingVariable as error:
        return Rendered(name, title, how, "", say(_("“{path}” has no value for this person"), path=error.path))
    except CopyError as error:
        return Rendered(name, title, how, "", causes.said(str(error), again))
    if how == "json":
        text = _pretty(text)
    length = measure(text) if channel.name in SHORT_MESSAGES and how == "text" else None
    return Rendered(name, title, how, text, length=length)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def _paths(template: str, kind: Any) -> list[str]:
    try:
        return [path for path in variables(template, kind) if not path.startswith(("links", "now", "journey"))]
    except CopyError:
        return []


def _variable(path: str, data: Mapping[str, Any]) -> Variable:
    value: Any = data
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return Variable(path, "" if value is None else shown[:200], value is None)


def copy_problems(kind: NodeType, settings: Mapping[str, Json]) -> list[tuple[str, str]]:
    """What is wrong with the templates of a message, by field."""
    fields = kind.channel.fields if kind.channel else {}
    found = [(name, text) for name, how in fields.items() for text in check(str(settings.get(name) or ""), how)]
    return [(name, causes.said(text, again)) for name, text in found]
