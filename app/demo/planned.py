"""The demo's marketing plans, with targets on their way, and a seasonal journey that waits in draft. Never publishes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app import documents, publishing
from app.demo.past import CHINA
from app.publishing import Desk
from app.store import lists, plans
from app.store.plans import Written
from flows.document import dump

HERE = Path(__file__).parent
SALE = "Three-day sale"
TO_COME = timedelta(days=9)
COSTS = {"email": 0.01, "sms": 0.05, "inapp": 0}


def make(author: Desk, journeys: Mapping[str, int], now: datetime) -> None:
    """Two plans over the live journeys (file → number), begun when they went live, and the sale that would override one."""
    begun = (author.now + CHINA).date()
    orders = {
        "target": "Paid orders worth ¥1,600,000 in six weeks, without more than ¥60 for messages",
        "starts_on": begun.isoformat(),
        "ends_on": (begun + timedelta(days=41)).isoformat(),
        "cadence": "long_running",
        "measure": {
            "metric": "revenue",
            "event": "order_paid",
            "property": "amount",
            "baseline": 0,
            "value": 1_600_000,
            "deadline": (begun + timedelta(days=41)).isoformat(),
        },
        "budget": {"amount": 60, "currency": "CNY", "costs": COSTS, "over": "hold"},
    }
    newcomers = {
        "target": "8 of a hundred newcomers buy within two weeks",
        "starts_on": begun.isoformat(),
        "cadence": "periodic",
        "measure": {
            "metric": "goal_share",
            "baseline": 2,
            "value": 8,
            "deadline": (begun + timedelta(days=27)).isoformat(),
        },
        "budget": {"amount": 25, "currency": "CNY", "costs": COSTS, "over": "warn"},
    }
    paid = _plan(author, Written("Orders that get paid", "convert", orders))
    first = _plan(author, Written("Newcomers buy", "activate", newcomers))
    lists.move(
        author.connection, author.workspace_id, [journeys["abandoned-order"], journeys["first-order-offer"]], paid
    )
    lists.move(author.connection, author.workspace_id, [journeys["welcome"]], first)
    sale = publishing.create(author, SALE, _sale(journeys["first-order-offer"], now)).id
    lists.move(author.connection, author.workspace_id, [sale], paid)


def _plan(author: Desk, written: Written) -> int:
    made = plans.add(author.connection, author.workspace_id, written, author.actor, author.now)
    author.note("plan.create", f"plan:{made.id}", None, {"name": written.name})
    return made.id


def _sale(overridden: int, now: datetime) -> dict[str, Any]:
    """The sale of next week: while it is on, the journey it overrides takes nobody in."""
    raw = dump(documents.read((HERE / "spring-sale.yaml").read_text(encoding="utf-8")))
    first = (now + CHINA + TO_COME).date()
    season = {"starts_on": first.isoformat(), "ends_on": (first + timedelta(days=2)).isoformat()}
    raw["settings"]["season"] = {**season, "journeys": [overridden]}
    return raw
