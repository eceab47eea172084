"""The demo's life: invented people go on doing things, at a gentle rate, through the real front door.

They open the app, look, order, pay or forget to; some open and click the mails that the sink caught. Sends what any client
would send, with the write key; only the sink's mails are read from the database, as a mailbox would be.
"""

import re
import signal
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from random import Random
from typing import Any

import httpx2
import psycopg

from app import log
from app.database import Connection, connect, transaction
from app.demo.past import PRODUCTS, order_of, pays_after
from app.demo.people import PEOPLE, Person, one
from app.settings import Settings
from app.store import caught, demo, workspaces

EVERY_SECONDS = 1.0
VISITS, REGISTRATIONS, BOOKINGS = 0.45, 0.035, 0.01  # chances in each second
ORDERS = 0.34  # of the visits
OPENS, CLICKS = 0.5, 0.45  # of the mails; of those that were opened
READ_AFTER = (4.0, 150.0)  # seconds from a mail to its reader
PENDING_AT_MOST = 5_000
OVERTAKES = 0.03  # of the payments, which are told before their orders
TIMEOUT_SECONDS = 10.0
LINK = re.compile(r'href="(http[^"]+/r/[^"]+)"')
PIXEL = re.compile(r'src="(http[^"]+/o/[^"]+)"')
BROWSER = "Mozilla/5.0 (demo) AppleWebKit/537.36 Mobile Safari/537.36"
Event = dict[str, Any]


@dataclass
class Feed:
    """What is going on, and what will happen later: `(when, event or address)`."""

    chance: Random
    next_number: int
    later: list[tuple[datetime, Event | str]] = field(default_factory=list)
    mail_seen: int = 0

    def happens(self, now: datetime) -> list[Event]:
        """What people do in this second."""
        chance, found = self.chance, []
        if chance.random() < VISITS:
            found += self._visit(now)
        if chance.random() < REGISTRATIONS:
            found += self._register(now)
        if chance.random() < BOOKINGS:
            found.append(_track(_user(chance), "cleaning_booked", {"price": 89}))
        return found

    def due(self, now: datetime) -> list[Event | str]:
        """What was planned for now."""
        ready = [what for at, what in self.later if at <= now]
        self.later = [plan for plan in self.later if plan[0] > now][-PENDING_AT_MOST:]
        return ready

    def read(self, html: str, now: datetime) -> None:
        """Plan that a mail is opened, and perhaps clicked."""
        chance = self.chance
        pixel, links = PIXEL.search(html), LINK.findall(html)
        if pixel is None or chance.random() > OPENS:
            return
        at = now + timedelta(seconds=chance.uniform(*READ_AFTER))
        self.later.append((at, unescape(pixel[1])))
        if links and chance.random() < CLICKS:
            self.later.append((at + timedelta(seconds=chance.uniform(2, 20)), unescape(links[0])))

    def _visit(self, now: datetime) -> list[Event]:
        chance, user = self.chance, _user(self.chance)
        product = chance.choice(PRODUCTS)
        found = [_track(user, "app_open", {"platform": chance.choice(("ios", "android", "web"))})]
        found.append(_track(user, "product_viewed", {"product": product[0], "price": product[2]}))
        if chance.random() < ORDERS:
            order = order_of(int(user[1:]), now, product)
            paid = _track(user, "order_paid", {"order_id": order["order_id"], "amount": order["amount"]})
            pays = pays_after(chance)
            if pays is not None and chance.random() < OVERTAKES:
                found.append(paid)
                self.later.append(
                    (
                        now + timedelta(seconds=2),
                        {**_track(user, "order_submitted", order), "timestamp": _text(now - timedelta(seconds=5))},
                    )
                )
                return found
            found.append(_track(user, "order_submitted", order))
            if pays is not None:
                self.later.append((now + pays, paid))
        return found

    def _register(self, now: datetime) -> list[Event]:
        person: Person = one(self.next_number, now, self.chance)
        self.next_number += 1
        traits = {**person.attributes, "signed_up_at": _text(now)}
        traits.pop("bought_air_conditioner_on", None)
        return [
            {"type": "identify", "userId": person.user_id, "traits": traits},
            _track(person.user_id, "registered", {"channel": "friend"}),
        ]


def run(settings: Settings, write_key: str) -> int:
    """Go on until told to stop."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    begin = datetime.now(UTC)
    feed = Feed(Random(begin.timestamp()), PEOPLE + 1 + int(begin.timestamp()) % 1_000_000)
    with (
        httpx2.Client(base_url=settings.base_url, timeout=TIMEOUT_SECONDS) as client,
        _database(settings) as connection,
    ):
        _remember(feed, connection, begin)
        while not stop.wait(EVERY_SECONDS * feed.chance.uniform(0.5, 1.5)):
            try:
                _second(feed, client, write_key, connection)
            except (httpx2.HTTPError, OSError) as error:
                # The web process starts again, or the machine slept: life goes on afterwards.
                log.get(__name__).info("nobody answers", error=type(error).__name__)
                stop.wait(5.0)
            except psycopg.Error as error:
                log.get(__name__).warning("no database; to be started again", **log.told(error))
                return 1
    return 0


def _database(settings: Settings) -> Connection:
    return connect(str(settings.database_url), name="journey-feed", idle_session_seconds=0)


def _remember(feed: Feed, connection: Connection, now: datetime) -> None:
    """Orders that were open before: some are paid yet. Mails that were caught before are old news."""
    with transaction(connection):
        workspace_id = workspaces.first(connection)
        open_orders = demo.unpaid(connection, workspace_id, 60) if workspace_id else []
        newest = caught.newest(connection, workspace_id or 0, limit=1)
    feed.mail_seen = newest[0].id if newest else 0
    for user, order, amount in open_orders:
        if feed.chance.random() < 0.5:
            at = now + timedelta(seconds=feed.chance.uniform(5, 1_200))
            feed.later.append((at, _track(user, "order_paid", {"order_id": order, "amount": amount})))


def _second(feed: Feed, client: httpx2.Client, write_key: str, connection: Connection) -> None:
    now = datetime.now(UTC)
    due = feed.due(now)
    events = feed.happens(now) + [what for what in due if not isinstance(what, str)]
    if events:
        answer = client.post("/v1/batch", json={"batch": events}, auth=(write_key, ""))
        if answer.status_code != 200:
            log.get(__name__).warning("not taken", status=answer.status_code)
    for address in due:
        if isinstance(address, str):
            client.get(address, headers={"User-Agent": BROWSER}, follow_redirects=False)
    with transaction(connection):
        workspace_id = workspaces.first(connection) or 0
        newest = caught.newest(connection, workspace_id, channel="email", limit=50)
        mails = [one for one in newest if one.id > feed.mail_seen]
        whole = [caught.find(connection, workspace_id, one.id) for one in mails[:20]]
    for mail in whole:
        if mail is not None:
            feed.read(str(mail.content.get("html") or ""), now)
    feed.mail_seen = max([feed.mail_seen, *(one.id for one in mails)])


def _user(chance: Random) -> str:
    return f"u{chance.randint(1, PEOPLE):05d}"


def _track(user: str, event: str, properties: dict[str, Any]) -> Event:
    return {"type": "track", "userId": user, "event": event, "properties": properties}


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
