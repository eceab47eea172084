"""Node types with bad manners, which no catalogue should hold: for tests of what the engine does about them."""

import time

from flows.contract import Batch, NodeSettings, NodeType, Outcome


class Settings(NodeSettings):
    """Whom it strikes: contacts whose number is divisible by `every`; how long it dawdles over them."""

    every: int = 1000
    seconds: float = 0.0


def _raise(batch: Batch) -> Outcome:
    if any(one.contact % batch.settings.every == 0 for one in batch.members):
        raise ZeroDivisionError("a stranger's bug")
    return Outcome(go={"next": [one.id for one in batch.members]})


def _dawdle(batch: Batch) -> Outcome:
    if any(one.contact % batch.settings.every == 0 for one in batch.members):
        time.sleep(batch.settings.seconds)
    return Outcome(go={"next": [one.id for one in batch.members]})


def _summary(settings: Settings) -> str:
    return f"every {settings.every}"


ODD = (
    NodeType("odd.raise", 1, "Raises", "flow", Settings, ("next",), _summary, _raise),
    NodeType("odd.dawdle", 1, "Dawdles", "flow", Settings, ("next",), _summary, _dawdle),
)
