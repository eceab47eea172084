"""The suite every node type passes, ours and strangers': `check_contract(node)`; and batches to write tests with.

Never a test of what a node means: that stands beside the node.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from sys import modules
from typing import Any

from pydantic import BaseModel, ValidationError

from flows.contract import Batch, Event, Facts, Json, Member, NodeType
from nodes import conduct, looks
from nodes import samples as samples_of
from nodes.conduct import placements

__all__ = ["NOON", "check_contract", "faults", "make_batch", "make_member", "placements", "wake"]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_member(id: int = 1, at: datetime = NOON, **known: Any) -> Member:
    """Somebody just arrived; `known`: other arguments of `Member`, or `attributes`, `tags`, `events` of its facts."""
    facts = Facts(*(known.pop(name, None) for name in ("attributes", "tags", "events")))
    return Member(id, known.pop("contact", id), at, known.pop("facts", facts), **known)


def make_batch(
    node: NodeType,
    settings: Mapping[str, Json] | BaseModel | None = None,
    members: int | Sequence[Member] = 1,
    /,
    **given: Any,
) -> Batch:
    """A batch standing at the node: `settings` as saved, `members` or how many, `given` as `Batch` takes it."""
    standing = [make_member(number + 1) for number in range(members)] if isinstance(members, int) else list(members)
    parsed = settings if isinstance(settings, BaseModel) else node.settings.model_validate(settings or {})
    return Batch(
        now=given.pop(
            "now", NOON + timedelta(hours=1)
        ),  # later than anybody's own moment: a node must not reckon with it
        settings=parsed,
        members=standing,
        seed=given.pop("seed", "1/1/n"),
        node=given.pop("node", "n"),
        **given,
    )


def wake(member: Member, at: datetime, event: Event | None = None) -> Member:
    """The same member, at rest since it arrived and now woken by the event, or by the clock."""
    return Member(
        member.id,
        member.contact,
        at,
        member.facts,
        key=member.key,
        since=member.since,
        entry=member.entry,
        messages=member.messages,
        visit=member.visit,
        waiting=True,
        rested_at=member.rested_at or member.arrived_at,
        woken_by=event,
    )


def check_contract(
    node: NodeType,
    samples: Sequence[Mapping[str, Json]] = (),
    old_samples: Mapping[int, Mapping[str, Json]] | None = None,
) -> None:
    """Raise AssertionError with everything that is wrong with the node type.

    `samples` are valid settings; without them those of its module are taken (`SAMPLE`, `MORE_SAMPLES`). `old_samples`
    holds, for each earlier version, settings as that version saved them (`OLD_SAMPLES`).
    """
    assert isinstance(node, NodeType), f"{node!r} is not a NodeType"
    wrong = list(faults(node, samples, old_samples))
    assert not wrong, f"{node.type} breaks the contract:\n- " + "\n- ".join(wrong)


def faults(
    node: NodeType,
    samples: Sequence[Mapping[str, Json]] = (),
    old_samples: Mapping[int, Mapping[str, Json]] | None = None,
) -> Iterator[str]:
    """Everything that is wrong with the node type, one sentence each."""
    yield from looks.check(node)
    raw = list(samples) or samples_of(node)
    if not raw:
        yield "there are no sample settings: SAMPLE in its module, or `samples`"
    settings = []
    for sample in raw:
        try:
            settings.append(node.settings.model_validate(sample))
        except ValidationError as error:
            yield f"its own sample {sample} is refused: {error}"
            continue
        yield from _doors(node, sample, settings[-1])
    stored = getattr(modules[node.settings.__module__], "OLD_SAMPLES", {})
    yield from _upgrades(node, stored if old_samples is None else old_samples)
    for parsed in settings:
        yield from _reported(looks.check_settings(node, parsed))
        yield from _reported(conduct.check(node, parsed))


def _reported(wrong: Iterator[str]) -> Iterator[str]:
    try:
        yield from wrong
    except Exception as error:  # noqa: BLE001 - a stranger's functions may raise anything; it is one more fault
        yield f"{type(error).__name__}: {error}"


def _doors(node: NodeType, sample: Mapping[str, Json], parsed: BaseModel) -> Iterator[str]:
    """Settings are refused when unknown, kept when known: what is stored reads back as the same."""
    try:
        node.settings.model_validate({**sample, "no_such_setting": 1})
        yield "settings take unknown fields; derive them from flows.contract.NodeSettings"
    except ValidationError:
        pass
    if node.settings.model_validate(parsed.model_dump(mode="json")) != parsed:
        yield f"settings {sample} change when they are saved and read back"


def _upgrades(node: NodeType, old: Mapping[int, Mapping[str, Json]]) -> Iterator[str]:
    """Every version that was ever saved is still understood, a step at a time."""
    for version in range(1, node.version):
        if version not in old:
            yield f"there are no stored settings of version {version} (OLD_SAMPLES)"
            continue
        settings = before = deepcopy(dict(old[version]))
        try:
            for step in range(version, node.version):
                settings = node.upgrade(deepcopy(settings), step)
            node.settings.model_validate(settings)
        except Exception as error:  # noqa: BLE001 - a stranger's upgrade may raise anything; it is reported, not hidden
            yield f"settings of version {version} cannot be upgraded: {before}: {error}"
