"""Pause, resume, stop over HTTP, with what a resume would do at once; and messages held as late. The rules are `pausing`'s."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Body
from pydantic import ConfigDict, Field

from app import lateness, pausing
from app.pausing import Mode
from app.publishing import Desk, known
from app.store import lates
from app.web.guard import can, router
from app.web.journeys import AtDesk, JourneyOut, journey_out
from app.web.shapes import INT, In, JourneyId, Out
from flows.calendar import Duration
from flows.durations import elapsed

routes = router("publishing")

MODE = "`freeze`: every wait ends as much later · `late`: what is due goes out late · `skip`: it does not · `exit`: all leave"


class PauseIn(In):
    """How the pause is meant."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "freeze"}]})
    mode: Mode = Field("freeze", description=MODE)


class ResumeIn(In):
    """How it goes on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "late", "spread": "PT2H"}]})
    mode: Mode | None = Field(None, description=f"{MODE}; left out: as the pause was meant.")
    spread: Duration | None = Field(None, description="Over how long what is due goes out, at most a week.")


class AtOnceOut(Out):
    """People who would go on at once, and messages that would go out, at most."""

    people: int
    messages: int


class OutlookOut(Out):
    """What a resume would do at once, for each way of it. `reason`: why a fuse paused it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "mode": "freeze",
                    "reason": None,
                    "at_once": {
                        "freeze": {"people": 0, "messages": 0},
                        "late": {"people": 1204, "messages": 1204},
                        "skip": {"people": 1204, "messages": 0},
                        "exit": {"people": 0, "messages": 0},
                    },
                }
            ]
        }
    )
    mode: Mode
    reason: str | None
    at_once: dict[Mode, AtOnceOut]


class HeldOut(Out):
    """Messages of one journey that are held because an outage made them late."""

    journey_id: int
    name: str
    messages: int


class LateOut(Out):
    """What is held as late."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"journey_id": 7, "name": "Order not paid", "messages": 4210}]}]}
    )
    items: list[HeldOut]


class SettleIn(In):
    """What becomes of messages that are held as late."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"do": "release", "journey_id": 7}]})
    do: Literal["release", "drop"]
    journey_id: Annotated[int, Field(ge=1, le=INT, strict=True)] | None = Field(
        None, description="Only this journey's; left out: all."
    )


class SettledOut(Out):
    """How many messages that were."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"messages": 4210}]})
    messages: int


Paused = Annotated[PauseIn, Body(default_factory=PauseIn)]
Resumed = Annotated[ResumeIn, Body(default_factory=ResumeIn)]


@routes.post("/journeys/{journey_id}/pause", dependencies=[can("journey.run")])
def pause_journey(journey_id: JourneyId, desk: AtDesk, wish: Paused) -> JourneyOut:
    """Pause: nobody enters, nobody moves. Doing it twice changes nothing."""
    pausing.pause(desk, journey_id, wish.mode)
    return journey_out(known(desk, journey_id))


@routes.get("/journeys/{journey_id}/resume", dependencies=[can("journey.read")])
def foresee_resume(journey_id: JourneyId, desk: AtDesk) -> OutlookOut:
    """Say how many messages a resume would send at once, for each way of it. Nothing is done."""
    return OutlookOut.model_validate(_told(pausing.outlook(desk, journey_id)))


@routes.post("/journeys/{journey_id}/resume", dependencies=[can("journey.run")])
def resume_journey(journey_id: JourneyId, desk: AtDesk, wish: Resumed) -> JourneyOut:
    """Resume, as the pause was meant or otherwise; `spread` keeps what is due from going out all at once."""
    pausing.resume(desk, journey_id, wish.mode, elapsed(wish.spread) if wish.spread else timedelta())
    return journey_out(known(desk, journey_id))


@routes.post("/journeys/{journey_id}/stop", dependencies=[can("journey.run")])
def stop_journey(journey_id: JourneyId, desk: AtDesk) -> JourneyOut:
    """Stop for good: everybody on the way leaves at once (exited, manual)."""
    pausing.stop(desk, journey_id)
    return journey_out(known(desk, journey_id))


@routes.get("/late", dependencies=[can("message.read")])
def list_late(desk: AtDesk) -> LateOut:
    """List what is held since an outage made more than a thousand messages over an hour late."""
    return LateOut(items=[HeldOut(**one._asdict()) for one in held(desk)])


@routes.post("/late", dependencies=[can("journey.run")])
def settle_late(wish: SettleIn, desk: AtDesk) -> SettledOut:
    """Let what is held go out now (caps and quiet hours hold), or drop it with the reason."""
    if wish.journey_id is not None:
        known(desk, wish.journey_id)
    return SettledOut(messages=lateness.settle(desk, wish.do, wish.journey_id))


def held(desk: Desk) -> list[lates.Held]:
    """What is held as late, by journey."""
    return lates.held(desk.connection, desk.workspace_id)


def _told(seen: pausing.Outlook) -> dict[str, object]:
    return {**seen._asdict(), "at_once": {mode: one._asdict() for mode, one in seen.at_once.items()}}
