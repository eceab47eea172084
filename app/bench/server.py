"""The ingest door alone behind uvicorn, for the accept bench: `python -m app.bench.server PORT DATABASE_URL`. Never the whole program."""

import hashlib
import sys
from datetime import datetime
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette

from app.database import Connection
from app.process import calm_gc
from app.web.ingest import Door, ingest_routes


class Holder(NamedTuple):
    """Who stands behind the bench's key."""

    workspace_id: int
    role: str


def identify(connection: Connection, key: str, now: datetime) -> Holder | None:
    """The key by its hash."""
    row = connection.execute(
        "SELECT workspace_id, role FROM key WHERE digest = %s AND revoked_at IS NULL AND created_at <= %s",
        (hashlib.sha256(key.encode()).hexdigest(), now),
    ).fetchone()
    return Holder(*row) if row else None


def main() -> None:
    """Serve until killed."""
    port, url = int(sys.argv[1]), sys.argv[2]
    door = Door(url, identify)
    door.start()
    app = Starlette(routes=list(ingest_routes(door)))
    config = uvicorn.Config(app, port=port, log_level="warning", access_log=False, lifespan="off")
    calm_gc()
    uvicorn.Server(config).run()
    door.stop()


if __name__ == "__main__":
    main()
