"""Segment's public tracking protocol: the JSON of track, identify, page, screen, group, alias and batch, turned into calls.

Strict: a wrong type, a missing id, an impossible time is a problem that names its field, and then nothing of the request is
taken. Unknown fields are ignored, as SDKs add their own. Never reads the clock: `received_at` is given.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from app.calls import Call
from app.strictjson import Problem, Refused, joined, load

KINDS = ("track", "identify", "page", "screen", "group", "alias")
NAME_AT_MOST = 200
ID_AT_MOST = 500  # four bytes a character still fit into one index entry
TIME_AT_MOST = 40
KEYS_AT_MOST = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(2201, 1, 1, tzinfo=UTC)
# A difference between `sentAt` and our clock below this is the way through the network, not a wrong clock.
SKEW = timedelta(seconds=5)
LEAP_SECOND = re.compile(r"(:\d\d):60")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
PHONE = re.compile(r"\+?[1-9]\d{6,14}")
PHONE_FILL = re.compile(r"[\s().-]|^tel:")
encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an event, a batch in bytes and a batch in events may be."""

    event_bytes: int = 32_768
    batch_bytes: int = 512_000
    batch_events: int = 5_000


class _Incoming(msgspec.Struct, rename="camel", gc=False):
    """One call as it comes in; ids may be numbers, as some clients send them."""

    type: str | None = None
    user_id: str | int | None = None
    anonymous_id: str | int | None = None
    previous_id: str | int | None = None
    group_id: str | int | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    timestamp: str | int | float | None = None
    original_timestamp: str | int | float | None = None
    sent_at: str | int | float | None = None
    message_id: str | int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A body that is JSON of the right outline: its calls are not looked into yet, because the key comes first."""

    kind: str  # of KINDS, or batch
    payload: dict[str, Any]
    write_key: str | None
    parts: list[bytes]

    def calls(self, workspace_id: int, received_at: datetime, limits: Limits) -> list[Call]:
        """All calls, in order; raises Refused with every field that is wrong."""
        if self.kind != "batch":
            return _read([self.payload], _Frame(workspace_id, received_at, None, "", self.kind))
        items = self.payload["batch"]
        _within(self.parts, limits)
        sent_at = self.payload.get("sentAt")
        return _read(items, _Frame(workspace_id, received_at, sent_at, "batch", ""))


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the calls of one request share; `path` is where they stand in the body."""

    workspace_id: int
    received_at: datetime
    sent_at: Any
    path: str
    kind: str

    def field(self, place: int, name: str) -> str:
        """The path of a field of the call at `place`."""
        where = joined(self.path, place) if self.path else ""
        return f"{where}.{name}" if where and name else where or name


def read(kind: str, body: bytes) -> Request:
    """The body of a request to `/v1/<kind>`; raises Refused."""
    payload, parts = load(body, "batch" if kind == "batch" else "")
    write_key = payload.get("writeKey")
    if write_key is not None and not isinstance(write_key, str):
        raise Refused(Problem("writeKey", "must be text"))
    if kind == "batch" and not isinstance(payload.get("batch"), list):
        raise Refused(Problem("batch", "must be a list of calls"))
    return Request(kind, payload, write_key, parts)


def _within(parts: Sequence[bytes], limits: Limits) -> None:
    if len(parts) > limits.batch_events:
        raise Refused(Problem("batch", f"holds more than {limits.batch_events} calls"), status=413)
    large = [place for place, part in enumerate(parts) if len(part) > limits.event_bytes]
    if large:
        message = f"is larger than {limits.event_bytes} bytes"
        raise Refused(*(Problem(f"batch[{place}]", message) for place in large), status=413)


def _read(items: list[Any], frame: _Frame) -> list[Call]:
    try:
        incoming = msgspec.convert(items, list[_Incoming])
    except msgspec.ValidationError:
        raise Refused(*_wrong_types(items, frame)) from None
    try:
        ahead = _ahead(frame.sent_at, frame.received_at)
    except _Wrong as wrong:
        raise Refused(Problem(wrong.field, wrong.message)) from None
    calls, problems = [], []
    for place, one in enumerate(incoming):
        try:
            calls.append(_call(one, frame, ahead))
        except _Wrong as wrong:
            problems.append(Problem(frame.field(place, wrong.field), wrong.message))
    if problems:
        raise Refused(*problems)
    return calls


def _wrong_types(items: list[Any], frame: _Frame) -> Iterator[Problem]:
    for place, item in enumerate(items):
        try:
            msgspec.convert(item, _Incoming)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            message = message.replace("`", "").replace("Expected", "must be").replace("object", "an object")
            yield Problem(frame.field(place, path.strip("`.")), message)


class _Wrong(Exception):
    """A field of one call that cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def _call(one: _Incoming, frame: _Frame, ahead: timedelta | None) -> Call:
    kind = frame.kind or one.type
    if kind not in KINDS:
        raise _Wrong("type", f"must be one of {', '.join(KINDS)}")
    user_id, anonymous_id = _id(one.user_id, "userId"), _id(one.anonymous_id, "anonymousId")
    previous_id = email = phone = None
    name = kind
    if kind == "track":
        name, values = _event(one.event), one.properties
    elif kind == "identify":
        values = one.traits
        email, phone = _email(values), _phone(values)
    elif kind == "alias":
        previous_id, values = _aliased(one, user_id)
    else:
        values = _group(one) if kind == "group" else _page(one)
    if user_id is None and anonymous_id is None:
        raise _Wrong("userId", "is missing, and so is anonymousId; one of them is needed")
    if one.sent_at is not None:
        ahead = _ahead(one.sent_at, frame.received_at)
    return Call(
        frame.workspace_id,
        kind if kind in ("identify", "alias") else "track",
        name,
        user_id,
        anonymous_id,
        previous_id,
        email,
        phone,
        _when(one, frame.received_at, ahead),
        frame.received_at,
        _text(values, kind),
        _digest(one.message_id),
    )


def _id(value: str | int | None, field: str) -> str | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else str(value)
    if len(text) > ID_AT_MOST:
        raise _Wrong(field, f"is longer than {ID_AT_MOST} characters")
    return text


def _event(name: str | None) -> str:
    if not name or not name.strip():
        raise _Wrong("event", "is missing: a track call names its event")
    if len(name) > NAME_AT_MOST:
        raise _Wrong("event", f"is longer than {NAME_AT_MOST} characters")
    return name


def _aliased(one: _Incoming, user_id: str | None) -> tuple[str, dict[str, Any]]:
    previous = _id(one.previous_id, "previousId")
    if previous is None:
        raise _Wrong("previousId", "is missing: an alias names the id that is given up")
    if user_id is None:
        raise _Wrong("userId", "is missing: an alias names the id that is kept")
    return previous, {"previousId": previous, "userId": user_id}


def _group(one: _Incoming) -> dict[str, Any]:
    group = _id(one.group_id, "groupId")
    if group is None:
        raise _Wrong("groupId", "is missing: a group call names its group")
    return {**(one.traits or {}), "groupId": group}


def _page(one: _Incoming) -> dict[str, Any]:
    given = {"name": one.name, "category": one.category}
    return {**{key: value for key, value in given.items() if value is not None}, **(one.properties or {})}


def _text(values: Mapping[str, Any] | None, kind: str) -> str:
    if not values:
        return "{}"
    text = encode(values).decode()
    if text.count(":") > KEYS_AT_MOST and _keys(values) > KEYS_AT_MOST:
        raise _Wrong(
            "traits" if kind in ("identify", "group") else "properties", f"holds more than {KEYS_AT_MOST} keys"
        )
    return text


def _keys(value: Any) -> int:
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            count += len(one)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return count


def _digest(message_id: str | int | None) -> str | None:
    if message_id is None or message_id == "":
        return None
    text = str(_id(message_id, "messageId"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _ahead(sent_at: Any, received_at: datetime) -> timedelta | None:
    """How far our clock is ahead of the client's, as Segment has it: received minus sent; None if there is nothing to mend."""
    if sent_at is None:
        return None
    if not isinstance(sent_at, str | int | float) or isinstance(sent_at, bool):
        raise _Wrong("sentAt", "must be a time")
    difference = received_at - _instant(sent_at, "sentAt")
    return difference if abs(difference) > SKEW else None


def _when(one: _Incoming, received_at: datetime, ahead: timedelta | None) -> datetime:
    given, field = one.timestamp, "timestamp"
    if given is None:
        given, field = one.original_timestamp, "originalTimestamp"
    if given is None:
        return received_at
    at = _instant(given, field)
    if ahead is not None and at + ahead >= EPOCH:
        at += ahead
    # What has not happened yet cannot have been received: a clock that runs ahead.
    return min(at, received_at)


def _instant(value: str | float, field: str) -> datetime:
    try:
        at = _parsed(value) if isinstance(value, str) else datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise _Wrong(field, "must be a time, such as 2026-11-21T09:30:00Z, or milliseconds since 1970") from None
    if at < EPOCH or at >= END_OF_TIME:
        raise _Wrong(field, "lies before 1970 or after 2200")
    return at


def _parsed(text: str) -> datetime:
    if len(text) > TIME_AT_MOST:
        raise ValueError("too long for a time")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.fromisoformat(LEAP_SECOND.sub(r"\1:59", text.upper()))
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _email(traits: Mapping[str, Any] | None) -> str | None:
    """The address as an identity, or None: one that is odd stays an attribute."""
    value = traits.get("email") if traits else None
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if len(text) <= 320 and EMAIL.fullmatch(text) else None


def _phone(traits: Mapping[str, Any] | None) -> str | None:
    return phone_of(traits.get("phone")) if traits else None


def phone_of(value: object) -> str | None:
    """A phone number as an identity: digits, with + where the country is said; None for what is no number."""
    value = str(value) if type(value) is int else value
    text = PHONE_FILL.sub("", value.strip()) if isinstance(value, str) and len(value) <= 40 else ""
    text = "+" + text[2:] if text.startswith("00") else text
    return text if PHONE.fullmatch(text) else None
