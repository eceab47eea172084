"""What the author of a node type imports: one frozen value describes the type, pure functions do the work.

Fixed as contract 1 (DESIGN §4). A node never sees SQL, the network, a clock or chance: the moment, the facts and the
draw are arguments, so the same batch always has the same outcome.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

CONTRACT = 1
DRAW_RANGE = 2**64

Json = Any  # the one place where a value may be anything: what JSON can say
MemberId = int

OUTCOMES = ("sent", "delivered", "opened", "clicked", "failed", "suppressed")


class NodeSettings(BaseModel):
    """Base of every node's settings: unknown fields are refused, so that a typo is an error and not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Event(NamedTuple):
    """Something a contact did. `timestamp` is when it happened, `id` its place in the history (None: not stored yet)."""

    name: str
    timestamp: datetime
    properties: Mapping[str, Json]
    id: int | None = None


class Facts:
    """What is known of one contact while its batch is walked; shared by all members of that contact.

    `events` holds, by name and in order of timestamp, only what some `reads` asked for. Nodes read; only the walk writes, and
    where `shared` says that a cohort of contacts with equal facts shares the object, it writes to a copy.
    """

    __slots__ = ("attributes", "consents", "events", "segments", "shared", "tags")

    def __init__(
        self,
        attributes: dict[str, Json] | None = None,
        tags: set[str] | None = None,
        events: dict[str, list[Event]] | None = None,
        segments: frozenset[str] = frozenset(),
        consents: Mapping[str, Mapping[str, Json]] | None = None,
    ) -> None:
        self.attributes: dict[str, Json] = {} if attributes is None else attributes
        self.tags: set[str] = set() if tags is None else tags
        self.events: dict[str, list[Event]] = {} if events is None else events
        self.segments = segments
        self.consents: Mapping[str, Mapping[str, Json]] = {} if consents is None else consents
        self.shared = False

    def copy(self) -> "Facts":
        """The same facts, one contact's own."""
        events = {name: list(past) for name, past in self.events.items()}
        return Facts(dict(self.attributes), set(self.tags), events, self.segments, self.consents)


class Member:
    """One enrollment standing at a node.

    `arrived_at` is the moment the node must reckon with: the event's arrival, the timer's due time. `entry` is the event
    (or API context) that let the contact in, `woken_by` the event that ended the wait (None: the clock, or just arrived),
    `waiting` whether the member has been at rest on this node before (so `advance` is called again, not for the first time).
    `since` is the timestamp of the entry, `entry_event` its event's place in the history, known also where `entry` was not read;
    `messages` maps node ids of this enrollment to the outcomes reached there.
    """

    # Defaults stand on the class: a blast makes a member for everybody, and most never differ from these.
    key: str = ""
    entry: Event | None = None
    entry_event: int | None = None
    messages: Mapping[str, frozenset[str]] = MappingProxyType({})
    visit: int = 1
    waiting: bool = False
    rested_at: datetime | None = None
    woken_by: Event | None = None

    def __init__(self, id: MemberId, contact: int, arrived_at: datetime, facts: Facts, **more: Any) -> None:
        self.id = id
        self.contact = contact
        self.arrived_at = arrived_at
        self.facts = facts
        self.since = arrived_at
        for name, value in more.items():
            setattr(self, name, value)


@dataclass(frozen=True, slots=True)
class Batch:
    """The members standing at one node of one version. `timezone` is the journey's; `key_path` that of a keyed journey."""

    now: datetime
    settings: Any
    members: Sequence[Member]
    seed: str = ""  # "workspace/journey/node"
    timezone: str = "UTC"
    key_path: str | None = None
    node: str = ""

    def draw(self, member: Member, salt: str = "") -> float:
        """A number in [0, 1) that is the member's own at this node for ever (DESIGN §6): anybody can recompute it."""
        name = f"{self.seed}/{member.contact}"
        if member.key:
            name = f"{name}/{member.key}"
        if salt:
            name = f"{name}#{salt}"
        return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / DRAW_RANGE

    def same_key(self, member: Member, event: Event) -> bool:
        """Whether the event speaks of the member's own key; always true where the journey is not keyed."""
        return self.key_path is None or key_of(event.properties, self.key_path) == member.key


class Wait(NamedTuple):
    """At rest until an instant, until one of the named events, or whichever comes first."""

    until: datetime | None = None
    event: str | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to deliver to each of `members` over one channel; what it says stays in the settings of the node.

    `content` is only for nodes that compute the words themselves; it replaces the settings' fields of the same names.
    """

    members: Sequence[MemberId]
    channel: str
    account: str | None = None
    content: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """Effect: give and take tags."""

    members: Sequence[MemberId]
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetAttributes:
    """Effect: set attributes; a value of None removes the attribute."""

    members: Sequence[MemberId]
    values: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Emit:
    """Effect: an event of each member's contact, which comes in again by the front door."""

    members: Sequence[MemberId]
    event: str
    properties: Mapping[str, Json] = field(default_factory=dict)


Effect = Tag | SetAttributes | Emit


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where each member went: exactly one of `go`, `stay`, `leave`, `fail` names it.

    `leave` ends the walk as completed with the reason given. `why` maps members to the short reason the timeline shows.
    """

    go: Mapping[str, Sequence[MemberId]] = field(default_factory=dict)
    stay: Mapping[Wait, Sequence[MemberId]] = field(default_factory=dict)
    leave: Mapping[str, Sequence[MemberId]] = field(default_factory=dict)
    fail: Mapping[str, Sequence[MemberId]] = field(default_factory=dict)
    send: Sequence[Message] = ()
    effects: Sequence[Effect] = ()
    why: Mapping[MemberId, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """How an entry node lets people in; data for match (events), enroll (the rest) and the API.

    event: `event`, `where`, `when`. segment and schedule: `rule` (None: everybody), `schedule`. date: `attribute`,
    `offset`, `at`, `every_year`. api: nothing.
    """

    kind: Literal["event", "segment", "schedule", "date", "api"]
    event: str = ""
    where: Any = None
    when: Any = None
    rule: Any = None
    schedule: Mapping[str, Json] | None = None
    attribute: str = ""
    offset: str = "P0D"
    at: str = "00:00"
    every_year: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One rendered message on its way: `fields` as the channel named them, `account` the provider settings in clear.

    `idempotency_key` never changes between attempts (rule D6); `links` holds absolute addresses made for this message
    (`unsubscribe`, `open`), `marketing` whether the law asks for a way out.
    """

    id: int
    recipient: str
    fields: Mapping[str, str]
    account: Mapping[str, Json]
    idempotency_key: str
    links: Mapping[str, str] = field(default_factory=dict)
    marketing: bool = True


class Report(NamedTuple):
    """What became of one attempt. `unknown`: bytes went out and no answer came; never retried without thought (rule D7)."""

    status: Literal["sent", "failed", "retry", "unknown"]
    reason: str = ""
    provider_id: str = ""
    retry_after: float | None = None  # seconds the provider asked for


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach people. `fields` are the settings rendered as Liquid, with the escaping each needs.

    `address` is the identity kind (or attribute) a recipient needs, None where the contact itself is the address.
    `deliver(messages, egress)` is async, takes at most `batch` messages of one account and gives one report for each, in order.
    More than one only for who begins all its calls at once: consent is read again before each call of `deliver`, and nobody
    may be written to a second after they opted out, however slow the messages before theirs.
    `repeats` says what a provider does with a key it has seen: `absorbed`, or `sent again`.
    """

    name: str
    fields: Mapping[str, Literal["text", "html", "json", "url"]]
    deliver: Callable[[Sequence[Outgoing], Any], Awaitable[list[Report]]]
    account: type[BaseModel] | None = None
    address: str | None = None
    batch: int = 1
    repeats: Literal["absorbed", "sent again"] = "sent again"
    local: bool = False  # True: nothing leaves the house (in-app), the rendered fields are kept for pulling


SettingsClass = type[BaseModel]  # named here, because inside NodeType `type` is a field
Names = tuple[str, ...] | Callable[[Any], tuple[str, ...]]


def _no_upgrade(settings: dict[str, Json], from_version: int) -> dict[str, Json]:
    """Nothing to change: the type never had another version."""
    del from_version
    return settings


@dataclass(frozen=True, slots=True)
class NodeType:
    """One kind of step. `ports`, `reads` and `listens` may be functions of the settings.

    `reads` names facts: `attributes.plan`, `tags`, `entry` (the entry event's properties), `segment:vip`,
    `event:order_paid within P7D`, `event:order_paid since entry`, `message:nudge`.
    `listens` names the events a wait of this node may name. `waits` says whether everybody rests here, so that a cycle through
    the node ends. `jumps` gives wires that come from settings instead of edges. `channel` marks a send.
    """

    type: str
    version: int
    title: str
    group: str
    settings: SettingsClass
    ports: Names
    summary: Callable[[Any], str]
    advance: Callable[[Batch], Outcome]
    reads: Names = ()
    icon: str = "icon.svg"
    listens: Names = ()
    waits: bool = False
    start: Callable[[Any], Start] | None = None
    jumps: Callable[[Any], Mapping[str, str]] | None = None
    channel: Channel | None = None
    upgrade: Callable[[dict[str, Json], int], dict[str, Json]] = _no_upgrade
    help: str = ""


def names(value: Names, settings: Any) -> tuple[str, ...]:
    """The names a fixed tuple or a function of the settings gives."""
    return value(settings) if callable(value) else value


def key_of(properties: Mapping[str, Json], path: str) -> str:
    """The key of an event in a keyed journey, as text; empty where it has none.

    `path` is `properties.order_id` or `order_id`; dots walk into nested objects. Only text, numbers and truth values are keys.
    """
    value: Json = properties
    for part in path.removeprefix("properties.").split("."):
        if not isinstance(value, Mapping) or part not in value:
            return ""
        value = value[part]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int | float) else ""
