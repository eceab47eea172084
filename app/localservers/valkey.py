"""Starting Valkey: hints and counters only, so it keeps nothing on disk and 64 MB are plenty. It never stops one."""

import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from app.localservers import binaries, children, minder
from app.localservers.binaries import LocalServerError

READY_SECONDS = 10.0
SOCKET = "valkey.sock"
OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": '""',
    "appendonly": "no",
    "maxmemory": "64mb",
    "maxmemory-policy": "allkeys-lru",
    "daemonize": "no",
    "loglevel": "warning",
}


def url(run: str) -> str:
    return f"unix://{quote(run)}/{SOCKET}"


def start(data: Path, run: Path) -> int:
    """Start the server and return its process id once it answers."""
    account = binaries.account_for(data / "postgres")
    program = binaries.reachable_program(binaries.valkey_program(), account, run)
    path, log_path = run / SOCKET, data / "valkey.log"
    path.unlink(missing_ok=True)
    settings = run / "valkey.conf"
    lines = OPTIONS | {"unixsocket": f'"{path}"', "dir": f'"{run}"'}
    settings.write_text("".join(f"{name} {value}\n" for name, value in lines.items()), encoding="utf-8")
    account.own(settings)
    with children.log_file(log_path) as log:
        begin = log.tell()
        child = children.spawn([program, settings], account, log)
    if not _becomes_ready(child, path):
        raise LocalServerError(
            f"Valkey did not start; see {log_path}, which ends: {children.last_words(log_path, begin)}"
        )
    return child.pid


def _becomes_ready(child: subprocess.Popen[bytes], path: Path) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while child.poll() is None:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(path))
                client.sendall(b"PING\r\n")
                if client.recv(5) == b"+PONG":
                    return True
            except OSError:
                pass
        if time.monotonic() > deadline:
            child.kill()
        time.sleep(minder.POLL_SECONDS)
    return False
