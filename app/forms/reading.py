"""What was sent becomes a value again, field by field, over the value that was there before. Draws nothing.

Whatever was not touched keeps its exact value; whatever the form does not know stays. A row's button (add, remove, up,
down, equal) takes effect here, where the rows are read.
"""

from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from app.forms import rulereading, rules
from app.forms.leaves import LEAVES, UnreadableError
from app.forms.posted import Posted
from app.forms.shapes import ABSENT, Shape
from flows.contract import Json
from flows.words import _, say

WHOLE = 100


def settled(shape: Shape) -> bool:
    """Whether there is nothing to choose: the field says which way was taken, and no more."""
    return shape.kind == "choice" and len(shape.options) == 1


def simple(shape: Shape) -> bool:
    """Whether items of a list are one input each, so that an empty one at the end is the way to add."""
    return shape.kind in ("text", "number", "time", "date", "choice")


def way_of(shape: Shape, values: Mapping[str, Json]) -> int:
    """Which way of a model its values take: the one that uses most of them."""
    counts = [sum(1 for name in way.fields if _says(shape.fields[name], values.get(name))) for way in shape.ways]
    return counts.index(max(counts)) if counts else 0


def variant_of(shape: Shape, value: Json) -> int:
    """Which of several models a value is: by its fixed fields, else by the names it has."""
    values = value if isinstance(value, dict) else {}

    def fit(variant: Shape) -> tuple[int, int]:
        fixed = [name for name, part in variant.fields.items() if settled(part)]
        agreed = sum(1 for name in fixed if values.get(name) == variant.fields[name].options[0])
        return agreed, sum(1 for name in values if name in variant.fields)

    fits = [fit(variant) for variant in shape.variants]
    return fits.index(max(fits)) if fits else 0


def read(shape: Shape, before: Json, posted: Posted, name: str) -> Json:
    """The value of a field; ABSENT where it need not be written."""
    if shape.kind in LEAVES:
        after = _leaf(shape, before, posted, name)
    elif shape.kind in ("rule", "where"):
        after = _rule(shape, before, posted, name)
    else:
        after = _COMPOSED[shape.kind](shape, before, posted, name)
    if before is ABSENT and shape.default is not ABSENT and _same(after, shape.default):
        return ABSENT
    if after is None and shape.nullable and before is not None and shape.default is None:
        return ABSENT
    return after


def _leaf(shape: Shape, before: Json, posted: Posted, name: str) -> Json:
    leaf = LEAVES[shape.kind]
    given = shape.default if before is ABSENT else before
    shown = leaf.show(shape, given)
    inputs = posted.inputs(name, shown)
    if inputs is None or all(shown.get(suffix) == text for suffix, text in inputs.items()):
        return before
    try:
        return leaf.read(shape, shown | inputs)
    except UnreadableError as error:
        posted.complain(name, inputs, str(error))
        return before


def _rule(shape: Shape, before: Json, posted: Posted, name: str) -> Json:
    where = shape.kind == "where"
    after = rulereading.read(posted, name, where=where)
    if after is None or after == rules.written(rules.draft(before, name, where=where)):
        return before
    if after:
        return after
    return None if shape.nullable else [] if where else {"all": []}


def _model(shape: Shape, before: Json, posted: Posted, name: str) -> Json:
    switch = posted.text(f"{name}?") if shape.nullable else "on"
    if switch != "on":
        # Something that is no object was shown as switched off; only who switched it off means nothing.
        return before if switch is None or not isinstance(before, dict) else None
    old = dict(before) if isinstance(before, dict) else {}
    inside = {one for way in shape.ways for one in way.fields}
    kept = dict(old)
    for key, part in shape.fields.items():
        if key not in inside:
            _put(kept, key, read(part, old.get(key, ABSENT), posted, f"{name}.{key}"))
    chosen = posted.text(f"{name}@") or ""
    number = int(chosen) if chosen.isdigit() and int(chosen) < len(shape.ways) else -1
    if number >= 0:
        for key in shape.ways[number].fields:
            part = shape.fields[key]
            value = (
                part.options[0] if settled(part) else read(part, old.get(key, ABSENT), posted, f"{name}|{number}.{key}")
            )
            _put(kept, key, value)
    if not kept and before is not ABSENT and not isinstance(before, dict):
        return before  # no object at all was shown as an empty one
    if before is not ABSENT and _same(kept, before) and (number < 0 or number == way_of(shape, old)):
        return before
    return _without_idle(shape, kept, number)


def _without_idle(shape: Shape, kept: dict[str, Json], number: int) -> dict[str, Json]:
    """Without what says nothing any more: fields of the ways not taken, and those whose need is not met."""
    idle = {one for way in shape.ways for one in way.fields} - set(shape.ways[number].fields) if number >= 0 else set()
    idle |= {key for key, part in shape.fields.items() if part.needs and not _needed(part, kept)}
    return {key: value for key, value in kept.items() if key not in idle or shape.fields[key].default is ABSENT}


def _variant(shape: Shape, before: Json, posted: Posted, name: str) -> Json:
    switch = posted.text(f"{name}?") if shape.nullable else "on"
    if switch != "on":
        # Something that is no object was shown as switched off; only who switched it off means nothing.
        return before if switch is None or not isinstance(before, dict) else None
    chosen = posted.text(f"{name}@")
    if chosen is None or not chosen.isdigit() or int(chosen) >= len(shape.variants):
        return before
    number = int(chosen)
    variant = shape.variants[number]
    same = isinstance(before, dict) and number == variant_of(shape, before)
    kept: dict[str, Json] = dict(before) if same else {}
    for key, part in variant.fields.items():
        if not settled(part):
            _put(kept, key, read(part, kept.get(key, ABSENT), posted, f"{name}|{number}.{key}"))
    if same and _same(kept, before):
        return before
    return {key: part.options[0] for key, part in variant.fields.items() if settled(part)} | kept


def _list(shape: Shape, before: Json, posted: Posted, name: str) -> Json:
    item = shape.item
    assert item is not None
    rows = posted.count(name)
    if posted.text(f"{name}#") is None:
        return before
    old = list(before) if isinstance(before, list | tuple) else []
    if before is ABSENT and isinstance(shape.default, list | tuple):
        old = list(shape.default)
    found = [
        read(item, old[place] if place < len(old) else ABSENT, posted, f"{name}[{place}]") for place in range(rows)
    ]
    verb, target = posted.deed
    if not target.startswith(name) and all(map(_same, found, old)) and all(map(_empty, found[len(old) :])):
        return before  # not even an empty row is cleared away by a form that nobody touched
    changed = _moved(found, verb, target, name)
    if simple(item):
        # An empty row is not there.
        changed = [one for one in changed if not _empty(one)]
    else:
        changed = [{} if one is ABSENT else one for one in changed]
        if verb == "add" and target == name:
            changed.append(_fresh(item, changed))
    if verb == "equal" and target == name and shape.weighed:
        changed = _equal(changed, shape.weighed)
    if not changed and before is not ABSENT and not isinstance(before, list | tuple):
        return before  # no list at all was shown as an empty one
    if not changed and shape.nullable:
        return None
    return before if before is not ABSENT and _same(changed, before) else changed


def _moved(found: list[Json], verb: str, target: str, name: str) -> list[Json]:
    place = next((place for place in range(len(found)) if target == f"{name}[{place}]"), None)
    if place is None:
        return found
    if verb == "remove":
        return found[:place] + found[place + 1 :]
    other = place - 1 if verb == "up" else place + 1
    if verb in ("up", "down") and 0 <= other < len(found):
        found[place], found[other] = found[other], found[place]
    return found


def _fresh(item: Shape, others: list[Json]) -> Json:
    """A new item; where it needs a name of its own, the first letter that is free."""
    made = item.blank
    if not isinstance(made, dict):
        return made
    for key, part in item.fields.items():
        if part.ask == "port" and part.default is ABSENT:
            taken = {one.get(key) for one in others if isinstance(one, dict)}
            made[key] = next((letter for letter in ascii_uppercase if letter not in taken), "")
    return made


def _equal(items: list[Json], weight: str) -> list[Json]:
    """The same share for all, adding up to a hundred; what is left over by rounding is the first one's."""
    if not items:
        return items
    share = round(WHOLE / len(items), 2)
    rest = round(WHOLE - share * (len(items) - 1), 2)
    shares = [rest, *[share] * (len(items) - 1)]
    return [
        {**item, weight: int(value) if float(value).is_integer() else value} if isinstance(item, dict) else item
        for item, value in zip(items, shares, strict=True)
    ]


def _map(shape: Shape, before: Json, posted: Posted, name: str) -> Json:
    item = shape.item
    assert item is not None
    if posted.text(f"{name}#") is None:
        return before
    old = list(before.items()) if isinstance(before, dict) else []
    rows: list[tuple[str, Json]] = []
    for place in range(posted.count(name)):
        row = f"{name}[{place}]"
        was = old[place] if place < len(old) else ("", ABSENT)
        typed = posted.text(f"{row}.key") or ""
        value = read(item, was[1], posted, row)
        # A name that nobody touched is kept with its blanks.
        rows.append((was[0] if typed == was[0] else typed.strip(), value))
    kept = [row for place, row in enumerate(rows) if posted.deed != ("remove", f"{name}[{place}]")]
    untouched = len(kept) == len(rows) and [key for key, _value in rows[: len(old)]] == [key for key, _value in old]
    if untouched and all(_same(row[1], was[1]) for row, was in zip(rows, old, strict=False)):
        kept = [*old, *(row for row in rows[len(old) :] if row[0])]
        if len(kept) == len(old):
            return before if before is not ABSENT else {}
    found = {key: item.blank if value is ABSENT else value for key, value in kept if key}
    if len(found) < sum(1 for key, _value in kept if key):
        posted.complain(name, {}, say(_("a name stands here twice")))
    return found


def _put(kept: dict[str, Json], key: str, value: Json) -> None:
    if value is ABSENT:
        kept.pop(key, None)
    else:
        kept[key] = value


def _empty(value: Json) -> bool:
    return value is ABSENT or value is None or value == ""


def _says(part: Shape, value: Json) -> bool:
    return value is not None and value != [] and value != "" and not _same(value, part.default)


def _needed(part: Shape, kept: Mapping[str, Json]) -> bool:
    def met(name: str, values: tuple[Json, ...]) -> bool:
        value = kept.get(name)
        return value in values if values else value not in (None, "", False)

    return all(met(name, values) for name, values in part.needs.items())


def _same(one: Json, other: Json) -> bool:
    """Equal as JSON: 1 is 1.0, but not true; a tuple is a list."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    return bool(one == other)


_COMPOSED: dict[str, Any] = {"model": _model, "variant": _variant, "list": _list, "map": _map}
