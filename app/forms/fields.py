"""A form as a tree of fields: settings (whole, partial or wrong) and errors go in, what a template draws comes out.

`read` is the way back: what was sent becomes settings again. What the form does not show stays as it is, always.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from app.forms import reading, rules
from app.forms.leaves import LEAVES, as_text
from app.forms.posted import Inputs, Posted
from app.forms.shapes import ABSENT, Shape, shape_of
from flows.contract import Json
from flows.words import say

ROOT = "settings"


@dataclass(slots=True)
class Field:
    """One field to draw. `name` is what its inputs are called, `path` where its value stands (`arms[0].weight`)."""

    name: str
    path: str
    key: str
    shape: Shape
    title: str
    help: str
    inputs: Inputs = field(default_factory=dict)
    error: str = ""
    parts: list["Field"] = field(default_factory=list)
    branches: list[list["Field"]] = field(default_factory=list)
    way: int = 0
    present: bool = True
    rule: rules.Group | None = None
    value: Any = ABSENT

    @property
    def kind(self) -> str:
        return self.shape.kind

    @property
    def ask(self) -> str:
        return self.shape.ask

    @property
    def identifier(self) -> str:
        """The name as an id of the page."""
        return "f-" + "".join(letter if letter.isalnum() else "-" for letter in self.name)

    def walk(self) -> Iterator["Field"]:
        """This field and all below it that count: of several ways the chosen one."""
        yield self
        for part in (*self.parts, *(self.branches[self.way] if self.branches else ())):
            yield from part.walk()


@dataclass(slots=True)
class Form:
    """The fields of a settings model; `errors` are those that belong to no field."""

    root: Field
    errors: list[str] = field(default_factory=list)

    @property
    def fields(self) -> list[Field]:
        return [part for part in self.root.parts if not part.shape.section]

    @property
    def branches(self) -> list[list[Field]]:
        return self.root.branches

    @property
    def sections(self) -> dict[str, list[Field]]:
        """The fields that stand under a heading of their own, by heading."""
        found: dict[str, list[Field]] = {}
        for part in self.root.parts:
            if part.shape.section:
                found.setdefault(say(part.shape.section), []).append(part)
        return found


def build(
    model: type[BaseModel],
    settings: Json,
    problems: list[tuple[str, str]] | None = None,
    posted: Posted | None = None,
) -> Form:
    """The form of a model. `problems` are (path, sentence) pairs; what could not be read of `posted` is shown as typed."""
    form = Form(_Builder(posted or Posted(())).show(shape_of(model), settings, ROOT, "", ""))
    if posted is not None:
        _complain(form, posted)
    for path, text in problems or ():
        _place(form, path, text)
    return form


def read(model: type[BaseModel], settings: Json, posted: Posted) -> dict[str, Json]:
    """The settings after what was sent, the pressed button's change included."""
    before = settings if isinstance(settings, dict) else {}
    after: dict[str, Json] = reading.read(shape_of(model), before, posted, ROOT)
    return after


class _Builder:
    def __init__(self, posted: Posted) -> None:
        self._posted = posted
        self._typed = posted.typed

    def _way(self, name: str, count: int, usual: int) -> int:
        """The way that was chosen, even if nothing was filled in yet; rows that moved have other names now."""
        chosen = self._posted.text(f"{name}@") or ""
        still = self._posted.deed.verb in ("", "add", "group")
        return int(chosen) if still and chosen.isdigit() and int(chosen) < count else usual

    def show(self, shape: Shape, value: Json, name: str, path: str, key: str) -> Field:
        """The field of one value."""
        given = shape.default if value is ABSENT else value
        made = Field(name, path, key, shape, say(shape.title), say(shape.help), value=given)
        if shape.kind in LEAVES:
            made.inputs = LEAVES[shape.kind].show(shape, given) | dict(self._typed.get(name, {}))
        elif shape.kind == "model":
            self._model(made, given)
        elif shape.kind == "variant":
            self._variant(made, given)
        elif shape.kind == "list":
            self._list(made, given)
        elif shape.kind == "map":
            self._map(made, given)
        else:
            made.rule = rules.draft(given, name, where=shape.kind == "where")
        return made

    def _model(self, made: Field, value: Json) -> None:
        shape = made.shape
        made.present = not shape.nullable or isinstance(value, dict)
        values = value if isinstance(value, dict) else {}
        dot = f"{made.path}." if made.path else ""
        inside = {one for way in shape.ways for one in way.fields}
        made.parts = [
            self.show(part, values.get(key, ABSENT), f"{made.name}.{key}", dot + key, key)
            for key, part in shape.fields.items()
            if key not in inside
        ]
        made.way = self._way(made.name, len(shape.ways), reading.way_of(shape, values))
        for number, way in enumerate(shape.ways):
            made.branches.append(
                [
                    self.show(part, values.get(key, ABSENT), f"{made.name}|{number}.{key}", dot + key, key)
                    for key, part in shape.fields.items()
                    if key in way.fields and not reading.settled(part)
                ]
            )

    def _variant(self, made: Field, value: Json) -> None:
        made.present = not made.shape.nullable or isinstance(value, dict)
        real = reading.variant_of(made.shape, value)
        made.way = self._way(made.name, len(made.shape.variants), real)
        for number, shape in enumerate(made.shape.variants):
            own = value if number == real else ABSENT
            branch = self.show(shape, own, f"{made.name}|{number}", made.path, "")
            made.branches.append([part for part in branch.parts if not reading.settled(part.shape)])

    def _list(self, made: Field, value: Json) -> None:
        items = value if isinstance(value, list | tuple) else []
        shape = made.shape.item
        assert shape is not None
        rows = [*items, *([ABSENT] if reading.simple(shape) else [])]
        made.parts = [
            self.show(shape, item, f"{made.name}[{place}]", f"{made.path}[{place}]", str(place))
            for place, item in enumerate(rows)
        ]

    def _map(self, made: Field, value: Json) -> None:
        entries = list(value.items()) if isinstance(value, dict) else []
        shape = made.shape.item
        assert shape is not None
        for place, (key, item) in enumerate([*entries, ("", ABSENT)]):
            row = self.show(shape, item, f"{made.name}[{place}]", f"{made.path}.{key}", str(key))
            row.inputs[".key"] = as_text(key)
            made.parts.append(row)


def _complain(form: Form, posted: Posted) -> None:
    """Put what cannot be read back where it was typed, with the reason."""
    for one in form.root.walk():
        one.error = posted.complaints.get(one.name, "")
        for line in one.rule.walk() if one.rule is not None else ():
            if line.name in posted.complaints and isinstance(line, rules.Line):
                line.error, line.inputs = posted.complaints[line.name], line.inputs | posted.typed[line.name]


def _place(form: Form, path: str, text: str) -> None:
    """Put a sentence at the deepest field whose path the error's begins with."""
    best: Field | None = None
    for one in form.root.walk():
        inside = one.path and (path == one.path or path.startswith((f"{one.path}.", f"{one.path}[")))
        if inside and (best is None or len(one.path) >= len(best.path)):
            best = one
    if best is None:
        form.errors.append(text)
    elif best.rule is not None:
        best.error = best.rule.complain(text)
    else:
        best.error = f"{best.error}; {text}" if best.error else text
