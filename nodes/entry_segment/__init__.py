"""Let an audience in: at a time, again and again, or one by one as people join it."""

from pydantic import Field, model_validator

from flows.contract import Batch, Json, NodeSettings, NodeType, Outcome, Start
from flows.rules import Rule
from flows.words import _, clip
from nodes.schedules import JoiningSchedule, words

SAMPLE: dict[str, Json] = {
    "rule": {
        "all": [
            {"event": "app_open", "within": "P7D"},
            {"not": {"event": "order_paid", "count": {"op": "gte", "value": 1}}},
        ]
    },
    "schedule": {"cron": "0 9 1 * *"},
}
MORE_SAMPLES: tuple[dict[str, Json], ...] = (
    {"rule": {"tag": "vip"}, "schedule": {"on": "join"}},
    {"rule": {"tag": "vip"}, "schedule": {"at": "2026-06-18T20:00:00+08:00"}},
)


class Settings(NodeSettings):
    rule: Rule = Field(title=_("Rule"), description=_("Who belongs to the audience."))
    schedule: JoiningSchedule = Field(title=_("Schedule"), description=_("When the audience is let in."))

    @model_validator(mode="before")
    @classmethod
    def _no_names_yet(cls, given: Json) -> Json:
        if isinstance(given, dict) and "segment" in given:
            raise ValueError(_("named audiences are not available yet: write the audience as a rule"))
        return given


def summary(settings: Settings) -> str:
    when = words(settings.schedule)
    return clip(f"{clip(settings.rule.sentence(), max(20, 58 - len(when)))}, {when}")


def reads(settings: Settings) -> tuple[str, ...]:
    return tuple(sorted(settings.rule.reads))


def start(settings: Settings) -> Start:
    return Start("segment", rule=settings.rule, schedule=settings.schedule.given())


def advance(batch: Batch) -> Outcome:
    return Outcome(go={"next": [member.id for member in batch.members]})


node = NodeType(
    "entry.segment",
    version=1,
    title=_("Audience"),
    group="entry",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    reads=reads,
    start=start,
    help=_("Everybody in an audience comes in."),
)
