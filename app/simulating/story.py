"""What is asked of the simulator: who walks, when it begins, what happened so far. Strict, bounded; never what comes of it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from flows.contract import Json
from flows.durations import Duration
from flows.errors import DocumentError
from flows.raw import refuse_unsafe

HAPPENINGS_AT_MOST = 500
PAST_AT_MOST = 200
NAMES_AT_MOST = 200
FIRST_YEAR, LAST_YEAR = 2000, 2150  # a clock that is moved by years still ends among the dates that rules know

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


def _storable(value: dict[str, Json]) -> dict[str, Json]:
    try:
        refuse_unsafe(value)
    except DocumentError as error:
        raise ValueError(str(error)) from None
    return value


Values = Annotated[dict[str, Any], Field(max_length=NAMES_AT_MOST), AfterValidator(_storable)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Before(_Part):
    """Something the contact did before the story begins, so long ago."""

    event: Name
    ago: Duration = "P1D"
    properties: Values = Field(default_factory=dict)


class Person(_Part):
    """Who walks. `contact` is the number of a real one, 0 of an invented one: draws depend on it."""

    contact: Annotated[int, Field(ge=0, le=2**62)] = 0
    user_id: Annotated[str, StringConstraints(max_length=200)] = ""
    attributes: Values = Field(default_factory=dict)
    tags: Annotated[tuple[Name, ...], Field(max_length=NAMES_AT_MOST)] = ()
    consents: dict[Name, dict[Name, bool]] = Field(default_factory=dict, max_length=50)
    identities: dict[Name, Name] = Field(default_factory=dict, max_length=50)
    past: Annotated[tuple[Before, ...], Field(max_length=PAST_AT_MOST)] = ()


class Enter(_Part):
    """Come in by an entry, the first if none is named; `anyway`: whatever its conditions say."""

    do: Literal["enter"]
    node: Name | None = None
    properties: Values = Field(default_factory=dict)
    anyway: bool = False


class Track(_Part):
    """The contact does something, so long `after` what came before."""

    do: Literal["event"]
    name: Name
    properties: Values = Field(default_factory=dict)
    after: Duration | None = None
    earlier: Duration | None = None  # it happened so long before it arrived


class Identify(_Part):
    """Attributes become known; null takes one away."""

    do: Literal["identify"]
    traits: Values = Field(default_factory=dict)
    after: Duration | None = None
    earlier: Duration | None = None


class Receipt(_Part):
    """Something becomes of the last message that a step sent."""

    do: Literal["receipt"]
    node: Name
    outcome: Literal["delivered", "opened", "clicked", "failed"]


class Next(_Part):
    """On to the next moment at which something is due."""

    do: Literal["next"]


class Wait(_Part):
    """The clock moves on; all that is due meanwhile is done at its own moment."""

    do: Literal["wait"]
    length: Duration


Happening = Annotated[Enter | Track | Identify | Receipt | Next | Wait, Field(discriminator="do")]


class Story(_Part):
    """The whole story so far. `arms` says which way to take where chance decides, by node."""

    start: AwareDatetime
    person: Person = Person()
    arms: dict[Name, Name] = Field(default_factory=dict, max_length=NAMES_AT_MOST)
    happenings: Annotated[tuple[Happening, ...], Field(max_length=HAPPENINGS_AT_MOST)] = ()

    @field_validator("start")
    @classmethod
    def _in_our_time(cls, start: datetime) -> datetime:
        if not FIRST_YEAR <= start.year <= LAST_YEAR:
            raise ValueError(f"the story begins between {FIRST_YEAR} and {LAST_YEAR}")
        return start
