"""Who is being written to at this very moment: a lock for each contact, held in common by those who send.

An opt-out takes the lock for itself before it commits: it waits for the calls that are out already, and whoever begins one
afterwards reads what it wrote (promise P10). Never waits for long: a provider that dawdles does not hold up an answer.
"""

from collections.abc import Collection, Iterable

from psycopg import errors

from app.store.rows import Connection, array

SENDING = 1 << 62  # tells these locks from all others with one number
LONGEST_WAIT_MS = 900


def hold(connection: Connection, contacts: Iterable[int], done: Iterable[int] = ()) -> set[int]:
    """Let go of `done` and take hold of `contacts`, for longer than the transaction; returns those nobody opts out of now.

    A contact named twice is held twice and has to be let go twice.
    """
    rows = connection.execute(
        """
        SELECT false, id, pg_advisory_unlock_shared(%s | id) FROM unnest(%s::bigint[]) AS done(id)
        UNION ALL SELECT true, id, pg_try_advisory_lock_shared(%s | id) FROM unnest(%s::bigint[]) AS going(id)
        """,
        (SENDING, array(done), SENDING, array(contacts)),
    ).fetchall()
    return {id for taken, id, got in rows if taken and got}


def hold_here(connection: Connection, contacts: Collection[int]) -> set[int]:
    """The same until the transaction ends, for what is delivered by its commit."""
    rows = connection.execute(
        "SELECT id FROM unnest(%s::bigint[]) AS one(id) WHERE pg_try_advisory_xact_lock_shared(%s | id)",
        (array(contacts), SENDING),
    ).fetchall()
    return {id for (id,) in rows}


def wait(connection: Connection, contacts: Iterable[int], patience_ms: int = LONGEST_WAIT_MS) -> bool:
    """Wait until nobody is writing to these contacts, and keep it so until the commit; False where it took too long."""
    sorted_ = sorted(set(contacts))
    if not sorted_:
        return True
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{patience_ms}ms",))
            connection.execute(
                "SELECT pg_advisory_xact_lock(%s | id) FROM (SELECT unnest(%s::bigint[]) AS id ORDER BY 1) AS sorted",
                (SENDING, array(sorted_)),
            )
            connection.execute("SET LOCAL lock_timeout TO DEFAULT")
    except errors.LockNotAvailable:
        return False
    return True
