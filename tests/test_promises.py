"""What the README promises is shown by tests that exist; every numbered complaint of operators elsewhere has its test.

A promise whose test was renamed or removed fails here, so that nobody relies on what nobody shows.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.house import ROOT, modules

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[`([^`]+)`\]\(([^)]+)\)|`(test_\w+)`")
# FEATURES §3: the threads that this part of the program answers.
THREADS = (*range(1, 11), 15, 20, 24)


def section(title: str) -> str:
    """What stands under a heading."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## )", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section {title!r}"
    return found[1]


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def promises() -> list[str]:
    return re.findall(r"^\d+\. .*$", section("What a manager can rely on"), re.MULTILINE)


def test_there_are_ten_promises_each_in_one_line_of_plain_words() -> None:
    assert [line.partition(".")[0] for line in promises()] == [str(number) for number in range(1, 11)]
    for line in promises():
        words = LINK.sub("", line)
        assert re.match(r"\d+\. \*\*[^*]+\*\* ", words), line
        assert len(words.split()) <= 40, f"too long for a manager: {words}"
        assert not re.search(r"[`_{}]", words), f"not plain: {words}"


@pytest.mark.parametrize("line", promises(), ids=lambda line: str(line).partition(".")[0])
def test_each_promise_names_a_test_that_is_there(line: str) -> None:
    file, named = None, 0
    for text, target, test in LINK.findall(line):
        if target:
            file = ROOT / target
            assert file.is_file(), f"{target} is not there"
            assert file.name == text
        else:
            assert file is not None, f"{test} stands before its file"
            assert test in names_in(file), f"{test} is not in {file.relative_to(ROOT)}"
            named += 1
    assert named


def test_each_place_that_is_said_to_show_something_is_there() -> None:
    places = re.findall(r"`(tests/[^`]*)`", section("What is promised, and where it is shown"))
    assert len(places) >= 10
    for place in places:
        assert list(ROOT.glob(place)) if "*" in place else (ROOT / place).exists(), f"{place} is not there"


@pytest.mark.parametrize("thread", THREADS)
def test_each_thread_has_a_test_with_its_number_in_the_name(thread: int) -> None:
    mark = re.compile(rf"^test_(.*_)?q{thread:02d}(_|$)")
    assert any(mark.match(one.name) for module in modules("tests") for one in module.functions), f"Q{thread:02d}"
