"""Which contacts a sender holds while its calls to them are out, so that an opt-out waits for them (P10). Never decides."""

from collections import Counter
from collections.abc import Iterable, Mapping

from app.store import holding
from app.store.rows import Connection


class Held:
    """The messages that are out, by their numbers in the batch, and the contacts that are held for them."""

    def __init__(self) -> None:
        self._out: dict[int, int] = {}
        self._locked: set[int] = set()

    def over(self, numbers: Iterable[int]) -> None:
        """These are not out any more, or never were; their contacts are let go with the next `take`."""
        for number in numbers:
            self._out.pop(number, None)

    def take(self, connection: Connection, wished: Mapping[int, int]) -> set[int]:
        """Hold the contacts of messages that are about to go out; returns the numbers of those that may be asked for.

        The others' contacts are opting out at this moment.
        """
        busy = Counter(self._out.values())
        gone = {contact for contact in self._locked if not busy[contact]}
        kept = self._locked - gone
        got = holding.hold(connection, set(wished.values()) - kept, gone)
        self._locked = kept | got
        free = {number for number, contact in wished.items() if contact in self._locked}
        self._out.update((number, wished[number]) for number in free)
        return free

    def let_go(self, connection: Connection) -> None:
        """Nothing is out any more."""
        if self._locked:
            holding.hold(connection, (), self._locked)
        self._out, self._locked = {}, set()
