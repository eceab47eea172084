"""Failed sign-ins counted in the database, for when Valkey does not answer. Never an address in clear."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.store.rows import Connection, columns


class Tries(NamedTuple):
    """How often in this window, since when, the last time; `level` says how many windows before it were full."""

    tries: int
    since: datetime
    last: datetime
    level: int


def locked(connection: Connection, buckets: Sequence[str]) -> dict[str, Tries]:
    """What was counted in these buckets, held until the transaction ends; an empty bucket is made."""
    connection.execute(
        """
        INSERT INTO sign_in_try (bucket, tries, since, last) SELECT b, 0, 'epoch', 'epoch' FROM unnest(%s::text[]) b
        ORDER BY b ON CONFLICT DO NOTHING
        """,
        (list(buckets),),
    )
    rows = connection.execute(
        "SELECT bucket, tries, since, last, level FROM sign_in_try WHERE bucket = ANY(%s) ORDER BY bucket FOR UPDATE",
        (list(buckets),),
    ).fetchall()
    return {bucket: Tries(*rest) for bucket, *rest in rows}


def keep(connection: Connection, counted: Mapping[str, Tries]) -> None:
    """Write what is counted now."""
    rows = [(bucket, *one) for bucket, one in counted.items()]
    connection.execute(
        """
        UPDATE sign_in_try t SET tries = one.tries, since = one.since, last = one.last, level = one.level
        FROM unnest(%s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::smallint[])
          AS one(bucket, tries, since, last, level) WHERE t.bucket = one.bucket
        """,
        columns(rows, 5),
    )


def forgive(connection: Connection, account: str, net: str) -> None:
    """Forget the account's tries, and one of its net's."""
    connection.execute(
        """
        UPDATE sign_in_try SET tries = CASE WHEN bucket = %(account)s THEN 0 ELSE greatest(tries - 1, 0) END,
            level = CASE WHEN bucket = %(account)s THEN 0 ELSE level END WHERE bucket = ANY(%(both)s)
        """,
        {"account": account, "both": [account, net]},
    )


def forget(connection: Connection, before: datetime) -> int:
    """Forget what is long over."""
    return connection.execute("DELETE FROM sign_in_try WHERE last < %s", (before,)).rowcount
