"""A workspace in which everything is there already: the demo with fewer people, a draft with mistakes, one handed in, catches.

Built once per process and only looked at. Whatever pages show of it is data: `said` are its texts, so that what is left on a
Chinese page in Latin letters can be told from a text that nobody translated.
"""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from psycopg import sql

from app import reckoning
from app.courier import Courier
from app.database import Connection, transaction
from app.demo import people, seed
from app.demo.seed import MAIL_ACCOUNT
from app.links import Tokens
from app.plans import Plans
from app.rendering import Site as Sender
from app.stages import deliver
from app.store import caught
from app.store.caught import Catch
from nodes import catalog
from tests.browser.site import Site
from tests.web.conftest import Staff, flow

PEOPLE = 240
NAMES = {"viewer": "Chen Jie", "operator": "Li Na", "reviewer": "Wang Wei", "admin": "Zhao Min"}
# Coarser than the demo's own: a test waits for it, and nobody looks at the minutes.
STEPS = (
    (timedelta(days=14), timedelta(days=1)),
    (timedelta(days=2), timedelta(hours=6)),
    (timedelta(hours=3), timedelta(minutes=45)),
    (timedelta(minutes=30), timedelta(minutes=10)),
)
BATCH = 5_000
LATIN = re.compile(r"[A-Za-z]{3,}")
LIQUID = re.compile(r"\{[{%].*?[%}]\}")
# Everything in the tables that a page may show; read as text, taken apart by `_texts`.
TABLES = (
    "journey",
    "version",
    "contact",
    "identity",
    "event",
    "account",
    "users",
    "key",
    "workspace",
    "caught",
    "trail",
    "plan",
    "message",
)

EVERYTHING = sql.SQL("SELECT to_jsonb(t) FROM {} t LIMIT 20000")


@dataclass(frozen=True)
class Town:
    """The workspace, and what stands in it by name."""

    site: Site
    staff: Staff
    journeys: dict[str, int] = field(default_factory=dict)
    contact: int = 0
    plan: int = 0
    catch: int = 0
    message: int = 0
    said: tuple[str, ...] = ()


def broken() -> dict[str, Any]:
    """A draft as it is half-way: a wait nobody filled in, a step nothing leads to."""
    raw = deepcopy(flow())
    raw["nodes"][1]["settings"] = {"duration": "soon"}
    raw["nodes"].append(
        {"id": "lost", "type": "send.email", "version": 1, "settings": {"account": "nobody"}, "x": 240, "y": 200}
    )
    return raw


def build(site: Site) -> Town:
    """Fill a workspace."""
    staff = site.staff("Lantern Home")
    now = site.clock()
    with site.connection() as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed, "STEPS", STEPS)
        patch.setattr(seed, "invent", partial(people.invent, count=PEOPLE))
        seed.seed(connection, catalog(plugins=False), staff.workspace_id, now=now, progress=lambda *_: None)
        _deliver(connection, site)
        with transaction(connection):
            for role, name in NAMES.items():
                connection.execute("UPDATE users SET name = %s WHERE id = %s", (name, staff.user_ids[role]))
            catches = [caught.add(connection, one._replace(workspace_id=staff.workspace_id)) for one in _catches(now)]
            found = connection.execute(
                "SELECT contact_id FROM enrollment WHERE workspace_id = %s ORDER BY walks DESC, id LIMIT 1",
                (staff.workspace_id,),
            ).fetchone()
            (message,) = connection.execute(
                "SELECT max(id) FROM message WHERE workspace_id = %s", (staff.workspace_id,)
            ).fetchone() or (0,)
            named = connection.execute("SELECT name, id FROM journey WHERE workspace_id = %s", (staff.workspace_id,))
            journeys = dict(named.fetchall())
    api = site.api(staff)
    api.ok("POST", "/plans", {"name": "Win-back in spring", "scene": "win_back", "target": "500 buy again"})
    plan = next(one["id"] for one in api.ok("GET", "/plans")["items"] if one["measure"])
    with site.connection() as connection, transaction(connection):
        reckoning.reckon(connection, catalog(plugins=False), now)
    journeys["draft"] = api.ok("POST", "/journeys", {"name": "Spring offer", "document": broken()})["id"]
    journeys["review"] = api.ok("POST", "/journeys", {"name": "Birthday wishes", "document": flow()})["id"]
    api.ok("POST", f"/journeys/{journeys['review']}/submit")
    journeys["live"] = journeys["Order not paid"]
    assert found is not None, "nobody walks in the town"
    return Town(site, staff, journeys, found[0], plan, catches[0], message, _said(site))


def _deliver(connection: Connection, site: Site) -> None:
    """What the demo leaves to the worker, so that the town does not look as if nobody worked there."""
    secret = site.settings.secret_bytes
    courier = Courier(Sender(site.base, Tokens(secret)), secret, cut_off=True)
    plans = Plans(catalog(plugins=False))
    while deliver.run(connection, plans, courier, now=site.clock(), limit=BATCH):
        pass


def _catches(now: Any) -> list[Catch]:
    mail = {
        "html": '<h1 style="color: teal">Your order waits</h1><p>See you.</p>',
        "text": "Your order waits",
        "headers": {"From": "Lantern Home <hello@example.com>", "To": "Emma <emma@example.com>"},
    }
    told = {
        "title": "Your order is not paid yet",
        "body": "desk lamp, ¥159",
        "url": "https://shop.example.com/orders/7",
    }
    hook = {"body": {"order": {"id": 7, "amount": 159}}, "headers": {"Idempotency-Key": "3f6a"}}
    return [
        Catch(0, "email", "emma@example.com", "Your order waits", mail, now),
        Catch(0, "inapp", "u00007", "Your order is not paid yet", told, now),
        Catch(0, "webhook", "https://crm.example.com/in", "POST https://crm.example.com/in", hook, now),
    ]


def _said(site: Site) -> tuple[str, ...]:
    """Every text of the tables that holds Latin words, longest first."""
    found: set[str] = {MAIL_ACCOUNT}
    with site.connection() as connection:
        for table in TABLES:
            rows = connection.execute(EVERYTHING.format(sql.Identifier(table))).fetchall()
            for (row,) in rows:
                found.update(_texts(row))
    return tuple(sorted((text for text in found if LATIN.search(text)), key=len, reverse=True))


def _texts(value: Any) -> set[str]:
    if isinstance(value, str):
        # Copy is shown with its variables filled in: what stands between them is data too.
        pieces = [piece for line in value.splitlines() for piece in (line, *LIQUID.split(line))]
        return {value.strip(), *(piece.strip(" ,.!") for piece in pieces)}
    if isinstance(value, dict):
        return {text for key, one in value.items() for text in ({key} | _texts(one))}
    if isinstance(value, list):
        return {text for one in value for text in _texts(one)}
    return set()
