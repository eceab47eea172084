"""Who has a journey open: told to Valkey by each stream, forgotten when it falls silent. Without Valkey nobody is seen."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from app.hints import Hints

SILENT = timedelta(seconds=45)
KEPT_SECONDS = 90
AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Someone:
    """One open page."""

    user: int | None
    name: str
    mode: str
    since: str


def _key(workspace_id: int, journey_id: int) -> str:
    return f"journey:present:{workspace_id}:{journey_id}"


def tell(hints: Hints, place: tuple[int, int], page: str, one: Someone, now: datetime) -> None:
    """This page is open still."""
    text = json.dumps({**asdict(one), "seen": now.isoformat()})

    def say(valkey: Any) -> None:
        valkey.hset(_key(*place), page, text)
        valkey.expire(_key(*place), KEPT_SECONDS)

    hints.call(say, None)


def leave(hints: Hints, place: tuple[int, int], page: str) -> None:
    """This page was closed."""
    hints.call(lambda valkey: valkey.hdel(_key(*place), page), None)


def who(hints: Hints, place: tuple[int, int], now: datetime) -> list[dict[str, Any]]:
    """Everybody who has it open, once each, the first comer first."""
    told: dict[str, str] = hints.call(lambda valkey: valkey.hgetall(_key(*place)), {})  # type: ignore[arg-type,return-value]
    found: dict[tuple[Any, str], dict[str, Any]] = {}
    for text in told.values():
        one = _read(text, now)
        if one is not None:
            known = found.setdefault((one["user"], one["mode"]), one)
            known["since"] = min(known["since"], one["since"])
    return sorted(found.values(), key=lambda one: (one["since"], one["name"]))[:AT_MOST]


def _read(text: str, now: datetime) -> dict[str, Any] | None:
    """What a page said, if it can be believed: others may write there too."""
    try:
        said = json.loads(text)
        seen = datetime.fromisoformat(said.pop("seen"))
        one = asdict(Someone(**said))
        plain = {name: value[:200] for name, value in one.items() if isinstance(value, str)}
        user = one["user"] if isinstance(one["user"], int) else None
        return {**plain, "user": user} if now - seen < SILENT and len(plain) == 3 else None
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
