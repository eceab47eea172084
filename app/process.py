"""How a process of ours behaves towards its own memory. Never touches the database."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def calm_gc() -> None:
    """Let the cycle collector run rarely: batches are trees freed by reference counts, and walking 10,000 fresh members
    over and over to find no cycle cost a third of the blast. What was loaded until now is left out for good.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


@contextmanager
def loading() -> Iterator[None]:
    """For the start, while modules are loaded: none of that is ever garbage, and looking for some takes a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
