"""What one button can mend: a problem of a document becomes changes in the language of the canvas (ops), never done here.

Only where there is one obvious thing to do; the person presses the button, and can undo it.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from flows.contract import Json, NodeType
from flows.document import Document, Node, dump
from flows.durations import words
from flows.problems import Problem
from flows.step_checks import Accounts
from flows.words import _, say

Ops = list[dict[str, Json]]
TIMEOUT = "P1D"
COOLDOWN = "P7D"
WHOLE = 100
STEP_ASIDE, STEP_DOWN = 312, 136  # a column and a row of the canvas


class Mender:
    """The fixes for one document."""

    def __init__(self, document: Document, catalog: Mapping[str, NodeType], accounts: Accounts | None) -> None:
        self._catalog = catalog
        self._accounts: Mapping[str, str] = accounts if isinstance(accounts, Mapping) else {}
        self._nodes = document.index()
        self._document = document
        self._dumped: dict[str, Any] | None = None
        self._fixers: dict[str, Callable[[Problem], tuple[str, Ops] | None]] = {
            "port.open": self._end,
            "end.missing": self._end_anywhere,
            "port.unknown": self._unplug,
            "port.twice": self._unplug,
            "edge.from_unknown": self._unplug,
            "edge.to_unknown": self._unplug,
            "edge.to_entry": self._unplug,
            "node.unreachable": self._remove,
            "entry.missing": self._entry,
            "wait.no_timeout": self._timeout,
            "wait.endless": self._timeout,
            "weights.sum": self._weights,
            "account.needed": self._account,
            "account.missing": self._account,
            "account.channel": self._account,
            "timezone.unknown": self._timezone,
            "reentry.cooldown_missing": self._cooldown,
        }

    def fix(self, problem: Problem) -> dict[str, Json] | None:
        """The label of the button and the changes it makes; None where a person must think."""
        fixer = self._fixers.get(problem.code)
        found = fixer(problem) if fixer else None
        return {"label": found[0], "ops": found[1]} if found else None

    def _end(self, problem: Problem) -> tuple[str, Ops] | None:
        source = self._nodes.get(problem.node or "")
        port = problem.params.get("port", "")
        if source is None or "exit" not in self._catalog:
            return None
        end = _name(f"{source.id}/{port}", self._nodes)
        node: dict[str, Json] = {"id": end, "type": "exit", "version": self._catalog["exit"].version, "settings": {}}
        if source.x is not None and source.y is not None:
            row = sum(1 for edge in self._document.edges if edge.source == source.id)
            node |= {"x": source.x + STEP_ASIDE, "y": source.y + row * STEP_DOWN}
        edge = {"from": source.id, "port": port, "to": end}
        return say(_("End here")), [{"op": "node+", "node": node}, {"op": "edge+", "edge": edge}]

    def _end_anywhere(self, problem: Problem) -> tuple[str, Ops] | None:
        del problem
        return None

    def _unplug(self, problem: Problem) -> tuple[str, Ops] | None:
        place = (problem.field or "").removeprefix("edges[").rstrip("]")
        if not place.isdigit() or int(place) >= len(self._document.edges):
            return None
        return say(_("Remove the line")), [{"op": "edge-", "edge": self._all["edges"][int(place)]}]

    def _remove(self, problem: Problem) -> tuple[str, Ops] | None:
        node = next((one for one in self._all["nodes"] if one["id"] == problem.node), None)
        if node is None:
            return None
        touching = [edge for edge in self._all["edges"] if problem.node in (edge["from"], edge["to"])]
        return say(_("Remove the step")), [
            *({"op": "edge-", "edge": edge} for edge in touching),
            {"op": "node-", "node": node},
        ]

    def _entry(self, problem: Problem) -> tuple[str, Ops] | None:
        del problem
        if "entry.event" not in self._catalog:
            return None
        entered = {edge.to for edge in self._document.edges}
        first = next((node for node in self._document.nodes if node.id not in entered), None)
        entry: dict[str, Json] = {
            "id": _name("entry", self._nodes), "type": "entry.event", "version": 1, "settings": {"event": ""},
        }  # fmt: skip
        if first is not None and first.x is not None and first.y is not None:
            entry |= {"x": first.x - STEP_ASIDE, "y": first.y}
        ops: Ops = [{"op": "node+", "node": entry}]
        if first is not None:
            ops.append({"op": "edge+", "edge": {"from": entry["id"], "port": "next", "to": first.id}})
        return say(_("Add an entry")), ops

    def _timeout(self, problem: Problem) -> tuple[str, Ops] | None:
        label = say(_("Give up after {time}"), time=words(TIMEOUT))
        return self._set(problem, label, {"timeout": TIMEOUT}, needs="timeout")

    def _weights(self, problem: Problem) -> tuple[str, Ops] | None:
        node = self._nodes.get(problem.node or "")
        arms = node.settings.get("arms") if node else None
        if not isinstance(arms, list) or not all(isinstance(arm, dict) for arm in arms):
            return None
        weights = [float(arm.get("weight", 50)) for arm in arms]
        total = sum(weights)
        shares = [round(weight * WHOLE / total, 2) for weight in weights]
        largest = shares.index(max(shares))
        shares[largest] = round(shares[largest] + WHOLE - sum(shares), 2)
        new = [
            {**arm, "weight": int(share) if share.is_integer() else share}
            for arm, share in zip(arms, shares, strict=True)
        ]
        return self._set(problem, say(_("Make them add up to 100")), {"arms": new})

    def _account(self, problem: Problem) -> tuple[str, Ops] | None:
        node = self._nodes.get(problem.node or "")
        kind = self._catalog.get(node.type) if node else None
        if kind is None or kind.channel is None:
            return None
        fit = sorted(name for name, channel in self._accounts.items() if channel == kind.channel.name)
        return self._set(problem, say(_("Use “{name}”"), name=fit[0]), {"account": fit[0]}) if fit else None

    def _timezone(self, problem: Problem) -> tuple[str, Ops] | None:
        del problem
        return say(_("Use the workspace's zone")), [self._flow({"timezone": None})]

    def _cooldown(self, problem: Problem) -> tuple[str, Ops] | None:
        del problem
        reentry = {**self._all["settings"].get("reentry", {}), "cooldown": COOLDOWN}
        return say(_("Wait {time}"), time=words(COOLDOWN)), [self._flow({"reentry": reentry})]

    def _set(
        self, problem: Problem, label: str, values: Mapping[str, Json], needs: str | None = None
    ) -> tuple[str, Ops] | None:
        node = self._nodes.get(problem.node or "")
        kind = self._catalog.get(node.type) if node else None
        if node is None or kind is None or (needs and needs not in kind.settings.model_fields):
            return None
        before, after = node.settings, {**node.settings, **values}
        return label, [{"op": "node=", "id": node.id, "before": {"settings": before}, "after": {"settings": after}}]

    def _flow(self, values: Mapping[str, Json]) -> dict[str, Json]:
        before = self._all["settings"]
        after = {name: value for name, value in {**before, **values}.items() if value is not None}
        return {"op": "flow=", "before": before, "after": after}

    @property
    def _all(self) -> dict[str, Any]:
        # The whole document as JSON, made when the first fix needs it.
        if self._dumped is None:
            self._dumped = dump(self._document)
        return self._dumped


def _name(seed: str, taken: Mapping[str, Node]) -> str:
    """An id that is the same each time it is offered, so that a fix pressed twice adds one step."""
    made = "end_" + blake2b(seed.encode(), digest_size=4).hexdigest() if seed != "entry" else "start"
    while made in taken:
        made += "_"
    return made
