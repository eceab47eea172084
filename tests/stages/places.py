"""What the stories of the stages stand on: people, flows written short, what became of everybody."""

from datetime import datetime
from typing import Any

from app.bench import ground
from app.publishing import Desk
from app.store import scratch
from app.world import World

Json = Any
STATUS = ("active", "completed", "exited", "failed", "held")


def people(world: World, count: int) -> list[int]:
    """Contacts u0, u1, …, half of them on plan `pro`."""
    return ground.people(world.connection, world.workspace_id, count, named=True)


def flow(nodes: dict[str, tuple[str, dict[str, Json]]], wires: str, **settings: Json) -> dict[str, Json]:
    """A document: nodes by id, wires as `node.port other, …`."""
    edges = []
    for wire in wires.split(","):
        source, _, to = wire.strip().partition(" ")
        node, _, port = source.partition(".")
        edges.append({"from": node, "port": port, "to": to})
    return {
        "schema": 1,
        "settings": settings,
        "nodes": [{"id": name, "type": kind, "version": 1, "settings": own} for name, (kind, own) in nodes.items()],
        "edges": edges,
    }


def track(user: str, event: str, **properties: Json) -> dict[str, Json]:
    """A call as SDKs make it."""
    return {"type": "track", "userId": user, "event": event, "properties": properties}


def identify(user: str, **traits: Json) -> dict[str, Json]:
    return {"type": "identify", "userId": user, "traits": traits}


def happen(world: World, at: datetime, *calls: dict[str, Json]) -> None:
    """Events arrive and everything due is done."""
    world.until(at, including=False)
    world.accept(calls, at=at)
    world.still()


def desk(world: World) -> Desk:
    return Desk(world.connection, world.plans.catalog, world.workspace_id, "operator", world.now)


def became(world: World, journey: int) -> dict[str, list[tuple[str, str, str | None]]]:
    """By user, every walk in order of entry: where it stands, its status and its reason."""
    users = scratch.users(world.connection, world.workspace_id)
    found: dict[str, list[tuple[str, str, str | None]]] = {}
    for walk in scratch.walks(world.connection, world.workspace_id, journey):
        one = (walk["node"], STATUS[walk["status"]], walk["reason"])
        found.setdefault(users[walk["contact_id"]], []).append(one)
    return found


def moments(world: World, journey: int) -> dict[str, list[dict[str, datetime]]]:
    """By user, every walk as the moment of first coming to each node."""
    users = scratch.users(world.connection, world.workspace_id)
    found: dict[str, list[dict[str, datetime]]] = {}
    for walk in scratch.walks(world.connection, world.workspace_id, journey):
        times: dict[str, datetime] = {}
        for at, steps in walk["trail"]:
            for step in steps:
                times.setdefault(step[0], at)
        found.setdefault(users[walk["contact_id"]], []).append(times)
    return found
