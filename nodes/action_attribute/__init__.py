"""Set and remove attributes of people; the next node sees it."""

from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from flows.contract import Batch, NodeSettings, NodeType, Outcome, SetAttributes
from flows.rules.parse import NUMBER_AT_MOST
from flows.words import _, clip, say
from nodes.fields import AttributeName

SAMPLE = {"set": {"level": "gold", "score": 10, "interests": ["tea", "hiking"]}, "unset": ["trial_ends"]}
ATTRIBUTES_AT_MOST = 50
TEXT_AT_MOST = 4000

Text = Annotated[StrictStr, Field(max_length=TEXT_AT_MOST)]
Number = (
    Annotated[StrictInt, Field(ge=-NUMBER_AT_MOST, le=NUMBER_AT_MOST)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-NUMBER_AT_MOST, le=NUMBER_AT_MOST)]
)
Scalar = StrictBool | Number | Text
Value = Scalar | Annotated[tuple[Scalar, ...], Field(max_length=100)]


class Settings(NodeSettings):
    set: dict[AttributeName, Value] = Field(
        default_factory=dict,
        title=_("Set"),
        description=_("Attributes and their new values: text, numbers, true or false, or lists of these."),
        max_length=ATTRIBUTES_AT_MOST,
    )
    unset: tuple[AttributeName, ...] = Field(
        (), title=_("Remove"), description=_("Attributes to forget."), max_length=ATTRIBUTES_AT_MOST
    )

    @model_validator(mode="after")
    def _something_once(self) -> "Settings":
        if not self.set and not self.unset:
            raise ValueError(_("name at least one attribute to set or remove"))
        if both := self.set.keys() & frozenset(self.unset):
            raise ValueError(
                say(_("an attribute cannot be set and removed at once: {names}"), names=", ".join(sorted(both)))
            )
        return self


def summary(settings: Settings) -> str:
    return clip(
        ", ".join(
            [*(f"{name} = {value}" for name, value in settings.set.items()), *(f"−{name}" for name in settings.unset)]
        )
    )


def advance(batch: Batch) -> Outcome:
    everybody = [member.id for member in batch.members]
    new = {name: list(value) if isinstance(value, tuple) else value for name, value in batch.settings.set.items()}
    gone = dict.fromkeys(batch.settings.unset)
    return Outcome(go={"next": everybody}, effects=(SetAttributes(everybody, {**new, **gone}),))


node = NodeType(
    "action.attribute",
    version=1,
    title=_("Attribute"),
    group="action",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    help=_("Sets attributes of people and removes attributes."),
)
