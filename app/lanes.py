"""A contact's lane: a number that never changes and anybody can compute; and the size of a block of ids. Never a query."""

from zlib import crc32

LANES = 64
# Ids of hot rows come in blocks: a batch takes all it needs in one statement, whatever its size.
BLOCK = 1000
ALL_LANES = tuple(range(LANES))


def lane_of(workspace_id: int, contact_id: int) -> int:
    """The lane, 0…63, of a contact: crc32 of `workspace/contact` modulo 64 (stored on every hot row)."""
    return crc32(b"%d/%d" % (workspace_id, contact_id)) % LANES
