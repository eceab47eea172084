"""A process that has imported everything and forks workers, so that starting (and killing) one costs milliseconds.

Run as a program: reads a JSON request a line, answers each with a JSON line. Ends, and ends its workers, with its input.
"""

import json
import os
import signal
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app import worker
from app.courier import Pace
from app.egress import _trust
from app.ownership import Patience
from app.process import calm_gc
from app.settings import Settings
from nodes import catalog
from tests.faults.odd_nodes import ODD

# Made once, for all the workers to be forked.
CATALOG = catalog(ODD, plugins=False)
_trust()
children: dict[int, int | None] = {}


def start(request: dict[str, Any]) -> dict[str, Any]:
    """Fork a worker; its lines go to `log`."""
    pid = os.fork()
    if pid:
        children[pid] = None
        return {"pid": pid}
    code = 70
    try:
        os.setpgid(0, 0)
        out = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        pace = request["pace"].items()
        making = worker.Making(
            catalog=CATALOG,
            patience=replace(Patience(), **request["patience"]),
            pace=Pace(
                **{name: given if name.endswith("seconds") else timedelta(seconds=given) for name, given in pace}
            ),
            clock=lambda: worker.now() + timedelta(seconds=request["ahead"]),
        )
        code = worker.main(Settings(_env_file=None, **request["settings"]), making)
    finally:
        os._exit(code)


def wait(request: dict[str, Any]) -> dict[str, Any]:
    """The exit code of a worker (negative: killed by that signal), or None if it has not ended in time."""
    deadline = time.monotonic() + request["seconds"]
    pid = request["pid"]
    while children[pid] is None and time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            children[pid] = os.waitstatus_to_exitcode(status)
        else:
            time.sleep(0.005)
    return {"code": children[pid]}


def main() -> None:
    calm_gc()  # here, so that each child has little left to do
    for line in sys.stdin:
        request = json.loads(line)
        answer = start(request) if request["do"] == "start" else wait(request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid, code in children.items():
        if code is None:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
