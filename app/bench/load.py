"""A load client: keep-alive connections that send requests made beforehand, in a process of its own. Measures, decides nothing.

Run as `python -m app.bench.load`: reads one JSON line of orders from stdin, prints one JSON line of results. Raw sockets,
because a client library would cost more than the server.
"""

import asyncio
import json
import sys
import time
from base64 import b64encode
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Orders:
    """What to send: `requests` in all over `connections`, each with `events` calls of `people` users, none sent twice."""

    host: str
    port: int
    key: str
    requests: int
    connections: int
    events: int
    people: int
    run: str


def bodies(orders: Orders) -> list[bytes]:
    """The requests, ready to be sent."""
    auth = b64encode(f"{orders.key}:".encode()).decode()
    path = "/v1/track" if orders.events == 1 else "/v1/batch"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {orders.host}\r\nAuthorization: Basic {auth}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    )
    made = []
    for number in range(orders.requests):
        calls = [_call(orders, number * orders.events + place) for place in range(orders.events)]
        said: Any = calls[0] if orders.events == 1 else {"batch": calls, "sentAt": None}
        body = json.dumps(said, separators=(",", ":"))
        made.append(f"{head}{len(body)}\r\n\r\n{body}".encode())
    return made


def _call(orders: Orders, number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "userId": f"u{number * 7919 % orders.people}",
        "event": ("order_paid", "product_viewed", "cart_changed")[number % 3],
        "properties": {"order_id": f"o-{number}", "amount": number % 500 + 0.5, "currency": "CNY", "items": number % 5},
        "context": {"library": {"name": "bench", "version": "1"}, "ip": "203.0.113.9"},
        "messageId": f"{orders.run}-{number}",
    }


async def send(orders: Orders, ready: list[bytes]) -> dict[str, Any]:
    """Send everything, as fast as the answers come; latencies in milliseconds."""
    rest = iter(ready)
    took: list[float] = []
    statuses: dict[str, int] = {}

    async def client() -> None:
        reader, writer = await asyncio.open_connection(orders.host, orders.port)
        for request in rest:
            start = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            took.append(time.perf_counter() - start)
            status = head[9:12].decode()
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(orders.connections)))
    seconds = time.perf_counter() - begun
    took.sort()
    marks = {f"p{share}_ms": round(took[min(len(took) - 1, len(took) * share // 100)] * 1000, 2) for share in (50, 99)}
    return {"seconds": seconds, "statuses": statuses, **marks, "max_ms": round(took[-1] * 1000, 2)}


def main() -> None:
    """Make the requests, say so, wait for the word, send."""
    import uvloop

    orders = Orders(**json.loads(sys.stdin.readline()))
    ready = bodies(orders)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    found = uvloop.run(send(orders, ready))
    sys.stdout.write(json.dumps({**found, "orders": asdict(orders) | {"key": ""}}) + "\n")


if __name__ == "__main__":
    main()
