"""How whole batches go in: COPY of text lines (twice as fast as a writer call per row) and ids in blocks. Never commits."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from typing import Any, LiteralString

import psycopg

from app.failpoints import failpoint
from app.lanes import BLOCK

Connection = psycopg.Connection[tuple[Any, ...]]
NULL = "\\N"
LINES_A_WRITE = 2_000


def copy_lines(connection: Connection, target: LiteralString, lines: Iterable[str]) -> None:
    """COPY joined lines (fields by tab, already escaped) into `target`, a table with its columns."""
    rest = iter(lines)
    first = list(islice(rest, LINES_A_WRITE))
    if not first:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        while first:
            copy.write("\n".join(first) + "\n")
            failpoint("COPY")
            first = list(islice(rest, LINES_A_WRITE))


@lru_cache(maxsize=20_000)
def escape(text: str) -> str:
    """Text as a COPY field."""
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text


def optional(text: str | None) -> str:
    """Text or NULL as a COPY field."""
    return NULL if text is None else escape(text)


@lru_cache(maxsize=20_000)
def instant(at: datetime | None) -> str:
    """An instant or NULL as a COPY field; a batch shares few of them."""
    return NULL if at is None else at.isoformat()


def take_ids(connection: Connection, sequence: LiteralString, count: int) -> Iterator[int]:
    """At least `count` fresh ids out of blocks of `BLOCK`, in one statement."""
    if count <= 0:
        return iter(())
    blocks = -(-count // BLOCK)
    rows = connection.execute(f"SELECT nextval('{sequence}') FROM generate_series(1, %s)", (blocks,)).fetchall()
    return chain.from_iterable(range(number * BLOCK, (number + 1) * BLOCK) for (number,) in rows)


def columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[str]:
    """Rows turned into one array literal per column, for `unnest(%s::type[], …)`; also when there are none."""
    return [array(column) for column in zip(*rows, strict=True)] if rows else ["{}"] * width


def array(values: Iterable[Any]) -> str:
    """An array literal; several times faster than the driver's own, and a batch sends a dozen of them."""
    return "{" + ",".join(map(_element, values)) + "}"


def ints(values: Iterable[int]) -> str:
    """An array literal of whole numbers."""
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Iterable[str | None]) -> str:
    """An array literal of texts of which a batch holds few different ones."""
    return "{" + ",".join(map(_quoted, values)) + "}"


def instants(values: Iterable[datetime | None]) -> str:
    """An array literal of instants."""
    return "{" + ",".join(map(_quoted_instant, values)) + "}"


@lru_cache(maxsize=20_000)
def _quoted(value: str | None) -> str:
    return _element(value)


@lru_cache(maxsize=20_000)
def _quoted_instant(value: datetime | None) -> str:
    return _element(value)


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return f'"{instant(value)}"'
    return str(int(value)) if isinstance(value, int) else f'"{value}"'
