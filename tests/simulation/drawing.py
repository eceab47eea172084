"""How examples are drawn: from a seed, so that anybody can draw them again; how many, and whether a failing one is made small."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st

from tests.simulation.engine import Pace

Test = Callable[..., None]

QUICK = bool(os.environ.get("SIMULATE_QUICK"))  # a failing story as it was drawn, not made small
paces = st.builds(Pace, st.sampled_from((1, 1, 2, 5)), st.sampled_from((1, 130, 5_000)), st.booleans())
SEEDS = range(int(os.environ.get("SIMULATE_SEEDS", "20")))


def drawn(number: int, examples: int, **more: Any) -> Callable[[Test], Test]:
    """A property on that many examples of a seed; it may take as long as it takes."""
    profile = settings(
        **{
            "max_examples": examples,
            "deadline": None,
            "database": None,
            "print_blob": True,
            "suppress_health_check": list(HealthCheck),
            "phases": [Phase.generate] if QUICK else [Phase.generate, Phase.shrink],
            **more,
        }
    )
    return lambda test: seed(number)(profile(test))


def others(number: int, examples: int) -> tuple[int, int]:
    """Seed and number of examples for `make simulate`: other ones every day, or those of SIMULATE_FROM."""
    first = int(os.environ.get("SIMULATE_FROM", datetime.now(UTC).toordinal() * 1000))
    return first + number, int(os.environ.get("SIMULATE_EXAMPLES", examples))
