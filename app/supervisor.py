"""Looks after a few processes of ours: starts them, starts them again when they die, stops them together.

A child is told its settings on its standard input, which stays open: when the supervisor vanishes, however it ends, the
child reads the end of it and stops. Knows nothing of what the children do.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.settings import for_child

LOG_BYTES = 10_000_000
LAST_WORDS = 400
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
WELL_AFTER = 60.0  # having lived so long, a child's next death counts as its first
STOP_SECONDS = 5.0
POLL_SECONDS = 0.05


@dataclass
class Child:
    """One process to be kept alive. `module` is run with `role` as its argument."""

    role: str
    log: Path
    handles: Sequence[int] = ()
    told: Mapping[str, Any] | None = None
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    again_at: float = 0.0
    log_begin: int = 0


@dataclass
class Supervisor:
    """All children of one run. `say` shows a line to whoever watches the terminal."""

    module: str
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)

    def start(self, role: str, log: Path, handles: Sequence[int] = ()) -> Child:
        """Begin a process; it loads what it needs while it waits to be told its settings."""
        child = Child(role, log, handles)
        self.children.append(child)
        self._spawn(child)
        return child

    def tell(self, child: Child, settings: Mapping[str, Any]) -> None:
        """Let it begin its work; also told again whenever it is started again."""
        child.told = settings
        self._write(child)

    def look(self) -> None:
        """Start again whoever has died, after a pause that grows."""
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._mourn(child, now)
            elif child.process is None and now >= child.again_at:
                self._spawn(child)
                self._write(child)

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask all to end, wait, and end those that do not."""
        alive = [child for child in self.children if child.process is not None and child.process.poll() is None]
        for child in alive:
            self._end(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and not hurry():
            if all(child.process is None or child.process.poll() is not None for child in alive):
                break
            time.sleep(POLL_SECONDS)
        for child in alive:
            if child.process is not None and child.process.poll() is None:
                self._end(child, signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
                self._close(child.process)
        self.children.clear()

    def _spawn(self, child: Child) -> None:
        child.log.parent.mkdir(parents=True, exist_ok=True)
        large = child.log.exists() and child.log.stat().st_size > LOG_BYTES
        with child.log.open("wb" if large else "ab") as log:
            child.log_begin = log.tell()
            child.process = subprocess.Popen(
                [sys.executable, "-m", self.module, child.role],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=for_child(),
                pass_fds=tuple(child.handles),
            )
        child.started_at = time.monotonic()

    def _write(self, child: Child) -> None:
        pipe = child.process.stdin if child.process else None
        if pipe is None or child.told is None:
            return
        try:
            pipe.write(json.dumps(child.told).encode() + b"\n")
            pipe.flush()
        except BrokenPipeError:
            pass  # it has died already; `look` will see to it

    def _mourn(self, child: Child, now: float) -> None:
        assert child.process is not None
        code, lived = child.process.returncode, now - child.started_at
        self._close(child.process)
        child.process = None
        child.deaths = 1 if lived > WELL_AFTER else child.deaths + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (child.deaths - 1))
        child.again_at = now + pause
        words = _last_words(child.log, child.log_begin)
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        self.say(
            f"The {child.role} process {ended}; starting it again in {pause:g} s. See {child.log}"
            + (f": {words}" if words else ".")
        )

    @staticmethod
    def _end(child: Child, number: signal.Signals) -> None:
        if child.process is not None:
            with suppress(ProcessLookupError):  # it was quicker
                child.process.send_signal(number)

    @staticmethod
    def _close(process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            with suppress(BrokenPipeError):  # what was not read will not be
                process.stdin.close()


def _last_words(path: Path, begin: int) -> str:
    with path.open("rb") as log:
        log.seek(begin)
        lines = log.read()[-LAST_WORDS:].decode(errors="replace").strip().splitlines()
    return lines[-1][-LAST_WORDS:] if lines else ""
