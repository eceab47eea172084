"""The purse of each plan that holds back what goes beyond its budget: one row, locked while a batch takes out of it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.store.rows import Connection, columns

Key = tuple[int, int]  # workspace, plan


def lock(connection: Connection, keys: Sequence[Key]) -> dict[Key, Decimal]:
    """What was committed by now; nobody else commits anything of these plans until the transaction ends."""
    rows = connection.execute(
        """
        INSERT INTO plan_spending AS kept (workspace_id, plan_id)
        SELECT * FROM unnest(%s::int[], %s::int[]) AS one(workspace_id, plan_id) ORDER BY 1, 2
        ON CONFLICT (workspace_id, plan_id) DO UPDATE SET committed = kept.committed
        RETURNING workspace_id, plan_id, committed
        """,
        columns(sorted(keys), 2),
    ).fetchall()
    return {(workspace, plan): committed for workspace, plan, committed in rows}


def add(connection: Connection, added: Mapping[Key, Decimal]) -> None:
    """Take so much out."""
    if not added:
        return
    connection.execute(
        """
        UPDATE plan_spending kept SET committed = kept.committed + one.cost
        FROM unnest(%s::int[], %s::int[], %s::numeric[]) AS one(workspace_id, plan_id, cost)
        WHERE kept.workspace_id = one.workspace_id AND kept.plan_id = one.plan_id
        """,
        columns([(*key, cost) for key, cost in sorted(added.items())], 3),
    )


def put(connection: Connection, spent: Mapping[Key, Decimal]) -> None:
    """What was counted anew, under the lock."""
    if not spent:
        return
    connection.execute(
        """
        UPDATE plan_spending kept SET committed = one.cost
        FROM unnest(%s::int[], %s::int[], %s::numeric[]) AS one(workspace_id, plan_id, cost)
        WHERE kept.workspace_id = one.workspace_id AND kept.plan_id = one.plan_id
        """,
        columns([(*key, cost) for key, cost in sorted(spent.items())], 3),
    )
