"""A slice of `make frequency`: no cap and no quiet hour is broken, in any zone, around changes of the clock."""

from app.store.rows import Connection
from tests.simulation import frequency


def test_20_000_messages_in_all_zones_break_no_cap_and_no_quiet_hour_p11(connection: Connection) -> None:
    gone, broken = frequency.run(connection, 20_000, seed=7)
    assert gone >= 20_000
    assert broken == []
