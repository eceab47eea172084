"""`journey run` as a process of its own, and somebody who looks at it from outside: a browser, a terminal, a kill."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx2

from tests.conftest import ROOT

PATIENCE_SECONDS = 60.0
LINK = re.compile(r"(http://\S+)(/login)\?token=(jl_\w+)")
T = TypeVar("T")


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` finds, as soon as it finds it."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.1)


class Program:
    """One run. `ready_seconds` is how long it took until `/readyz` said yes."""

    def __init__(self, data: Path, port: int, *arguments: str) -> None:
        self.data, self.port, self.arguments = data, port, arguments
        self.base = f"http://127.0.0.1:{port}"
        self.output = data.parent / f"{data.name}.out"
        self.ready_seconds = 0.0
        self.browsers: list[httpx2.Client] = []

    def start(self) -> "Program":
        begin = time.monotonic()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("JOURNEY_")}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "app.cli",
                    "run",
                    "--data",
                    str(self.data),
                    "--port",
                    str(self.port),
                    *self.arguments,
                ],
                cwd=ROOT,
                env=clean,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        # Whatever becomes of the tests: when they are gone, the end of this pipe is read and the program goes too.
        command = f"cat >/dev/null; kill -KILL {self.process.pid}"
        self.leash = subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE, start_new_session=True)
        until(self._is_ready)
        self.ready_seconds = time.monotonic() - begin
        return self

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        try:
            return httpx2.get(f"{self.base}/readyz", timeout=30).status_code == 200
        except httpx2.TransportError:
            return False

    def browser(self) -> httpx2.Client:
        """Somebody who opened the printed link."""
        link = until(lambda: LINK.search(self.said()))
        browser = httpx2.Client(
            base_url=self.base, follow_redirects=True, timeout=30, headers={"Accept-Language": "en"}
        )
        self.browsers.append(browser)
        assert "Sign in" in browser.get("/login", params={"token": link[3]}).text
        browser.post("/login", data={"token": link[3]}, headers={"Origin": self.base}).raise_for_status()
        return browser

    def children(self, role: str) -> list[int]:
        """The processes of this run that have a role."""
        found = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in found.splitlines()]
        return [
            int(pid)
            for pid, parent, args in rows
            if int(parent) == self.process.pid and args.endswith(f"app.child {role}")
        ]

    def stop(self, number: signal.Signals = signal.SIGTERM, *, whole_group: bool = False) -> float:
        """Ask it to end; how long that took."""
        self._close()
        begin = time.monotonic()
        if whole_group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        assert self.process.wait(20) == 0, self.said()
        return time.monotonic() - begin

    def kill(self) -> None:
        """Without a chance to clean up."""
        self._close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _close(self) -> None:
        while self.browsers:
            self.browsers.pop().close()
        if self.leash.poll() is None:
            os.killpg(self.leash.pid, signal.SIGKILL)
            self.leash.communicate()
