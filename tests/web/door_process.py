"""The ingest door as a process of its own, to be killed: give it DATABASE_URL and FAILPOINT, it prints its port."""

import socket
import sys

import uvicorn
from starlette.applications import Starlette

from app import auth, failpoints
from app.web.ingest import Door, ingest_routes
from app.web.wire import BoundedHttp


def main() -> None:
    door = Door(sys.argv[1], auth.identify)
    failpoints.arm(sys.argv[2] or None)
    door.start()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    print(listener.getsockname()[1], flush=True)  # noqa: T201
    app = Starlette(routes=list(ingest_routes(door)))
    config = uvicorn.Config(app, log_level="error", access_log=False, http=BoundedHttp, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])
    door.stop()


if __name__ == "__main__":
    main()
