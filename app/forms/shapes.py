"""The shape of a form out of a JSON schema: which kind each field is, its words, its bounds. Knows no values and no HTML.

Any settings model makes one, a stranger's too; what no schema can say is marked by `flows.hints`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Literal

from pydantic import BaseModel

from flows.contract import Json

DEPTH_AT_MOST = 6
CHOICES_AT_MOST = 40  # so many options are shown as boxes to tick

Kind = Literal[
    "text", "number", "flag", "choice", "choices", "duration", "period", "time", "date", "instant", "value",
    "model", "variant", "list", "map", "rule", "where", "json",
]  # fmt: skip
FORMATS: dict[str, Kind] = {
    "duration": "duration", "period": "period", "time": "time", "date": "date", "date-time": "instant",
    "rule": "rule", "where": "where",
}  # fmt: skip
TYPES: dict[str, Kind] = {"string": "text", "integer": "number", "number": "number", "boolean": "flag"}
LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
    "maxProperties", "x-minimum", "x-maximum",
)  # fmt: skip
OUTER = ("title", "description", "default", "x-labels", "x-none", "x-needs", "x-section", "x-form")


class _Absent:
    """What is not there; None is a value."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final[Any] = _Absent()


@dataclass(frozen=True, slots=True)
class Way:
    """One of several ways to fill a model: its title and the fields that belong to it."""

    title: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """One field. `ask` is the mark of `flows.hints` (or a format), `default` ABSENT where there is none."""

    kind: Kind
    title: str = ""
    help: str = ""
    ask: str = ""
    default: Json = ABSENT
    nullable: bool = False
    whole: bool = False
    options: tuple[Json, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    none: str = ""
    limits: Mapping[str, Json] = field(default_factory=dict)
    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    item: "Shape | None" = None
    variants: tuple["Shape", ...] = ()
    ways: tuple[Way, ...] = ()
    needs: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    section: str = ""

    @property
    def optional(self) -> bool:
        """Whether it may be left empty."""
        return self.nullable or self.default is not ABSENT

    @property
    def weighed(self) -> str:
        """The field of a list's items that is their share of a whole; empty where none is."""
        fields = self.item.fields if self.item else {}
        return next((name for name, part in fields.items() if part.ask == "weight"), "")

    @property
    def blank(self) -> Json:
        """What a new one holds."""
        if self.default is not ABSENT and self.default is not None:
            return self.default
        if self.kind == "model":
            return {name: part.blank for name, part in self.fields.items() if part.default is ABSENT}
        if self.kind == "variant":
            return self.variants[0].blank
        if self.kind in ("list", "where", "choices"):
            return []
        if self.kind in ("map", "rule"):
            return {}
        if self.kind == "choice":
            return self.options[0] if self.options and not self.nullable else None
        return False if self.kind == "flag" else ""


@lru_cache(maxsize=256)
def shape_of(model: type[BaseModel]) -> Shape:
    """The shape of a settings model."""
    schema = model.model_json_schema()
    return _Reader(schema.get("$defs", {})).read(schema, 0)


class _Reader:
    def __init__(self, parts: Mapping[str, Json]) -> None:
        self._parts = parts

    def read(self, schema: Mapping[str, Json], depth: int) -> Shape:
        """The shape of one piece of the schema."""
        whole = self._resolved(schema)
        choices = whole.get("anyOf") or whole.get("oneOf")
        if choices:
            return self._united(whole, [self._resolved(choice) for choice in choices], depth)
        made = self._made(whole, depth)
        return replace(made, **_words(whole))

    def _resolved(self, schema: Mapping[str, Json]) -> dict[str, Json]:
        found = dict(schema)
        while "$ref" in found:
            name = str(found.pop("$ref")).rpartition("/")[2]
            part = dict(self._parts.get(name, {}))
            part.pop("description", None)  # its docstring speaks to programmers
            found = {**part, **found}
        if len(found.get("allOf", ())) == 1:
            found = {**self._resolved(found.pop("allOf")[0]), **found}
        return found

    def _united(self, whole: Mapping[str, Json], choices: list[dict[str, Json]], depth: int) -> Shape:
        real = [choice for choice in choices if choice.get("type") != "null"]
        nullable = len(real) < len(choices)
        outer = {name: whole[name] for name in OUTER if name in whole}
        if len(real) == 1:
            inner = self.read({**real[0], **outer}, depth)
            return replace(inner, nullable=True) if nullable else inner
        if real and all(choice.get("properties") for choice in real) and depth < DEPTH_AT_MOST:
            variants = tuple(self.read(choice, depth + 1) for choice in real)
            return replace(Shape("variant", variants=variants, nullable=nullable), **_words(outer))
        kinds: set[str] = {kind for choice in real for kind in self._scalars(choice)}
        if real and "" not in kinds:
            order = ("text", "number", "flag", "list")
            return replace(
                Shape("value", options=tuple(kind for kind in order if kind in kinds), nullable=nullable),
                **_words(outer),
            )
        return replace(Shape("json", nullable=nullable), **_words(outer))

    def _scalars(self, schema: Mapping[str, Json]) -> Iterator[str]:
        """The simple types a value of this schema may have; an empty one where it may be more than that."""
        whole = self._resolved(schema)
        kind = whole.get("type")
        if whole.get("anyOf"):
            for choice in whole["anyOf"]:
                yield from self._scalars(choice)
        elif kind in TYPES and "enum" not in whole and "const" not in whole:
            yield TYPES[kind]
        elif kind == "array" and "list" not in set(items := list(self._scalars(whole.get("items") or {}))):
            yield "" if "" in items else "list"
        else:
            yield ""

    def _made(self, whole: Mapping[str, Json], depth: int) -> Shape:
        kind = whole.get("type")
        limits = {name: whole[name] for name in LIMITS if name in whole}
        if "const" in whole or "enum" in whole:
            return Shape("choice", options=tuple(whole.get("enum", (whole.get("const"),))))
        if whole.get("x-form") == "instant":
            return Shape("instant", limits=limits)
        if whole.get("format") in FORMATS:
            return Shape(FORMATS[whole["format"]], limits=limits)
        if kind in TYPES:
            return Shape(TYPES[kind], whole=kind == "integer", ask=str(whole.get("format", "")), limits=limits)
        if kind == "array" and isinstance(whole.get("items"), Mapping) and "prefixItems" not in whole:
            return self._listed(whole, limits, depth)
        if kind == "object" and depth < DEPTH_AT_MOST:
            return self._object(whole, limits, depth)
        return Shape("json")

    def _listed(self, whole: Mapping[str, Json], limits: Mapping[str, Json], depth: int) -> Shape:
        item = self.read(whole["items"], depth + 1)
        if item.kind == "choice" and len(item.options) <= CHOICES_AT_MOST:
            return Shape("choices", options=item.options, labels=item.labels, limits=limits)
        return Shape("list", item=item, limits=limits)

    def _object(self, whole: Mapping[str, Json], limits: Mapping[str, Json], depth: int) -> Shape:
        if "properties" in whole or ("additionalProperties" not in whole and "patternProperties" not in whole):
            required = whole.get("required", ())
            fields = {
                name: self._field(part, name in required, depth) for name, part in whole.get("properties", {}).items()
            }
            ways = tuple(Way(one["title"], tuple(one["fields"])) for one in whole.get("x-ways", ()))
            return Shape("model", fields=fields, ways=ways)
        patterns = list(whole.get("patternProperties", {}).values())
        more = patterns[0] if patterns else whole["additionalProperties"]
        item = self.read(more, depth + 1) if isinstance(more, Mapping) else Shape("json")
        if item.kind == "json":
            item = Shape("value", options=("text", "number", "flag", "list", "none", "json"))
        ask = str(self._resolved(whole.get("propertyNames", {})).get("x-form", ""))
        # pydantic leaves a made default out of the schema: an empty map is one.
        return Shape("map", item=item, ask=ask, limits=limits, default={})

    def _field(self, schema: Mapping[str, Json], required: bool, depth: int) -> Shape:
        made = self.read(schema, depth + 1)
        if required:
            return replace(made, default=ABSENT)
        if made.default is ABSENT and made.kind in ("list", "choices", "where"):
            return replace(made, default=[])
        return made


def _words(whole: Mapping[str, Json]) -> dict[str, Json]:
    """What the schema says of any kind of field, for `replace`."""
    found: dict[str, Json] = {}
    for name, key in (("title", "title"), ("help", "description"), ("none", "x-none"), ("section", "x-section")):
        if key in whole:
            found[name] = str(whole[key])
    if "default" in whole:
        found["default"] = whole["default"]
    if "x-form" in whole:
        found["ask"] = str(whole["x-form"])
    if "x-labels" in whole:
        found["labels"] = {str(key): str(text) for key, text in whole["x-labels"].items()}
    if "x-needs" in whole:
        found["needs"] = {name: tuple(values) for name, values in whole["x-needs"].items()}
    return found
