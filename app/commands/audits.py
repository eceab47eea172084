"""`audit verify`: whether the audit log is as it was written. Reads only; names the first broken row."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app import anchors, audit
from app.anchors import Anchor, Gone
from app.commands.places import CommandError, workplace
from app.settings import Settings
from app.store import audit as rows
from app.store.audit import Head
from app.store.rows import Connection


class Line(NamedTuple):
    """What is said of one workspace."""

    sound: bool
    text: str


def verify(settings: Settings, noted: str | None) -> Iterator[Line]:
    """Look through every workspace's log; `noted`: an end (`workspace:number:hash`) that this printed at another time.

    Who can rewrite every row and the noted end in the database cannot rewrite what was noted elsewhere: by somebody, or by
    the program itself as anchors in the data folder.
    """
    with workplace(settings) as (placed, connection):
        file = anchors.read(placed.data)
        known = sorted({*rows.workspaces(connection), *(one.workspace_id for one in file.anchors)})
        wanted = _read(noted, known) if noted else None
        if not known:
            yield Line(True, "The audit log is empty.")
        for workspace in known:
            yield from _chain(connection, workspace, file.anchors)
        for number in file.damaged:
            yield Line(False, f"{placed.data / anchors.NAME}, line {number}: not an anchor.")
        if wanted is not None:
            workspace, head = wanted
            if audit.holds(connection, workspace, head):
                yield Line(True, f"workspace {workspace}: row {head.number} is the one that was noted.")
            else:
                yield Line(False, f"workspace {workspace}: row {head.number} is not the one that was noted.")


def _chain(connection: Connection, workspace: int, found: Sequence[Anchor]) -> Iterator[Line]:
    verdict, gone = audit.verify(connection, workspace), anchors.gone(connection, workspace, found)
    if verdict.broken is not None:
        number, why = verdict.broken
        yield Line(False, f"workspace {workspace}: broken at row {number}: {why}.")
    if gone is not None:
        yield Line(False, f"workspace {workspace}: {_told(gone)}")
    if verdict.broken is None and gone is None:
        head = verdict.head or Head(0, "")
        end = f"Its end: {workspace}:{head.number}:{head.hash}"
        days = [one.day for one in found if one.workspace_id == workspace]
        held = f"{len(days)} anchors hold, the last of {max(days)}. " if days else ""
        yield Line(True, f"workspace {workspace}: {verdict.sound} rows, sound. {held}{end}")


def _told(gone: Gone) -> str:
    """On which day the log still was as it was written, and on which it was not any more."""
    row, day = gone.anchor.number, gone.anchor.day
    what = {"cut": f"row {row} is missing", "rewritten": f"row {row} is another one"}[gone.how]
    held = f" The anchor of {gone.held.day} (row {gone.held.number}) still holds." if gone.held else ""
    return f"{gone.how} below the anchor of {day}: {what}.{held}"


def _read(noted: str, known: Sequence[int]) -> tuple[int, Head]:
    parts = noted.strip().split(":")
    if len(parts) == 2 and len(known) == 1:
        parts = [str(known[0]), *parts]
    workspace, number, digest = parts if len(parts) == 3 else ("", "", "")
    if not (workspace.isdecimal() and number.isdecimal() and digest):
        raise CommandError("A noted end looks like 1:41:9f2c…, as `journey audit verify` prints it.")
    return int(workspace), Head(int(number), digest)
