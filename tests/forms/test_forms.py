"""Forms out of any settings model, a stranger's too: what goes in comes out, what was typed is read, nothing is lost."""

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import ConfigDict, Field

from app.forms import Form, Posted, build, read, shape_of
from app.forms.fields import Field as Drawn
from app.forms.rules import Group
from app.panel import wrong
from flows.calendar import TimeOfDay
from flows.contract import Json, NodeSettings
from flows.durations import Duration, Period
from flows.hints import Ask, shown, ways
from flows.rules import Rule, Where


class Mail(NodeSettings):
    """Sent by mail."""

    kind: Literal["mail"] = "mail"
    address: str = Field(title="Address", description="Where to.")


class Call(NodeSettings):
    """By phone."""

    kind: Literal["call"] = "call"
    number: int = Field(title="Number", description="Whom to call.", ge=1)


class Inner(NodeSettings):
    name: Annotated[str, Ask("port")] = Field(title="Name", description="Its port.")
    share: Annotated[float, Ask("weight")] = Field(50, title="Share", description="Of all.", ge=0)
    days: tuple[Literal["mon", "tue"], ...] = Field((), title="Days", description="On which.")


class Deep(NodeSettings):
    deeper: "Deep | None" = Field(None, title="Deeper", description="And so on.")
    note: str = Field("", title="Note", description="A word.")


class Stranger(NodeSettings):
    """A plugin's settings, with one of everything."""

    model_config = ConfigDict(json_schema_extra=ways(("At a time", ["at"]), ("After a while", ["after", "sign"])))
    event: Annotated[str, Ask("event")] = Field(title="Event", description="Which.", min_length=1)
    amount: int = Field(5, title="Amount", description="How much.", ge=0, le=10)
    loud: bool = Field(False, title="Loud", description="Whether.")
    level: Literal["a", "b", 3] | None = Field(
        None, title="Level", description="Which.", json_schema_extra=shown(none="Any")
    )
    at: TimeOfDay | None = Field(None, title="At", description="When.")
    after: Duration | None = Field(None, title="After", description="How long.")
    sign: Period | None = Field(None, title="Sign", description="Which way.")
    target: Mail | Call | None = Field(None, title="Target", description="Whom.")
    items: tuple[Inner, ...] = Field((), title="Items", description="Some.")
    words: tuple[str, ...] = Field((), title="Words", description="Some.")
    extra: dict[str, int | bool | str] = Field(default_factory=dict, title="Extra", description="More.")
    anything: Any = Field(None, title="Anything", description="JSON.")
    rule: Rule | None = Field(None, title="Rule", description="Who.")
    where: Where | None = Field(None, title="Where", description="What.")
    deep: Deep | None = Field(None, title="Deep", description="Nested.")


def sent(form: Form) -> list[tuple[str, str]]:
    """What a browser sends of a form nobody touched: every input as it is drawn, in every branch."""
    return list(_pairs(form.root))


def _pairs(field: Drawn) -> Any:
    if field.kind in ("model", "variant"):
        if field.shape.nullable:
            yield f"{field.name}?", "on" if field.present else ""
        if field.branches:
            yield f"{field.name}@", str(field.way)
    elif field.kind in ("list", "map"):
        yield f"{field.name}#", str(len(field.parts))
    if field.rule is not None:
        yield from _lines(field.rule)
    yield from ((field.name + suffix, text) for suffix, text in field.inputs.items())
    for part in (*field.parts, *(part for branch in field.branches for part in branch)):
        yield from _pairs(part)


def _lines(group: Group) -> Any:
    yield f"{group.name}#", str(len(group.parts))
    yield f"{group.name}.join", group.join
    yield f"{group.name}.not", "on" if group.negated else ""
    for part in group.parts:
        if isinstance(part, Group):
            yield from _lines(part)
            continue
        yield from ((part.name + suffix, text) for suffix, text in part.inputs.items())
        yield from ((f"{part.name}.kind", part.kind), (f"{part.name}.was", part.was))
        yield f"{part.name}.not", "on" if part.negated else ""
        if part.where is not None:
            yield from _lines(part.where)


def back(given: Json, **changed: str) -> Json:
    """The settings after the form was sent, with some inputs changed."""
    pairs = dict(sent(build(Stranger, given))) | {f"settings{name}": text for name, text in changed.items()}
    return read(Stranger, given, Posted(pairs.items()))


WHOLE: dict[str, Json] = {
    "event": "paid", "amount": 7, "loud": True, "level": 3, "after": "PT90M", "sign": "-P3D",
    "target": {"kind": "call", "number": 9}, "items": [{"name": "A", "share": 20.0, "days": ["tue"]}, {"name": "B"}],
    "words": ["x", " y "], "extra": {"one": 1, "yes": True, "text": "1"}, "anything": {"a": [1, None]},
    "rule": {"all": [{"tag": "a"}]}, "where": [{"property": "p", "op": "exists"}], "deep": {"deeper": {"deeper": {}}},
}  # fmt: skip


def test_a_stranger_s_settings_go_out_and_come_back() -> None:
    assert wrong(Stranger, WHOLE) == []
    assert json.dumps(back(WHOLE), sort_keys=True) == json.dumps(WHOLE, sort_keys=True)
    assert back({"event": "e"}) == {"event": "e"}
    assert shape_of(Stranger).fields["items"].weighed == "share"


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.text(max_size=8) | some.floats(-1e9, 1e9),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(some.dictionaries(some.sampled_from([*WHOLE, "unknown", "at"]), VALUES, max_size=6))
def test_whatever_stands_in_a_draft_is_kept_by_a_form_nobody_touched(given: dict[str, Json]) -> None:
    """A draft may hold anything: half-finished settings, another release's, nonsense."""
    wanted = json.dumps(given, sort_keys=True).replace("\\r\\n", "\\n")
    assert json.dumps(back(given), sort_keys=True).replace("\\r\\n", "\\n") == wanted


@pytest.mark.parametrize(
    ("changed", "after"),
    [
        ({".amount": "8"}, {"amount": 8}),
        ({".amount": " 9 "}, {"amount": 9}),
        ({".amount": "５"}, {}),
        ({".loud": "on"}, {"loud": True}),
        ({".level": "b"}, {"level": "b"}),
        ({"@": "1", "|1.after.n": "1.5", "|1.after.u": "H"}, {"after": "PT5400S"}),
        ({"@": "1", "|1.sign.s": "-", "|1.sign.n": "2", "|1.sign.u": "M"}, {"sign": "-P2M"}),
        ({"@": "0", "|0.at": "09:30"}, {"at": "09:30"}),
        ({".target?": "on", ".target@": "1", ".target|1.number": "3"}, {"target": {"kind": "call", "number": 3}}),
        ({".words#": "1", ".words[0]": "new"}, {"words": ["new"]}),
        ({".extra#": "1", ".extra[0].key": "k", ".extra[0].as": "number", ".extra[0]": "2"}, {"extra": {"k": 2}}),
        ({".anything": '{"a": 1}'}, {"anything": {"a": 1}}),
        ({".deep?": "on", ".deep.note": "n"}, {"deep": {"note": "n"}}),
    ],
)
def test_what_is_typed_becomes_settings(changed: dict[str, str], after: dict[str, Json]) -> None:
    assert back({"event": "e"}, **changed) == {"event": "e", **after}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({".amount": "many"}, "amount"),
        ({".amount": "1.5"}, "amount"),
        ({".anything": "{"}, "anything"),
        ({"@": "1", "|1.after.n": "long"}, "after"),
        ({".extra#": "1", ".extra[0].key": "k", ".extra[0].as": "number", ".extra[0]": "x"}, "extra[0]"),
    ],
)
def test_what_cannot_be_read_is_named_and_shown_as_it_was_typed(changed: dict[str, str], field: str) -> None:
    given = {"event": "e"}
    pairs = dict(sent(build(Stranger, given))) | {f"settings{name}": text for name, text in changed.items()}
    posted = Posted(pairs.items())
    assert read(Stranger, given, posted)["event"] == "e"
    assert [name.replace("|1", "").removeprefix("settings.") for name in posted.complaints] == [field]
    (name,) = posted.complaints
    form = build(Stranger, given, [], posted)
    if field != "extra[0]":
        shown_field = next(one for one in form.root.walk() if one.name == name or one.name == f"settings|1.{field}")
        typed = next(text for suffix, text in changed.items() if suffix not in ("@",))
        assert typed in {**shown_field.inputs, **posted.typed[name]}.values()


def test_errors_stand_at_the_deepest_field_that_they_name() -> None:
    given = {"event": "", "items": [{"name": "A", "share": -1}], "extra": {"k": []}, "nope": 1}
    form = build(Stranger, given, wrong(Stranger, given))
    found = {one.path: one.error for one in form.root.walk() if one.error}
    assert found["event"] == "is needed"
    assert found["items[0].share"] == "must be at least 0"
    assert found["extra.k"]
    assert any("unknown" in text for text in form.errors)
