"""A worker for the live benches: `python -m app.bench.hand`, settings out of the environment. Never part of the product."""

import sys

from app import settings, worker

if __name__ == "__main__":
    sys.exit(worker.main(settings.with_secret(settings.load())))
