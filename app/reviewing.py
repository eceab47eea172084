"""What a reviewer sees of a flow before anybody gets it: each of its messages, made for real contacts by the code that delivers.

Whom somebody may not see in clear is masked before a word is made. Nothing is sent, kept or counted; links lead nowhere.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app import causes, crowding, erasures, previews
from app.copywriting import CopyError
from app.gate import Case, verdicts
from app.links import Tokens
from app.previews import Preview, Reader
from app.privacy import Glasses
from app.rendering import LANGUAGES, Site, words
from app.store import crowds
from app.store.crowds import Came, Sample
from app.store.outbox import Claimed
from app.store.rows import Connection
from flows.compile import Plan, Step
from flows.contract import Event
from flows.words import again

READERS = 3
NAMES = ("user_id", "email", "phone", "openid", "anonymous_id")
PREVIEW_SITE = Site("https://example.com", Tokens(b"these links lead nowhere"))


class Person(NamedTuple):
    """Somebody whom the messages are shown for, as the reviewer may see them."""

    id: int
    called: str
    language: str
    timezone: str


class Shown(NamedTuple):
    """A message for one of them. `withheld`: why it would not go out now; `failed`: why it cannot be made for them."""

    person: Person
    preview: Preview
    recipient: str
    withheld: str
    failed: str


class Message(NamedTuple):
    """A step that sends, with what each of the people would get."""

    node: str
    channel: str
    marketing: bool
    shown: tuple[Shown, ...]


class Look(NamedTuple):
    """Who looks, when, and through which glasses; the secret knows erased addresses again."""

    glasses: Glasses
    secret: bytes
    now: datetime


def messages(connection: Connection, plan: Plan, look: Look, only: int | None = None) -> tuple[list[Message], bool]:
    """Every message for three contacts, and whether the entries would let these in. `only`: this contact alone."""
    people, fitting = crowding.some(connection, plan, look.now, READERS)
    if only is not None:
        people = [one for one in people if one.id == only]
    steps = [step for step in plan.steps.values() if step.node is not None and step.node.channel is not None]
    if not people or not steps:
        return [Message(step.id, _channel(step), step.marketing, ()) for step in steps], fitting
    names = sorted({step.start.event for step in plan.entries if step.start and step.start.kind == "event"})
    area, _ = crowding.area_of(connection, plan, look.now)
    came = crowds.last_events(connection, area, people, names)
    claimed = _claimed(connection, plan, steps, people, look)
    found = []
    for step in steps:
        shown = [_shown(claimed[step.id, one.id], plan, step, one, came.get(one.id), look) for one in people]
        found.append(Message(step.id, _channel(step), step.marketing, tuple(shown)))
    return found, fitting


def _channel(step: Step) -> str:
    return step.node.channel.name if step.node and step.node.channel else ""


def _claimed(
    connection: Connection, plan: Plan, steps: Sequence[Step], people: Sequence[Sample], look: Look
) -> dict[tuple[str, int], Claimed]:
    """The messages as a worker would hold them in its hands, with all the gate asks for."""
    made: list[tuple[Step, Sample, Claimed]] = []
    for step in steps:
        made += [(step, one, _one(plan, step, one, number, look.now)) for number, one in enumerate(people)]
    addresses = [(claimed.channel, claimed.recipient) for _, _, claimed in made if claimed.recipient]
    why = crowds.suppressed(connection, plan.workspace_id, addresses) if addresses else {}
    full = [claimed._replace(suppressed=why.get((claimed.channel, claimed.recipient or ""))) for _, _, claimed in made]
    marked = erasures.marked(connection, look.secret, full)
    return {(step.id, one.id): claimed for (step, one, _), claimed in zip(made, marked, strict=True)}


def _one(plan: Plan, step: Step, one: Sample, number: int, now: datetime) -> Claimed:
    assert step.node is not None
    channel = step.node.channel
    assert channel is not None
    user = one.names.get("user_id")
    kind = channel.address
    address = (user or str(one.id)) if kind is None else (_text(one.attributes.get(kind)) or one.names.get(kind))
    return Claimed(
        plan.workspace_id, one.lane, 0, step.id, 1, number, one.id, None, plan.journey_id, plan.version_id,
        channel.name, None, step.marketing, 1, 0, now, None, None, address, one.attributes, one.consents, user, None,
        now, None,
    )  # fmt: skip


def _shown(one: Claimed, plan: Plan, step: Step, sample: Sample, came: Came | None, look: Look) -> Shown:
    """One message for one person: the gate asked in clear, the words made from what the reviewer may see."""
    assert step.node is not None
    case = Case(one.channel, one.marketing, one.consents, one.recipient or "", one.suppressed, step.purpose, one.erased)
    (withheld,) = verdicts([case])
    seen = _seen(one, look.glasses)
    event = Event(came.name, came.timestamp, look.glasses.attributes(came.properties), came.id) if came else None
    reader = Reader({**seen.attributes, "id": seen.user_id or str(seen.contact_id)}, event, plan.timezone)
    preview, failed = previews.preview(step.node, _templates(step), reader, look.now), ""
    try:
        preview = previews.with_words(preview, words(seen, plan, event, PREVIEW_SITE, look.now).fields)
    except CopyError as error:
        failed = causes.said(str(error), again)
    return Shown(_person(sample, plan, look.glasses), preview, seen.recipient or "", withheld or "", failed)


def _seen(one: Claimed, glasses: Glasses) -> Claimed:
    """The message as made for somebody who may not see everything."""
    names = glasses.identities([("user_id", one.user_id)] if one.user_id else [])
    return one._replace(
        attributes=glasses.attributes(one.attributes),
        recipient=glasses.address(one.recipient),
        user_id=names[0][1] if names else None,
    )


def _templates(step: Step) -> dict[str, Any]:
    assert step.node is not None
    assert step.node.channel is not None
    return {name: getattr(step.settings, name, None) for name in step.node.channel.fields}


def _person(one: Sample, plan: Plan, glasses: Glasses) -> Person:
    seen = glasses.attributes(one.attributes)
    names = {kind: value for kind, value in glasses.identities(list(one.names.items()))}  # noqa: C416 lists, not pairs
    called = _text(seen.get("name")) or next((names[kind] for kind in NAMES if kind in names), f"#{one.id}")
    language = next((str(seen[name]) for name in LANGUAGES if seen.get(name)), "")
    return Person(one.id, called, language, _text(seen.get("timezone")) or plan.timezone)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
