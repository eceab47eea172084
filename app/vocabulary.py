"""The words a form offers: what the workspace has (events, attributes, tags, accounts) and what the journey has (steps).

Kept for a minute in each process: a picker need not know a name the second it is first used. Never decides what is valid.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from app.store import accounts, vocabulary
from app.store.rows import Connection
from app.store.vocabulary import Name, Property
from flows.calendar import as_instant

KEPT_FOR = timedelta(seconds=60)
WORKSPACES_AT_MOST = 200
KINDS = {"string": "text", "number": "number", "boolean": "flag", "array": "list", "object": "object"}
DATES = 0.6  # so many of the examples must be dates for an attribute to count as one


class Known(NamedTuple):
    """A name a picker offers. `kind` is what its values are: text, number, flag, list, date; empty: several, or unknown."""

    name: str
    kind: str = ""
    examples: tuple[str, ...] = ()
    label: str = ""


class StepName(NamedTuple):
    """A step of the journey at hand."""

    id: str
    title: str
    type: str
    sends: bool = False
    entry: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """All that a form may offer."""

    events: tuple[Known, ...] = ()
    attributes: tuple[Known, ...] = ()
    tags: tuple[Known, ...] = ()
    properties: tuple[Known, ...] = ()
    of_events: Mapping[str, tuple[Known, ...]] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[StepName, ...] = ()
    step: str = ""
    channel: str = ""
    timezone: str = "UTC"
    entry_events: tuple[str, ...] = ()

    def kind_of(self, kind: str, name: str) -> str:
        """What the values of an attribute or a property are; empty where that is not known."""
        known = self.attributes if kind == "attribute" else self.properties
        first = name.partition(".")[0]
        return next((one.kind for one in known if one.name == first), "") if first == name else ""

    def examples(self, kind: str, name: str) -> tuple[str, ...]:
        """Values that occur."""
        known = self.attributes if kind == "attribute" else self.properties
        return next((one.examples for one in known if one.name == name), ())

    def own_accounts(self) -> list[str]:
        """The accounts of the step's channel."""
        return sorted(name for name, channel in self.accounts.items() if channel == self.channel or not self.channel)

    def entry_properties(self) -> tuple[Known, ...]:
        """The properties of the events that let people in."""
        found = {one.name: one for event in self.entry_events for one in self.of_events.get(event, ())}
        return tuple(found.values())


class Library:
    """The words of each workspace, read again when they are a minute old."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[datetime, Words]] = {}
        self._lock = threading.Lock()

    def words(self, connection: Connection, workspace_id: int, now: datetime) -> Words:
        """What the workspace speaks of; its accounts are read each time, for they are few and matter at once."""
        with self._lock:
            kept = self._kept.get(workspace_id)
        if kept is None or now - kept[0] > KEPT_FOR:
            kept = (now, _read(connection, workspace_id))
            with self._lock:
                if len(self._kept) >= WORKSPACES_AT_MOST:
                    self._kept.clear()
                self._kept[workspace_id] = kept
        return replace(kept[1], accounts=accounts.channels(connection, workspace_id))


def without_examples(words: Words, hidden: Collection[str] | None) -> Words:
    """The same names without values: of those hidden, or (None) of all."""

    def bare(some: Sequence[Known]) -> tuple[Known, ...]:
        return tuple(one._replace(examples=()) if hidden is None or one.name in hidden else one for one in some)

    of_events = {event: bare(some) for event, some in words.of_events.items()}
    return replace(words, attributes=bare(words.attributes), properties=bare(words.properties), of_events=of_events)


def _read(connection: Connection, workspace_id: int) -> Words:
    properties = vocabulary.properties(connection, workspace_id)
    of_events: dict[str, list[Property]] = {}
    for one in properties:
        of_events.setdefault(one.event, []).append(one)
    return Words(
        events=_known(vocabulary.events(connection, workspace_id)),
        attributes=_known(vocabulary.attributes(connection, workspace_id)),
        tags=_known(vocabulary.tags(connection, workspace_id)),
        properties=_known([Name(*one[1:]) for one in properties]),
        of_events={event: _known([Name(*one[1:]) for one in some]) for event, some in of_events.items()},
    )


def _known(names: Sequence[Name]) -> tuple[Known, ...]:
    """Each name once; of several kinds it has none."""
    kinds: dict[str, set[str]] = {}
    examples: dict[str, list[str]] = {}
    for one in names:
        kinds.setdefault(one.name, set()).add(KINDS.get(one.kind, ""))
        examples.setdefault(one.name, []).extend(one.examples)
    return tuple(
        Known(name, _kind(kinds[name], examples[name]), tuple(dict.fromkeys(examples[name]))[: vocabulary.EXAMPLES])
        for name in kinds
    )


def _kind(kinds: set[str], examples: Sequence[str]) -> str:
    if kinds != {"text"}:
        return kinds.pop() if len(kinds) == 1 else ""
    dates = sum(1 for text in examples if as_instant(text) is not None)
    return "date" if examples and dates >= DATES * len(examples) else "text"
