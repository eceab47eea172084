"""Reads JSON text from strangers without surprises: bounded, no twin keys, all of it storable; knows no format."""

import json
from collections.abc import Mapping
from math import isfinite

from flows.contract import Json
from flows.errors import DocumentError
from flows.words import _, told

TEXT_AT_MOST = 10 * 1024 * 1024
DEPTH_AT_MOST = 40
WHOLE_NUMBER_AT_MOST = 2**63
DIGITS_AT_MOST = 100

Path = tuple["Path", str | int] | None


def parse_text(text: str | bytes) -> Json:
    """The value of JSON text; DocumentError says what is wrong with it."""
    if len(text) > TEXT_AT_MOST:
        raise DocumentError(
            [("", told(_("the text is longer than {megabytes} MB"), megabytes=TEXT_AT_MOST // 1024 // 1024))]
        )
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_int=_whole, parse_constant=_no_constant)
    except RecursionError:
        raise DocumentError([("", told(_("nested deeper than {levels} levels"), levels=DEPTH_AT_MOST))]) from None
    except UnicodeDecodeError:
        raise DocumentError([("", _("the text is not UTF-8"))]) from None
    except json.JSONDecodeError as error:
        raise DocumentError(
            [
                (
                    "",
                    told(
                        _("not JSON: {problem} in line {line}, column {column}"),
                        problem=error.msg,
                        line=error.lineno,
                        column=error.colno,
                    ),
                )
            ]
        ) from None
    except ValueError as error:
        raise DocumentError([("", told(_("not JSON that can be used: {problem}"), problem=error))]) from None


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twin = next(key for key in found if keys.count(key) > 1)
        raise ValueError(f"“{twin[:60]}” stands twice in one object")
    return found


def _whole(digits: str) -> int:
    if len(digits) > DIGITS_AT_MOST:
        raise ValueError("a number has too many digits")
    return int(digits)


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a number")


def refuse_unsafe(value: Json) -> None:
    """Refuses what a database or a reader of JSON would choke on: depth, NUL, half surrogates, endless numbers.

    Walks with a list of its own, so that depth costs nothing; stops at the first finding.
    """
    rest: list[tuple[Json, int, Path]] = [(value, 1, None)]
    characters = 0
    while rest:
        item, depth, path = rest.pop()
        if isinstance(item, str):
            characters += len(item)
            _check_text(item, path)
        elif isinstance(item, Mapping):
            characters += sum(map(_check_key, item))
            rest.extend((child, depth + 1, (path, key)) for key, child in item.items())
        elif isinstance(item, list | tuple):
            rest.extend((child, depth + 1, (path, position)) for position, child in enumerate(item))
        elif isinstance(item, int | float):
            if not isfinite(item) or (isinstance(item, int) and abs(item) >= WHOLE_NUMBER_AT_MOST):
                raise DocumentError([(_words(path), _("the number is too large"))])
        elif item is not None:
            raise DocumentError([(_words(path), _("is not a JSON value"))])
        if depth > DEPTH_AT_MOST:
            raise DocumentError(
                [(_words(_top(path)), told(_("nested deeper than {levels} levels"), levels=DEPTH_AT_MOST))]
            )
        if characters > TEXT_AT_MOST:
            raise DocumentError(
                [("", told(_("the text is longer than {megabytes} MB"), megabytes=TEXT_AT_MOST // 1024 // 1024))]
            )


def _check_key(key: Json) -> int:
    if not isinstance(key, str):
        raise DocumentError([("", told(_("keys are text; {key} is not"), key=str(key)[:60]))])
    _check_text(key, None)
    return len(key)


def _check_text(text: str, path: Path) -> None:
    if "\0" in text:
        raise DocumentError([(_words(path), _("holds a NUL character, which cannot be stored"))])
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DocumentError([(_words(path), _("holds half a surrogate pair, which is not text"))]) from None


def _top(path: Path) -> Path:
    # Of a path of forty steps the first says enough.
    while path is not None and path[0] is not None:
        path = path[0]
    return path


def _words(path: Path) -> str:
    parts: list[str] = []
    while path is not None:
        path, key = path
        parts.append(f"[{key}]" if isinstance(key, int) else f".{key}")
    return "".join(reversed(parts)).removeprefix(".")
