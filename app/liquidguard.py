"""The guard around the Liquid library: what a template can reach, and every bound on what it may cost (rule T01).

Never lets a template see anything but the JSON it was given. `copywriting` is the only caller.
"""

import io
import json
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from html import escape as escape_html
from typing import Any, ClassVar, Literal, TextIO
from urllib.parse import quote
from zoneinfo import ZoneInfo

from liquid import Environment
from liquid.builtin.expressions import primitive
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.capture_tag import CaptureNode, CaptureTag
from liquid.builtin.tags.cycle_tag import CycleNode, CycleTag
from liquid.builtin.tags.echo_tag import EchoTag
from liquid.context import RenderContext
from liquid.utils import ReadOnlyChainMap

from app.copyfilters import LONGEST_LIST, LONGEST_TEXT, CopyError, Missing, Ready, as_text, install

Kind = Literal["text", "html", "json", "url"]

CPU_SECONDS = 0.05
TICKS_PER_LOOK = 32
LONGEST_TEMPLATE = 64 * 1024
LONGEST_MARKUP = 2000
FARTHEST_RANGE = 10**15
ROOTS = ("contact", "event", "entry", "journey", "metric", "now", "links")
FORBIDDEN_TAGS = ("include", "render", "tablerow", "liquid", "doc", "raw", "ifchanged", "increment", "decrement")
FORBIDDEN = re.compile(rf"\{{%-?\s*({'|'.join(FORBIDDEN_TAGS)})\b")

ESCAPES: dict[str, Callable[[str], str]] = {
    "text": lambda text: text,
    "html": escape_html,
    "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "url": lambda text: quote(text, safe=""),
}


def scan(template: str) -> None:
    """Refuse in one pass what the library's patterns would chew on for ever: markup that never ends, or goes on."""
    if len(template) > LONGEST_TEMPLATE:
        raise CopyError(f"the template is longer than {LONGEST_TEMPLATE // 1024} kB")
    if found := FORBIDDEN.search(template):
        raise CopyError(f"the tag {found[1]} is not allowed")
    place = 0
    for opening in re.finditer(r"\{[{%]", template):
        if opening.start() < place:
            continue
        place = template.find("}}" if opening[0] == "{{" else "%}", opening.end())
        if place < 0 or place - opening.start() > LONGEST_MARKUP:
            line = template.count("\n", 0, opening.start()) + 1
            raise CopyError(f"template: {opening[0]} in line {line} is never closed, or goes on for too long")


class Context(RenderContext):
    """Looks up paths in JSON and nothing else, and counts what it costs."""

    __slots__ = ("_ends", "_ticks", "locale", "now", "zone")

    def start(self, locale: str, zone: ZoneInfo) -> None:
        # Without the library's own `now` and `today`: time is one of the values we are given.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self.locale, self.zone = locale, zone
        given = self.globals.get("now")
        self.now = datetime.fromisoformat(given) if isinstance(given, str) else datetime.fromtimestamp(0, UTC)
        self._ticks = 0
        self._ends = time.thread_time() + CPU_SECONDS

    def tick(self) -> None:
        """Called wherever a template can spend time; looks at the clock now and then."""
        self._ticks += 1
        if self._ticks % TICKS_PER_LOOK == 0 and time.thread_time() > self._ends:
            raise CopyError("the template takes too long")

    @property
    def disabled_tags(self) -> list[str]:
        """Asked by every node before it renders, hence the one place that sees them all."""
        if hasattr(self, "_ends"):
            self.tick()
        return []

    @disabled_tags.setter
    def disabled_tags(self, value: list[str]) -> None:
        del value

    def get(self, path: list[object], *, token: Any, default: object = None) -> object:
        """A JSON value by its path; null and absent are the same."""
        del default
        self.tick()
        root, *rest = path
        try:
            value = self.scope[root] if isinstance(root, str) else None
        except (KeyError, TypeError):
            value = None
        for step in rest:
            value = _step(value, step)
        return Missing(_named(path), token=token) if value is None else value

    def filter(self, name: str, token: Any) -> Any:
        self.tick()
        return super().filter(name, token)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.tick()
        super().raise_for_loop_limit(length)

    def assign(self, key: str, val: Any) -> None:
        if key in ROOTS:
            raise CopyError(f"{key} cannot be replaced")
        super().assign(key, val)


def _step(value: object, step: object) -> object:
    if isinstance(value, Mapping):
        if isinstance(step, str) and step in value:
            return value[step]
        return len(value) if step == "size" else None
    if isinstance(value, list | tuple | range):
        if isinstance(step, int) and not isinstance(step, bool) and -len(value) <= step < len(value):
            return value[step]
        named = {"size": len(value), "first": value[0] if value else None, "last": value[-1] if value else None}
        return named.get(step) if isinstance(step, str) else None
    if isinstance(value, str) and step == "size":
        return len(value)
    return None


def _named(path: Iterable[object]) -> str:
    words = []
    for step in path:
        plain = isinstance(step, str) and re.fullmatch(r"[\w-]+", step)
        words.append(f".{step}" if plain else f"[{json.dumps(step, ensure_ascii=False, default=str)}]")
    return "".join(words).removeprefix(".")[:200]


class Guarded(Environment):
    block_nesting_limit = 16
    context_depth_limit = 16
    loop_iteration_limit = 1000
    local_namespace_limit = 32 * 1024
    output_stream_limit = 64 * 1024
    kind: ClassVar[Kind] = "text"

    def escape(self, value: object) -> str:
        text = as_text(value)
        if len(text) > LONGEST_TEXT:
            raise CopyError("a text grows too long")
        return text if isinstance(value, Ready) else ESCAPES[self.kind](text)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for name in FORBIDDEN_TAGS:
            self.tags.pop(name, None)
        for tag in (_OutputTag, _EchoTag, _CaptureTag, _CycleTag):
            self.add_tag(tag)
        install(self)


class _OutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(context.env.escape(self.expression.evaluate(context)))  # type: ignore[attr-defined]


class _CaptureNode(CaptureNode):
    def _assign(self, context: RenderContext, buf: io.StringIO) -> None:
        context.assign(self.name, Ready(buf.getvalue()))


class _CycleNode(CycleNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        chosen = io.StringIO()
        super().render_to_output(context, chosen)
        return buffer.write(context.env.escape(chosen.getvalue()))  # type: ignore[attr-defined]


class _OutputTag(Output):
    node_class = _OutputNode


class _EchoTag(EchoTag):
    node_class = _OutputNode  # type: ignore[assignment]


class _CaptureTag(CaptureTag):
    node_class = _CaptureNode


class _CycleTag(CycleTag):
    node_class = _CycleNode


def _short_range(literal: primitive.RangeLiteral, start: object, stop: object) -> range:
    """The library's ranges are as long as they are asked to be, and it offers no other place to say no."""
    del literal
    first, last = _whole(start), _whole(stop)
    if last - first >= LONGEST_LIST or max(abs(first), abs(last)) > FARTHEST_RANGE:
        raise CopyError(f"a range is longer than {LONGEST_LIST}")
    return range(first, last + 1)


def _whole(end: object) -> int:
    if isinstance(end, int):
        return end
    if isinstance(end, float) and math.isfinite(end):
        return int(end)
    return int(end) if isinstance(end, str) and end.lstrip("-").isdecimal() and len(end) < 20 else 0


setattr(primitive.RangeLiteral, "_make_range", _short_range)  # noqa: B010  (mypy refuses a plain assignment)
