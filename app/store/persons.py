"""Everything that is kept of one person, table by table: read out for them, or taken away for good. Never decides who may ask.

A person is the contact and all that were merged into it. Counts stay: a tally holds nobody.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from app.lanes import lane_of
from app.store import holding, merges
from app.store.accept import NAME_LOCKS
from app.store.rows import Connection, array, columns

PAGE = 500
# What each part of an export is read by: rows after a place, in order; the place, and the row as JSON.
MINE: LiteralString = "unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) AS one(lane, id)"
WALKS: LiteralString = (
    "SELECT e.lane, e.id FROM enrollment e WHERE e.workspace_id = %(w)s AND e.contact_id = ANY(%(ids)s)"
)
PARTS: Mapping[str, LiteralString] = {
    "contacts": f"""SELECT c.id, to_jsonb(c) - 'workspace_id' FROM {MINE}
        JOIN contact c ON c.workspace_id = %(w)s AND c.lane = one.lane AND c.id = one.id WHERE c.id > %(after)s""",
    "identities": """SELECT row_number() OVER (ORDER BY i.kind, i.value), to_jsonb(i) - 'workspace_id' FROM identity i
        WHERE i.workspace_id = %(w)s AND i.contact_id = ANY(%(ids)s)""",
    "consents": f"""SELECT l.id, to_jsonb(l) - 'workspace_id' - 'lane' FROM {MINE}
        JOIN consent l ON l.workspace_id = %(w)s AND l.lane = one.lane AND l.contact_id = one.id WHERE l.id > %(after)s""",
    "events": f"""SELECT row_number() OVER (ORDER BY v.timestamp, v.id), to_jsonb(v) - 'workspace_id' - 'lane' - 'digest'
        FROM {MINE} JOIN event v ON v.workspace_id = %(w)s AND v.lane = one.lane AND v.contact_id = one.id""",
    "enrollments": """SELECT e.id, to_jsonb(e) - 'workspace_id' - 'lane' FROM enrollment e
        WHERE e.workspace_id = %(w)s AND e.contact_id = ANY(%(ids)s) AND e.id > %(after)s""",
    "trails": f"""SELECT t.enrollment_id * 65536 + t.walk, to_jsonb(t) - 'workspace_id' - 'lane' - 'steps'
            || jsonb_build_object('steps', t.steps::jsonb) FROM ({WALKS}) AS mine
        JOIN trail t ON t.workspace_id = %(w)s AND t.lane = mine.lane AND t.enrollment_id = mine.id
        WHERE t.enrollment_id * 65536 + t.walk > %(after)s""",
    "moves": f"""SELECT row_number() OVER (ORDER BY d.migration_id, d.enrollment_id), to_jsonb(d) - 'workspace_id' - 'lane'
        FROM ({WALKS}) AS mine JOIN migrated d ON d.workspace_id = %(w)s AND d.enrollment_id = mine.id""",
    "messages": f"""SELECT m.id, to_jsonb(m) - 'workspace_id' - 'lane' FROM ({WALKS}) AS mine
        JOIN message m ON m.workspace_id = %(w)s AND m.lane = mine.lane AND m.enrollment_id = mine.id WHERE m.id > %(after)s""",
    "receipts": f"""SELECT r.id, to_jsonb(r) - 'workspace_id' FROM ({WALKS}) AS mine
        JOIN message m ON m.workspace_id = %(w)s AND m.lane = mine.lane AND m.enrollment_id = mine.id
        JOIN receipt r ON r.workspace_id = m.workspace_id AND r.message_id = m.id WHERE r.id > %(after)s""",
    "links": """SELECT k.id, to_jsonb(k) - 'workspace_id' - 'digest' FROM link k
        WHERE k.workspace_id = %(w)s AND k.contact_id = ANY(%(ids)s) AND k.id > %(after)s""",
    "counted_for_caps": f"""SELECT s.message_id, to_jsonb(s) - 'workspace_id' - 'lane' FROM {MINE}
        JOIN sending s ON s.workspace_id = %(w)s AND s.lane = one.lane AND s.contact_id = one.id
        WHERE s.message_id > %(after)s""",
    "audiences": f"""SELECT row_number() OVER (ORDER BY a.journey_id, a.node), to_jsonb(a) - 'workspace_id' - 'lane' FROM {MINE}
        JOIN audience_member a ON a.workspace_id = %(w)s AND a.lane = one.lane AND a.contact_id = one.id""",
    "kept_out": f"""SELECT row_number() OVER (ORDER BY t.journey_id, t.reason), to_jsonb(t) - 'workspace_id' - 'lane' FROM {MINE}
        JOIN turned_away t ON t.workspace_id = %(w)s AND t.lane = one.lane AND t.contact_id = one.id""",
    "suppressions": """SELECT row_number() OVER (ORDER BY s.channel, s.address), to_jsonb(s) - 'workspace_id' FROM suppression s
        WHERE s.workspace_id = %(w)s AND s.address = ANY(%(addresses)s)""",
    "merges": """SELECT g.id, to_jsonb(g) - 'workspace_id' FROM merge g
        WHERE g.workspace_id = %(w)s AND g.winner_id = ANY(%(ids)s) AND g.id > %(after)s""",
    "waiting": f"""SELECT b.id, to_jsonb(b) - 'workspace_id' - 'lane' - 'digest' FROM {MINE}
        JOIN inbox b ON b.workspace_id = %(w)s AND b.lane = one.lane AND b.contact_id = one.id WHERE b.id > %(after)s""",
    "unread": """SELECT d.id, to_jsonb(d) - 'workspace_id' FROM dead d
        WHERE d.workspace_id = %(w)s AND d.payload ->> 'contact_id' = ANY(%(texts)s) AND d.id > %(after)s""",
    "caught": """SELECT k.id, to_jsonb(k) - 'workspace_id' FROM caught k
        WHERE k.workspace_id = %(w)s AND k.id > %(after)s AND (
        k.recipient = ANY(%(names)s) OR k.content -> 'headers' ->> 'X-Journey-Message' = ANY(%(messages)s)
        OR substring(k.content -> 'headers' ->> 'Message-ID' FROM '[.]([0-9]+)@') = ANY(%(messages)s)
        OR EXISTS (SELECT FROM unnest(%(names)s::text[]) AS one(name) WHERE strpos(k.content::text, one.name) > 0))""",
}
SHORTEST_NAME = 6  # a shorter one stands in texts about others too


class Who(NamedTuple):
    """One person: all their contacts, addresses and names."""

    workspace_id: int
    contact_id: int
    ids: list[int]
    addresses: list[str]  # as suppressions spell them
    names: list[str]  # by which caught messages are known
    messages: list[int]

    @property
    def parameters(self) -> dict[str, Any]:
        """What the queries of the parts bind."""
        return {
            "w": self.workspace_id,
            "ids": self.ids,
            "lanes": [lane_of(self.workspace_id, id) for id in self.ids],
            "addresses": self.addresses,
            "names": self.names,
            "messages": [str(id) for id in self.messages],
            "texts": [str(id) for id in self.ids],
        }


def who(connection: Connection, workspace_id: int, contact_id: int) -> Who | None:
    """The person that a contact is, or has become; None where nobody is there."""
    meant = merges.become(connection, workspace_id, contact_id)
    there = connection.execute(
        "SELECT FROM contact WHERE workspace_id = %s AND lane = %s AND id = %s",
        (workspace_id, lane_of(workspace_id, meant), meant),
    ).fetchone()
    if there is None:
        return None
    ids = merges.same_person(connection, workspace_id, meant)
    coming = connection.execute(  # joined already by name, and not yet by their lane
        """
        SELECT contact_id FROM inbox WHERE workspace_id = %s AND kind = 'merge_out'
          AND (properties::jsonb ->> 'winner')::bigint = ANY(%s)
        """,
        (workspace_id, ids),
    ).fetchall()
    ids = sorted({*ids, *(id for (id,) in coming)})
    said = connection.execute(
        """
        SELECT i.kind, i.value FROM identity i WHERE i.workspace_id = %(w)s AND i.contact_id = ANY(%(ids)s)
        UNION SELECT one.key, c.attributes ->> one.key FROM contact c, unnest(ARRAY['email', 'phone']) AS one(key)
        WHERE c.workspace_id = %(w)s AND c.id = ANY(%(ids)s) AND c.attributes ? one.key
        UNION SELECT 'recipient', m.recipient FROM enrollment e
        JOIN message m ON m.workspace_id = e.workspace_id AND m.lane = e.lane AND m.enrollment_id = e.id
        WHERE e.workspace_id = %(w)s AND e.contact_id = ANY(%(ids)s) AND m.recipient IS NOT NULL
        """,
        {"w": workspace_id, "ids": ids},
    ).fetchall()
    messages = connection.execute(
        """
        SELECT m.id FROM enrollment e
        JOIN message m ON m.workspace_id = e.workspace_id AND m.lane = e.lane AND m.enrollment_id = e.id
        WHERE e.workspace_id = %s AND e.contact_id = ANY(%s)
        """,
        (workspace_id, ids),
    ).fetchall()
    addresses = sorted(
        {value.strip().lower() for kind, value in said if kind in ("email", "phone", "recipient") and value}
    )
    names = sorted({value for _, value in said if value and len(value) >= SHORTEST_NAME})
    return Who(workspace_id, meant, ids, addresses, names, [id for (id,) in messages])


def part(connection: Connection, person: Who, name: str, after: int) -> list[tuple[int, dict[str, Any]]]:
    """A page of one part: rows after a place."""
    query: LiteralString = (
        f"SELECT * FROM ({PARTS[name]}) AS part(place, row) WHERE place > %(after)s ORDER BY place LIMIT {PAGE}"
    )
    return connection.execute(query, {**person.parameters, "after": after}).fetchall()


def known_as(connection: Connection, person: Who, text: str) -> bool:
    """Whether somebody who types this means this person: one of their names, to the letter."""
    row = connection.execute(
        "SELECT FROM identity WHERE workspace_id = %s AND contact_id = ANY(%s) AND value = %s LIMIT 1",
        (person.workspace_id, person.ids, text),
    ).fetchone()
    return row is not None


def reasons(connection: Connection, person: Who) -> dict[str, str]:
    """Why the person's addresses were suppressed already."""
    rows = connection.execute(
        "SELECT address, max(reason) FROM suppression WHERE workspace_id = %s AND address = ANY(%s) GROUP BY 1",
        (person.workspace_id, person.addresses),
    ).fetchall()
    return dict(rows)


def lock(connection: Connection, person: Who) -> None:
    """Nobody names, changes or writes to this person until the end of the transaction."""
    parameters = person.parameters
    connection.execute(
        "SELECT pg_advisory_xact_lock(%s, lane) FROM (SELECT DISTINCT unnest(%s::int[]) AS lane ORDER BY 1) AS sorted",
        (NAME_LOCKS, parameters["lanes"]),
    )
    keys = sorted(zip(parameters["lanes"], person.ids, strict=True))
    connection.execute(
        """
        SELECT FROM unnest(%s::smallint[], %s::bigint[]) AS one(lane, id)
        JOIN contact c ON c.workspace_id = %s AND c.lane = one.lane AND c.id = one.id
        ORDER BY c.workspace_id, c.lane, c.id FOR UPDATE OF c
        """,
        (*columns(keys, 2), person.workspace_id),
    )
    holding.wait(connection, person.ids)


OF_CONTACTS: tuple[LiteralString, ...] = ("event", "sending", "audience_member", "inbox", "consent", "turned_away")
ERASE: tuple[LiteralString, ...] = (
    "DELETE FROM caught WHERE id IN (SELECT place FROM (" + PARTS["caught"] + ") AS part(place, row))",
    f"""DELETE FROM receipt r USING message m, ({WALKS}) AS mine
        WHERE m.workspace_id = %(w)s AND m.lane = mine.lane AND m.enrollment_id = mine.id
          AND r.workspace_id = m.workspace_id AND r.message_id = m.id""",
    f"""DELETE FROM message m USING ({WALKS}) AS mine
        WHERE m.workspace_id = %(w)s AND m.lane = mine.lane AND m.enrollment_id = mine.id""",
    f"""DELETE FROM trail t USING ({WALKS}) AS mine
        WHERE t.workspace_id = %(w)s AND t.lane = mine.lane AND t.enrollment_id = mine.id""",
    f"""UPDATE migrated d SET reason = NULL, visits = NULL FROM ({WALKS}) AS mine
        WHERE d.workspace_id = %(w)s AND d.enrollment_id = mine.id""",
    "DELETE FROM enrollment e WHERE e.workspace_id = %(w)s AND e.contact_id = ANY(%(ids)s)",
    *(
        f"DELETE FROM {table} x USING {MINE} WHERE x.workspace_id = %(w)s AND x.lane = one.lane AND x.contact_id = one.id"
        for table in OF_CONTACTS
    ),
    "DELETE FROM link WHERE workspace_id = %(w)s AND contact_id = ANY(%(ids)s)",
    "DELETE FROM dead WHERE workspace_id = %(w)s AND payload ->> 'contact_id' = ANY(%(texts)s)",
    "DELETE FROM suppression WHERE workspace_id = %(w)s AND address = ANY(%(addresses)s)",
    "DELETE FROM identity WHERE workspace_id = %(w)s AND contact_id = ANY(%(ids)s)",
    "DELETE FROM merge WHERE workspace_id = %(w)s AND (winner_id = ANY(%(ids)s) OR loser_id = ANY(%(ids)s))",
    f"DELETE FROM contact c USING {MINE} WHERE c.workspace_id = %(w)s AND c.lane = one.lane AND c.id = one.id",
)


def erase(connection: Connection, person: Who, digests: Mapping[str, str], now: datetime) -> None:
    """Take everything away but the counts; `digests` (hash of an address → why it gets nothing) stay."""
    connection.execute("SELECT set_config('journey.erasing', 'on', true)")
    for statement in ERASE:
        connection.execute(statement, {**person.parameters, "after": -1})
    connection.execute("SELECT set_config('journey.erasing', 'off', true)")
    connection.execute(
        """
        INSERT INTO erased (workspace_id, digest, reason, at)
        SELECT %s, digest, reason, %s FROM unnest(%s::text[], %s::text[]) AS one(digest, reason) ON CONFLICT DO NOTHING
        """,
        (person.workspace_id, now, array(digests), array(digests.values())),
    )


def staff(connection: Connection, workspace_id: int) -> dict[str, str]:
    """The names of those who work here, by what the ledger calls them."""
    rows = connection.execute("SELECT id, name FROM users WHERE workspace_id = %s", (workspace_id,)).fetchall()
    return {f"user:{id}": name for id, name in rows}
