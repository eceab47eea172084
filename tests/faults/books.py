"""The laws that hold after every fault (RELIABILITY §4, invariants): counted anew from the rows, compared with the books."""

import json
from collections import Counter
from typing import Any

from app.database import Connection, transaction

ENDS = {1: "completed", 2: "exited", 3: "failed"}


def check(connection: Connection, *, accepted: int, emitted: int = 0) -> None:
    """I1-I6 and I15 over what the tables hold. `accepted` letters came in from outside, `emitted` from within."""
    with transaction(connection):
        _letters(connection, accepted + emitted)
        _journeys(connection)
        _walks(connection)
        _messages(connection)
        _timers(connection)


def _rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()  # type: ignore[arg-type]


def _letters(connection: Connection, came: int) -> None:
    """I5: accepted = queued + processed + put aside; no event twice."""
    ((queued, processed, aside),) = _rows(
        connection, "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM event), (SELECT count(*) FROM dead)"
    )
    assert queued + processed + aside == came, f"I5: {queued} queued, {processed} processed, {aside} aside of {came}"
    assert not _rows(connection, "SELECT id FROM event GROUP BY id HAVING count(*) > 1"), "I5: an event twice"


def _journeys(connection: Connection) -> None:
    """I1: entered = active + completed + exited + failed, by the rows and by the tallies (I15)."""
    booked = Counter[tuple[int, str]]()
    for version, port, count in _rows(
        connection,
        "SELECT version_id, port, sum(count)::bigint FROM (SELECT version_id, node, port, count FROM tally UNION ALL"
        " SELECT version_id, node, port, count FROM tally_hour) AS every"
        " WHERE node = '' AND left(port, 1) <> '!' GROUP BY 1, 2",
    ):
        booked[version, port] = count
    found = Counter[tuple[int, str]]()
    for version, status, count in _rows(
        connection, "SELECT version_id, status, count(*) FROM enrollment GROUP BY 1, 2"
    ):
        found[version, "entered"] += count
        if status in ENDS:
            found[version, ENDS[status]] += count
    assert +booked == +found, f"I1, I15: the books say {booked}, the rows say {found}"


def _walks(connection: Connection) -> None:
    """I3: walks are numbered without gap or repeat, and every counted move stands in a trail (I15)."""
    for enrollment, walks, numbers in _rows(
        connection,
        "SELECT e.id, e.walks, array_agg(t.walk ORDER BY t.walk) FROM enrollment e JOIN trail t"
        " ON t.workspace_id = e.workspace_id AND t.lane = e.lane AND t.enrollment_id = e.id GROUP BY e.id, e.walks",
    ):
        assert numbers == list(range(1, walks + 1)), f"I3: enrollment {enrollment} walked {numbers} of {walks}"
    told = Counter[tuple[int, str, str]]()
    for version, steps in _rows(
        connection,
        "SELECT e.version_id, t.steps FROM enrollment e JOIN trail t"
        " ON t.workspace_id = e.workspace_id AND t.lane = e.lane AND t.enrollment_id = e.id",
    ):
        for node, *rest in json.loads(steps):
            if rest and rest[0]:
                told[version, node, rest[0]] += 1
    booked = Counter[tuple[int, str, str]]()
    for version, node, port, count in _rows(
        connection,
        "SELECT version_id, node, port, sum(count)::bigint FROM (SELECT version_id, node, port, count FROM tally UNION ALL"
        " SELECT version_id, node, port, count FROM tally_hour) AS every"
        " WHERE node <> '' AND port <> '' AND left(port, 1) <> '!'"
        " GROUP BY 1, 2, 3",
    ):
        booked[version, node, port] = count
    assert booked == told, f"I15: moves booked and not told {booked - told}, told and not booked {told - booked}"


def _messages(connection: Connection) -> None:
    """I4: at most one message for each enrollment, node and visit, of a known status."""
    twice = _rows(
        connection,
        "SELECT workspace_id, enrollment_id, node, visit, channel FROM message GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1",
    )
    assert not twice, f"I4: {twice}"
    assert not _rows(connection, "SELECT id FROM message WHERE status NOT BETWEEN 0 AND 6"), "I4: unknown status"


def _timers(connection: Connection) -> None:
    """I2, I6, I10: who is over has no timer; never two places of one journey, contact and key at a time."""
    assert not _rows(connection, "SELECT id FROM enrollment WHERE status IN (1, 2, 3) AND wake_at IS NOT NULL"), "I6"
    twice = _rows(
        connection,
        "SELECT contact_id, journey_id, key FROM enrollment WHERE status IN (0, 4) GROUP BY 1, 2, 3 HAVING count(*) > 1",
    )
    assert not twice, f"I10: {twice}"
