"""The web process as it is, for benches: `python -m app.bench.server PORT DATABASE_URL`. Never part of the product."""

import secrets
import sys

import uvicorn
from pydantic import SecretStr

from app.main import create_app
from app.process import calm_gc
from app.settings import Settings
from app.web.wire import BoundedHttp


def main() -> None:
    """Serve until killed."""
    settings = Settings(
        _env_file=None, port=int(sys.argv[1]), database_url=sys.argv[2], secret=SecretStr(secrets.token_hex(32))
    )
    app = create_app(settings)
    config = uvicorn.Config(app, port=settings.port, log_level="warning", access_log=False, http=BoundedHttp)
    calm_gc()
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
