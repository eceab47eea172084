"""Providers that write down everything that reaches them, and a town whose people each have one message waiting to go."""

import asyncio
import contextlib
import hashlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from app.database import Connection
from app.store.outbox import NEVER
from tests.deliver.house import House, build
from tests.deliver.peers import Personality, mail_account, smtp_server

NODES = {"email": "send", "webhook": "hook", "inapp": "pop"}


class Wire(NamedTuple):
    """One message as it came over the wire."""

    recipient: str
    key: str
    body: str


class Post(Personality):
    """A mail server and a receiver of webhooks. `victim` is killed, unanswered, after `deadly_in` more whole messages."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[Wire] = []
        self.victim, self.deadly_in, self.pause = 0, 0, 0.0
        self._lock = threading.Lock()

    def keep(self, wire: Wire) -> None:
        with self._lock:
            self.came.append(wire)
            self.deadly_in -= 1
            if self.deadly_in == 0:
                os.kill(self._named(), signal.SIGKILL)

    def _named(self) -> int:
        while not self.victim:  # the test has started it and is about to say who it is
            time.sleep(0.001)
        victim, self.victim = self.victim, 0
        return victim

    def recipients(self, people: Sequence[int]) -> list[str]:
        """How these people are called on the wire."""
        mail = "@" in self.came[0].recipient
        return [f"p{n}@example.com" if mail else f'{{"who": "u{n}"}}' for n in people]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.pause)
        answer = await super().handle_DATA(server, session, envelope)
        address, mail = self.taken[-1]
        html = mail.get_body(("html",))
        assert html is not None
        self.keep(Wire(address, mail["message-id"], _digest(html.get_content().encode())))
        return answer

    def repeats(self, people: Sequence[int]) -> int:
        """How often these people were sent what they had; fails where a repeat is not recognisable as one."""
        faces: dict[str, set[Wire]] = {}
        for wire in self.came:
            faces.setdefault(wire.recipient, set()).add(wire)
        assert all(len(known) == 1 for known in faces.values()), "a repeat under another key, or with other words"
        assert len({wire.key for wire in self.came}) == len(faces), "two messages under one key"
        times = Counter(wire.recipient for wire in self.came)
        return sum(times[one] - 1 for one in self.recipients(people)) if self.came else 0

    def delivered(self) -> Counter[str]:
        """What people have where the receiver honours keys: once for each key."""
        return Counter(wire.recipient for wire in {wire.key: wire for wire in self.came}.values())


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@contextlib.contextmanager
def receiver(post: Post) -> Iterator[int]:
    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            post.keep(Wire(body.decode(), self.headers["Idempotency-Key"], _digest(body)))
            with contextlib.suppress(OSError):  # whoever asked may be dead by now
                self.send_response(204)
                self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Connections that break off are what these tests are about."""

    server = Server(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class Town(NamedTuple):
    """The rows and the world around them."""

    house: House
    post: Post
    allow: tuple[str, ...]

    def write(self, channel: str, people: Sequence[int], at: datetime) -> None:
        """One message of this channel for each of them, due now; every third is transactional, the others are marketing."""
        for urgent in (True, False):
            some = [n for n in people if (n % 3 == 0) == urgent]
            self.house.people(some, NODES[channel], marketing=not urgent, created_at=at, due_at=at)

    def over(self) -> bool:
        """Whether nothing will be tried again."""
        return not self.house.rows("SELECT FROM message WHERE status IN (0, 1, 6) AND due_at < %s", NEVER)


@contextlib.contextmanager
def town(connection: Connection) -> Iterator[Town]:
    """A workspace, its providers, nobody yet."""
    post = Post()
    with smtp_server(post) as mail_port, receiver(post) as hook_port:
        house = build(connection)
        house.account("mail", "email", mail_account(mail_port))
        house.account("crm", "webhook", {"url": f"http://127.0.0.1:{hook_port}/in", "secret": "s"})
        allow = (f"127.0.0.1:{mail_port}", f"127.0.0.1:{hook_port}")
        house.courier.allow = allow
        yield Town(house, post, allow)
