"""A worker for the live benches: `python -m app.bench.hand DATABASE_URL`. Never part of the product."""

import sys

from app import settings, worker

if __name__ == "__main__":
    sys.exit(worker.main(settings.with_secret(settings.load(database_url=sys.argv[1], log_level="warning"))))
