"""A small shop's people and what they did, for forms that offer names and count people. Invented."""

from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from app.database import Connection, transaction
from app.lanes import lane_of

CITIES = ("上海", "Berlin", "北京", "Lyon")
START = datetime(2026, 11, 1, tzinfo=UTC)
FIRST_ID = 1_000_001


def fill(connection: Connection, workspace_id: int, people: int = 40) -> None:
    """Contacts with attributes, tags, identities and a few events each."""
    with transaction(connection):
        for number in range(people):
            _add(connection, workspace_id, FIRST_ID + number, number)


def _add(connection: Connection, workspace_id: int, contact: int, number: int) -> None:
    lane = lane_of(workspace_id, contact)
    attributes: dict[str, Any] = {
        "name": f"Person {number}", "city": CITIES[number % 4], "age": 18 + number, "vip": number % 3 == 0,
        "birthday": f"19{70 + number % 30}-05-{1 + number % 28:02}", "language": "zh" if number % 2 else "en",
    }  # fmt: skip
    if number % 5 == 0:
        attributes.pop("name")
    connection.execute(
        "INSERT INTO contact (workspace_id, lane, id, attributes, tags, consents, created_at, updated_at)"
        " VALUES (%s, %s, %s, %s, %s, '{}', %s, %s)",
        (workspace_id, lane, contact, Jsonb(attributes), ["warm"] if number % 2 else ["cold", "vip"], START, START),
    )
    for kind, value in (("user_id", f"u{number}"), ("email", f"p{number}@example.com")):
        connection.execute(
            "INSERT INTO identity (workspace_id, kind, value, contact_id, created_at) VALUES (%s, %s, %s, %s, %s)",
            (workspace_id, kind, value, contact, START),
        )
    for place, name in enumerate(("app_open", "order_submitted", "order_paid")[: 1 + number % 3]):
        properties = {"order_id": f"A-{1000 + number}", "amount": 20.5 + number, "currency": "CNY"} if place else {}
        connection.execute(
            "INSERT INTO event (workspace_id, lane, contact_id, timestamp, id, received_at, name, properties)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                workspace_id,
                lane,
                contact,
                START + timedelta(hours=place),
                contact * 10 + place,
                START,
                name,
                Jsonb(properties),
            ),
        )
