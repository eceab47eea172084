"""A world for each story of a stage."""

from datetime import UTC, datetime

import pytest

from app.store.rows import Connection
from app.world import World
from nodes import catalog

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday


@pytest.fixture
def world(connection: Connection) -> World:
    return World(connection, catalog(), timezone="UTC", start=MORNING)
