"""`journey run` as its users meet it: one command, a page on which people move, a clean end, and it survives its worker."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.conftest import ROOT
from tests.run.program import Program, free_port, until

SECOND_START_SECONDS = 5.0
# On a machine whose cores are busy with other tests; alone it takes about 2 s.
SHARED_MACHINE = 3.0
STOP_SECONDS = 10.0
ENTERED = re.compile(r'data-live="entered">([\d,]+)<')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a folder with spaces"


@pytest.fixture
def started(folder: Path) -> Iterator[list[Program]]:
    """Programs to be killed if a test fails half-way."""
    running: list[Program] = []
    del folder
    yield running
    for program in running:
        program.kill()


def entered(browser: httpx2.Client) -> int:
    found = ENTERED.search(browser.get("/fragments/journeys").text)
    assert found is not None
    return int(found[1].replace(",", ""))


@pytest.mark.timeout(240)
def test_a_stranger_starts_the_demo_and_everything_moves(folder: Path, started: list[Program]) -> None:
    program = Program(folder, free_port())
    started.append(program)
    program.start()

    # Without a session there is a friendly page, and the API's description.
    assert "Sign in to Journey Canvas" in httpx2.get(f"{program.base}/", follow_redirects=True).text
    assert httpx2.get(f"{program.base}/docs").status_code == 200
    assert httpx2.get(f"{program.base}/fragments/journeys").status_code == 303

    # The first page: four live journeys, somebody in each of them.
    browser = program.browser()
    page = browser.get("/").text
    assert page.count('<span class="pill live">') == 4
    assert sum(int(n.replace(",", "")) > 0 for n in re.findall(r'data-live="\d+-active">([\d,]+)<', page)) == 4
    assert "This is demo data" in page
    assert "这是演示数据" in browser.get("/?lang=zh").text

    # Numbers move, and what was sent lies in the sink.
    before = entered(browser)
    until(lambda: entered(browser) > before)
    until(lambda: 'href="/sink/' in browser.get("/sink").text)

    # The worker is killed: another one comes, and people go on.
    (worker,) = program.children("worker")
    os.kill(worker, signal.SIGKILL)
    until(lambda: [pid for pid in program.children("worker") if pid != worker])
    before = entered(browser)
    until(lambda: entered(browser) > before)
    assert "The worker process was killed by signal 9" in program.said()

    assert program.stop() < STOP_SECONDS
    assert "Stopped." in program.said()

    # The second start makes no demo again, and is quick; Ctrl-C reaches the whole group and ends it well.
    people = before
    again = Program(folder, program.port)
    started.append(again)
    again.start()
    assert again.ready_seconds < SECOND_START_SECONDS * SHARED_MACHINE
    assert "Inventing" not in again.said()
    assert entered(again.browser()) >= people
    assert again.stop(signal.SIGINT, whole_group=True) < STOP_SECONDS
    assert not (folder / "postgres" / "postmaster.pid").exists()


@pytest.mark.timeout(120)
def test_without_the_demo_it_starts_empty_and_says_what_to_do(folder: Path, started: list[Program]) -> None:
    program = Program(folder, free_port(), "--no-demo")
    started.append(program)
    program.start()
    browser = program.browser()
    page = browser.get("/").text
    assert "No journey yet" in page
    assert "journey import" in page
    assert "demo data" not in page
    key = (folder / "write-key").read_text(encoding="ascii").strip()
    assert (folder / "write-key").stat().st_mode & 0o077 == 0
    answer = httpx2.post(f"{program.base}/v1/track", json={"userId": "me", "event": "hello"}, auth=(key, ""))
    assert answer.json() == {"success": True}
    assert key not in program.said()
    assert not program.children("feed")

    # Killed without a chance to clean up, it leaves no process behind.
    children = program.children("web") + program.children("worker")
    assert len(children) == 2
    program.kill()
    until(lambda: not any(_lives(pid) for pid in children), 15)


def test_a_port_in_use_is_one_sentence_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        command = [sys.executable, "-m", "app.cli", "run", "--port", str(port), "--data", str(tmp_path / "var")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"Port {port} cannot be used" in done.stderr
    assert f"--port {port + 10}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "var").exists()


def _lives(pid: int) -> bool:
    found = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(found) and not found.startswith("Z")
