"""The restored-backup guard (D15): a copy of this installation, or one put back in time, sends nothing until it is confirmed.

A file in the data folder and a row in the database tell on one another: a database elsewhere than before, a file that is
ahead of its row, a data folder that was copied together with the database in it. Never decides what is sent.
"""

import json
import os
import secrets
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from app import log
from app.store import instances
from app.store.instances import Instance
from app.store.rows import Connection
from flows.words import _

NAME = "instance.json"
MOVED = _("the database is a copy, or was restored elsewhere")
BACK = _("the database went back to an earlier state")
OTHER = _("the data folder belongs to another installation")
COPIED = _("the data folder with its database is a copy")


class File(NamedTuple):
    """What lies in the data folder. `folder`: which folder it was written in, where the database lies in it too."""

    token: str
    epoch: int
    number: int
    folder: str


def look(connection: Connection, data: Path, now: datetime, *, local: bool) -> datetime | None:
    """Compare file and row, hold if they do not fit, and beat; when anything worked before that (None: never).

    `local`: the database lies in the data folder, so that copying the folder copies both.
    """
    place, folder = instances.place(connection), _folder(data) if local else ""
    row = instances.read(connection, lock=True)
    if row is None:
        instances.begin(connection, secrets.token_hex(16), place, now)
        row = instances.read(connection, lock=True)
        assert row is not None
        _write(data, File(row.token, row.epoch, row.number, folder))
        return None
    file = _read(data)
    why = _trouble(row, file, place, folder)
    if why:
        instances.hold(connection, why, file.number if file else 0, now)
        if row.held is None:
            log.get(__name__).error("nothing is sent until `journey confirm-restore`", reason=why)
        return row.beat_at
    if row.held is None:
        number = instances.beat(connection, now)
        _write(data, File(row.token, row.epoch, number, folder))
    return row.beat_at


def confirm(connection: Connection, now: datetime) -> bool:
    """This is the installation from now on; False where nothing was held."""
    return instances.confirm(connection, instances.place(connection), now)


def _trouble(row: Instance, file: File | None, place: str, folder: str) -> str | None:
    if place != row.place:
        return MOVED
    if file is None or file.epoch < row.epoch:
        return None  # another machine of this installation, or somebody has confirmed it since the file was written
    if file.token != row.token:
        return OTHER
    # One ahead is no step back: a process killed between the file and its commit leaves just that.
    if (file.epoch, file.number) > (row.epoch, row.number + 1):
        return BACK
    return COPIED if folder and file.folder and file.folder != folder else None


def _folder(data: Path) -> str:
    """The folder itself: what is copied or unpacked is another one, wherever it lies."""
    return str(data.resolve().stat().st_ino)


def _read(data: Path) -> File | None:
    try:
        said = json.loads((data / NAME).read_text(encoding="utf-8"))
        return File(str(said["token"]), int(said["epoch"]), int(said["number"]), str(said["folder"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(data: Path, file: File) -> None:
    """Whole or not at all; a folder that cannot be written to only makes the guard weaker."""
    aside = data / f"{NAME}.{secrets.token_hex(4)}"
    with suppress(OSError):
        data.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(file._asdict()), encoding="utf-8")
        os.replace(aside, data / NAME)
