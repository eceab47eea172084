"""What the door promises when things break: a 2xx is never lost (P1), overload is refused (P16), poison harms itself (P15)."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from app import database, groupcommit, localservers
from app.groupcommit import Busy, Committer, not_now
from app.localservers import minder
from app.store import accept
from app.tracking import Limits, read
from tests.web.door import KEY, NOW, authorization, inbox, rows, serving, workspace

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def process(url: str, failpoint: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.web.door_process", url, failpoint], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    try:
        yield f"http://127.0.0.1:{int(child.stdout.readline())}", child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def send_until_it_dies(url: str, names: list[str], acknowledged: list[str]) -> None:
    with httpx2.Client(headers=authorization(KEY), timeout=10, verify=False) as client:
        for name in names:
            call = {"type": "track", "userId": f"u{name[-1]}", "event": "a", "messageId": name}
            try:
                answer = client.post(f"{url}/v1/batch", json={"batch": [call, {**call, "messageId": name + "b"}]})
            except httpx2.TransportError:
                return
            if answer.status_code == 200:
                acknowledged.append(name)


# The repeats after the first by `make faults`: each starts two servers.
REPEATS = [pytest.param(n, marks=pytest.mark.heavy if n else ()) for n in range(3)]


@pytest.mark.parametrize("repeat", REPEATS)
@pytest.mark.parametrize("point", ["CP1", "CP2", "CP3"])
def test_p1_f02_killed_at_any_point_every_2xx_is_in_the_inbox(database_url: str, point: str, repeat: int) -> None:
    workspace(database_url)
    names = [[f"{thread}-{number}" for number in range(15)] for thread in range(6)]
    acknowledged: list[str] = []
    with process(database_url, f"{point}:kill:{2 + repeat * 4}") as (url, child):
        threads = [threading.Thread(target=send_until_it_dies, args=(url, mine, acknowledged)) for mine in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert child.wait(10) == -signal.SIGKILL
    before = len(inbox(database_url))
    assert before >= 2 * len(acknowledged)
    assert before % 2 == 0, "half of a request was written"
    with serving(database_url) as server:  # the clients send again what was not answered, and what was
        again: list[str] = []
        for mine in names:
            send_until_it_dies(server.url, mine, again)
        assert sorted(again) == sorted(name for mine in names for name in mine)
    assert len(inbox(database_url)) == 2 * 6 * 15
    assert len(rows(database_url, "SELECT FROM contact")) == 10


def test_p6_f36_the_database_is_killed_and_comes_back(tmp_path: Path) -> None:
    data = tmp_path / "servers"
    with localservers.start(data, valkey=False) as servers:
        url = str(servers.database_url)
        database.migrate(url)
        workspace(url)
        with serving(url) as server:
            call = {"userId": "u1", "event": "a"}
            assert server.post("/v1/track", {**call, "messageId": "before"}).status_code == 200
            state = minder.load(data)
            assert state
            assert state.postgres
            os.kill(state.postgres, signal.SIGQUIT)  # an immediate stop
            while (answer := server.post("/v1/track", {**call, "messageId": "during"})).status_code == 200:
                time.sleep(0.05)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            time.sleep(1)  # the key is forgotten meanwhile
            began = time.monotonic()
            assert server.post("/v1/track", {**call, "messageId": "during"}).status_code == 503
            assert time.monotonic() - began < 1
            with localservers.start(data, valkey=False):
                until = time.monotonic() + 10
                while (status := server.post("/v1/track", {**call, "messageId": "after"}).status_code) != 200:
                    assert status == 503
                    assert time.monotonic() < until
                    time.sleep(0.05)
            kept = rows(url, "SELECT count(*) AS n, count(DISTINCT digest) AS different FROM inbox")
            assert kept[0].n == kept[0].different >= 2


def test_f03_a_client_that_never_heard_the_answer_may_ask_again(database_url: str) -> None:
    """The connection is cut after the commit was applied: the outcome is unknown, and asking again changes nothing."""
    workspace(database_url)
    with serving(database_url) as server:
        real = groupcommit.commit_calls

        def cut(connection: database.Connection, calls: Any, ids: Any) -> int:
            groupcommit.commit_calls = real
            real(connection, calls, ids)
            connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

        groupcommit.commit_calls = cut
        try:
            call = {"userId": "u1", "event": "a", "messageId": "m1"}
            assert server.post("/v1/track", call).status_code == 503
            time.sleep(groupcommit.AWAY_SECONDS)
            assert server.post("/v1/track", call).status_code == 200
        finally:
            groupcommit.commit_calls = real
    assert len(inbox(database_url)) == 1


def test_p15_one_poison_request_in_a_group_fails_alone(database_url: str) -> None:
    workspace(database_url)
    with database.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE inbox ADD CONSTRAINT poison CHECK (name <> 'poison')")
    try:
        with serving(database_url) as server, held() as release:
            answers: dict[str, int] = {}

            def send(name: str) -> None:
                call = {"userId": "u1", "event": "poison" if name == "7" else "good", "messageId": name}
                answers[name] = httpx2.post(
                    f"{server.url}/v1/track", json=call, headers=authorization(KEY), timeout=20, verify=False
                ).status_code

            threads = [threading.Thread(target=send, args=(str(number),)) for number in range(16)]
            threads[0].start()
            release.taken.wait(10)
            for thread in threads[1:]:
                thread.start()
            while len(server.door.committer._queue) < 15:
                time.sleep(0.005)
            release.set()
            for thread in threads:
                thread.join()
        assert answers.pop("7") == 500
        assert set(answers.values()) == {200}
        assert len(inbox(database_url)) == 15
    finally:
        with database.connect(database_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE inbox DROP CONSTRAINT poison")


class Gate(threading.Event):
    """Where the writer is held; `taken` says that it stands there."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = threading.Event()


@contextmanager
def held() -> Iterator[Gate]:
    """Hold the writer in its first group, so that the rest gathers into one."""
    gate = Gate()
    real = groupcommit.commit_calls

    def wait(connection: database.Connection, calls: Any, ids: Any) -> int:
        gate.taken.set()
        gate.wait(10)
        return real(connection, calls, ids)

    groupcommit.commit_calls = wait
    try:
        yield gate
    finally:
        gate.set()
        groupcommit.commit_calls = real


def test_p16_what_cannot_be_written_soon_is_refused_at_once_and_nothing_accepted_is_lost(database_url: str) -> None:
    workspace(database_url)
    with serving(database_url) as server, httpx2.Client(verify=False, headers=authorization(KEY), timeout=20) as client:
        assert client.post(f"{server.url}/v1/track", json={"userId": "u0", "event": "a"}).status_code == 200
        with held() as release:
            waiting: list[int] = []

            def send(number: int) -> None:
                call = {"userId": "u1", "event": "a", "messageId": f"m{number}"}
                # One client for all: what is made anew for each may take longer than anybody may wait here.
                waiting.append(client.post(f"{server.url}/v1/track", json=call).status_code)

            threads = [threading.Thread(target=send, args=(number,)) for number in range(3)]
            for thread in threads:
                thread.start()
            time.sleep(groupcommit.WAITING_SECONDS + 0.3)
            took = []
            for number in range(9):
                began = time.monotonic()
                answer = client.post(
                    f"{server.url}/v1/track", json={"userId": "u2", "event": "a", "messageId": f"x{number}"}
                )
                took.append(time.monotonic() - began)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert sorted(took)[4] < 0.15  # a browser's test may hold both cores for a moment
            release.set()
            for thread in threads:
                thread.join()
        assert waiting == [200] * 3
    assert len(inbox(database_url)) == 4


def test_f26_a_database_that_does_not_answer_keeps_nobody_waiting_for_ever(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groupcommit, "HANGING_SECONDS", 0.3)
    workspace(database_url)
    with serving(database_url) as server, database.connect(database_url) as blocker:
        blocker.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        assert server.post("/v1/track", {"userId": "u1", "event": "a", "messageId": "m1"}).status_code == 503
        assert time.monotonic() - began < 3
        blocker.rollback()
        monkeypatch.undo()
        until = time.monotonic() + 10
        while server.post("/v1/track", {"userId": "u1", "event": "a", "messageId": "m1"}).status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
    assert len(inbox(database_url)) == 1


def test_stopping_writes_what_waits_and_takes_nothing_more(database_url: str) -> None:
    workspace_id = workspace(database_url)
    body = json.dumps({"batch": [{"type": "track", "userId": "u1", "event": "a"}]}).encode()
    calls = read("batch", body).calls(workspace_id, NOW, Limits())

    async def run() -> None:
        committer = Committer(database_url)
        committer.start()
        sent = [asyncio.create_task(committer.write(calls)) for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.to_thread(committer.stop)
        await asyncio.gather(*sent)
        with pytest.raises(Busy):
            await committer.write(calls)

    asyncio.run(run())
    assert len(inbox(database_url)) == 50


def test_after_each_commit_the_workers_are_nudged_and_a_broken_nudge_harms_nobody(database_url: str) -> None:
    workspace(database_url)
    nudged: list[int] = []

    def nudge() -> None:
        nudged.append(1)
        raise RuntimeError("no Valkey")

    with serving(database_url, nudge=nudge) as server:
        for _ in range(2):
            assert server.post("/v1/track", {"userId": "u1", "event": "a"}).status_code == 200
    assert len(nudged) == 2


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.OperationalError("connection lost"), True),
        (psycopg.errors.DiskFull(), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.errors.ReadOnlySqlTransaction(), True),
        (psycopg.errors.QueryCanceled(), True),
        (psycopg.errors.ProgramLimitExceeded(), False),
        (psycopg.errors.CheckViolation(), False),
        (psycopg.DataError("NUL"), False),
        (ValueError(), False),
        (accept.Raced(), False),
    ],
)
def test_f18_not_now_is_told_from_not_this(error: BaseException, expected: bool) -> None:
    assert not_now(error) is expected
