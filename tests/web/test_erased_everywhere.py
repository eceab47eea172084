"""Erasing over every table there is, made from the database's own catalogue: a table that is added later is in it (P12).

Where the doors leave no trace of the person, a row is made up out of the columns' types and names.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from psycopg import sql
from starlette.testclient import TestClient

from app.database import Connection, transaction
from app.lanes import lane_of
from app.store import persons
from tests.web.conftest import Api, Staff
from tests.web.test_erasure import FLOW, MAIL, Town, dump, found

MADE_UP = "canary-made-up-7q2"
# Columns by which a table knows a person, and what of theirs stands in them.
KNOWN_BY = {
    "contact_id": "contacts",
    "enrollment_id": "enrollments",
    "message_id": "messages",
    "winner_id": "contacts",
    "loser_id": "contacts",
}
# Rows that stay, each with the reason; what they say of the person beyond a number must be gone from them as well.
STAY = {"migrated": "counts how many were moved; the walk that its number names is gone"}


class Column(NamedTuple):
    """A column as the database describes it."""

    name: str
    type: str
    needed: bool


def tables(connection: Connection) -> Iterator[tuple[str, list[Column]]]:
    """Every table with its columns; the partitions of a table are that table."""
    rows = connection.execute(
        "SELECT c.relname, a.attname, format_type(a.atttypid, NULL), a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT attisdropped"
        " ORDER BY 1, a.attnum"
    ).fetchall()
    connection.rollback()
    for table in sorted({row[0] for row in rows}):
        yield table, [Column(*row[1:]) for row in rows if row[0] == table]


class Person(NamedTuple):
    """All numbers that stand for one person."""

    workspace_id: int
    contacts: list[int]
    enrollments: list[int]
    messages: list[int]


def rows_of(connection: Connection, table: str, columns: list[Column], person: Person) -> int:
    """How many rows of a table know the person by a number."""
    told = sql.SQL(" OR ").join(
        sql.SQL("{} = ANY({})").format(sql.Identifier(one.name), sql.Literal(getattr(person, KNOWN_BY[one.name])))
        for one in columns
        if one.name in KNOWN_BY
    )
    query = sql.SQL("SELECT count(*) FROM {} WHERE ({})").format(sql.Identifier(table), told)
    row = connection.execute(query).fetchone()
    connection.rollback()
    assert row is not None
    return int(row[0])


def make_up(
    connection: Connection, table: str, columns: list[Column], person: Person, journey: tuple[int, int]
) -> None:
    """A row that is about the person in all that it says."""
    contact, now = person.contacts[0], datetime.now(UTC)
    known: dict[str, Any] = {
        "workspace_id": person.workspace_id,
        "lane": lane_of(person.workspace_id, contact),
        "journey_id": journey[0],
        "version_id": journey[1],
        **{name: getattr(person, whose)[0] for name, whose in KNOWN_BY.items()},
    }
    kinds: dict[str, Any] = {
        "text": MADE_UP,
        "jsonb": json.dumps({"x": MADE_UP}),
        "text[]": [MADE_UP],
        "timestamp with time zone": now,
        "date": now.date(),
        "boolean": True,
        "uuid": "00000000-0000-0000-0000-000000000007",
    }
    values = {
        one.name: known.get(one.name, kinds.get(one.type, 7))
        for one in columns
        if one.needed or one.name in known or one.type in ("text", "jsonb", "text[]")
    }
    with transaction(connection):
        connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(sql.Placeholder() * len(values)),
            ),
            list(values.values()),
        )


@pytest.fixture
def town(client: TestClient, connection: Connection, staff: Staff, admin: Api, publish: Callable[..., int]) -> Town:
    made = Town(client, connection, staff, admin)
    publish(FLOW)
    return made


def test_p12_no_table_knows_an_erased_person_by_number_name_or_word(
    town: Town, connection: Connection, database_url: str
) -> None:
    id = town.leave_traces()
    contacts = town.admin.ok("GET", f"/contacts/{id}/export")["same_person"]
    contacts.sort(key=lambda one: one != id)
    walks = [one for (one,) in town.ask("SELECT id FROM enrollment WHERE contact_id = ANY(%s)", contacts)]
    letters = [one for (one,) in town.ask("SELECT id FROM message WHERE contact_id = ANY(%s)", contacts)]
    person = Person(town.workspace, contacts, walks, letters)
    ((journey, version),) = town.ask("SELECT id, live_version_id FROM journey")
    about = {table: columns for table, columns in tables(connection) if any(one.name in KNOWN_BY for one in columns)}
    assert len(about) >= 12
    for table, columns in about.items():
        if not rows_of(connection, table, columns, person):
            make_up(connection, table, columns, person, (journey, version))
        assert rows_of(connection, table, columns, person), f"{table}: nothing of the person, so nothing is shown"
    assert MADE_UP in dump(database_url), "every table has its traces by itself; take making up out"
    assert town.admin("POST", f"/contacts/{id}/erase", {"confirm": MAIL}).status_code == 202
    town.run()
    left = {table: rows_of(connection, table, columns, person) for table, columns in about.items() if table not in STAY}
    assert {table: count for table, count in left.items() if count} == {}
    whole = dump(database_url)
    assert found(whole) == []
    for part in whole.split("== ")[1:]:
        table, _, rows = part.partition("\n")
        # A step's name in what stays is the journey's word, not the person's.
        assert rows.count(MADE_UP) <= (table in STAY), f"{table} still says something of the person"


def test_p12_what_is_given_out_holds_every_table_that_knows_people(connection: Connection) -> None:
    """The export has a part for each."""
    parts = " ".join(str(text) for text in persons.PARTS.values())
    for table, columns in tables(connection):
        if any(one.name in KNOWN_BY for one in columns):
            assert f" {table} " in parts.replace("\n", " "), f"{table} is in no part of the export"
