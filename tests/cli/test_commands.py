"""Each command: what it prints, where, and with which code it ends."""

import io
import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import auth, cli, documents
from app.commands import bench, showing
from app.database import Connection, connect, transaction
from app.store import secondsteps
from tests.cli.conftest import Journey
from tests.conftest import ROOT

COMMANDS = (
    "run",
    "serve",
    "worker",
    "migrate",
    "check",
    "demo",
    "lint",
    "test",
    "import",
    "export",
    "bench",
    "user",
    "key",
)


def test_help_comes_at_once_and_names_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "app.cli", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name in done.stdout for name in COMMANDS)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")}
    unneeded = {"fastapi", "sqlalchemy", "psycopg", "pydantic", "networkx", "redis"} & loaded
    assert not unneeded


def test_an_unknown_command_is_told_as_such(journey: Journey) -> None:
    called = journey("fly")
    assert called.code == 2
    assert "No such command" in called.err


def test_a_key_is_printed_alone_and_opens_the_door(journey: Journey, connection: Connection) -> None:
    called = journey("key", "add", "--role", "ingest", "--name", "site")
    assert called.code == 0
    assert called.out.count("\n") == 1
    caller = auth.identify(connection, called.out.strip(), datetime.now(UTC))
    assert caller is not None
    assert caller.role == "ingest"
    assert "jc_" not in called.err


def test_a_role_that_does_not_exist_is_refused_with_those_that_do(journey: Journey) -> None:
    called = journey("key", "add", "--role", "king", "--name", "site")
    assert (called.code, called.out) == (1, "")
    assert "ingest, viewer, operator, reviewer, admin" in called.err
    assert "Traceback" not in called.err


def test_a_new_user_gets_a_link_that_works_once(journey: Journey, connection: Connection) -> None:
    called = journey("user", "add", "ann@example.com", "--role", "reviewer")
    token = called.out.strip().rpartition("token=")[2]
    now = datetime.now(UTC)
    caller = auth.redeem(connection, token, now)
    assert caller is not None
    assert auth.redeem(connection, token, now) is None
    assert journey("user", "add", "ann@example.com").code == 1
    assert "token=jl_" in journey("user", "link", "ann@example.com").out
    assert "There is no user" in journey("user", "link", "bob@example.com").err


def test_a_document_survives_import_and_export(journey: Journey, example: Path, tmp_path: Path) -> None:
    assert "There is no workspace yet" in journey("export", 1).err
    id = journey("import", example).out.strip()
    first = journey("export", id)
    assert first.code == 0
    assert documents.read(first.out) == documents.read(example.read_text(encoding="utf-8"))
    copy = tmp_path / "copy.yaml"
    copy.write_text(first.out, encoding="utf-8")
    again = journey("import", copy, "--name", "a copy").out.strip()
    assert journey("export", again).out == first.out
    assert "There is no journey 999" in journey("export", 999).err
    assert "There is no version 3" in journey("export", id, "--version", 3).err


def test_lint_has_nothing_to_say_of_the_demo(journey: Journey) -> None:
    for file in sorted((ROOT / "app" / "demo").glob("*.yaml")):
        called = journey("lint", file)
        assert (called.code, called.out) == (0, ""), file.name


def test_lint_names_node_field_and_problem(journey: Journey, example: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(example.read_text(encoding="utf-8").replace("duration: P2D", "duration: soon"), encoding="utf-8")
    called = journey("lint", broken)
    assert called.code == 1
    assert called.out.startswith("error")
    assert "two_days" in called.out
    assert "duration" in called.out


@pytest.mark.parametrize("text", ["", "just words", "{", "a: b: c", "nodes: 3"])
def test_what_is_no_document_is_a_finding_and_no_accident(journey: Journey, tmp_path: Path, text: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text, encoding="utf-8")
    called = journey("lint", file)
    assert called.code == 1
    assert called.out.startswith("error")
    assert "Traceback" not in called.err


def test_a_file_that_is_not_there_is_one_sentence(journey: Journey) -> None:
    called = journey("import", "nowhere.yaml")
    assert (called.code, called.err) == (1, "Error: nowhere.yaml cannot be read: No such file or directory.\n")


SCENARIO = """
- name: a greeting is sent at once
  journeys: {main: {document: {schema: 1, settings: {}, nodes: [{id: start, type: entry.event, settings: {event: hello}},
    {id: greet, type: send.inapp, settings: {title: Hello}}, {id: end, type: exit}],
    edges: [{from: start, port: next, to: greet}, {from: greet, port: next, to: end}]}}}
  timeline: [{at: "2026-03-01T00:00:00Z", track: {user: u1, event: hello}}]
  until: "2026-03-01T01:00:00Z"
  expect: {main: {u1: [{path: [start, greet, end], status: STATUS}]}, messages: [{user: u1, node: greet, status: sent}]}
"""


def test_scenarios_are_lived_in_a_database_of_their_own(journey: Journey, tmp_path: Path, database_url: str) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(SCENARIO.replace("STATUS", "completed"), encoding="utf-8")
    bad.write_text(SCENARIO.replace("STATUS", "failed"), encoding="utf-8")
    called = journey("test", good)
    assert called.code == 0
    assert called.out == "✓ good.yaml: a greeting is sent at once\n"
    called = journey("test", good, bad)
    assert called.code == 1
    assert "    main.u1[0].status: expected 'failed', got 'completed'" in called.out.splitlines()
    assert "2 scenarios, 1 failed." in called.err
    assert "No such file" in journey("test", "gone.yaml").err
    with connect(database_url) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)", (f"journey_scratch_{os.getpid()}_",)
        ).fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM workspace").fetchone() == (0,)


def test_bench_prints_one_object_and_nothing_else(journey: Journey) -> None:
    called = journey("bench", "blast", "--contacts", 200, "--json")
    assert called.code == 0
    assert {"workload", "contacts", "seconds", "per_second", "floor_per_second", "ratio"} <= json.loads(
        called.out
    ).keys()
    assert "choose one of blast" in journey("bench", "nap").err


def test_bench_for_people_shows_the_peers() -> None:
    assert "Parcelvoy 114" in bench.table(
        [{"workload": "blast", "contacts": 10, "seconds": 1.0, "per_second": 10.0, "ratio": 0.5}]
    )
    assert bench.names("all") == list(bench.WORKLOADS)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_work_says_how_far_it_is_how_fast_and_how_long_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """As lines where output goes to a file, as a bar on a terminal."""
    moments = iter([0.0, 3.0, 6.0])
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(showing.time, "monotonic", lambda: next(moments))
    with showing.showing() as progress:
        for done in (0, 1_500, 3_000):
            progress("inventing people", done, 5_000)
    assert sys.stderr.getvalue() == "inventing people: 3,000 of 5,000, 500.0/s, 0:00:04 left\n"
    monkeypatch.undo()
    monkeypatch.setattr(sys, "stderr", Terminal())
    with showing.showing() as progress:
        for done in (0, 2_500, 3_000):
            progress("inventing people", done, 5_000)
            time.sleep(0.01)
    seen = sys.stderr.getvalue()
    assert "inventing people" in seen
    assert re.search(r"60 % [\d,]+/s 0:00:0\d 0:00:0\d", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen)), seen


def test_migrating_twice_does_nothing_the_second_time(journey: Journey) -> None:
    assert journey("migrate").err == "The tables are up to date.\n"


def test_a_worker_does_not_begin_where_tables_are_behind(journey: Journey, connection: Connection) -> None:
    before = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    with transaction(connection):
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    try:
        called = journey("worker")
    finally:
        with transaction(connection):
            connection.execute("UPDATE alembic_version SET version_num = %s", before)
    assert (called.code, called.out) == (1, "")
    assert called.err.startswith("Error: The tables stand at migration 0001, and this program needs ")
    assert called.err.endswith("run `journey migrate` first.\n")


@pytest.mark.parametrize("command", [["migrate"], ["import", "app/demo/welcome.yaml"], ["user", "link"]])
def test_a_database_that_does_not_answer_is_one_sentence(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("JOURNEY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    called = journey(*[str(ROOT / word) if "/" in word else word for word in command])
    assert (called.code, called.out) == (1, "")
    assert called.err.startswith("Error: The database does not answer (")
    assert called.err.count("\n") == 1
    assert "should not have" not in called.err


def test_a_setting_that_cannot_be_used_is_named(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEY_PORT", "abc")
    called = journey("check")
    assert called.code == 1
    assert called.err.startswith("Error: JOURNEY_PORT cannot be used")


@pytest.mark.usefixtures("journey")
def test_debugging_shows_where_an_error_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEY_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["journey", "import", "nowhere.yaml"])
    with pytest.raises(Exception, match="cannot be read"):
        cli.main()


def test_somebody_without_phone_and_codes_is_let_in_with_one_step_again(
    journey: Journey, connection: Connection
) -> None:
    journey("user", "add", "ann@example.com", "--role", "admin")
    assert "has no second step" in journey("user", "reset-second-step", "ann@example.com").err
    now = datetime.now(UTC)
    with transaction(connection):
        workspace, user = connection.execute("SELECT workspace_id, id FROM users WHERE email LIKE 'ann@%'").fetchall()[
            0
        ]
        secondsteps.begin(connection, workspace, user, "sealed", now)
        secondsteps.confirm(connection, workspace, user, 0, [], now)
    assert "one step again" in journey("user", "reset-second-step", "ANN@example.com").out
    with transaction(connection):
        assert secondsteps.find(connection, workspace, user) is None
        logged = connection.execute("SELECT actor, what FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    assert logged == ("system", "user.second_step")
    assert "no user" in journey("user", "reset-second-step", "bob@example.com").err
