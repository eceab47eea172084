"""What becomes of people in flight when a new version is published: one rule for each place they stand at. Pure.

Who is named by no rule stays: publishing alone moves nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flows.contract import NodeType
from flows.document import Document
from flows.words import _

Deed = Literal["stay", "move", "exit", "reopen"]
RULES_AT_MOST = 1_000

NodeId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class Move(BaseModel):
    """What becomes of the people at `node` of `version` (left out: of every older version).

    `move` puts those who wait there at `to`, `exit` takes them out, `reopen` lets those who completed there go on at `to`.
    `wait`: whether the wait at `to` begins anew, or counts the time already waited.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    node: NodeId
    do: Deed
    to: NodeId | None = None
    wait: Literal["anew", "keep"] = "anew"
    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Move":
        if (self.to is None) != (self.do in ("stay", "exit")):
            raise ValueError("`to` names the node that people are moved to, and stands only beside move and reopen")
        return self

    @property
    def finished(self) -> bool:
        """Whether it speaks of people who are through already."""
        return self.do == "reopen"


def wrong(rules: Sequence[Move], target: Document, catalog: Mapping[str, NodeType]) -> list[tuple[str, str]]:
    """What is wrong with the rules, seen from the version that people are moved to: (field, problem)."""
    types = {node.id: node.type for node in target.nodes}
    found = []
    seen: set[tuple[int | None, str, bool]] = set()
    for number, rule in enumerate(rules):
        place = rule.version, rule.node, rule.finished
        if place in seen:
            found.append((f"people[{number}].node", _("stands here twice")))
        seen.add(place)
        if rule.to is None:
            continue
        kind = catalog.get(types.get(rule.to, ""))
        if rule.to not in types:
            found.append((f"people[{number}].to", _("is no step of the new version")))
        elif kind is not None and kind.start is not None:
            found.append((f"people[{number}].to", _("is an entry: people come in there, they are not moved there")))
    return found


def resolved(rules: Iterable[Move], versions: Mapping[int, int]) -> dict[tuple[int, str, bool], Move]:
    """The rule of each place, by version id, node, and whether it is for finished people; `versions`: numbers by id.

    A rule that names a version comes before one that speaks of all. Rules that let people stay are left out.
    """
    found: dict[tuple[int, str, bool], Move] = {}
    for rule in sorted(rules, key=lambda one: one.version is not None):
        for id, number in versions.items():
            if rule.version in (None, number):
                found[id, rule.node, rule.finished] = rule
    return {place: rule for place, rule in found.items() if rule.do != "stay"}
