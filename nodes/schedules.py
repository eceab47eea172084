"""When entries that no event drives let people in: once, again and again by cron, or as people join. Never a clock."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from flows.calendar import as_instant
from flows.contract import Json, NodeSettings
from flows.cron import Cron
from flows.hints import Ask, ways
from flows.words import _, say

INSTANT_AT_MOST = 40


class Schedule(NodeSettings):
    """Once at a time, or by cron."""

    model_config = ConfigDict(json_schema_extra=ways((_("Once"), ["at"]), (_("Again and again"), ["cron"])))

    at: Annotated[str, Ask("instant")] | None = Field(
        None,
        title=_("Once at"),
        description=_("Such as 2026-06-18T20:00+08:00; without an offset it is the journey's time."),
        max_length=INSTANT_AT_MOST,
    )
    cron: Cron | None = Field(
        None,
        title=_("Repeatedly (cron)"),
        description=_("Minute hour day month weekday, the journey's time: 0 9 * * 1 is Mondays at nine."),
    )

    @model_validator(mode="after")
    def _one(self) -> "Schedule":
        if len(self.given()) != 1:
            raise ValueError(_("choose exactly one way to say when"))
        if self.at is not None and as_instant(self.at) is None:
            raise ValueError(_("at: write a date and time such as 2026-06-18T20:00+08:00"))
        return self

    def given(self) -> dict[str, Json]:
        """The schedule as it was written."""
        return self.model_dump(exclude_none=True)


class JoiningSchedule(Schedule):
    """The same, or as people join."""

    model_config = ConfigDict(
        json_schema_extra=ways((_("Once"), ["at"]), (_("Again and again"), ["cron"]), (_("As people join"), ["on"]))
    )

    on: Literal["join"] | None = Field(
        None, title=_("As people join"), description=_("“join”: everybody at the moment the rule becomes true of them.")
    )


def words(schedule: Schedule) -> str:
    """The schedule on a card."""
    given = schedule.given()
    if "at" in given:
        return say(_("at {time}"), time=str(given["at"]).replace("T", " ", 1))
    return f"cron {given['cron']}" if "cron" in given else say(_("on joining"))
