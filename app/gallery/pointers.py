"""Places in a flow document: JSON pointers in which a list's item may be named by its id. Never what stands there."""

from typing import Any

Json = Any


class PointerError(ValueError):
    """There is no such place."""


def find(value: Json, pointer: str) -> Json:
    """What stands at a place, such as `/nodes/wait/settings/duration`."""
    *way, last = _parts(pointer)
    holder = value
    for part in way:
        holder = _inside(holder, part, pointer)
    return _inside(holder, last, pointer)


def put(value: Json, pointer: str, new: Json) -> None:
    """Put something at a place; the place must exist."""
    *way, last = _parts(pointer)
    holder = value
    for part in way:
        holder = _inside(holder, part, pointer)
    _inside(holder, last, pointer)
    holder[_position(holder, last) if isinstance(holder, list) else last] = new


def _parts(pointer: str) -> list[str]:
    if not pointer.startswith("/"):
        raise PointerError(f"“{pointer}” does not begin with /")
    return pointer[1:].split("/")


def _inside(holder: Json, part: str, pointer: str) -> Json:
    if isinstance(holder, dict) and part in holder:
        return holder[part]
    if isinstance(holder, list) and (place := _position(holder, part)) is not None:
        return holder[place]
    raise PointerError(f"“{pointer}” leads nowhere: there is no “{part}”")


def _position(items: list[Json], part: str) -> int | None:
    for place, item in enumerate(items):
        if isinstance(item, dict) and item.get("id") == part:
            return place
    return int(part) if part.isdecimal() and int(part) < len(items) else None
