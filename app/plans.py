"""The compiled plans that a process works with, kept by immutable version; read anew only when something was published.

Never decides anything; a worker asks `refresh` once per batch, which costs one row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from app.store import versions
from app.store.rows import Connection
from flows import document
from flows.compile import Label, Plan, compile_plan
from flows.contract import NodeType
from flows.match import Book


class Plans:
    """Books of live plans by workspace, and every plan that somebody still walks on, by version."""

    def __init__(self, catalog: Mapping[str, NodeType]) -> None:
        self.catalog = catalog
        self.generation = -1
        self.books: dict[int, Book] = {}
        self.by_version: dict[int, Plan] = {}
        self.live_by_journey: dict[int, Plan] = {}

    def refresh(self, connection: Connection) -> None:
        """Read the plans again if anything was published, paused, resumed or stopped since."""
        generation = versions.generation(connection)
        if generation != self.generation:
            self._take(versions.in_use(connection))
            self.generation = generation

    def include(self, connection: Connection, ids: Iterable[int]) -> None:
        """Make sure that these versions are known, also when nobody else walks on them any more."""
        missing = sorted(set(ids) - self.by_version.keys())
        if missing:
            for saved in versions.by_ids(connection, missing):
                self.by_version[saved.version_id] = self._compiled(saved)

    def _take(self, found: Iterable[versions.Saved]) -> None:
        self.books, self.live_by_journey = {}, {}
        fresh = {}
        for saved in found:
            plan = self._compiled(saved)
            fresh[saved.version_id] = plan
            self.books.setdefault(saved.workspace_id, Book()).add(plan)
            if plan.live:
                self.live_by_journey[plan.journey_id] = plan
        self.by_version = fresh

    def _compiled(self, saved: versions.Saved) -> Plan:
        """The plan of a version: compiled once, its journey's state put on each time."""
        known = self.by_version.get(saved.version_id)
        live, paused, stopped = saved.is_live and not saved.stopped, saved.paused, saved.stopped
        if known is None:
            label = Label(saved.workspace_id, saved.journey_id, saved.version_id, saved.number, saved.timezone)
            known = compile_plan(document.load(saved.document), self.catalog, label)
        return replace(known, live=live, paused=paused, stopped=stopped)
