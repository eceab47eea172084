"""`journey bench`: runs workloads on scratch databases, shows what came out beside the peers' figures. Measures nothing itself.

The peers' figures are of the same work on a machine like ours (2 cores); they stand here so that nobody has to look them up.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from app.commands.places import CommandError, scratch
from app.commands.showing import Showing
from app.settings import Settings


class Workload(NamedTuple):
    """Where it is written, with how many contacts it is run if nobody says, and what the closest peer does."""

    module: str
    function: str
    contacts: int
    about: str
    unit: str
    peers: str


PARCELVOY = "Parcelvoy"
WORKLOADS: Mapping[str, Workload] = {
    "blast": Workload(
        "blast",
        "run",
        100_000,
        "an audience through condition, split, send, exit",
        "contacts/s",
        f"{PARCELVOY} 114 · best job queue 1,554",
    ),
    "gate": Workload("blast", "run_gate", 100_000, "the blast under caps and quiet hours", "contacts/s", "–"),
    "accept": Workload(
        "accept", "run", 30_000, "single events over HTTP, durable", "requests/s", f"{PARCELVOY} 398 (not durable)"
    ),
    "trigger": Workload(
        "live",
        "run_trigger",
        30_000,
        "event over HTTP → enrolled → waiting, ten live journeys",
        "events/s",
        f"{PARCELVOY} 164",
    ),
    "timers": Workload("timers", "run", 100_000, "waits all due at once", "wakes/s", f"{PARCELVOY} 317"),
    "migrate": Workload("migrate", "run", 100_000, "people in flight moved to a new version", "people/s", "–"),
    "lateness": Workload(
        "live", "run_lateness", 1_000_000, "many parked, little due", "wakes/s", f"{PARCELVOY}: half late by 9.5 s"
    ),
    "fairness": Workload("live", "run_fairness", 1_000_000, "a reminder while a blast runs", "contacts/s", "–"),
}


def names(wanted: str) -> list[str]:
    """The workloads that are meant."""
    if wanted == "all":
        return list(WORKLOADS)
    if wanted not in WORKLOADS:
        raise CommandError(f"There is no workload {wanted!r}; choose one of {', '.join(WORKLOADS)}, or all.")
    return [wanted]


def run(settings: Settings, wanted: str, contacts: int | None, showing: Showing) -> Iterator[dict[str, Any]]:
    """Each workload on a database of its own, which is dropped afterwards."""
    for name in names(wanted):
        load = WORKLOADS[name]
        work = getattr(import_module(f"app.bench.{load.module}"), load.function)
        with scratch(settings) as connection:
            yield work(connection, contacts or load.contacts, showing)


def table(results: list[dict[str, Any]]) -> str:
    """What came out, for people."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False)
    for title in ("workload", "", "contacts", "seconds", "per second", "of bare COPY", "CPU ms each", "peers"):
        drawn.add_column(
            title,
            justify="right"
            if title in ("contacts", "seconds", "per second", "of bare COPY", "CPU ms each")
            else "left",
        )
    for one in results:
        name = str(one["workload"])
        known = WORKLOADS.get(name)
        ratio, cpu = one.get("ratio"), one.get("cpu_ms")
        drawn.add_row(
            name,
            known.about if known else "",
            f"{one['contacts']:,}",
            f"{one['seconds']:.2f}",
            f"{one['per_second']:,.0f} {known.unit if known else '/s'}",
            f"{ratio:.2f}" if ratio else "–",
            f"{cpu:.3f}" if cpu else "–",
            known.peers if known else "–",
        )
    console = Console(width=160)
    with console.capture() as captured:
        console.print(drawn)
        for one in results:
            rest = {
                k: v
                for k, v in one.items()
                if k not in ("workload", "contacts", "seconds", "per_second", "ratio", "cpu_ms")
            }
            console.print(
                f"[dim]{one['workload']}: {', '.join(f'{k} {v}' for k, v in rest.items())}[/dim]", highlight=False
            )
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
