"""Finding the one row that makes a stage's batch fail, while everybody else goes on. Pure bookkeeping: runs and writes nothing.

A failed batch is quartered by lanes, then its lane taken in ever smaller bites, until the bad row stands alone at the head of
its lane; after `TRIES` failures it is to be put aside (P15). Lanes that are not under suspicion keep their full batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

TRIES = 5
PARTS = 4
CLEARED_AFTER = 2  # bites of one size that went down well: the failure was not the next row's doing
WAIT_SECONDS = 0.2
DOUBLINGS = 7  # half a minute at most
SMALLEST = 1 / 64
# A fault of our own would make every row look bad; this many are believed, then only half as many as go well.
BELIEVED = 20
BELIEVED_SHARE = 2


@dataclass(slots=True)
class Bite:
    """A batch to try: these lanes, at most so many rows. `fails` counts the failures since the last row put aside."""

    lanes: tuple[int, ...]
    limit: int
    suspect: bool = False
    fails: int = 0
    passes: int = 0
    ready_at: float = 0.0


@dataclass(slots=True)
class Triage:
    """What one stage knows of its troubles. `share`: how much of a full batch is tried, less after one was cut off."""

    suspects: list[Bite] = field(default_factory=list)
    well: int = 0
    aside: int = 0
    share: float = 1.0

    def bites(self, lanes: Sequence[int], limit: int, at: float) -> list[Bite]:
        """What to run now: one large batch over the lanes above suspicion, and each suspect whose turn it is."""
        mine = set(lanes)
        for bite in self.suspects:
            bite.lanes = tuple(lane for lane in bite.lanes if lane in mine)
        self.suspects = [bite for bite in self.suspects if bite.lanes]
        suspected = {lane for bite in self.suspects for lane in bite.lanes}
        clear = tuple(lane for lane in lanes if lane not in suspected)
        due = [bite for bite in self.suspects if bite.ready_at <= at]
        return [Bite(clear, max(1, int(limit * self.share))), *due] if clear else due

    def passed(self, bite: Bite, taken: int) -> None:
        """The batch went down well."""
        self.well += taken
        self.share = min(1.0, self.share * 2)
        if not bite.suspect:
            return
        bite.passes += 1
        if len(bite.lanes) > 1 or taken < bite.limit or bite.passes >= CLEARED_AFTER:
            self.suspects.remove(bite)

    def cut_off(self) -> None:
        """The session ended in the middle of a batch; if it was for being slow, a smaller one may come through."""
        self.share = max(SMALLEST, self.share / 2)

    def failed(self, bite: Bite, at: float) -> bool:
        """The batch failed: look closer. True if it is down to one row that has had its tries."""
        if bite.suspect:
            self.suspects.remove(bite)
        fails = bite.fails + 1
        if len(bite.lanes) > 1:
            size = -(-len(bite.lanes) // PARTS)
            for start in range(0, len(bite.lanes), size):
                part = bite.lanes[start : start + size]
                self.suspects.append(Bite(part, max(len(part), bite.limit // PARTS), True, fails))
            return False
        alone = bite.limit == 1
        late = min(fails - TRIES, DOUBLINGS) if alone else 0
        wait = WAIT_SECONDS * 2**late if late > 0 else 0.0
        self.suspects.append(Bite(bite.lanes, max(1, bite.limit // PARTS), True, fails, ready_at=at + wait))
        return alone and fails >= TRIES and self.believable

    @property
    def believable(self) -> bool:
        """Whether one more bad row is likelier than a fault of the stage itself."""
        return self.aside < BELIEVED or self.aside * BELIEVED_SHARE < self.well

    def put_aside(self, lane: int) -> None:
        """The bad row of this lane is out of the way."""
        self.aside += 1
        self.suspects = [bite for bite in self.suspects if lane not in bite.lanes]
