"""Addresses of people who were erased, known again by their hash when somebody brings them back. Keeps no address."""

from collections.abc import Sequence

from app.keys import address_digest
from app.store import suppressions
from app.store.outbox import Claimed
from app.store.rows import Connection


def marked(connection: Connection, secret: bytes, claimed: Sequence[Claimed]) -> list[Claimed]:
    """The messages, each with the reason why its address gets nothing, where it belonged to somebody erased."""
    if not claimed or not suppressions.any_erased(connection):
        return list(claimed)
    digests = {one.id: address_digest(secret, one.workspace_id, one.recipient or "") for one in claimed}
    found = suppressions.erased(connection, [(one.workspace_id, digests[one.id]) for one in claimed])
    return [one._replace(erased=found.get((one.workspace_id, digests[one.id]))) for one in claimed]
