"""How often somebody may try to sign in: by address and by net, with growing waits and never a lock for good (T12).

A try is counted before it is looked at, so that a hundred at once are no way around. Valkey counts; without it the database
does. Never says whether an address is known: what is unknown is counted alike.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from app.hints import Hints
from app.store import tries
from app.store.rows import Connection

WINDOW = timedelta(minutes=15)
PER_ACCOUNT, PER_NET = 5, 20
WAITS = (0, 0, 1, 2, 4)  # seconds after so many failures of an account before the next try is looked at
PREFIX = "jc:tries:"
# Both buckets are asked and counted in one step. An entry forgets itself a window after its first try.
SCRIPT = """
local now = tonumber(ARGV[1])
local wait = 0
for i, key in ipairs(KEYS) do
  local n = tonumber(redis.call('HGET', key, 'n') or '0')
  local most = tonumber(ARGV[1 + i])
  if n >= most then
    wait = math.max(wait, redis.call('PTTL', key))
  elseif i == 1 and n > 0 then
    local pause = tonumber(ARGV[3 + n + 1]) * 1000
    wait = math.max(wait, tonumber(redis.call('HGET', key, 'last')) + pause - now)
  end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  if redis.call('HINCRBY', key, 'n', 1) == 1 then redis.call('PEXPIRE', key, ARGV[#ARGV]) end
  redis.call('HSET', key, 'last', now)
end
return 0
"""
GIVE_BACK = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('HINCRBY', KEYS[1], 'n', -1) end return 0"


@dataclass(frozen=True, slots=True)
class Buckets:
    """What a try is counted in."""

    account: str
    net: str

    def names(self) -> tuple[str, str]:
        """Account first."""
        return self.account, self.net


def buckets(email: str, address: str) -> Buckets:
    """The buckets of a try. Addresses are kept as hashes: what people type by mistake may be a password."""
    name = hashlib.sha256(email.strip().lower().encode()).hexdigest()[:32]
    return Buckets(f"account:{name}", f"net:{net_of(address)}")


def net_of(address: str) -> str:
    """The net of an address: an IPv4 address itself, the /64 of an IPv6 one."""
    try:
        known = ip_address(address)
    except ValueError:
        return "unknown"
    return str(known) if known.version == 4 else str(ip_network(f"{known}/64", strict=False))


def take(hints: Hints, connection: Connection, found: Buckets, now: datetime) -> int:
    """Count a try; the seconds to wait before the next one is looked at, 0 where this one is."""
    answer = hints.call(lambda valkey: _ask(valkey, found, now), None)
    if answer is not None:
        return answer
    known = tries.locked(connection, found.names(), now - WINDOW)
    wait = max(_wait(known.get(found.account), PER_ACCOUNT, now, WAITS), _wait(known.get(found.net), PER_NET, now, ()))
    if wait <= 0:
        tries.count(connection, found.names(), now, now - WINDOW)
    return max(wait, 0)


def forgive(hints: Hints, connection: Connection, found: Buckets) -> None:
    """It was the right password: the account starts anew, the net gets its try back."""

    def give(valkey: Any) -> bool:
        valkey.delete(PREFIX + found.account)
        valkey.eval(GIVE_BACK, 1, PREFIX + found.net)
        return True

    hints.call(give, False)
    tries.forgive(connection, found.account, found.net)


def _ask(valkey: Any, found: Buckets, now: datetime) -> int:
    keys = [PREFIX + name for name in found.names()]
    window = int(WINDOW.total_seconds() * 1000)
    answer = valkey.eval(SCRIPT, 2, *keys, int(now.timestamp() * 1000), PER_ACCOUNT, PER_NET, *WAITS, window)
    return -(-int(answer) // 1000)


def _wait(known: tries.Tries | None, most: int, now: datetime, waits: Sequence[int]) -> int:
    if known is None:
        return 0
    until = known.since + WINDOW if known.tries >= most else known.last
    if known.tries < most and waits:
        until = known.last + timedelta(seconds=waits[min(known.tries, len(waits) - 1)])
    return -int((now - until).total_seconds() // 1) if until > now else 0
