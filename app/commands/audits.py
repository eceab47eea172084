"""`audit verify`: whether the audit log is as it was written. Reads only; names the first broken row."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app import audit
from app.commands.places import CommandError, workplace
from app.settings import Settings
from app.store import audit as rows
from app.store.audit import Head


class Line(NamedTuple):
    """What is said of one workspace."""

    sound: bool
    text: str


def verify(settings: Settings, noted: str | None) -> Iterator[Line]:
    """Look through every workspace's log; `noted`: an end (`workspace:number:hash`) that this printed at another time.

    Who can rewrite every row and the noted end in the database cannot rewrite what was noted elsewhere.
    """
    with workplace(settings) as (_placed, connection):
        known = rows.workspaces(connection)
        wanted = _read(noted, known) if noted else None
        if not known:
            yield Line(True, "The audit log is empty.")
        for workspace in known:
            verdict = audit.verify(connection, workspace)
            if verdict.broken is not None:
                number, why = verdict.broken
                yield Line(False, f"workspace {workspace}: broken at row {number}: {why}.")
                continue
            head = verdict.head or Head(0, "")
            yield Line(
                True,
                f"workspace {workspace}: {verdict.sound} rows, sound. Its end: {workspace}:{head.number}:{head.hash}",
            )
        if wanted is not None:
            workspace, head = wanted
            if audit.holds(connection, workspace, head):
                yield Line(True, f"workspace {workspace}: row {head.number} is the one that was noted.")
            else:
                yield Line(False, f"workspace {workspace}: row {head.number} is not the one that was noted.")


def _read(noted: str, known: Sequence[int]) -> tuple[int, Head]:
    parts = noted.strip().split(":")
    if len(parts) == 2 and len(known) == 1:
        parts = [str(known[0]), *parts]
    workspace, number, digest = parts if len(parts) == 3 else ("", "", "")
    if not (workspace.isdecimal() and number.isdecimal() and digest):
        raise CommandError("A noted end looks like 1:41:9f2c…, as `journey audit verify` prints it.")
    return int(workspace), Head(int(number), digest)
