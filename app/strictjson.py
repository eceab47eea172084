"""Bytes from strangers to JSON values, within limits, and, where that fails, the name of the field that is wrong.

The fast way is msgspec. Only what it refuses, or what looks odd in a cheap count, is read again slowly to find the field.
Refused are: more than 64 levels, the same key twice, NaN and infinity (also as 1e400), NUL and lone surrogates, which the
database could not keep. Never touches anything but its arguments.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

DEPTH = 64
TOO_DEEP = f"is nested deeper than {DEPTH} levels"
PROBLEMS_SHOWN = 20
PATH_SHOWN = 4
SURROGATE = re.compile("[\ud800-\udfff]")
STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
TOKENS = re.compile(rb'"((?:[^"\\]|\\.)*+)"|[\[\]{},]', re.DOTALL)
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
encode = msgspec.json.encode
DIGITS_AT_MOST = 4_300  # what Python turns into an integer; longer ones are an attack, not a number


class Problem(NamedTuple):
    """What is wrong, and where: `batch[3].timestamp`; an empty field means the body as a whole."""

    field: str
    message: str


class Refused(Exception):
    """The request cannot be taken; nothing of it was written."""

    def __init__(self, *problems: Problem, status: int = 400) -> None:
        super().__init__("; ".join(f"{field or 'body'}: {message}" for field, message in problems))
        self.problems = problems[:PROBLEMS_SHOWN]
        self.status = status


class _Twice(dict[str, Any]):
    """An object in which a key stood twice."""

    key = ""


class Loaded(NamedTuple):
    """An object, and its text again in the shortest form: in one piece, or item by item where it holds a list."""

    value: dict[str, Any]
    parts: list[bytes]


def load(body: bytes, items: str = "") -> Loaded:
    """The JSON object in `body`; raises Refused with the fields that are wrong. `items` names a list to be weighed by item."""
    try:
        value = msgspec.json.decode(body)
        if not isinstance(value, dict):
            raise Refused(Problem("", "must be a JSON object"))
        listed = value.get(items) if items else None
        parts = [encode(one) for one in listed] if isinstance(listed, list) else [encode(value)]
        frame = encode({**value, items: None}) if isinstance(listed, list) else b""
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
        raise Refused(*_diagnose(body)) from None
    colons, odd = frame.count(b":"), b"\\u0000" in frame
    for place, part in enumerate(parts):
        colons += part.count(b":")
        odd = odd or b"\\u0000" in part
        if part.count(b"{") + part.count(b"[") > DEPTH:
            _refuse_depth(part, joined(items, place) if frame else "")
    # A key that stood twice is gone in the parts, and a colon with it; an escaped colon could hide that.
    if odd or colons != body.count(b":") or b"\\u003" in body:
        problems = list(_odd(_slowly(body)))
        if problems:
            raise Refused(*problems)
    return Loaded(value, parts)


def _refuse_depth(part: bytes, place: str) -> None:
    brackets = STRINGS.sub(b"", part).translate(None, NOT_BRACKETS)
    for _ in range(DEPTH):
        if not brackets:
            return
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    path = _deepest(part) if brackets else None
    if path is not None:
        raise Refused(Problem(f"{place}.{path}" if place and path else place or path, TOO_DEEP))


def _deepest(body: bytes) -> str | None:
    """The path at which the nesting first goes too deep, its beginning at least; None if it does not."""
    path: list[str | int] = []
    for token in TOKENS.finditer(body):
        mark = token[0]
        if mark in (b"{", b"["):
            path.append("" if mark == b"{" else 0)
            if len(path) > DEPTH:
                text = ""
                for part in path[:PATH_SHOWN]:
                    text = joined(text, part)
                return text
        elif mark in (b"}", b"]"):
            del path[-1:]
        elif path and token[1] is not None and isinstance(path[-1], str):
            path[-1] = token[1].decode(errors="replace")  # the last text before a bracket is its key
        elif path and mark == b"," and isinstance(path[-1], int):
            path[-1] += 1
    return None


def joined(path: str, part: str | int) -> str:
    """A path with one more step: `batch[3]`, `batch[3].traits`; long keys are cut."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    part = SURROGATE.sub("\ufffd", part).replace("\0", "\ufffd")
    part = part if len(part) <= 60 else part[:57] + "…"
    return f"{path}.{part}" if path else part


def _slowly(body: bytes) -> Any:
    return json.loads(
        body.decode(), object_pairs_hook=_pairs, parse_constant=float, parse_int=_integer, parse_float=float
    )


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= DIGITS_AT_MOST else math.inf


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    twice = _Twice(value)
    seen: set[str] = set()
    twice.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return twice


def _diagnose(body: bytes) -> list[Problem]:
    """Why msgspec would not read it."""
    try:
        value = _slowly(body)
    except UnicodeDecodeError as error:
        return [Problem("", f"is not UTF-8 at byte {error.start}")]
    except json.JSONDecodeError as error:
        return [Problem("", f"is not JSON: {error.msg} at character {error.pos}")]
    except RecursionError:
        return [Problem(_deepest(body) or "", TOO_DEEP)]
    except ValueError:
        return [Problem("", "is not JSON that can be read")]
    return list(_odd(value)) or [Problem("", "is not JSON that can be read")]


def _odd(value: Any) -> Iterator[Problem]:
    """Everything in a value that the database cannot keep, with its path."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one, _Twice):
                yield Problem(joined(path, one.key), "stands twice in its object")
            for key in one:
                yield from _odd_text(joined(path, key), key)
            waiting += [(joined(path, key), inner) for key, inner in reversed(one.items())]
        elif isinstance(one, list):
            waiting += [(joined(path, place), inner) for place, inner in reversed(list(enumerate(one)))]
        elif isinstance(one, str):
            yield from _odd_text(path, one)
        elif isinstance(one, float) and not math.isfinite(one):
            yield Problem(path, "is not a number that can be kept (NaN, infinite or out of range)")


def _odd_text(path: str, text: str) -> Iterator[Problem]:
    if "\0" in text:
        yield Problem(path, "holds a NUL character")
    if SURROGATE.search(text):
        yield Problem(path, "holds half of a surrogate pair")
