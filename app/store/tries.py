"""Failed sign-ins counted in the database, for when Valkey does not answer. Never an address in clear."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.store.rows import Connection


class Tries(NamedTuple):
    """How often, since when, and the last time."""

    tries: int
    since: datetime
    last: datetime


def locked(connection: Connection, buckets: Sequence[str], since: datetime) -> dict[str, Tries]:
    """What was counted in these buckets since then, held until the transaction ends; an empty bucket is made."""
    connection.execute(
        """
        INSERT INTO sign_in_try (bucket, tries, since, last) SELECT b, 0, 'epoch', 'epoch' FROM unnest(%s::text[]) b
        ORDER BY b ON CONFLICT DO NOTHING
        """,
        (list(buckets),),
    )
    rows = connection.execute(
        "SELECT bucket, tries, since, last FROM sign_in_try WHERE bucket = ANY(%s) ORDER BY bucket FOR UPDATE",
        (list(buckets),),
    ).fetchall()
    return {bucket: Tries(*rest) for bucket, *rest in rows if rest[1] > since}


def count(connection: Connection, buckets: Sequence[str], now: datetime, since: datetime) -> None:
    """One more; what began before `since` begins anew."""
    connection.execute(
        """
        UPDATE sign_in_try SET tries = CASE WHEN since > %(since)s THEN tries + 1 ELSE 1 END,
            since = CASE WHEN since > %(since)s THEN since ELSE %(now)s END, last = %(now)s
        WHERE bucket = ANY(%(buckets)s)
        """,
        {"buckets": list(buckets), "now": now, "since": since},
    )


def forgive(connection: Connection, account: str, net: str) -> None:
    """Forget the account's tries, and one of its net's."""
    connection.execute(
        "UPDATE sign_in_try SET tries = CASE WHEN bucket = %s THEN 0 ELSE greatest(tries - 1, 0) END WHERE bucket = ANY(%s)",
        (account, [account, net]),
    )


def forget(connection: Connection, before: datetime) -> int:
    """Forget what is long over."""
    return connection.execute("DELETE FROM sign_in_try WHERE last < %s", (before,)).rowcount
