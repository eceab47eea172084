"""Contacts over HTTP: found by a name, listed, changed, and what happened to them. New ones come in by the ingest door."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Request
from pydantic import ConfigDict, Field, StrictBool, StringConstraints

from app import audit
from app.lanes import lane_of
from app.privacy import Glasses
from app.store import consents, inbox, people, walks
from app.store.consents import Consent
from app.store.inbox import Letter
from app.store.people import Person
from app.store.rows import Connection
from app.store.timelines import KINDS, Asked, Kind, Moment
from app.web import moments
from app.web.glasses import glasses_of, moment_seen, person_seen
from app.web.guard import Asker, Database, Now, can, router
from app.web.problems import invalid, missing
from app.web.shapes import PAGE, ContactId, In, Limit, Next, Out, Page, Text, paged, place_of
from app.web.told import faces
from app.web.whys import Whys
from flows.words import _, told

routes = router("contacts")

ATTRIBUTES_BYTES = 32_768
TAGS_AT_MOST = 100
SAMPLE: dict[str, Any] = {
    "id": 31007,
    "identities": [{"kind": "user_id", "value": "u1"}, {"kind": "email", "value": "li@example.com"}],
    "attributes": {"name": "Li Na", "city": "上海"},
    "tags": ["vip"],
    "consents": {"email": {"marketing": True}},
    "created_at": "2026-11-21T08:00:00Z",
    "updated_at": "2026-11-21T08:00:00Z",
}
PurposeName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,32}$")]


class IdentityOut(Out):
    """A name of a contact."""

    kind: str
    value: str


class ContactOut(Out):
    """A contact. Missing consent is consent; `false` is an opt-out."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    id: int
    identities: list[IdentityOut]
    attributes: dict[str, Any]
    tags: list[str]
    consents: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class TagsIn(In):
    """Tags to give and to take."""

    add: list[Text] = Field(default_factory=list, max_length=TAGS_AT_MOST)
    remove: list[Text] = Field(default_factory=list, max_length=TAGS_AT_MOST)


class ContactChange(In):
    """What shall change; what is left out stays. An attribute set to null is removed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "attributes": {"city": "北京", "nickname": None},
                    "tags": {"add": ["vip"], "remove": ["new"]},
                    "consents": {"email": {"marketing": False}},
                }
            ]
        }
    )
    attributes: dict[Text, Any] = Field(default_factory=dict, max_length=200)
    tags: TagsIn = Field(default_factory=TagsIn)
    consents: dict[Channel, dict[PurposeName, StrictBool]] = Field(
        default_factory=dict,
        max_length=50,
        description="By channel and purpose; `marketing` speaks for all purposes of the channel.",
    )
    consent_source: Literal["api", "import"] = Field("api", description="How you came to know; kept with the answer.")
    consent_reason: str = Field("", max_length=500, description="Why, in a sentence; kept with the answer.")
    text_version: str = Field("", max_length=100, description="The version of the text the person was shown.")


class AcceptedOut(Out):
    """Accepted. Consents and tags hold at once; attributes follow in the order of the contact's events."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": True}]})
    accepted: bool = True


class MomentOut(Out):
    """Something that happened. `kind` decides what else stands here: the fields of the others are null."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "at": "2026-11-21T10:10:00Z",
                    "kind": "walk",
                    "id": 5001,
                    "journey_id": 7,
                    "enrollment_id": 5001,
                    "cause": "timer",
                    "steps": [{"node": "pause", "port": "next", "why": None}],
                }
            ]
        }
    )
    at: datetime
    kind: Kind
    id: int
    name: str | None = None
    properties: dict[str, Any] | None = None
    journey_id: int | None = None
    enrollment_id: int | None = None
    cause: str | None = None
    steps: list[dict[str, str | None]] | None = None
    node: str | None = None
    channel: str | None = None
    title: str | None = None
    status: str | None = None
    reason: str | None = None
    reason_text: str | None = None


@routes.get("/contacts", dependencies=[can("contact.read")])
def list_contacts(
    connection: Database,
    asker: Asker,
    identity: Annotated[
        str | None,
        Query(max_length=600, pattern=r"^[a-z0-9_]+:[^\x00]+$", description="`kind:value`, such as `user_id:u1`."),
    ] = None,
    limit: Limit = PAGE,
    next: Next = None,
) -> Page[ContactOut]:
    """List contacts, or find the one that a name means."""
    glasses = glasses_of(connection, asker)
    if identity is not None:
        kind, _, value = identity.partition(":")
        owner = people.owner(connection, asker.workspace_id, kind, value)
        found = people.find(connection, asker.workspace_id, owner) if owner is not None else None
        return Page(items=[contact_out(found, glasses)] if found else [], next=None)
    place = place_of(next, int, int) or [-1, -1]
    lane, contact = min(max(place[0], -1), 32_767), place[1]
    found_page = people.page(connection, asker.workspace_id, (lane, contact), limit + 1)
    rows, after = paged(found_page, limit, lambda row: [row.lane, row.id])
    return Page(items=[contact_out(row, glasses) for row in rows], next=after)


@routes.get("/contacts/{contact_id}", dependencies=[can("contact.read")])
def read_contact(contact_id: ContactId, connection: Database, asker: Asker) -> ContactOut:
    """Show a contact; one that was merged is shown as whom it became."""
    return contact_out(_known(connection, asker.workspace_id, contact_id), glasses_of(connection, asker))


@routes.patch("/contacts/{contact_id}", status_code=202, dependencies=[can("contact.edit")])
def change_contact(
    contact_id: ContactId, change: ContactChange, connection: Database, asker: Asker, now: Now
) -> AcceptedOut:
    """Change attributes, tags and consents. An opt-out holds from this answer on."""
    text = msgspec.json.encode(change.attributes).decode()
    if len(text) > ATTRIBUTES_BYTES:
        raise invalid([("attributes", told(_("may be {bytes:,} bytes at most"), bytes=ATTRIBUTES_BYTES))])
    workspace_id = asker.workspace_id
    person = _known(connection, workspace_id, contact_id)
    if change.attributes:
        lane = lane_of(workspace_id, person.id)
        letter = Letter(lane, 0, workspace_id, person.id, "identify", "identify", now, now, text, None)
        inbox.put(connection, [letter])
    if change.tags.add or change.tags.remove:
        people.change_tags(connection, workspace_id, person.id, (change.tags.add, change.tags.remove), now)
    how = change.consent_source, asker.actor, change.text_version
    proof = {"reason": change.consent_reason} if change.consent_reason else {}
    said = [
        Consent(workspace_id, person.id, channel, purpose, allowed, now, *how, proof)
        for channel, purposes in change.consents.items()
        for purpose, allowed in purposes.items()
    ]
    consents.set_consents(connection, said)
    _note(connection, asker, person.id, change, now)
    return AcceptedOut()


@routes.get("/contacts/{contact_id}/timeline", dependencies=[can("contact.read")])
def read_timeline(
    request: Request,
    contact_id: ContactId,
    connection: Database,
    asker: Asker,
    limit: Limit = PAGE,
    next: Next = None,
) -> Page[MomentOut]:
    """Tell what happened to a contact, the newest first: events, entries into journeys, walks with reasons, messages."""
    person = _known(connection, asker.workspace_id, contact_id)
    rows, after = moments.page_of(connection, asker.workspace_id, Asked(person.id), next, limit)
    glasses = glasses_of(connection, asker)
    whys = _whys(request, connection, asker.workspace_id, rows)
    return Page(items=[_moment(moment_seen(glasses, row), whys) for row in rows], next=after)


def _whys(request: Request, connection: Connection, workspace_id: int, rows: Sequence[Moment]) -> Whys:
    """What messages and ended walks say why, in sentences."""
    cases = moments.cases_of(rows)
    known = faces(request, connection, workspace_id, {one.version_id for one in cases})
    return Whys(request, connection, workspace_id, cases, known)


def _note(connection: Connection, asker: Asker, contact_id: int, change: ContactChange, now: datetime) -> None:
    """What was changed, without the values: the log cannot forget, and a person may ask us to."""
    said = {"attributes": sorted(change.attributes), "consents": change.consents}
    tags = {"tags_given": len(change.tags.add), "tags_taken": len(change.tags.remove)}
    after = {name: value for name, value in {**said, **tags}.items() if value}
    audit.record(
        connection, asker.workspace_id, asker.actor, "contact.change", f"contact:{contact_id}", None, after, now
    )


def contact_out(person: Person, glasses: Glasses) -> ContactOut:
    """A contact as the API shows it to this caller."""
    person = person_seen(glasses, person)
    return ContactOut(
        id=person.id,
        identities=[IdentityOut(kind=kind, value=value) for kind, value in person.identities],
        attributes=person.attributes,
        tags=person.tags,
        consents=person.consents,
        created_at=person.created_at,
        updated_at=person.updated_at,
    )


def _known(connection: Connection, workspace_id: int, contact_id: int) -> Person:
    person = people.find(connection, workspace_id, contact_id)
    if person is None:
        raise missing("contact")
    return person


def _moment(row: Moment, whys: Whys) -> MomentOut:
    kind = KINDS[row.rank]
    detail = {name: value for name, value in row.detail.items() if name in MomentOut.model_fields}
    detail["reason_text"] = whys.text(moments.key_of(row))
    if kind == "walk":
        # A step is written as short as it can be: [node], [node, port] or [node, port, why].
        padded = ([*step, None, None][:3] for step in detail["steps"])
        detail["steps"] = [{"node": node, "port": port or None, "why": why} for node, port, why in padded]
        return MomentOut(at=row.at, kind="walk", id=row.detail["enrollment_id"], **detail)
    words = {"entered": walks.STANDING_WORDS, "message": walks.SENDING_WORDS}.get(kind)
    if words:
        detail["status"] = words[detail["status"]]
    return MomentOut(at=row.at, kind=kind, id=row.id, **detail)
