"""One person's data, given out or taken away: for admins, over HTTP. The work of erasing is done in the person's lane."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field, StringConstraints

from app import audit, erasing, log
from app.gate import ERASED
from app.keys import address_digest
from app.store import inbox, persons
from app.store.rows import Connection
from app.web.guard import Asker, Database, Now, TheHouse, can, router
from app.web.house import House
from app.web.problems import invalid, missing
from app.web.shapes import ContactId, In, Out
from flows.words import _

routes = router("contacts")

encode = msgspec.json.encode
NOT_THEIRS = 422
EXAMPLE = {
    "contact_id": 31007,
    "same_person": [31007],
    "identities": [{"kind": "email", "value": "li@example.com", "contact_id": 31007}],
    "consents": [{"channel": "email", "purpose": "marketing", "allowed": False, "source": "one-click"}],
    "events": [],
}


class EraseIn(In):
    """Whom to erase, once more, so that it is not the wrong one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"confirm": "li@example.com"}]})
    confirm: Annotated[str, StringConstraints(min_length=1, max_length=600)] = Field(
        description="One of the contact's names, to the letter: a user id, an e-mail address, a phone number."
    )


class ErasingOut(Out):
    """Asked for; it is done when everything that came before is, within a minute at most."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": True}]})
    accepted: bool = True


@routes.get(
    "/contacts/{contact_id}/export",
    dependencies=[can("contact.export")],
    response_class=Response,
    responses={200: {"content": {"application/json": {"example": EXAMPLE}}, "description": "Everything, by table."}},
)
def export_contact(contact_id: ContactId, house: TheHouse, connection: Database, asker: Asker) -> Response:
    """Give out everything that is kept of one person, as one JSON object, table by table."""
    person = _known(connection, asker.workspace_id, contact_id)
    log.get(__name__).info(
        "a person was exported", workspace=asker.workspace_id, contact=person.contact_id, actor=asker.actor
    )
    headers = {
        "Content-Disposition": f'attachment; filename="contact-{person.contact_id}.json"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(written(house, person), media_type="application/json", headers=headers)


@routes.post("/contacts/{contact_id}/erase", status_code=202, dependencies=[can("contact.erase")])
def erase_contact(
    contact_id: ContactId, wish: EraseIn, house: TheHouse, connection: Database, asker: Asker, now: Now
) -> ErasingOut:
    """Erase everything that is kept of one person. Cannot be undone; counts stay, and a hash that keeps them unwritten."""
    person = _known(connection, asker.workspace_id, contact_id)
    if not persons.known_as(connection, person, wish.confirm):
        raise invalid([("confirm", _("is not a name of this contact"))])
    before = persons.reasons(connection, person)
    secret = house.settings.secret_bytes
    digests = {address_digest(secret, person.workspace_id, one): before.get(one, ERASED) for one in person.addresses}
    inbox.put(connection, [erasing.letter(person, digests, now)])
    about = f"contact:{person.contact_id}"
    audit.record(connection, asker.workspace_id, asker.actor, "contact.erase", about, None, None, now)
    house.nudge()
    return ErasingOut()


def written(house: House, person: persons.Who) -> Iterator[bytes]:
    """The object, a page of one table at a time, each read in a transaction of its own: nobody is held up by a slow reader."""
    yield b'{"contact_id":%d,"same_person":%s' % (person.contact_id, encode(person.ids))
    for name in persons.PARTS:
        yield b',"%s":[' % name.encode()
        first = True
        after: int | None = -1
        while after is not None:
            with house.transaction(read_only=True) as connection:
                rows = persons.part(connection, person, name, after)
            after = rows[-1][0] if len(rows) == persons.PAGE else None
            text = b",".join(encode(row) for _, row in rows)
            yield text if first or not text else b"," + text
            first = first and not rows
        yield b"]"
    yield b"}"


def _known(connection: Connection, workspace_id: int, contact_id: int) -> persons.Who:
    person = persons.who(connection, workspace_id, contact_id)
    if person is None:
        raise missing("contact")
    return person
