"""In which zones a contact may be, as they say themselves: their zone, else their country's, else the journey's. Pure."""

from collections.abc import Mapping
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from flows.calendar import zone

UTC = ZoneInfo("UTC")


@cache
def _countries() -> Mapping[str, tuple[str, ...]]:
    """The zones of each country by its two letters (CLDR)."""
    found: dict[str, list[str]] = {}
    for name, country in get_global("zone_territories").items():
        if zone(name) is not None:
            found.setdefault(country, []).append(name)
    return {country: tuple(sorted(names)) for country, names in found.items()}


@lru_cache(maxsize=10_000)
def zones_of(timezone: str | None, country: str | None, fallback: str) -> tuple[ZoneInfo, ...]:
    """The contact's own zone; of a country with several, all of them; else the journey's or workspace's."""
    own = zone(timezone)
    if own is not None:
        return (own,)
    names = _countries().get((country or "").strip().upper(), ())
    candidates = tuple(found for name in names if (found := zone(name)) is not None)
    return candidates or (zone(fallback) or UTC,)
