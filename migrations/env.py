"""Runs migrations for Alembic: on a live database, or as SQL text with `--sql`. It holds no migration itself."""

from alembic import context
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from app import database, models, settings

# Importing the models is what fills the metadata.
assert models is not None
LOCK_SECONDS = 5


def address() -> str:
    """The database that our own commands name; from Alembic's command line, the one of the settings."""
    given = context.config.attributes.get("url")
    if given is not None:
        return str(given)
    url = settings.load().database_url
    if url is None:
        raise SystemExit("Set JOURNEY_DATABASE_URL to the database that Alembic is to work on.")
    return database.driver_url(url)


def offline() -> None:
    context.configure(url=address(), target_metadata=SQLModel.metadata, literal_binds=True, dialect_name="postgresql")
    with context.begin_transaction():
        context.run_migrations()


def online() -> None:
    engine = database.engine(address(), name="journey-migrate")
    try:
        with engine.connect() as connection:
            # A migration that cannot get its lock gives up instead of making every reader queue behind it.
            connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
            partitions = partitions_of(connection)
            # Alembic leaves the commit to others if it is handed a connection inside a transaction.
            connection.commit()
            context.configure(
                connection=connection,
                target_metadata=SQLModel.metadata,
                compare_type=True,
                compare_server_default=True,
                transaction_per_migration=True,
                include_object=lambda _item, name, kind, reflected, _compared: (
                    not (kind == "table" and reflected and name in partitions)
                ),
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


def partitions_of(connection: Connection) -> frozenset[str]:
    """Partitions are made month by month by a maintenance tick and belong to no migration."""
    rows = connection.execute(text("SELECT relname FROM pg_class WHERE relispartition AND relkind IN ('r', 'p')"))
    return frozenset(str(name) for (name,) in rows)


if context.is_offline_mode():
    offline()
else:
    online()
