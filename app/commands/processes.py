"""`serve`, `worker`, `migrate`, `demo`: one process each, for as long as it takes."""

import psycopg
import structlog

from app import database, generation
from app.commands.places import CommandError, first_workspace, now, workplace
from app.commands.showing import Showing
from app.database import connect, transaction
from app.firstuse import arrive
from app.process import loading
from app.run import DEMO_NAME, DEMO_ZONE, listen, local_servers
from app.settings import Settings, with_secret
from app.store import databases, demo, instances, load, overview

GRACE_SECONDS = 5


def serve(settings: Settings) -> int:
    """A web process until it is told to stop."""
    with loading():
        import uvicorn

        from app import log
        from app.main import create_app
        from app.web.wire import BoundedHttp

    log.configure(settings.log_format, settings.log_level)
    with listen(settings) as listener, local_servers(settings) as placed:
        if behind := _behind(settings, placed):
            structlog.get_logger().warning(behind)  # `/readyz` says no until it is done
        config = uvicorn.Config(
            create_app(with_secret(placed)),
            loop="uvloop",
            http=BoundedHttp,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def work(settings: Settings) -> int:
    """A worker process until it is told to stop."""
    with loading():
        from app import worker

    with local_servers(settings) as placed:
        if behind := _behind(settings, placed):
            raise CommandError(behind)
        return worker.main(with_secret(placed))


def _behind(settings: Settings, placed: Settings) -> str | None:
    """What to do where tables are missing. Local ones are made; yours are changed by `journey migrate` alone."""
    url = str(placed.database_url)
    try:
        with connect(url, name="journey-start", autocommit=True) as connection:
            found = load.revision(connection)
    except psycopg.OperationalError:
        return None  # away for now: whoever works with it waits and says so
    if found is not None and found >= database.head():
        return None
    if settings.database_url is None:
        database.migrate(url)
        return None
    stand = f"stand at migration {found}" if found else "are not made yet"
    return f"The tables {stand}, and this program needs {database.head()}: run `journey migrate` first."


def migrate(settings: Settings) -> tuple[str, ...]:
    """Bring the tables up to date; the migrations that were missing."""
    with local_servers(settings) as placed:
        url = str(placed.database_url)
        missing = database.pending(url)
        if missing:
            database.migrate(url)
        return missing


def confirm_restore(settings: Settings) -> str | None:
    """Let this installation send again; why it did not, None if it did."""
    with workplace(settings) as (_, connection), transaction(connection):
        held = instances.held(connection)
        generation.confirm(connection, now())
    return held[0] if held else None


def seed(settings: Settings, progress: Showing) -> bool:
    """The demo in a workspace that is empty; whether it was made now."""
    from app.demo import seed as seeding
    from nodes import catalog

    with workplace(settings) as (_, connection):
        with transaction(connection):
            arrive(connection, name=DEMO_NAME, timezone=DEMO_ZONE, now=now())
            workspace_id = first_workspace(connection)
            state = demo.state(connection, workspace_id)
            people = overview.house(connection, workspace_id).contacts
            journeys = overview.journeys(connection, workspace_id, 1)
            workers = databases.work(connection).workers
        if state is None and (people != 0 or journeys):
            raise CommandError(
                "This workspace has people or journeys of its own, and the demo would mix with them;"
                " choose another folder with --data."
            )
        if state is None and workers:
            raise CommandError("A worker is at work here, and the demo must be made before; stop it first.")
        return seeding.seed(connection, catalog(), workspace_id, now=now(), progress=progress)
