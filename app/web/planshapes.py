"""What a plan says, as the API takes and shows it: scene, target, cadence, budget. Only shapes and their errors."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from app.progress import SHARES, Standing
from app.store.plans import Plan, Written
from app.web.shapes import In, Out, Text
from flows.words import _

Scene = Literal["acquire", "activate", "convert", "retain", "win_back"]
Metric = Literal["goal_people", "event_people", "goal_share", "click_share", "revenue"]
Cadence = Literal["long_running", "periodic", "one_off"]
Over = Literal["warn", "hold"]
WITH_EVENT = ("event_people", "revenue")
LARGEST = 1e12
CHANNELS_AT_MOST = 30

Words = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
Amount = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Figure = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,32}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

MEASURE: dict[str, Any] = {
    "metric": "event_people",
    "event": "order_paid",
    "property": None,
    "baseline": 0,
    "value": 500,
    "deadline": "2026-05-31",
}
BUDGET: dict[str, Any] = {"amount": 2000, "currency": "CNY", "costs": {"email": 0.01, "sms": 0.05}, "over": "hold"}
SAMPLE: dict[str, Any] = {
    "name": "Spring win-back",
    "scene": "win_back",
    "target": "500 of those who bought nothing for 90 days buy again",
    "starts_on": "2026-03-01",
    "ends_on": "2026-05-31",
    "measure": MEASURE,
    "cadence": "long_running",
    "budget": BUDGET,
}


class MeasureIn(In):
    """A target that is measured: which number, where it stood, where it shall be, by when. Counted since the plan's first day."""

    model_config = ConfigDict(json_schema_extra={"examples": [MEASURE]})
    metric: Metric = Field(
        description="`goal_people`: walks of the plan's journeys that reached the goal; `event_people`: people who did"
        " `event`; `goal_share`: per cent of those who entered that reached the goal; `click_share`: per cent of sent"
        " messages that were clicked; `revenue`: sum of the number `property` of `event`."
    )
    event: Text | None = Field(None, validate_default=True, description="Only with `event_people` and `revenue`.")
    property: Text | None = Field(None, validate_default=True, description="Only with `revenue`.")
    baseline: Figure = Field(0, description="Where it stood.")
    value: Figure = Field(description="Where it shall be.")
    deadline: date = Field(description="The last day, on the workspace's clocks.")

    @field_validator("event")
    @classmethod
    def _event_where_one_is_needed(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _fits(value, info.data.get("metric") in WITH_EVENT, _("choose the event that is counted"))

    @field_validator("property")
    @classmethod
    def _property_where_one_is_needed(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _fits(value, info.data.get("metric") == "revenue", _("choose the property that is summed"))

    @field_validator("value")
    @classmethod
    def _somewhere_else(cls, value: float, info: ValidationInfo) -> float:
        if value == info.data.get("baseline", 0):
            raise ValueError(_("the target is the baseline: there is nothing to reach"))
        if info.data.get("metric") in SHARES and not 0 <= value <= 100:
            raise ValueError(_("a share lies between 0 and 100"))
        return value


def _fits(value: str | None, wanted: bool, missing: str) -> str | None:
    if wanted and not value:
        raise ValueError(missing)
    if value and not wanted:
        raise ValueError(_("this metric does not use it; leave it out"))
    return value


class BudgetIn(In):
    """What the messages of a plan's journeys may cost, and what happens beyond it."""

    model_config = ConfigDict(json_schema_extra={"examples": [BUDGET]})
    amount: Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]
    currency: Currency = Field("CNY", description="Only shown; three letters of ISO 4217.")
    costs: Annotated[dict[Channel, Amount], Field(max_length=CHANNELS_AT_MOST)] = Field(
        default_factory=dict, description="What one message costs, by channel; a channel left out costs nothing."
    )
    over: Over = Field(
        "warn",
        validate_default=True,
        description="`warn`: the pages say so; `hold`: marketing messages beyond it are not sent (`plan over budget`).",
    )

    @field_validator("over")
    @classmethod
    def _held_by_a_price(cls, value: str, info: ValidationInfo) -> str:
        if value == "hold" and not any((info.data.get("costs") or {}).values()):
            raise ValueError(_("say what a message costs on one channel at least, or only warn"))
        return value


class PlanIn(In):
    """What a plan says: which scene it serves, its target in words and as a number, its days, cadence and budget."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    name: Text
    scene: Scene
    target: Words = Field("", description="In words.")
    starts_on: date | None = None
    ends_on: date | None = None
    measure: MeasureIn | None = Field(None, description="The target as a number, with live progress.")
    cadence: Cadence = Field(
        "long_running",
        description="`one_off`: what its journeys run by audience or schedule runs once; a second run is refused.",
    )
    budget: BudgetIn | None = None

    @field_validator("ends_on")
    @classmethod
    def _in_order(cls, value: date | None, info: ValidationInfo) -> date | None:
        if value and (first := info.data.get("starts_on")) and value < first:
            raise ValueError(_("the last day lies before the first"))
        return value

    @field_validator("measure")
    @classmethod
    def _after_the_beginning(cls, value: MeasureIn | None, info: ValidationInfo) -> MeasureIn | None:
        if value and (first := info.data.get("starts_on")) and value.deadline < first:
            raise ValueError(_("the deadline lies before the plan's first day"))
        return value

    def written(self) -> Written:
        """As it is kept."""
        kept = self.model_dump(mode="json", exclude={"name", "scene"}, exclude_none=True)
        return Written(self.name, self.scene, kept)


class ArchivedIn(In):
    """Whether it is out of sight."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"archived": True}]})
    archived: bool = Field(strict=True)


class MeasureOut(Out):
    """The target as a number."""

    metric: Metric
    event: str | None = None
    property: str | None = None
    baseline: float
    value: float
    deadline: date


class BudgetOut(Out):
    """The budget."""

    amount: float
    currency: str
    costs: dict[str, float]
    over: Over


class PlanOut(Out):
    """A plan. `journeys`: how many lie in it, without archived ones."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 2,
                    **SAMPLE,
                    "journeys": 3,
                    "created_at": "2026-02-10T08:00:00Z",
                    "created_by": "user:3",
                    "archived_at": None,
                    "scope": "",
                }
            ]
        }
    )
    id: int
    name: str
    scene: Scene
    target: str
    starts_on: date | None
    ends_on: date | None
    measure: MeasureOut | None
    cadence: Cadence
    budget: BudgetOut | None
    journeys: int
    created_at: datetime
    created_by: str
    archived_at: datetime | None
    scope: str


class SpentOut(Out):
    """What the messages of one channel came to."""

    channel: str
    sent: int
    delivered: int
    opened: int
    clicked: int
    waiting: int
    cost: float


class PointOut(Out):
    """Where the number stood at the end of a day (UTC)."""

    day: date
    value: float


class ProgressOut(Out):
    """Where a plan stands. `as_of` null: it has not been counted yet, or changed since. Counted every minute, or less often."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "as_of": "2026-03-20T09:30:00Z",
                    "value": 212,
                    "percent": 42.4,
                    "expected": 108.7,
                    "days_left": 72,
                    "standing": "on_course",
                    "days": [{"day": "2026-03-19", "value": 205}, {"day": "2026-03-20", "value": 212}],
                    "spent": 48.12,
                    "committed": 48.3,
                    "channels": [
                        {
                            "channel": "email",
                            "sent": 4812,
                            "delivered": 4790,
                            "opened": 2011,
                            "clicked": 600,
                            "waiting": 18,
                            "cost": 48.12,
                        }
                    ],
                    "next_run": "2026-04-01T02:00:00Z",
                }
            ]
        }
    )
    as_of: datetime | None
    value: float | None
    percent: float | None
    expected: float | None
    days_left: int | None
    standing: Standing | None
    days: list[PointOut]
    spent: float
    committed: float
    channels: list[SpentOut]
    next_run: datetime | None


def plan_out(row: Plan) -> PlanOut:
    """A plan as the API and the pages show it."""
    known: dict[str, Any] = {
        "target": "",
        "starts_on": None,
        "ends_on": None,
        "measure": None,
        "cadence": "long_running",
        "budget": None,
        **row.details,
    }
    shown = {name: value for name, value in row._asdict().items() if name != "details"}
    return PlanOut.model_validate({**shown, **{name: known[name] for name in PlanIn.model_fields if name in known}})


def as_fields(plan: BaseModel | None) -> dict[str, str]:
    """What a form shows: nested values by path, such as `measure.metric`."""
    found = {"name": "", "scene": "acquire", "target": "", "starts_on": "", "ends_on": "", "cadence": "long_running"}
    found |= {"measure.metric": "", "measure.baseline": "0", "budget.currency": "CNY", "budget.over": "warn"}
    if plan is None:
        return found
    return found | dict(_flat(plan.model_dump(mode="json", include=set(PlanIn.model_fields))))


def _flat(value: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    found = []
    for name, one in value.items():
        if isinstance(one, dict):
            found += _flat(one, f"{before}{name}.")
        else:
            found.append((before + name, "" if one is None else _number(one) if isinstance(one, float) else str(one)))
    return found


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
