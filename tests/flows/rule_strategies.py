"""Random rules and random people: few names and many clashes of type, so that leaves meet what they ask about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from flows.contract import Event, Facts

AT = datetime(2026, 3, 6, 12, tzinfo=UTC)
NAMES = ("plan", "age", "城市", "last.seen", "deep")
EVENTS = ("paid", "看过")
TAGS = ("vip", "冷")

texts = st.sampled_from(["", "a", "b", "ab", "上海", "上", "1", "true", "中", "\U0001f600", "Z", "é"]) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=6
)
numbers = (
    st.sampled_from([0, 1, 1.0, -1, 0.1, 0.3, 100, 99.5, 10**15, -(10**15), 1e-7, 1e15])
    | st.integers(-1000, 1000)
    | st.floats(-1e6, 1e6, allow_nan=False)
)
dates = st.sampled_from(
    [
        "2026-03-05",
        "2026-03-06",
        "2026-02-29",
        "2024-02-29",
        "2026-03-06T12:00:00Z",
        "2026-03-06T20:00:00+08:00",
        "2026-03-05T12:00:00.000001Z",
        "2026-03-06 11:59:59.1234567-0030",
        "2026-03-06T12:00",
        "1900-01-01",
        "2200-12-31",
        "2201-01-01",
        "9999-12-31",
        "tomorrow",
        "2026-3-6",
    ]
) | st.datetimes(datetime(2026, 2, 25), datetime(2026, 3, 8)).map(lambda moment: moment.isoformat() + "Z")  # noqa: DTZ001 - JSON text
valid_dates = dates.filter(lambda text: text not in ("2026-02-29", "2201-01-01", "9999-12-31", "tomorrow", "2026-3-6"))
scalars = texts | numbers | st.booleans()
values = st.recursive(
    scalars | dates | st.none() | st.sampled_from([10**300, 1e300, -(10**40)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("seen", "x")), inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(st.sampled_from(("plan", "age", "城市", "last", "deep")), values, max_size=5)
durations = st.sampled_from(["PT1S", "PT1H", "P1D", "P7D", "P3660D"])


@st.composite
def comparisons(draw: st.DrawFn, of: str, within: bool = True) -> dict[str, Any]:
    operators = {
        "eq": scalars,
        "ne": scalars,
        "gt": texts | numbers,
        "gte": texts | numbers,
        "lt": texts | numbers,
        "lte": texts | numbers,
        "in": st.lists(scalars, min_size=1, max_size=4),
        "not_in": st.lists(scalars, min_size=1, max_size=4),
        "contains": scalars,
        "starts_with": texts,
        "before": valid_dates,
        "after": valid_dates,
        "exists": None,
        "missing": None,
    } | ({"within": durations} if within else {})
    op = draw(st.sampled_from(sorted(operators)))
    leaf = {of: draw(st.sampled_from(NAMES)), "op": op}
    strategy = operators[op]
    return leaf if strategy is None else leaf | {"value": draw(strategy)}


def _joined(leaf: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3))
            | st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=5))
            | st.builds(lambda part: {"not": part}, inner)
        ),
        max_leaves=5,
    )


@st.composite
def happenings(draw: st.DrawFn) -> dict[str, Any]:
    leaf: dict[str, Any] = {"event": draw(st.sampled_from(EVENTS))}
    if draw(st.booleans()):
        leaf["where"] = draw(st.lists(_joined(comparisons("property", within=False)), max_size=2))
    if draw(st.booleans()):
        op = draw(st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]))
        leaf["count"] = {"op": op, "value": draw(st.integers(0, 3))}
    if draw(st.booleans()):
        leaf["within"] = draw(durations)
    return leaf


def audience_rules() -> st.SearchStrategy[dict[str, Any]]:
    """Rules about a contact alone, at most five deep."""
    tags = st.builds(lambda tag: {"tag": tag}, st.sampled_from(TAGS))
    return _joined(comparisons("attribute") | tags | happenings()).filter(lambda rule: depth(rule) <= 6)


def depth(rule: Any) -> int:
    if isinstance(rule, dict):
        return max((depth(part) for key, part in rule.items() if key in ("all", "any", "not", "where")), default=0) + 1
    return max((depth(part) for part in rule), default=0) if isinstance(rule, list) else 0


@st.composite
def contacts(draw: st.DrawFn) -> Facts:
    """A person with attributes, tags and a history in order of time."""
    history: dict[str, list[Event]] = {}
    for name in EVENTS:
        ages = draw(st.lists(st.sampled_from([-1, 0, 1, 3600, 86_400, 86_399, 604_800, 700_000]), max_size=4))
        history[name] = [Event(name, AT - timedelta(seconds=age), draw(objects)) for age in sorted(ages, reverse=True)]
    return Facts(draw(objects), draw(st.sets(st.sampled_from(TAGS))), history)
