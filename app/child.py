"""What the processes of `journey run` are: web, worker, feed. Started by the supervisor and told their settings by it.

Each loads its modules first and then reads one line of JSON from its standard input; when that input ends, it stops.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from app.process import loading
from app.settings import Settings, load

GRACE_SECONDS = 3
Told = dict[str, Any]


def main() -> int:
    """Load, be told, work."""
    # Ctrl-C reaches the whole group; who stops first is the supervisor's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with loading():
        work = {"web": _web, "worker": _worker, "feed": _feed}[sys.argv[1]]()
    line = sys.stdin.readline()
    if not line:
        return 0
    told: Told = json.loads(line)
    extra = told.pop("extra", {})
    threading.Thread(target=_end_with_supervisor, name="supervisor", daemon=True).start()
    return work(load(**told), extra)


def _end_with_supervisor() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _web() -> Callable[[Settings, Told], int]:
    import uvicorn

    from app import log
    from app.main import create_app
    from app.web.wire import BoundedHttp

    def work(settings: Settings, extra: Told) -> int:
        log.configure(settings.log_format, settings.log_level)
        config = uvicorn.Config(
            create_app(settings),
            fd=extra["listen"],
            loop="uvloop",
            http=BoundedHttp,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        uvicorn.Server(config).run()
        return 0

    return work


def _worker() -> Callable[[Settings, Told], int]:
    from app import worker
    from app.sink import diversion

    def work(settings: Settings, extra: Told) -> int:
        divert = diversion(extra["smtp_port"], extra["http_port"]) if settings.sink else None
        return worker.main(settings, worker.Making(divert=divert))

    return work


def _feed() -> Callable[[Settings, Told], int]:
    from app import log
    from app.demo import feed

    def work(settings: Settings, extra: Told) -> int:
        log.configure(settings.log_format, settings.log_level)
        return feed.run(settings, extra["write_key"])

    return work


if __name__ == "__main__":
    sys.exit(main())
