"""accept: calls become letters in the inbox, in one transaction for a group of requests of any workspaces.

Order of the statements, which is also the order of the locks: the memory of message ids, the locks of contacts whose names
may change, names, contacts, the inbox. Their number does not grow with the group. Whole columns travel as one array literal:
psycopg's dump of a list costs three times as much. Never commits; `Raced` asks the caller to begin again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import chain
from typing import Any

import msgspec

from app.calls import Call
from app.identities import Found, Known, Name, names_of, resolve, touched
from app.lanes import lane_of
from app.store import receipts
from app.store.consents import Consent, set_consents
from app.store.rows import NULL, Connection, copy_lines, escape, instant, take_ids

NAME_LOCKS = 0x4A43_1D  # first half of the advisory locks that guard the names of contacts, one for each lane
CONSENTS = '"consents"'
NAMES = re.compile(r"[a-z0-9_.-]{1,32}/[a-z0-9_-]{1,32}")
SAID_AT_MOST = 100
PATIENCE_MS = 100  # others wait in the same group; who sends reads consent again before each call anyway
PUSH = "push"
TURNED_OFF = frozenset({"push_disabled", "app_uninstalled", "Push Disabled", "Application Uninstalled"})
encode = msgspec.json.encode


class Raced(Exception):
    """Another transaction changed the same names meanwhile: roll back and write the group again."""


@dataclass(slots=True)
class FreshIds:
    """Contact ids kept in hand, so that a group with three new contacts does not use up a block of a thousand."""

    rest: Iterator[int] = field(default_factory=lambda: iter(()))
    left: int = 0

    def ensure(self, connection: Connection, count: int) -> Iterator[int]:
        """At least `count` ids, some of them left over from before."""
        if self.left < count:
            more = list(take_ids(connection, "contact_block", count - self.left))
            self.rest = chain(self.rest, more)
            self.left += len(more)
        return self._counted()

    def _counted(self) -> Iterator[int]:
        for id in self.rest:
            self.left -= 1
            yield id


def write(connection: Connection, calls: Sequence[Call], ids: FreshIds) -> int:
    """Put the calls into the inbox in order, creating and joining contacts; returns how many were not duplicates."""
    calls = _unseen(connection, calls)
    if not calls:
        return 0
    known, names = _known(connection, calls)
    unknown = sum(1 for name in names if name not in known.owners)
    found = resolve(calls, known, ids.ensure(connection, unknown) if unknown else iter(()))
    _write_names(connection, found, calls[0].received_at)
    _write_contacts(connection, found, calls[0].received_at)
    calls = _obey(connection, calls, found)
    copy_lines(
        connection,
        "inbox (lane, workspace_id, contact_id, kind, name, timestamp, received_at, properties, digest)",
        _lines(calls, found),
    )
    return len(calls)


def _obey(connection: Connection, calls: Sequence[Call], found: Found) -> Sequence[Call]:
    """What calls say about consent holds before they are answered (P10), and is no attribute."""
    said: list[Consent] = []
    off: list[tuple[int, int, int]] = []
    kept: dict[int, Call] = {}
    for place, (call, contact) in enumerate(zip(calls, found.contacts, strict=True)):
        if call.kind == "identify" and CONSENTS in call.properties:
            mine, rest = read_consents(call, contact)
            said += mine
            kept[place] = rest
        elif call.name in TURNED_OFF and call.kind == "track":
            no = Consent(call.workspace_id, contact, PUSH, "marketing", False, call.received_at, "device", "sdk")
            said.append(no._replace(proof={"event": call.name}))
            off.append((call.workspace_id, lane_of(call.workspace_id, contact), contact))
    if said:
        set_consents(connection, said, patience_ms=PATIENCE_MS)
    if off:
        receipts.turned_off(connection, off, PUSH, calls[0].received_at)
    return [kept.get(place, call) for place, call in enumerate(calls)] if kept else calls


def read_consents(call: Call, contact: int) -> tuple[list[Consent], Call]:
    """`traits.consents` as `{channel: {purpose: true or false}}`, perhaps with `text_version`; the call without it.

    What has another shape stays an attribute and decides nothing.
    """
    traits = msgspec.json.decode(call.properties)
    given = traits.get("consents")
    if not isinstance(given, dict):
        return [], call
    version = given.pop("text_version", "")
    said = [
        (channel, purpose, allowed)
        for channel, purposes in given.items()
        if isinstance(purposes, dict)
        for purpose, allowed in purposes.items()
    ]
    whole = all(isinstance(purposes, dict) for purposes in given.values()) and isinstance(version, str)
    sound = all(NAMES.fullmatch(f"{channel}/{purpose}") and isinstance(yes, bool) for channel, purpose, yes in said)
    if not (whole and sound) or len(said) > SAID_AT_MOST:
        return [], call
    del traits["consents"]
    rows = [
        Consent(call.workspace_id, contact, *one, call.received_at, "identify", "sdk", version[:100]) for one in said
    ]
    return rows, call._replace(properties=encode(traits).decode())


def enroll(
    connection: Connection,
    workspace_id: int,
    journey_id: int,
    *,
    user_id: str,
    context: Mapping[str, Any],
    idempotency_key: str,
    now: datetime,
) -> bool:
    """Put an enrollment asked for by the API into its contact's lane; False if the key was used before (then nothing is)."""
    digest = blake2b(f"enroll/{journey_id}/{idempotency_key}".encode(), digest_size=16).hexdigest()
    properties = encode({"journey": journey_id, "context": context}).decode()
    nobody = (None, None, None, None)
    call = Call(workspace_id, "enroll", "journey.enrolled", user_id, *nobody, now, now, properties, digest)
    return write(connection, [call], FreshIds()) == 1


def _unseen(connection: Connection, calls: Sequence[Call]) -> Sequence[Call]:
    """The calls whose message id was not accepted before, each once; calls without one cannot be told apart."""
    first: dict[tuple[int, str], Call] = {}
    repeated: set[int] = set()
    for call in calls:
        if call.digest is not None and first.setdefault((call.workspace_id, call.digest), call) is not call:
            repeated.add(id(call))
    if not first:
        return calls
    rows = connection.execute(
        """
        WITH one AS (
            SELECT * FROM unnest(%s::int[], %s::uuid[]) AS one(workspace_id, digest)
        ), added AS (
            INSERT INTO seen (workspace_id, digest, received_on)
            SELECT workspace_id, digest, %s FROM one ORDER BY workspace_id, digest
            ON CONFLICT (workspace_id, digest) DO NOTHING RETURNING workspace_id, digest
        )
        SELECT one.workspace_id, replace(one.digest::text, '-', '') FROM one
        WHERE NOT EXISTS (SELECT FROM added WHERE added.workspace_id = one.workspace_id AND added.digest = one.digest)
        """,
        (_array(one[0] for one in first), _array(one[1] for one in first), calls[0].received_at.date()),
    ).fetchall()
    if not rows and not repeated:
        return calls
    repeated.update(id(first[workspace, digest]) for workspace, digest in rows)
    return [call for call in calls if id(call) not in repeated]


def _known(connection: Connection, calls: Sequence[Call]) -> tuple[Known, list[Name]]:
    """Whom the names mean. Where a contact's names may change, the reading is repeated under its lock."""
    names = list(dict.fromkeys(chain.from_iterable(map(names_of, calls))))
    owners = _owners(connection, names)
    involved = touched(calls, owners)
    if not involved:
        return Known(owners, {}), names
    locks = sorted({lane_of(workspace, contact) for contact, workspace in involved.items()})
    connection.execute(
        "SELECT pg_advisory_xact_lock(%s, bucket) FROM (SELECT unnest(%s::int[]) AS bucket ORDER BY 1) AS sorted",
        (NAME_LOCKS, _array(locks)),
    )
    owners = _owners(connection, names)
    if not touched(calls, owners).keys() <= involved.keys():
        raise Raced
    return Known(owners, _names(connection, involved)), names


def _owners(connection: Connection, names: Sequence[Name]) -> dict[Name, int]:
    rows = connection.execute(
        """
        SELECT one.place, identity.contact_id
        FROM ROWS FROM (unnest(%s::int[]), unnest(%s::text[]), json_array_elements_text(%s::json)) WITH ORDINALITY
          AS one(workspace_id, kind, value, place)
        JOIN identity ON identity.workspace_id = one.workspace_id AND identity.kind = one.kind AND identity.value = one.value
        """,
        _name_columns(names),
    ).fetchall()
    return {names[place - 1]: contact for place, contact in rows}


def _names(connection: Connection, contacts: Mapping[int, int]) -> dict[int, set[Name]]:
    rows = connection.execute(
        """
        SELECT identity.contact_id, identity.workspace_id, identity.kind, identity.value
        FROM unnest(%s::int[], %s::bigint[]) AS one(workspace_id, contact_id)
        JOIN identity ON identity.workspace_id = one.workspace_id AND identity.contact_id = one.contact_id
        """,
        (_array(contacts.values()), _array(contacts)),
    ).fetchall()
    names: dict[int, set[Name]] = {contact: set() for contact in contacts}
    for contact, workspace, kind, value in rows:
        names[contact].add((workspace, kind, value))
    return names


def _write_names(connection: Connection, found: Found, at: datetime) -> None:
    if found.attached:
        names = sorted(found.attached)
        added = connection.execute(
            """
            INSERT INTO identity (workspace_id, kind, value, contact_id, created_at)
            SELECT workspace_id, kind, value, contact_id, %s
            FROM ROWS FROM (unnest(%s::int[]), unnest(%s::text[]), json_array_elements_text(%s::json), unnest(%s::bigint[]))
              WITH ORDINALITY AS one(workspace_id, kind, value, contact_id, place)
            ORDER BY place ON CONFLICT (workspace_id, kind, value) DO NOTHING
            """,
            (at, *_name_columns(names), _array(found.attached[name] for name in names)),
        ).rowcount
        if added != len(names):
            raise Raced
    if found.moved:
        names = sorted(found.moved)
        connection.execute(
            """
            UPDATE identity SET contact_id = one.contact_id
            FROM ROWS FROM (unnest(%s::int[]), unnest(%s::text[]), json_array_elements_text(%s::json), unnest(%s::bigint[]))
              AS one(workspace_id, kind, value, contact_id)
            WHERE identity.workspace_id = one.workspace_id AND identity.kind = one.kind AND identity.value = one.value
            """,
            (*_name_columns(names), _array(found.moved[name] for name in names)),
        )


def _write_contacts(connection: Connection, found: Found, at: datetime) -> None:
    moment = instant(at)
    copy_lines(
        connection,
        "contact (workspace_id, lane, id, created_at, updated_at)",
        (
            f"{workspace}\t{lane_of(workspace, contact)}\t{contact}\t{moment}\t{moment}"
            for contact, workspace in found.created.items()
        ),
    )


def _lines(calls: Sequence[Call], found: Found) -> Iterator[str]:
    """Inbox lines; a joining goes before the call that brought it about, into the lane of the one that gives way."""
    for place, (call, contact) in enumerate(zip(calls, found.contacts, strict=True)):
        workspace, times = call.workspace_id, f"{call.timestamp.isoformat()}\t{instant(call.received_at)}"
        if place in found.joinings:
            loser, winner, names = found.joinings[place]
            told = encode({"winner": winner, "identities": [name[1:] for name in names]}).decode()
            yield (
                f"{lane_of(workspace, loser)}\t{workspace}\t{loser}\tmerge_out\tmerge_out\t{times}\t{_field(told)}\t{NULL}"
            )
        kind = "track" if call.kind == "alias" else call.kind
        yield (
            f"{lane_of(workspace, contact)}\t{workspace}\t{contact}\t{kind}\t{escape(call.name)}\t{times}"
            f"\t{_field(call.properties)}\t{call.digest or NULL}"
        )


def _field(text: str) -> str:
    # JSON from the encoder holds no raw tab or line end, so only the backslash matters, and `escape`'s memory does not help.
    return text.replace("\\", "\\\\") if "\\" in text else text


def _name_columns(names: Sequence[Name]) -> tuple[str, str, str]:
    return (
        _array(name[0] for name in names),
        _array(name[1] for name in names),
        encode([name[2] for name in names]).decode(),
    )


def _array(values: Iterable[object]) -> str:
    """An array literal of values that need no quotes: numbers, hex digits and kinds of names."""
    return "{" + ",".join(map(str, values)) + "}"
