"""Anchors of the audit log (T28): once a day the end of each workspace's chain is written outside of the database.

Who owns the database can rewrite the whole log, its end too, so that its hashes fit. They cannot rewrite a file in the data
folder and a line in the log of another machine unseen: what an anchor names must stand in the log for ever. Only adds.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

from app import log
from app.store import audit
from app.store.audit import Head
from app.store.rows import Connection

NAME = "audit-anchors"
READ_BYTES = 2_000_000  # of the end of the file, for a page


class Anchor(NamedTuple):
    """Where a workspace's chain ended when a day began."""

    day: str
    workspace_id: int
    number: int
    hash: str


class Gone(NamedTuple):
    """The first anchor that does not hold, the last before it that does, and what became of its row."""

    anchor: Anchor
    held: Anchor | None
    how: str  # cut, rewritten


class Read(NamedTuple):
    """The anchors of a file, and the numbers of lines that are none."""

    anchors: list[Anchor]
    damaged: list[int]


def daily(connection: Connection, data: Path, now: datetime) -> list[Anchor]:
    """Anchor what this data folder has no anchor of yet today; returns what was added.

    A folder that cannot be written to is said in the log, where the anchors stand all the same.
    """
    day = now.astimezone(UTC).date().isoformat()
    heads = audit.heads(connection)
    try:
        data.mkdir(parents=True, exist_ok=True)
        with (data / NAME).open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # several workers share a folder; closing it lets go
            file.seek(0)
            known = {one.workspace_id for one in _parse(file).anchors if one.day == day}
            fresh = _anchors(day, heads, known)
            file.writelines(f"{json.dumps(one._asdict())}\n" for one in fresh)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        log.get(__name__).error("the audit anchors cannot be written", path=str(data / NAME), **log.told(error))
        fresh = _anchors(day, heads, set())
    for one in fresh:
        said = {"workspace": one.workspace_id, "day": one.day, "number": one.number, "hash": one.hash}
        log.get(__name__).info("audit anchor", **said)
    return fresh


def read(data: Path, *, at_most: int | None = None) -> Read:
    """The anchors of a data folder, in the order they were written; `at_most`: of so many bytes at the end."""
    try:
        with (data / NAME).open(encoding="utf-8", errors="replace") as file:
            size = os.fstat(file.fileno()).st_size
            if at_most is None or size <= at_most:
                return _parse(file)
            file.seek(size - at_most)
            file.readline()
            return _parse(file)
    except OSError:
        return Read([], [])


def gone(connection: Connection, workspace_id: int, anchors: Sequence[Anchor]) -> Gone | None:
    """The first of a workspace's anchors that its log does not bear out."""
    own = sorted((one for one in anchors if one.workspace_id == workspace_id), key=lambda one: one.number)
    stands = audit.hashes(connection, workspace_id, sorted({one.number for one in own}))
    held = None
    for one in own:
        if stands.get(one.number) != one.hash:
            return Gone(one, held, "rewritten" if one.number in stands else "cut")
        held = one
    return None


def _anchors(day: str, heads: dict[int, Head], known: set[int]) -> list[Anchor]:
    return [
        Anchor(day, workspace, head.number, head.hash)
        for workspace, head in sorted(heads.items())
        if workspace not in known and head.number
    ]


def _parse(file: IO[str]) -> Read:
    found, damaged = [], []
    for number, anchor in _lines(file):
        if anchor is None:
            damaged.append(number)
        else:
            found.append(anchor)
    return Read(found, damaged)


def _lines(file: IO[str]) -> Iterator[tuple[int, Anchor | None]]:
    for number, line in enumerate(file, 1):
        try:
            said = json.loads(line)
            yield number, Anchor(str(said["day"]), int(said["workspace_id"]), int(said["number"]), str(said["hash"]))
        except (ValueError, KeyError, TypeError):
            yield number, None
