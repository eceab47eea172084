"""Ninety days of what the invented people did: sessions in a rhythm of days and hours, orders, payments. Never a clock."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from app.demo.people import Person

SEED = 20260302
DAYS = 90
WEEKDAYS = (1.0, 0.95, 0.95, 1.0, 1.15, 1.35, 1.3)  # Monday first
HOURS = (3, 1, 1, 1, 1, 2, 4, 7, 9, 9, 9, 9, 11, 9, 8, 8, 8, 9, 11, 14, 17, 18, 13, 7)
CHINA = timedelta(hours=8)  # the shop's day; close enough for a rhythm
PRODUCTS = (
    ("desk lamp", "台灯", 159), ("air purifier", "空气净化器", 1299), ("robot vacuum", "扫地机器人", 1899),
    ("kettle", "电热水壶", 99), ("down duvet", "羽绒被", 699), ("rice cooker", "电饭煲", 399),
    ("coffee machine", "咖啡机", 1599), ("floor fan", "落地扇", 229), ("office chair", "办公椅", 899),
    ("air conditioner", "空调", 3299), ("towel set", "毛巾套装", 79), ("projector", "投影仪", 2499),
)  # fmt: skip
BOOKED = 0.3  # of those who are offered a service
LIVELY = timedelta(
    minutes=45
)  # just now there are some more orders, whatever the hour, so that there is something to see
LIVELY_ORDERS = 90


class Happening(NamedTuple):
    """One event of one person (their place in the list)."""

    at: datetime
    person: int
    name: str
    properties: dict[str, Any]


def happenings(people: Sequence[Person], now: datetime) -> list[Happening]:
    """Everything of the last ninety days, in order of time."""
    chance = Random(SEED)
    days = _Days(now)
    found = [event for place, person in enumerate(people) for event in _life(place, person, days, chance)]
    found += _just_now(people, now, chance)
    found = [event for event in found if event.at < now]
    found.sort(key=lambda event: event.at)
    return found


class _Days:
    """When sessions begin: by weekday and hour."""

    def __init__(self, now: datetime) -> None:
        self.begin = (now + CHINA).replace(hour=0, minute=0, second=0, microsecond=0) - CHINA - timedelta(days=DAYS - 1)
        weekday = (self.begin + CHINA).weekday()
        self.days = list(accumulate(WEEKDAYS[(weekday + day) % 7] for day in range(DAYS)))
        self.hours = list(accumulate(HOURS))

    def moment(self, chance: Random) -> datetime:
        day = bisect(self.days, chance.random() * self.days[-1])
        hour = bisect(self.hours, chance.random() * self.hours[-1])
        return self.begin + timedelta(days=day, hours=hour, seconds=chance.random() * 3600)


def _life(place: int, person: Person, days: _Days, chance: Random) -> Iterator[Happening]:
    if person.signed_up_at >= days.begin:
        channel = chance.choice(("app store", "friend", "search", "short video"))
        yield Happening(person.signed_up_at, place, "registered", {"channel": channel})
    if bought := person.attributes.get("bought_air_conditioner_on"):
        offered = datetime.fromisoformat(f"{bought}T01:00:00+00:00") + timedelta(days=365)
        at = offered + timedelta(hours=chance.uniform(2, 200))
        if at >= days.begin and chance.random() < BOOKED:
            yield Happening(at, place, "cleaning_booked", {"price": 89})
    share = 1.0 if person.signed_up_at < days.begin else 0.4
    for _ in range(round(person.sessions * share)):
        begin = days.moment(chance)
        if begin > person.signed_up_at:
            yield from _session(place, person, begin, chance)


def _session(place: int, person: Person, begin: datetime, chance: Random) -> Iterator[Happening]:
    yield Happening(begin, place, "app_open", {"platform": chance.choice(("ios", "android", "web"))})
    at, seen = begin, None
    for _ in range(chance.randint(0, 4)):
        at += timedelta(seconds=chance.uniform(10, 150))
        seen = chance.choice(PRODUCTS)
        yield Happening(at, place, "product_viewed", _product(seen))
    if seen and person.buyer and chance.random() < 0.32:
        yield from _order(place, at + timedelta(seconds=chance.uniform(20, 200)), seen, chance)


def _order(place: int, at: datetime, product: tuple[str, str, int], chance: Random) -> Iterator[Happening]:
    order = order_of(place, at, product)
    yield Happening(at, place, "order_submitted", order)
    later = pays_after(chance)
    if later is not None:
        yield Happening(at + later, place, "order_paid", {"order_id": order["order_id"], "amount": order["amount"]})


def pays_after(chance: Random) -> timedelta | None:
    """How long after the order they pay: most at once, some after the reminder, some never."""
    kind = chance.random()
    if kind < 0.62:
        return timedelta(seconds=chance.uniform(25, 480))
    return timedelta(minutes=chance.uniform(14, 600)) if kind < 0.78 else None


def order_of(place: int, at: datetime, product: tuple[str, str, int]) -> dict[str, Any]:
    """The properties of an order; its id says who and when, so it is never given twice."""
    name, chinese, price = product
    return {"order_id": f"L{at:%y%m%d%H%M%S}{place:05d}", "product": name, "product_zh": chinese, "amount": price}


def _product(product: tuple[str, str, int]) -> dict[str, Any]:
    return {"product": product[0], "price": product[2]}


def _just_now(people: Sequence[Person], now: datetime, chance: Random) -> Iterable[Happening]:
    for _ in range(LIVELY_ORDERS):
        place = chance.randrange(len(people))
        if people[place].buyer and people[place].signed_up_at < now - LIVELY:
            at = now - LIVELY * chance.random()
            yield Happening(at - timedelta(minutes=2), place, "app_open", {"platform": "web"})
            yield from _order(place, at, chance.choice(PRODUCTS), chance)
