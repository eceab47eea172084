"""What is kept for a time and then forgotten, in bounded slices. Never what a living timer or page needs."""

from datetime import date

from app.store.rows import Connection


def forget_seen(connection: Connection, before: date, limit: int) -> int:
    """Forget message ids received before a day, at most `limit`; returns how many."""
    return connection.execute(
        "DELETE FROM seen WHERE ctid = ANY(ARRAY(SELECT ctid FROM seen WHERE received_on < %s LIMIT %s))",
        (before, limit),
    ).rowcount
