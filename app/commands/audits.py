"""`audit verify`: whether the audit log is as it was written. Reads only; names the first broken row."""

from collections.abc import Iterator
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
    """Look through every workspace's log; `noted`: an end (`workspace:number:hash`) that this printed at another time."""
    wanted = _read(noted) if noted else None
    with workplace(settings) as (_placed, connection):
        known = rows.workspaces(connection)
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
        if wanted is not None and not audit.holds(connection, *wanted):
            yield Line(False, f"workspace {wanted[0]}: row {wanted[1].number} is not the one that was noted.")


def _read(noted: str) -> tuple[int, Head]:
    workspace, _, rest = noted.partition(":")
    number, _, digest = rest.partition(":")
    if not (workspace.isdecimal() and number.isdecimal() and digest):
        raise CommandError("A noted end looks like 1:41:9f2c…, as `journey audit verify` prints it.")
    return int(workspace), Head(int(number), digest)
