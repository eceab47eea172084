"""The audit log: every change that matters, by whom, as a chain of hashes that shows when a row was tampered with.

`record` stands in the transaction of the change itself, as its last statement where that can be: it holds the end of the
workspace's chain until the commit. Never a secret in `before` or `after`, never a whole document: say what changed.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from app.store import audit
from app.store.audit import Head, Row
from app.store.rows import Connection

Said = Mapping[str, Any] | None
PAGE = 1_000
LONGEST = 4_000  # letters of `before` or `after`; what is longer is kept as its hash
SECRETS = ("password", "secret", "token", "digest", "sealed", "hash_of_password")
SYSTEM = "system"  # the actor where nobody of the workspace did it


class Broken(NamedTuple):
    """The first row of a chain that is not as it was written, and what is wrong with it."""

    number: int
    why: str


class Verdict(NamedTuple):
    """What became of a look through a workspace's log: how many rows are sound, where it ends, what is broken."""

    sound: int
    head: Head | None
    broken: Broken | None


def record(
    connection: Connection,
    workspace_id: int,
    actor: str,
    what: str,
    about: str,
    before: Said,
    after: Said,
    now: datetime,
) -> None:
    """Keep that `actor` (`user:3`, `key:7`, `system`) did `what` (`journey.publish`) to `about` (`journey:12`)."""
    number, previous = audit.next_head(connection, workspace_id)
    row = Row(number, now.astimezone(UTC), actor, what, about, _text(before), _text(after), previous, "")
    audit.add(connection, workspace_id, row._replace(hash=digest(workspace_id, row)))


def verify(connection: Connection, workspace_id: int) -> Verdict:
    """Look through the whole log; the first row that was changed, taken out or put in is named."""
    sound, previous = 0, ""
    while rows := audit.after(connection, workspace_id, sound, PAGE):
        for row in rows:
            why = _wrong(workspace_id, row, sound + 1, previous)
            if why:
                return Verdict(sound, None, Broken(min(row.number, sound + 1), why))
            sound, previous = row.number, row.hash
    end = audit.head(connection, workspace_id)
    if (end or Head(0, "")) != Head(sound, previous):
        return Verdict(sound, end, Broken(sound + 1, "rows at the end are missing, or the noted end was changed"))
    return Verdict(sound, end, None)


def holds(connection: Connection, workspace_id: int, noted: Head) -> bool:
    """Whether a hash that was noted elsewhere still stands at its number: who rewrites all rows cannot rewrite the note."""
    rows = audit.after(connection, workspace_id, noted.number - 1, 1)
    return bool(rows) and rows[0].number == noted.number and rows[0].hash == noted.hash


def digest(workspace_id: int, row: Row) -> str:
    """The hash of a row and, through `previous`, of all before it."""
    parts = [workspace_id, row.number, row.at.astimezone(UTC).isoformat(timespec="microseconds"), row.actor, row.what]
    parts += [row.about, row.before, row.after, row.previous]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def _wrong(workspace_id: int, row: Row, expected: int, previous: str) -> str:
    if row.number != expected:
        return f"row {expected} is missing"
    if row.previous != previous:
        return "it does not follow the row before"
    return "" if row.hash == digest(workspace_id, row) else "its content is not what was recorded"


def _text(said: Said) -> str:
    if not said:
        return "{}"
    kept = {name: value for name, value in said.items() if name not in SECRETS}
    text = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    if len(text) <= LONGEST:
        return text
    return json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest(), "letters": len(text)})


def _plain(value: object) -> str | list[Any]:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
