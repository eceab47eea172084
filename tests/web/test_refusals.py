"""Whatever is refused can be said in the reader's language: no sentence of an error stands in the code unmarked."""

import ast
import json
from collections.abc import Iterator

from fastapi.testclient import TestClient

from app.database import Connection
from app.language import words
from app.migrating import STATES
from app.web import problems
from app.web.lists import STATUS_WORDS
from flows.errors import DocumentError
from flows.words import again, speaking, told
from tests.conftest import ROOT
from tests.web.browsing import HERE, sign_in
from tests.web.conftest import Api, Staff

RAISED = {"ProblemError": 1, "RefusedError": 1, "StaffError": 2, "invalid": 1, "missing": 0, "DocumentError": 0}
# Doors that only programs knock at: they are answered in English, and nobody reads them on a page.
PROGRAMS = {"app/web/hooks.py", "app/web/inapp.py", "app/web/envelope.py", "app/web/wire.py", "app/web/ingest.py"}


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in RAISED:
                yield name, node


def sentences(name: str, call: ast.Call) -> Iterator[ast.expr]:
    """The parts of an error that somebody reads."""
    arguments = [*call.args, *(one.value for one in call.keywords if one.arg in ("detail", "errors"))]
    if name == "missing" or (name == "RefusedError" and _text(call.args[0]) == "missing"):
        return
    for argument in arguments[0 if name in ("invalid", "DocumentError") else RAISED[name] :]:
        if isinstance(argument, ast.List):
            yield from (one.elts[1] for one in argument.elts if isinstance(one, ast.Tuple))
        else:
            yield argument


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def unmarked(source: str) -> Iterator[str]:
    for name, call in calls(source):
        for one in sentences(name, call):
            if _text(one) or isinstance(one, ast.JoinedStr):
                yield f"{one.lineno}: {ast.unparse(one)[:90]}"


def sources(room: str) -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / room).rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_no_sentence_of_an_error_stands_unmarked() -> None:
    found = [
        f"{name}:{said}"
        for room in ("app", "flows")
        for name, source in sources(room)
        if name not in PROGRAMS
        for said in unmarked(source)
    ]
    assert found == []


def test_the_search_finds_what_is_unmarked() -> None:
    source = """
raise ProblemError(409, "Not now.")
raise RefusedError("conflict", f"Not {now}.")
raise invalid([("name", "is odd")])
raise RefusedError("conflict", _("Fine."))
"""
    assert len(list(unmarked(source))) == 3


def test_everything_that_can_be_missing_has_a_name_in_chinese() -> None:
    named = {
        str(_text(call.args[0 if name == "missing" else 1]))
        for _name, source in sources("app")
        for name, call in calls(source)
        if name == "missing" or (name == "RefusedError" and _text(call.args[0]) == "missing")
        if _text(call.args[0 if name == "missing" else 1])
    }
    assert len(named) > 10
    assert sorted(named - set(problems.THINGS)) == []
    assert [one for one in problems.THINGS if words("zh").gettext(one) == one] == []


def test_states_that_stand_in_refusals_have_names_in_chinese() -> None:
    assert [one for one in (*STATES, *STATUS_WORDS) if words("zh").gettext(one) == one] == []


def test_a_sentence_is_told_again_with_its_parts() -> None:
    sentence = told("A journey that is {status} cannot be resumed.", status=told("paused"))
    assert sentence == "A journey that is paused cannot be resumed."
    with speaking("zh", words("zh").gettext):
        assert again(sentence) == "处于“已暂停”状态的旅程无法恢复。"
    assert again(sentence) == str(sentence)


def test_an_error_of_a_document_can_be_told_again() -> None:
    error = DocumentError(
        [("nodes", told("at most {limit:,}; here are {count:,}. Split the journey", limit=5, count=6))]
    )
    with speaking("zh", words("zh").gettext):
        assert [again(message) for _, message in error.errors] == ["最多 5 个，这里有 6 个；请拆分旅程"]


CHINESE = {"accept-language": "zh-CN"}


def test_a_part_of_a_page_is_refused_in_the_readers_language(
    client: TestClient, connection: Connection, staff: Staff
) -> None:
    browser = sign_in(client, connection, staff, "operator")
    refused = browser.post("/journeys/999999/archive", headers={**HERE, **CHINESE, "HX-Request": "true"})
    assert refused.status_code == 404
    assert json.loads(refused.headers["HX-Trigger"])["toast"]["text"] == "找不到这个旅程。"


def test_pages_ask_the_interface_and_are_refused_in_the_readers_language(
    client: TestClient, connection: Connection, staff: Staff
) -> None:
    browser = sign_in(client, connection, staff, "operator")
    refused = browser.post("/api/v1/journeys/999999/submit", headers={**HERE, **CHINESE})
    assert refused.json()["detail"] == "找不到这个旅程。"


def test_programs_are_refused_in_english(operator: Api) -> None:
    refused = operator("POST", "/journeys/999999/submit", headers=CHINESE)
    assert refused.json()["detail"] == "There is no such journey."
