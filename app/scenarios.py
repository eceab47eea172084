"""Scenarios: semantics by example (`journey test FILE…`). Reads a file, lives it in a world, says what came out otherwise."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import yaml

from app.database import transaction
from app.store import consents, scratch
from app.store.rows import Connection
from app.world import World
from flows.contract import NodeType

Json = Any
STATUS = ("active", "completed", "exited", "failed", "active")
MESSAGE_STATUS = ("pending", "sending", "sent", "failed", "suppressed", "expired", "unknown", "deferred")


class ScenarioError(Exception):
    """The file is not a list of scenarios; the text names the scenario and the field."""


def load(text: str) -> list[dict[str, Json]]:
    """The scenarios of a file."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioError(f"not YAML: {error}") from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ScenarioError("a file holds a list of scenarios, each with name, journeys, timeline, until and expect")
    for one in found:
        for field in ("name", "journeys", "timeline", "until", "expect"):
            if field not in one:
                raise ScenarioError(f"{one.get('name', 'a scenario')!r} lacks {field!r}")
    return found


def run(connection: Connection, catalog: Mapping[str, NodeType], scenario: Mapping[str, Json]) -> list[str]:
    """Live one scenario on an emptied scratch database; returns the differences, none when all came as expected."""
    with transaction(connection):
        scratch.empty(connection)
    timeline = scenario["timeline"]
    start = min([moment(step["at"]) for step in timeline] or [moment(scenario["until"])])
    zone = scenario.get("defaults", {}).get("timezone", "UTC")
    world = World(connection, catalog, timezone=zone, start=start)
    journeys: dict[str, int] = {}
    for name, one in scenario["journeys"].items():
        journeys[name] = world.publish(name, _numbered(one["document"], journeys))
    _introduce(world, scenario.get("contacts") or {}, start)
    for step in timeline:
        at = moment(step["at"])
        world.until(at, including=False)
        _take(world, journeys, step, at)
        world.still()
    world.until(moment(scenario["until"]))
    with transaction(connection):
        return list(_differences(world, journeys, scenario["expect"]))


def _numbered(document: Mapping[str, Json], journeys: Mapping[str, int]) -> dict[str, Json]:
    """A document whose season names the journeys it overrides as the file does: by name, those that stand before it."""
    settings = dict(document.get("settings") or {})
    season = settings.get("season")
    if season and season.get("journeys"):
        named = [journeys.get(one, one) for one in season["journeys"]]
        settings["season"] = {**season, "journeys": named}
    return {**document, "settings": settings} if settings else dict(document)


def moment(text: str | datetime) -> datetime:
    """An instant; scenarios write ISO 8601 with an offset."""
    at = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ScenarioError(f"{text!r} needs an offset, such as +08:00 or Z")
    return at


def _introduce(world: World, contacts: Mapping[str, Json], start: datetime) -> None:
    """Make the people who are there before anything happens."""
    known = []
    for user, about in contacts.items():
        traits = dict((about or {}).get("attributes") or {})
        if zone := (about or {}).get("timezone"):
            traits["timezone"] = zone
        known.append({"type": "identify", "userId": user, "traits": traits})
    if known:
        world.accept(known, at=start)
        world.still()
    with transaction(world.connection):
        scratch.give(
            world.connection,
            world.workspace_id,
            {
                user: ((about or {}).get("tags") or [], (about or {}).get("consents") or {})
                for user, about in contacts.items()
            },
        )


def _take(world: World, journeys: dict[str, int], step: Mapping[str, Json], at: datetime) -> None:
    """One step of the timeline."""
    if track := step.get("track"):
        world.accept([_track(track, at)], at=at)
    elif identify := step.get("identify"):
        world.accept([{"type": "identify", **_who(identify), "traits": identify.get("traits") or {}}], at=at)
    elif alias := step.get("alias"):
        world.accept([{"type": "alias", "previousId": alias["previous"], "userId": alias["user"]}], at=at)
    elif enroll := step.get("enroll"):
        context = enroll.get("context") or {}
        world.enroll(journeys[enroll["journey"]], enroll["user"], context, f"{at.isoformat()}/{enroll['user']}")
    elif publish := step.get("publish"):
        name = publish["journey"]
        journeys[name] = world.publish(name, _numbered(publish["document"], journeys), journeys.get(name))
    elif optout := step.get("optout"):
        with transaction(world.connection):
            consents.opt_out(
                world.connection,
                world.workspace_id,
                optout["user"],
                channel=optout["channel"],
                purpose=optout["purpose"],
                now=at,
            )
    else:
        raise ScenarioError(f"{sorted(step)} is no step: track, identify, alias, enroll, publish or optout")


def _track(track: Mapping[str, Json], at: datetime) -> dict[str, Json]:
    payload = {
        "type": "track",
        "event": track["event"],
        "properties": track.get("properties") or {},
        "timestamp": moment(track.get("timestamp", at)).isoformat(),
        **_who(track),
    }
    return {**payload, "messageId": track["id"]} if "id" in track else payload


def _who(about: Mapping[str, Json]) -> dict[str, str]:
    names = {"user": "userId", "anonymous": "anonymousId"}
    return {field: about[name] for name, field in names.items() if name in about}


def _differences(world: World, journeys: Mapping[str, int], expect: Mapping[str, Json]) -> Iterator[str]:
    users = scratch.users(world.connection, world.workspace_id)
    for name, journey in journeys.items():
        happened = scratch.walks(world.connection, world.workspace_id, journey)
        by_user: dict[str, list[dict[str, Json]]] = {}
        for walk in happened:
            by_user.setdefault(users.get(walk["contact_id"], f"contact {walk['contact_id']}"), []).append(_shown(walk))
        if name in expect:
            yield from _compare(name, expect[name] or {}, by_user)
    if "messages" in expect:
        yield from _compare_list("messages", expect["messages"], _messages(world, users))
    for user, tags in (expect.get("tags") or {}).items():
        have = scratch.tags(world.connection, world.workspace_id, user)
        if sorted(tags) != sorted(have):
            yield f"tags of {user}: expected {sorted(tags)}, got {sorted(have)}"


def _messages(world: World, users: Mapping[int, str]) -> list[dict[str, Json]]:
    found = [
        {**one, "user": users.get(one["contact_id"], "?"), "status": MESSAGE_STATUS[one["status"]]}
        for one in scratch.messages(world.connection, world.workspace_id)
    ]
    return sorted(found, key=lambda one: (one["at"], one["user"]))


def _shown(walk: Mapping[str, Json]) -> dict[str, Json]:
    """A walk as scenarios speak of it: path, times by node, status, reason, key, waiting."""
    path: list[str] = []
    times: dict[str, datetime] = {}
    for number, (at, steps) in enumerate(walk["trail"]):
        for place, step in enumerate(steps):
            if number and not place:
                continue  # the first step of a later walk leaves the node where the last one came to rest
            path.append(step[0])
            times.setdefault(step[0], at)
    return {
        "path": path,
        "at": times,
        "status": STATUS[walk["status"]],
        "reason": walk["reason"],
        "key": walk["key"],
        "waiting": walk["node"] if STATUS[walk["status"]] == "active" else None,
    }


def _compare(name: str, expected: Mapping[str, Json], happened: Mapping[str, list[dict[str, Json]]]) -> Iterator[str]:
    for user in sorted({*expected, *happened}):
        yield from _compare_list(f"{name}.{user}", expected.get(user) or [], happened.get(user, []))


def _compare_list(where: str, expected: list[dict[str, Json]], happened: list[dict[str, Json]]) -> Iterator[str]:
    if len(expected) != len(happened):
        yield f"{where}: expected {len(expected)}, got {len(happened)}: {[_brief(one) for one in happened]}"
        return
    for number, (want, have) in enumerate(zip(expected, happened, strict=True)):
        for field, value in want.items():
            if not _same(value, have.get(field)):
                yield f"{where}[{number}].{field}: expected {_text(value)}, got {_text(have.get(field))}"


def _same(want: Json, have: Json) -> bool:
    """Equal, instants to the second, and of times by node only those that were asked for."""
    if isinstance(want, dict) and isinstance(have, dict):
        return all(name in have and _same(value, have[name]) for name, value in want.items())
    if isinstance(have, datetime):
        return moment(want).replace(microsecond=0) == have.replace(microsecond=0)
    return bool(want == have)


def _text(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_text(one)}" for name, one in value.items()) + "}"
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def _brief(one: Mapping[str, Json]) -> str:
    return _text(
        {name: one[name] for name in ("path", "status", "reason", "user", "node", "title", "at") if name in one}
    )
