"""Counts what is sent to the database: every statement and every COPY, by its text."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from app.store.rows import Connection

BLANKS = re.compile(r"\s+")


@contextmanager
def counted(connection: Connection) -> Iterator[list[str]]:
    """The statements that go over this connection meanwhile, in order; a COPY is one, however many lines it carries."""
    sent: list[str] = []

    class Counting(psycopg.Cursor[Any]):
        def execute(self, query: Any, *arguments: Any, **named: Any) -> Any:
            sent.append(BLANKS.sub(" ", str(query)).strip())
            return super().execute(query, *arguments, **named)

        def executemany(self, query: Any, rows: Any, **named: Any) -> None:
            rows = list(rows)
            sent.extend([BLANKS.sub(" ", str(query)).strip()] * len(rows))
            super().executemany(query, rows, **named)

        def copy(self, statement: Any, *arguments: Any, **named: Any) -> Any:
            sent.append(BLANKS.sub(" ", str(statement)).strip())
            return super().copy(statement, *arguments, **named)

    usual, connection.cursor_factory = connection.cursor_factory, Counting
    try:
        yield sent
    finally:
        connection.cursor_factory = usual
