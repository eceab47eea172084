"""What a person limited to scopes may see: said once to the transaction, asked by the WHERE clauses of what has a label.

The database's own `in_scope(label)` reads what `limit` said. A transaction without a limit sees everything: workers, commands,
people who are not limited.
"""

from collections.abc import Mapping, Sequence
from typing import LiteralString

from app.store.rows import Connection

FIRST, BETWEEN = "\x1e", "\x1f"  # no label holds them; FIRST alone lets nothing through, not even what has no label
JOURNEY: LiteralString = " AND in_scope(j.scope)"
PLAN: LiteralString = " AND in_scope(p.scope)"
# Rows that name a journey: `m` is a message, `e` an enrollment. The first part is looked at once, not for each row.
LIMITED: LiteralString = "(SELECT coalesce(current_setting('journey.scopes', true), '') <> '')"
MESSAGE: LiteralString = f"""
    AND (NOT {LIMITED} OR EXISTS (
        SELECT FROM journey s WHERE s.workspace_id = m.workspace_id AND s.id = m.journey_id AND in_scope(s.scope)))
"""
ENROLLMENT: LiteralString = f"""
    AND (NOT {LIMITED} OR EXISTS (
        SELECT FROM journey s WHERE s.workspace_id = e.workspace_id AND s.id = e.journey_id AND in_scope(s.scope)))
"""
TALLY: LiteralString = f"""
    AND (NOT {LIMITED} OR EXISTS (
        SELECT FROM journey s WHERE s.workspace_id = t.workspace_id AND s.id = t.journey_id AND in_scope(s.scope)))
"""
# What somebody limited makes bears the first of their labels.
OWN: LiteralString = "COALESCE(split_part(current_setting('journey.scopes', true), chr(31), 2), '')"
NAMED_CONTACT: LiteralString = f"""
    AND (NOT {LIMITED} OR EXISTS (
        SELECT FROM enrollment e JOIN journey s ON s.workspace_id = e.workspace_id AND s.id = e.journey_id
        WHERE e.workspace_id = i.workspace_id AND e.contact_id = i.contact_id AND in_scope(s.scope)))
"""
CONTACT: LiteralString = f"""
    AND (NOT {LIMITED} OR EXISTS (
        SELECT FROM enrollment e JOIN journey s ON s.workspace_id = e.workspace_id AND s.id = e.journey_id
        WHERE e.workspace_id = c.workspace_id AND e.contact_id = c.id AND in_scope(s.scope)))
"""


def limit(connection: Connection, scopes: Sequence[str] | None) -> None:
    """Let this transaction see nothing but these scopes."""
    if scopes is not None:
        said = BETWEEN.join((FIRST, *scopes))
        connection.execute("SELECT set_config('journey.scopes', %s, true)", (said,))


def sees(connection: Connection, workspace_id: int, named: Mapping[str, int]) -> bool:
    """Whether what an address names (`journey_id`, `plan_id`, `contact_id`, `message_id`) lies within the limit.

    What is not there at all is left to the page that looks for it.
    """
    row = connection.execute(
        """
        SELECT NOT EXISTS (SELECT FROM journey j WHERE j.workspace_id = %(w)s AND j.id = %(journey_id)s
                           AND NOT in_scope(j.scope))
           AND NOT EXISTS (SELECT FROM plan p WHERE p.workspace_id = %(w)s AND p.id = %(plan_id)s
                           AND NOT in_scope(p.scope))
           AND NOT EXISTS (SELECT FROM message m JOIN journey j ON j.workspace_id = m.workspace_id AND j.id = m.journey_id
                           WHERE m.workspace_id = %(w)s AND m.id = %(message_id)s AND NOT in_scope(j.scope))
           AND (%(contact_id)s::bigint IS NULL OR EXISTS (
                SELECT FROM enrollment e JOIN journey j ON j.workspace_id = e.workspace_id AND j.id = e.journey_id
                WHERE e.workspace_id = %(w)s AND e.contact_id = %(contact_id)s AND in_scope(j.scope)))
        """,
        {"w": workspace_id, **{name: named.get(name) for name in NAMED}},
    ).fetchone()
    return bool(row and row[0])


NAMED = ("journey_id", "plan_id", "contact_id", "message_id")
