"""How a process of ours behaves towards its own memory. Never touches the database."""

import gc


def calm_gc() -> None:
    """Let the cycle collector run rarely: batches are trees freed by reference counts, and walking 10,000 fresh members
    over and over to find no cycle cost a third of the blast. What was loaded until now is left out for good.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
