"""One connection for many examples, each of which is rolled back instead of cleaned up."""

from collections.abc import Iterator

import pytest

from app.database import connect
from app.store.rows import Connection


@pytest.fixture(scope="module")
def shared(_worker_database: str) -> Iterator[Connection]:
    """Its commits mean nothing."""
    with connect(_worker_database, statement_seconds=60, idle_in_transaction_seconds=0) as opened:
        opened.commit = lambda: None  # type: ignore[method-assign]
        yield opened
        opened.rollback()
