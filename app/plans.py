"""The compiled plans that a process works with, kept by immutable version; read anew only when something was published.

Never decides anything; a worker asks `refresh` once per batch, which costs one row. A version that cannot be compiled any more
(a plug-in was changed under it) is in `broken` with the reason: its people are held, and everybody else goes on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from app import budgets, log, seasons
from app.store import lates, versions
from app.store.rows import Connection
from flows import conditions, document, policies
from flows.compile import Label, Plan, compile_plan
from flows.contract import NodeType
from flows.match import Book
from flows.policies import Policies


class Plans:
    """Books of live plans by workspace, and every plan that somebody still walks on, by version."""

    def __init__(self, catalog: Mapping[str, NodeType]) -> None:
        self.catalog = catalog
        self.generation = -1
        self.books: dict[int, Book] = {}
        self.by_version: dict[int, Plan] = {}
        self.live_by_journey: dict[int, Plan] = {}
        self.broken: dict[int, str] = {}
        self.policies: dict[int, Policies] = {}
        self.late_before: dict[int, datetime] = {}

    def refresh(self, connection: Connection) -> None:
        """Read plans and policies again if anything was published, paused, resumed, stopped or allowed since."""
        generation = versions.generation(connection)
        if generation != self.generation:
            self.late_before = lates.moments(connection)
            self._take(versions.in_use(connection))
            found = versions.policies(connection)
            self.policies = {workspace: policies.load(raw) for workspace, raw in found.items()}
            self.generation = generation

    def include(self, connection: Connection, ids: Iterable[int]) -> None:
        """Make sure that these versions are known, also when nobody else walks on them any more."""
        missing = sorted(set(ids) - self.by_version.keys() - self.broken.keys())
        if missing:
            for saved in versions.by_ids(connection, missing):
                plan = self._compiled(saved)
                if plan:
                    self.by_version[saved.version_id] = plan

    def _take(self, found: Iterable[versions.Saved]) -> None:
        self.books, self.live_by_journey, self.broken = {}, {}, {}
        fresh = {}
        rows = list(found)
        known = [(saved, plan) for saved in rows if (plan := self._compiled(saved)) is not None]
        over = seasons.standing(known)
        for saved, one in known:
            plan = replace(one, overridden=over[saved.journey_id]) if saved.journey_id in over else one
            fresh[saved.version_id] = plan
            self.books.setdefault(saved.workspace_id, Book()).add(plan)
            if plan.live:
                self.live_by_journey[plan.journey_id] = plan
        self.by_version = fresh

    def _compiled(self, saved: versions.Saved) -> Plan | None:
        """The plan of a version: compiled once, its journey's state put on each time. None if it cannot be."""
        known = self.by_version.get(saved.version_id)
        live, paused, stopped = saved.is_live and not saved.stopped, saved.paused, saved.stopped
        if known is None:
            label = Label(saved.workspace_id, saved.journey_id, saved.version_id, saved.number, saved.timezone)
            try:
                known = compile_plan(document.load(saved.document), self.catalog, label)
            except Exception as error:  # noqa: BLE001 one version must not hold up the others; its people are held
                self.broken[saved.version_id] = f"{type(error).__name__}: {error}"
                names = {"workspace": saved.workspace_id, "version": saved.version_id}
                log.get(__name__).error(
                    "a published version cannot be run; its people wait", **names, **log.told(error)
                )
                return None
        late = self.late_before.get(saved.workspace_id)
        bound = conditions.load(saved.conditions)
        opened = max((at for at in (saved.opened_at, bound.not_before) if at), default=None)
        return replace(
            known,
            live=live,
            paused=paused,
            stopped=stopped,
            opened_at=opened,
            late_before=late,
            overridden=(),
            entries_at_most=bound.entries_at_most,
            budget=budgets.of(saved.plan_id, saved.budget),
        )
