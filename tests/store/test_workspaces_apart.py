"""T09: every statement says whose rows it means. Read from the code, so that a new one that forgets it fails here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from app.database import Connection
from tests.conftest import ROOT

VERB = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|COPY)\b")
# What works for all workspaces at once and answers nobody, and parts of statements that get their workspace elsewhere.
WITHOUT = {
    "caught.py add": "the catcher keeps the newest, whoever's they are",
    "history.py make_partitions": "rows move from one partition to another, as they are",
    "enrollments.py due": "a lane's due people, each row with its workspace",
    "enrollments.py next_due": "a moment and nothing else",
    "inbox.py waiting_contacts": "contacts of the batch by their number, which no two workspaces share",
    "inbox.py depth": "a number for the health page",
    "keys.py use_up": "the very link or session that was just identified by its secret",
    "lists.py states": "its WHERE says it",
    "load.py load": "numbers for the metrics",
    "persons.py": "its PARTS say it",
    "schedules.py next_due": "a moment and nothing else",
    "sendings.py forget": "upkeep of all, by age",
    "sessions.py touch": "the very session that was just identified by its secret",
    "sessions.py forget": "upkeep of all, by age",
    "suppressions.py any_erased": "whether any row is there",
    "tallies.py forget_short": "upkeep of all, by age",
    "upkeep.py forget_seen": "upkeep of all, by age",
    "walks.py": "the statements that begin with it say it",
    "whereabouts.py _slice": "its base says it",
}


def words(node: ast.expr) -> str:
    """The text of a statement, whatever it is put together of."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(words, parts))
        case ast.FormattedValue():
            return " … "
        case ast.BinOp(left=left, right=right):
            return words(left) + words(right)
    return ""


def statements(path: Path) -> Iterator[tuple[str, str]]:
    """Every statement with the function it stands in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for top in tree.body:
        name = top.name if isinstance(top, ast.FunctionDef) else ""
        done: set[int] = set()
        for node in ast.walk(top):
            if isinstance(node, ast.JoinedStr | ast.BinOp | ast.Constant) and id(node) not in done:
                done.update(id(part) for part in ast.walk(node))
                if VERB.search(text := words(node)):
                    yield f"{path.name} {name}".strip(), text


def test_every_statement_names_the_workspace_t09(connection: Connection) -> None:
    tables = "|".join(
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'workspace_id'"
        ).fetchall()
    )
    rows = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO|USING)\s+({tables})\b")
    found = [one for path in sorted((ROOT / "app" / "store").glob("*.py")) for one in statements(path)]
    asking = [(place, text) for place, text in found if rows.search(text)]
    assert len(asking) > 300
    forgetful = {place for place, text in asking if "workspace" not in text}
    assert forgetful == WITHOUT.keys(), forgetful ^ WITHOUT.keys()
