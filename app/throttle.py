"""How often somebody may try to sign in: by address and by net, with growing waits and never a lock for good (T12).

Five wrong tries close an account's door for the rest of a quarter of an hour; each window that is filled makes the next twice
as long, up to a day. The right password, or a day of peace, and it begins anew. A sign-in link is never kept waiting.

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
LONGEST = timedelta(hours=24)  # the window of an account doubles with every full one, up to this
REMEMBERED = timedelta(hours=24)  # after so long without a try it begins anew
MOST_LEVELS = 7  # 15 minutes doubled so often are more than a day
PER_ACCOUNT, PER_NET = 5, 20
WAITS = (0, 0, 1, 2, 4)  # seconds after so many failures of an account before the next try is looked at
PREFIX = "jc:tries:"
# Both buckets are asked and counted in one step, as `_now` and `_wait` do it. Only accounts (the first key) grow their windows:
# behind a net may be a whole office. The time is the caller's; Valkey's own clock only clears away.
SCRIPT = """
local now, base, longest, kept = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local wait, found = 0, {}
for i, key in ipairs(KEYS) do
  local held = redis.call('HMGET', key, 'n', 'since', 'last', 'level')
  local n, since = tonumber(held[1] or '0'), tonumber(held[2] or '0')
  local last, level = tonumber(held[3] or '0'), tonumber(held[4] or '0')
  local most = tonumber(ARGV[5 + i])
  local length = math.min(base * 2 ^ level, longest)
  if now >= since + length then
    if n < most or now >= since + length + kept or i > 1 then level = 0 else level = math.min(level + 1, tonumber(ARGV[5])) end
    n, since = 0, now
    length = math.min(base * 2 ^ level, longest)
  end
  if n >= most then
    wait = math.max(wait, since + length - now)
  elseif i == 1 and n > 0 then
    wait = math.max(wait, last + tonumber(ARGV[7 + n + 1]) * 1000 - now)
  end
  found[i] = {n, since, level}
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  local n, since, level = found[i][1], found[i][2], found[i][3]
  redis.call('HSET', key, 'n', n + 1, 'since', since, 'last', now, 'level', level)
  redis.call('PEXPIRE', key, longest + kept)
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
    known = tries.locked(connection, found.names())
    account, net = _now(known[found.account], PER_ACCOUNT, now), _now(known[found.net], PER_NET, now, grows=False)
    wait = max(_wait(account, PER_ACCOUNT, now, WAITS), _wait(net, PER_NET, now, ()))
    if wait <= 0:
        counted = {found.account: account, found.net: net}
        tries.keep(
            connection, {name: one._replace(tries=one.tries + 1, last=now) for name, one in sorted(counted.items())}
        )
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
    spans = [int(span.total_seconds() * 1000) for span in (WINDOW, LONGEST, REMEMBERED)]
    answer = valkey.eval(
        SCRIPT, 2, *keys, int(now.timestamp() * 1000), *spans, MOST_LEVELS, PER_ACCOUNT, PER_NET, *WAITS
    )
    return -(-int(answer) // 1000)


def _length(level: int) -> timedelta:
    return min(WINDOW * (1 << level), LONGEST)


def _now(known: tries.Tries, most: int, now: datetime, *, grows: bool = True) -> tries.Tries:
    """The window that is open now: the one known, or a new one; after a full one it is longer."""
    over = known.since + _length(known.level)
    if now < over:
        return known
    full = grows and known.tries >= most and now < over + REMEMBERED
    return tries.Tries(0, now, known.last, min(known.level + 1, MOST_LEVELS) if full else 0)


def _wait(open_: tries.Tries, most: int, now: datetime, waits: Sequence[int]) -> int:
    until = now
    if open_.tries >= most:
        until = open_.since + _length(open_.level)
    elif open_.tries and waits:
        until = open_.last + timedelta(seconds=waits[open_.tries])
    return -int((now - until).total_seconds() // 1) if until > now else 0
