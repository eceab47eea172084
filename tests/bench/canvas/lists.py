"""How long the server needs for pages of lists over very many rows, as it is asked over HTTP. Rows are invented, by COPY."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from statistics import median

import httpx2
import msgspec

from app.bench import ground
from app.commands.places import scratch
from app.database import Connection, transaction
from app.lanes import lane_of
from app.settings import load
from app.store.rows import NULL, copy_lines, instant
from app.web.session import COOKIE
from tests.bench.canvas import place
from tests.bench.canvas.journeys import journey
from tests.bench.canvas.targets import Figure

TURNS, WARM = 15, 3
MESSAGES = 200_000
STATUSES = ("draft", "live", "live", "paused", "stopped")
# What an operator asks of the lists; each has to come in time, the slowest is told under the name of its list.
ASKED = {
    "list of journeys": ("/journeys", "/journeys?q=offer+77", "/journeys?status=live", "/journeys?q=nothing+like+this"),
    "list of contacts": ("/contacts", "/contacts?q=u77777", "/contacts?q=Contact+4711", "/contacts?q=nobody"),
    "log of messages": ("/messages", "/messages?status=suppressed", "/messages?status=bounced"),
    "first page": ("/",),
}


def measure(stack: ExitStack, journeys: int, contacts: int) -> Iterator[Figure]:
    """Fill a scratch database and ask for each page; pages that do not exist yet are left out."""
    connection = stack.enter_context(scratch(load(), fast=True))
    workspace_id, session = place.operator(connection)
    ground.people(connection, workspace_id, contacts, named=True)
    _draw(connection, workspace_id, journeys)
    _send(connection, workspace_id)
    base = stack.enter_context(place.server(connection))
    with httpx2.Client(base_url=base, cookies={COOKIE: session}, timeout=60) as client:
        for name, addresses in ASKED.items():
            for address in addresses:
                if client.get(address).status_code == 200:
                    yield Figure(name, _seconds(client, address) * 1000, view=address)


def _seconds(client: httpx2.Client, address: str) -> float:
    for _ in range(WARM):
        client.get(address)
    taken = []
    for _ in range(TURNS):
        begun = time.perf_counter()
        client.get(address).raise_for_status()
        taken.append(time.perf_counter() - begun)
    return median(taken)


def _draw(connection: Connection, workspace_id: int, count: int) -> None:
    """Journeys with drafts of an ordinary size, and what has happened in them lately."""
    draft = msgspec.json.encode(journey(12)).decode().replace("\\", "\\\\")
    names = ("Welcome", "Order not paid", "Spring offer", "Birthday", "We miss you")
    with transaction(connection):
        columns = "journey (workspace_id, name, status, draft, created_at, created_by, updated_at, updated_by)"
        copy_lines(
            connection,
            columns,
            (
                f"{workspace_id}\t{names[n % 5]} {n}\t{STATUSES[n % 5]}\t{draft}\t{at}\tuser:1\t{at}\tuser:1"
                for n in range(count)
                for at in (instant(ground.START + timedelta(minutes=n)),)
            ),
        )
        ids = [row[0] for row in connection.execute("SELECT id FROM journey WHERE workspace_id = %s", (workspace_id,))]
        hours = [instant(ground.START + timedelta(hours=hour)) for hour in range(48)]
        copy_lines(
            connection,
            "tally_hour (workspace_id, journey_id, version_id, node, port, hour, count)",
            (
                f"{workspace_id}\t{id}\t{id}\t{node}\t{port}\t{hour}\t{7 + id % 11}"
                for id in ids[: count // 5]
                for hour in hours
                for node, port in (("", "entered"), ("n0", ""))
            ),
        )
    with transaction(connection):
        connection.execute("ANALYZE journey, tally_hour")


def _send(connection: Connection, workspace_id: int) -> None:
    """What went out lately to a few people by two hundred versions; one in ten was withheld, none came back."""
    people = [
        row[0]
        for row in connection.execute("SELECT id FROM contact WHERE workspace_id = %s LIMIT 1000", (workspace_id,))
    ]
    with transaction(connection):
        connection.execute(
            """
            INSERT INTO version (workspace_id, journey_id, number, document, content_hash, conditions, published_at,
                                 published_by)
            SELECT workspace_id, id, 1, draft, 'bench', '{}', created_at, 'user:1' FROM journey
            WHERE workspace_id = %s AND status <> 'draft' ORDER BY id LIMIT 200
            """,
            (workspace_id,),
        )
        found = connection.execute(
            "SELECT id, journey_id FROM version WHERE workspace_id = %s ORDER BY id", (workspace_id,)
        ).fetchall()
        copy_lines(
            connection,
            "message (workspace_id, lane, enrollment_id, node, visit, id, contact_id, created_at, due_at, sent_at,"
            " journey_id, version_id, status, outcome, attempt, marketing, channel, reason, recipient, title)",
            (
                f"{workspace_id}\t{lane_of(workspace_id, person)}\t{n}\tn3\t1\t{n}\t{person}\t{at}\t{at}\t{at}"
                f"\t{journey_id}\t{version}\t{4 if withheld else 2}\t{0 if withheld else 1 + n % 4}\t1\tt\temail"
                f"\t{'opted_out' if withheld else NULL}\tu{person}@example.com\tYour order waits"
                for n in range(1, MESSAGES + 1)
                for at in (instant(ground.START + timedelta(seconds=n)),)
                for person in (people[n % len(people)],)
                for version, journey_id in (found[n % len(found)],)
                for withheld in (n % 10 == 0,)
            ),
        )
    with transaction(connection):
        connection.execute("ANALYZE message, version")
