"""Flow documents as text."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents import read, read_yaml, write_yaml
from flows.document import dump, load
from flows.errors import DocumentError
from tests.flows.build import PROPERTY_TEST, flow

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    [
        "yes",
        "no",
        "on",
        "null",
        "~",
        "",
        "1",
        "1.0",
        "1e3",
        "0x10",
        "010",
        "1:30",
        "2026-03-05",
        "true",
        "- a",
        "a: b",
        "#",
    ]
)
VALUES = st.recursive(
    TEXT | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@PROPERTY_TEST
@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_what_is_written_as_yaml_is_read_back_the_same(settings: dict[str, Any]) -> None:
    document = load({"schema": 1, "nodes": [{"id": "a", "type": "exit", "settings": settings}]})
    assert dump(read(write_yaml(document))) == dump(document)


def test_the_yaml_of_a_journey_reads_like_the_journey() -> None:
    text = write_yaml(flow("ask -yes> end", ask="condition", end="exit", settings={"timezone": "Asia/Shanghai"}))
    assert text.startswith("edges:\n- from: ask\n  port: 'yes'\n  to: end\nnodes:\n- id: ask\n")


def test_a_port_named_yes_stays_a_word_and_a_date_stays_text() -> None:
    assert read_yaml("{port: yes, day: 2026-03-05, old: 010, n: 5, f: 1.5, t: true, nothing: }") == {
        "port": "yes",
        "day": "2026-03-05",
        "old": "010",
        "n": 5,
        "f": 1.5,
        "t": True,
        "nothing": None,
    }


def test_json_is_read_as_json() -> None:
    assert read('{"schema": 1, "nodes": [{"id": "a", "type": "exit"}]}').nodes[0].id == "a"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2\n", "stands twice"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("!!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("[" * 100_000, "nested too deep"),
        ("a: [1", "not YAML"),
        ("a: \x00", "not YAML"),
        ("- " * 100_000, "nested too deep"),
        ("x" * 3_000_000, "longer than"),
        ("just words", "is needed"),
        ("", "is needed"),
        ("schema: 1\nnodes: !!set {a}", "not a JSON value"),
        ("schema: 1\nx: {5: 1}", "keys are text"),
    ],
)
def test_bad_text_is_answered_with_a_sentence(text: str, problem: str) -> None:
    began = time.perf_counter()
    with pytest.raises(DocumentError, match=problem):
        read(text)
    assert time.perf_counter() - began < 2


def test_files_of_our_own_may_use_aliases() -> None:
    assert read_yaml("a: &x [1]\nb: *x\n", aliases=True) == {"a": [1], "b": [1]}
