"""`journey run`: everything on this machine with one command: servers, tables, web, worker, sink, demo. The last to leave.

Composes and watches; each part does its own work. Prints what a newcomer needs to know, and nothing else.
"""

import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import auth, database, localservers
from app.database import connect, transaction
from app.firstuse import KEY_FILE, OWN_NAME, Arrived, arrive, write_key
from app.settings import Settings, with_secret
from app.store import caught, demo, load, users
from app.store.caught import Catch
from app.supervisor import Child, Supervisor

READY_SECONDS = 120.0
POLL_SECONDS = 0.1
LONG_WAIT = 5
LONG_SECONDS = 600.0
DEMO_NAME, DEMO_ZONE = "Lantern Home", "Asia/Shanghai"
BACKLOG = 512


class _Stopped(BaseException):
    """It was told to stop before it was ready, perhaps in the middle of something long."""


class RunError(Exception):
    """It cannot be started as things stand; the text says what to do."""


Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]


@dataclass
class Watch:
    """Signals: the first asks for a good end, the second for a quick one. While `starting`, the first ends what is under way."""

    asked: int = 0
    starting: bool = True

    def __enter__(self) -> "Watch":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    def _ask(self, *_: object) -> None:
        self.asked += 1
        if self.starting:
            self.starting = False
            raise _Stopped


@dataclass
class House:
    """What a run has opened."""

    settings: Settings
    say: Say
    progress: Progress
    want_demo: bool
    watch: Watch
    supervisor: Supervisor
    listener: socket.socket
    began: float = field(default_factory=time.monotonic)


def run(settings: Settings, *, want_demo: bool, say: Say, progress: Progress) -> int:
    """Run until told to stop; the exit code."""
    with ExitStack() as stack:
        listener = stack.enter_context(listen(settings))
        watch = stack.enter_context(Watch())
        supervisor = Supervisor("app.child", say)
        house = House(settings, say, progress, want_demo, watch, supervisor, listener)
        try:
            _live(house, stack)
        except _Stopped:
            pass
        except Exception:
            # Whatever breaks because it was stopped half-way is no news to whoever stopped it.
            if not watch.asked:
                raise
        finally:
            watch.starting = False
            if supervisor.children:
                say("Stopping …")
            supervisor.stop(hurry=lambda: watch.asked > 1)
    say("Stopped. Your data stays in " + str(settings.data) + ".")
    return 0


def _live(house: House, stack: ExitStack) -> None:
    settings, supervisor = house.settings, house.supervisor
    logs = settings.data / "log"
    settings.data.mkdir(parents=True, exist_ok=True)
    # They load their modules while the servers start.
    web = supervisor.start("web", logs / "web.log", [house.listener.fileno()])
    worker = supervisor.start("worker", logs / "worker.log")
    settings = house.settings = with_secret(stack.enter_context(local_servers(settings)))
    _migrate(str(settings.database_url), house.say)
    supervisor.tell(web, told(settings, listen=house.listener.fileno()))
    with connect(
        str(settings.database_url), name="journey-run", statement_seconds=LONG_SECONDS, synchronous_commit="off"
    ) as connection:
        arrived, key = _arrive(house, connection)
        moving = _demo(house, connection, arrived)
        ports = stack.enter_context(_sink(settings))
        supervisor.tell(worker, told(with_sink(settings, ports), **ports))
        _wait_until_ready(house, web)
        with transaction(connection):
            link = auth.login(connection, arrived.user_id, arrived.workspace_id, now())
    if moving:
        feed = supervisor.start("feed", logs / "feed.log")
        supervisor.tell(feed, told(settings, write_key=key))
    _welcome(house, link, demo_moves=moving)
    house.watch.starting = False
    while not house.watch.asked:
        supervisor.look()
        time.sleep(POLL_SECONDS)


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@contextmanager
def listen(settings: Settings) -> Iterator[socket.socket]:
    """The web server's door, opened before anything else: who knocks early waits instead of being turned away."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise RunError(
                f"Port {settings.port} cannot be used ({error.strerror}). Choose another one, such as"
                f" `journey run --port {settings.port + 10}` or JOURNEY_PORT={settings.port + 10},"
                " or stop what uses this one."
            ) from None
        listener.listen(BACKLOG)
        yield listener


@contextmanager
def local_servers(settings: Settings) -> Iterator[Settings]:
    """The same settings with the addresses of databases that run: yours where you named them, else local ones."""
    wanted = {"postgres": settings.database_url is None, "valkey": settings.redis_url is None}
    if not any(wanted.values()):
        yield settings
        return
    with localservers.start(settings.data, major=settings.postgres_major, **wanted) as servers:
        update = {
            "database_url": settings.database_url or servers.database_url,
            "redis_url": settings.redis_url or servers.redis_url,
        }
        yield settings.model_copy(update=update)


def _migrate(url: str, say: Say) -> None:
    with connect(url, name="journey-run", autocommit=True) as connection:
        found = load.revision(connection)
    if found != database.head():
        say("Making the tables …" if found is None else "Bringing the tables up to date …")
        database.migrate(url)


def _arrive(house: House, connection: database.Connection) -> tuple[Arrived, str]:
    with transaction(connection):
        name, zone = (DEMO_NAME, DEMO_ZONE) if house.want_demo else (OWN_NAME, "UTC")
        arrived = arrive(connection, name=name, timezone=zone, now=now())
        if arrived.fresh and house.want_demo:
            # In the same transaction, so that a start that is interrupted is taken up by the next one.
            demo.mark(connection, arrived.workspace_id, demo.WANTED, now())
            users.add(
                connection, arrived.workspace_id, email=demo.COLLEAGUE, name="Rui Chen", role="reviewer", now=now()
            )
        return arrived, write_key(connection, arrived.workspace_id, house.settings.data, now())


def _demo(house: House, connection: database.Connection, arrived: Arrived) -> bool:
    """Whether the demo is to move; made first where the workspace is new."""
    with transaction(connection):
        state = demo.state(connection, arrived.workspace_id)
    if not house.want_demo:
        if state is not None:
            house.say(
                f"The demo's people stay in {house.settings.data}; for an empty start choose another folder with --data."
            )
        return False
    if state in (demo.WANTED, demo.BEGUN):
        from app.demo.seed import seed
        from nodes import catalog

        house.say("Inventing a shop with 5,000 people; this happens once and takes some seconds.")
        seed(connection, catalog(), arrived.workspace_id, now=now(), progress=house.progress)
        return True
    return state is not None


@contextmanager
def _sink(settings: Settings) -> Iterator[dict[str, int]]:
    """The catcher that stands in for providers; on other ports where the usual ones are taken, nobody else needs to know."""
    from app.sink import Sink

    with ExitStack() as stack:
        pool = stack.enter_context(database.pool(str(settings.database_url), size=2, name="journey-sink"))

        def keep(catch: Catch) -> None:
            with pool.connection() as connection, transaction(connection):
                caught.add(connection, catch)

        try:
            sink = stack.enter_context(Sink(keep, smtp_port=settings.sink_smtp_port, http_port=settings.sink_http_port))
        except OSError:
            sink = stack.enter_context(Sink(keep, smtp_port=0, http_port=0))
        yield {"smtp_port": sink.smtp_port, "http_port": sink.http_port}


def with_sink(settings: Settings, ports: Mapping[str, int]) -> Settings:
    """The same settings, with the sink as the only private address that messages may reach."""
    here = tuple(f"127.0.0.1:{port}" for port in ports.values())
    return settings.model_copy(update={"sink": True, "egress_allow": settings.egress_allow + here})


def told(settings: Settings, **extra: Any) -> dict[str, Any]:
    """The settings as a child is told them, over a pipe that nobody else reads."""
    values = settings.model_dump(mode="json", exclude={"secret"}, exclude_none=True)
    assert settings.secret is not None
    return {**values, "sink": True, "secret": settings.secret.get_secret_value(), "extra": extra}


def _wait_until_ready(house: House, web: Child) -> None:
    host = "127.0.0.1" if house.settings.host in ("0.0.0.0", "") else house.settings.host
    address = f"http://{f'[{host}]' if ':' in host else host}:{house.settings.port}/readyz"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        house.supervisor.look()
        try:
            with urllib.request.urlopen(address, timeout=LONG_WAIT) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_SECONDS)
    raise RunError(f"The web process does not become ready; its log is {web.log}.")


def _welcome(house: House, link: str, *, demo_moves: bool) -> None:
    settings, seconds = house.settings, time.monotonic() - house.began
    place = settings.base_url
    whose = "an invented shop; --no-demo --data FOLDER starts empty" if demo_moves else "yours alone"
    lines = (
        "",
        f"  Journey Canvas is ready after {seconds:.1f} s.",
        "",
        f"  Open          {place}/login?token={link}",
        "                this link signs you in once, within the hour; `journey user link` makes another",
        f"  Messages      {place}/sink   nothing leaves this machine",
        f"  Write key     {Path(settings.data) / KEY_FILE}   for sending events to {place}/v1/track",
        f"  Data          {settings.data}   {whose}",
        "  Stop          Ctrl-C",
        "",
    )
    house.say("\n".join(lines))
