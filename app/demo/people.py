"""Invented people: names, cities, zones, habits. The same seed gives the same people; no address or number can be real.

Mail addresses lie under example.com, which never gets mail (RFC 2606); the telephone numbers begin like none in use.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

SEED = 20260301
PEOPLE = 5_000
FAMILIES = (
    "王Wang 李Li 张Zhang 刘Liu 陈Chen 杨Yang 赵Zhao 黄Huang 周Zhou 吴Wu 徐Xu 孙Sun 胡Hu 朱Zhu 高Gao 林Lin 何He"
    " 郭Guo 马Ma 罗Luo 梁Liang 宋Song 郑Zheng 谢Xie 韩Han 唐Tang 冯Feng 于Yu 董Dong 萧Xiao"
)
GIVEN = (
    "子涵Zihan 欣怡Xinyi 浩然Haoran 雨桐Yutong 梓萱Zixuan 宇轩Yuxuan 诗涵Shihan 思远Siyuan 佳怡Jiayi 俊杰Junjie"
    " 静Jing 伟Wei 芳Fang 磊Lei 敏Min 强Qiang 丽Li 洋Yang 婷Ting 建国Jianguo 晓明Xiaoming 文博Wenbo 雪Xue 一诺Yinuo"
    " 嘉懿Jiayi 明轩Mingxuan 若曦Ruoxi 志强Zhiqiang 美玲Meiling 海燕Haiyan"
)
FIRST = (
    "Emma Liam Olivia Noah Ava Lucas Mia Ethan Sofia Oliver Grace Henry Ella Jack Chloe Leo Hannah Samuel Nora"
    " Daniel Ruby Adam Clara Felix Iris Hugo Alice Oscar Maya Theo"
)
LAST = (
    "Baker Carter Dixon Ellis Fisher Grant Harper Irwin Jensen Keller Larsen Mason Novak Owens Parker Quinn Reyes"
    " Schmidt Tanaka Usher Vogel Walker Young Ziegler Anders Brook Costa Duval Evans Flores"
)
CITIES = (
    ("上海", "Asia/Shanghai", 22), ("北京", "Asia/Shanghai", 18), ("深圳", "Asia/Shanghai", 14), ("广州", "Asia/Shanghai", 12),
    ("杭州", "Asia/Shanghai", 10), ("成都", "Asia/Shanghai", 10), ("武汉", "Asia/Shanghai", 7), ("西安", "Asia/Shanghai", 5),
    ("乌鲁木齐", "Asia/Urumqi", 2),
)  # fmt: skip
PLACES = (
    ("Hong Kong", "Asia/Hong_Kong", 6), ("Singapore", "Asia/Singapore", 6), ("London", "Europe/London", 3),
    ("Berlin", "Europe/Berlin", 3), ("New York", "America/New_York", 4), ("San Francisco", "America/Los_Angeles", 3),
)  # fmt: skip
CHINESE_SHARE = 0.72
BUYERS = 0.62
MAILBOXES = ("example.com", "mail.example.com", "post.example.com")
LEVELS = (("basic", 70), ("silver", 20), ("gold", 8), ("diamond", 2))


@dataclass(frozen=True, slots=True)
class Person:
    """One invented contact and what drives them; `sessions` is how often they come in ninety days."""

    user_id: str
    email: str
    phone: str
    attributes: dict[str, Any]
    tags: list[str]
    consents: dict[str, Any]
    signed_up_at: datetime
    sessions: float
    buyer: bool


def invent(now: datetime, count: int = PEOPLE) -> list[Person]:
    """So many people, as they are known at `now`."""
    chance = Random(SEED)
    return [one(number, now, chance) for number in range(1, count + 1)]


def one(number: int, now: datetime, chance: Random) -> Person:
    """The person of this number."""
    chinese = chance.random() < CHINESE_SHARE
    name, spelled = _name(chance, chinese=chinese)
    city, zone, _ = chance.choices(
        CITIES if chinese else PLACES, [place[2] for place in (CITIES if chinese else PLACES)]
    )[0]
    days = chance.uniform(0, 90) if chance.random() < 0.34 else 90 + chance.expovariate(1 / 300)
    signed_up = now - timedelta(days=min(days, 1500), minutes=chance.uniform(0, 5))
    buyer = chance.random() < BUYERS
    attributes: dict[str, Any] = {
        "name": name,
        "language": "zh" if chinese else "en",
        "city": city,
        "timezone": zone,
        "email": f"{spelled}.{number}@{chance.choice(MAILBOXES)}",
        "phone": f"+8610000{number:06d}" if chinese else f"+155501{number:06d}",
        "birthday": f"{chance.randint(1960, 2006)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
        "level": chance.choices([level for level, _ in LEVELS], [weight for _, weight in LEVELS])[0],
        "signed_up_at": signed_up.isoformat(timespec="seconds"),
    }
    if buyer and chance.random() < 0.4:
        attributes["bought_air_conditioner_on"] = _bought(now, chance)
    return Person(
        user_id=f"u{number:05d}",
        email=str(attributes["email"]),
        phone=str(attributes["phone"]),
        attributes=attributes,
        tags=["member"] if attributes["level"] != "basic" else [],
        consents={"email": {"marketing": False}} if chance.random() < 0.05 else {},
        signed_up_at=signed_up,
        sessions=chance.lognormvariate(1.6, 0.9),
        buyer=buyer,
    )


def _name(chance: Random, *, chinese: bool) -> tuple[str, str]:
    """A name, and how it is spelled in an address."""
    if not chinese:
        first, last = chance.choice(FIRST.split()), chance.choice(LAST.split())
        return first, f"{first}.{last}".lower()
    family, given = chance.choice(FAMILIES.split()), chance.choice(GIVEN.split())
    cut, end = family.index(_latin(family)), given.index(_latin(given))
    return family[:cut] + given[:end], f"{given[end:]}.{family[cut:]}".lower()


def _latin(text: str) -> str:
    return next(letter for letter in text if letter.isascii())


def _bought(now: datetime, chance: Random) -> str:
    """The day of an air conditioner: mostly within weeks of a year ago, so that there is something to see today."""
    days = chance.uniform(335, 385) if chance.random() < 0.6 else chance.uniform(20, 900)
    return (now - timedelta(days=days)).date().isoformat()
