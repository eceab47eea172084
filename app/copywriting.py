"""What operators wrote becomes text for one person: Liquid, JSON values in, escaped text out, or one sentence why not.

The only place that renders templates of operators; `liquidguard` bounds what they may do. Never compiles what contacts
wrote.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate

from app.copyfilters import CopyError, Missing, MissingVariable
from app.liquidguard import ROOTS, Context, Guarded, Kind, scan

__all__ = ["CopyError", "Kind", "MissingVariable", "check", "render", "variables"]

CACHED_CHARACTERS = 2_000_000
UTC = ZoneInfo("UTC")


def render(
    template: str, data: Mapping[str, Any], kind: Kind = "text", *, locale: str = "en", zone: ZoneInfo = UTC
) -> str:
    """The text for one person. Raises `MissingVariable`, or `CopyError` with the reason."""
    if "{{" not in template and "{%" not in template:
        return template
    compiled = _cache.get(template, kind)
    try:
        context = Context(compiled, globals=data)
        context.start(locale, zone)
        buffer = compiled._get_buffer()
        compiled.render_with_context(context, buffer)
    except LiquidError as error:
        raise CopyError(_sentence(error)) from error
    except RecursionError as error:
        raise CopyError("the template is nested too deeply") from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise CopyError(f"a filter was given a value it cannot work with ({type(error).__name__})") from error
    return buffer.getvalue()


def check(template: str, kind: Kind = "text") -> list[str]:
    """What is wrong with a template before anybody's data is seen; empty where nothing is."""
    try:
        names = variables(template, kind)
        used = _cache.get(template, kind).analyze(include_partials=False).filters
    except CopyError as error:
        return [str(error)]
    problems = [f"unknown filter: {name}" for name in sorted(used) if name not in _ENVIRONMENTS[kind].filters]
    unknown = sorted({path for path in names if re.split(r"[.\[]", path, maxsplit=1)[0] not in ROOTS})
    return problems + [
        f"unknown variable: {path} (a path starts with one of {', '.join(ROOTS[:5])})" for path in unknown
    ]


def variables(template: str, kind: Kind = "text") -> list[str]:
    """The paths a template reads from its data, as `contact.name`."""
    try:
        found = _cache.get(template, kind).analyze(include_partials=False).globals
    except RecursionError as error:
        raise CopyError("the template is nested too deeply") from error
    return sorted({str(use) for uses in found.values() for use in uses})


def _sentence(error: LiquidError) -> str:
    first = (str(error.args[0]) if error.args else str(error)).splitlines()
    return f"template: {first[0][:200]}" if first else "template: cannot be read"


def _parse(template: str, kind: Kind) -> BoundTemplate:
    scan(template)
    try:
        return _ENVIRONMENTS[kind].from_string(template)
    except LiquidError as error:
        raise CopyError(_sentence(error)) from error


class _Cache:
    """Parsed templates; the most recently used are kept, up to a bound on their text."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], BoundTemplate] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def get(self, template: str, kind: Kind) -> BoundTemplate:
        key = (kind, template)
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return known
        parsed = _parse(template, kind)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = parsed
                self._characters += len(template)
            while self._characters > CACHED_CHARACTERS:
                (_, oldest), _ = self._kept.popitem(last=False)
                self._characters -= len(oldest)
        return parsed


class _Text(Guarded):
    kind = "text"


class _Html(Guarded):
    kind = "html"


class _Json(Guarded):
    kind = "json"


class _Url(Guarded):
    kind = "url"


_ENVIRONMENTS = {made.kind: made(undefined=Missing) for made in (_Text, _Html, _Json, _Url)}
_cache = _Cache()
