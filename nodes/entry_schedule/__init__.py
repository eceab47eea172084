"""Let everybody in, or everybody a rule names, at a time or again and again."""

from pydantic import Field

from flows.contract import Batch, Json, NodeSettings, NodeType, Outcome, Start
from flows.rules import Rule
from flows.words import _, clip, say
from nodes.schedules import Schedule, words

SAMPLE: dict[str, Json] = {"schedule": {"cron": "0 9 * * mon"}}
MORE_SAMPLES: tuple[dict[str, Json], ...] = ({"schedule": {"at": "2026-06-18T20:00"}, "rule": {"tag": "vip"}},)


class Settings(NodeSettings):
    schedule: Schedule = Field(title=_("Schedule"), description=_("When people are let in."))
    rule: Rule | None = Field(
        None, title=_("Rule"), description=_("Only people of whom this is true; everybody without it.")
    )


def summary(settings: Settings) -> str:
    when = words(settings.schedule)
    who = settings.rule.sentence() if settings.rule else say(_("Everybody"))
    return clip(f"{clip(who, max(20, 58 - len(when)))}, {when}")


def reads(settings: Settings) -> tuple[str, ...]:
    return tuple(sorted(settings.rule.reads)) if settings.rule else ()


def start(settings: Settings) -> Start:
    return Start("schedule", rule=settings.rule, schedule=settings.schedule.given())


def advance(batch: Batch) -> Outcome:
    return Outcome(go={"next": [member.id for member in batch.members]})


node = NodeType(
    "entry.schedule",
    version=1,
    title=_("Schedule"),
    group="entry",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    reads=reads,
    start=start,
    help=_("At fixed times, everybody in an audience comes in."),
)
