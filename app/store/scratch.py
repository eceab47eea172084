"""What a scenario reads and arranges in its scratch database. Never used on a database that anybody works in."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.database import BY_KEY
from app.store.rows import Connection, columns


def empty(connection: Connection) -> None:
    """Empty every table that holds anything of a workspace."""
    tables = connection.execute(
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relname NOT IN ('alembic_version', 'generation')
        """
    ).fetchall()
    probes = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for (name,) in tables)
    full = connection.execute(probes).fetchall()
    if full:
        # What only ever grows refuses this, except for who owns the table and says so.
        guarded = connection.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'never_emptied'"
        ).fetchall()
        named = ", ".join(f'"{name}"' for (name,) in full)
        off = [f"ALTER TABLE {name} DISABLE TRIGGER never_emptied" for (name,) in guarded]
        on = [f"ALTER TABLE {name} ENABLE TRIGGER never_emptied" for (name,) in guarded]
        connection.execute("; ".join((*off, f"TRUNCATE {named} CASCADE", *on)))


def join_by_key(connection: Connection) -> None:
    """Plan joins as a worker's own connection does."""
    for name, value in BY_KEY.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))


def users(connection: Connection, workspace_id: int) -> dict[int, str]:
    """User ids by contact; an anonymous contact goes by its anonymous id."""
    rows = connection.execute(
        "SELECT contact_id, value FROM identity WHERE workspace_id = %s AND kind IN ('user_id', 'anonymous_id')"
        " ORDER BY kind, value DESC",
        (workspace_id,),
    ).fetchall()
    return dict(rows)


def give(connection: Connection, workspace_id: int, what: Mapping[str, tuple[list[str], dict[str, Any]]]) -> None:
    """Tags and consents that contacts have from the beginning, by user id."""
    rows = [
        (user, msgspec.json.encode(tags).decode(), msgspec.json.encode(consents).decode())
        for user, (tags, consents) in what.items()
    ]
    connection.execute(
        """
        UPDATE contact c SET tags = ARRAY(SELECT jsonb_array_elements_text(one.tags::jsonb)), consents = one.consents::jsonb
        FROM unnest(%s::text[], %s::text[], %s::text[]) AS one(name, tags, consents)
        JOIN identity i ON i.workspace_id = %s AND i.kind = 'user_id' AND i.value = one.name
        WHERE c.workspace_id = i.workspace_id AND c.id = i.contact_id
        """,
        (*columns(rows, 3), workspace_id),
    )


def walks(connection: Connection, workspace_id: int, journey_id: int) -> list[dict[str, Any]]:
    """All enrollments of a journey in order of entry, each with its trail `(at, steps)`."""
    rows = connection.execute(
        """
        SELECT e.contact_id, e.status, e.reason, e.key, e.node,
            array_agg(t.at ORDER BY t.walk), array_agg(t.steps ORDER BY t.walk)
        FROM enrollment e LEFT JOIN trail t ON t.workspace_id = e.workspace_id AND t.lane = e.lane AND t.enrollment_id = e.id
        WHERE e.workspace_id = %s AND e.journey_id = %s
        GROUP BY e.workspace_id, e.lane, e.id ORDER BY e.entered_at, e.id
        """,
        (workspace_id, journey_id),
    ).fetchall()
    return [
        {
            "contact_id": contact,
            "status": status,
            "reason": reason,
            "key": key,
            "node": node,
            "trail": [(at, msgspec.json.decode(text)) for at, text in zip(times, steps, strict=True) if text],
        }
        for contact, status, reason, key, node, times, steps in rows
    ]


def messages(connection: Connection, workspace_id: int) -> list[dict[str, Any]]:
    """All messages with what a scenario may ask of them."""
    rows = connection.execute(
        "SELECT contact_id, node, status, reason, coalesce(sent_at, created_at), title, channel FROM message"
        " WHERE workspace_id = %s",
        (workspace_id,),
    ).fetchall()
    names = ("contact_id", "node", "status", "reason", "at", "title", "channel")
    return [dict(zip(names, row, strict=True)) for row in rows]


def tags(connection: Connection, workspace_id: int, user: str) -> list[str]:
    """The tags of a contact."""
    row = connection.execute(
        "SELECT c.tags FROM contact c JOIN identity i ON i.workspace_id = c.workspace_id AND i.contact_id = c.id"
        " WHERE i.workspace_id = %s AND i.kind = 'user_id' AND i.value = %s",
        (workspace_id, user),
    ).fetchone()
    return list(row[0]) if row else []
