"""Connections, the one commit point, and migrations."""

import threading
import time

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlmodel import SQLModel

from app import database, models
from migrations.partitions import partitions_of
