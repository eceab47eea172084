"""What several parts of the API share: pages, ids, places in a list, the words for a problem. Never a table's row."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from app.web.problems import invalid
from flows.problems import Problem
from flows.words import _

PAGE = 100
PAGE_AT_MOST = 1_000
INT = 2**31 - 1
BIGINT = 2**63 - 1
LONGEST_PLACE = 400
NOT_A_PLACE = _("is not a place in this list; send back what the page before gave")


class In(BaseModel):
    """What is sent to us: nothing more than is asked for, so that nobody sets a field by guessing its name (T10)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Out(BaseModel):
    """What we answer: these fields and no others."""

    model_config = ConfigDict(extra="forbid")


T = TypeVar("T")


class Page(Out, Generic[T]):
    """A page of a list. Send `next` back as the query parameter `next` for the one after it; null ends the list."""

    items: list[T]
    next: str | None


Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
JourneyId = Annotated[int, Path(ge=1, le=INT, description="Number of the journey.", examples=[7])]
ContactId = Annotated[int, Path(ge=1, le=BIGINT, description="Number of the contact.", examples=[31_007])]
Limit = Annotated[int, Query(ge=1, le=PAGE_AT_MOST, description="How many items at most.")]
Next = Annotated[
    str | None, Query(max_length=LONGEST_PLACE, description="`next` of the page before; left out: the first page.")
]


def paged(rows: Sequence[Any], limit: int, place: Callable[[Any], Sequence[Any]]) -> tuple[Sequence[Any], str | None]:
    """One page out of `limit + 1` rows, and where the next one begins."""
    if len(rows) <= limit:
        return rows, None
    text = json.dumps(list(place(rows[limit - 1])), separators=(",", ":"), default=str)
    return rows[:limit], urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(next_: str | None, *kinds: type) -> list[Any] | None:
    """The place that `next` means: values of these kinds; a problem where it is not one of ours."""
    if next_ is None:
        return None
    try:
        values = json.loads(urlsafe_b64decode(next_ + "=" * (-len(next_) % 4)))
    except (ValueError, RecursionError):
        values = None
    if (
        not isinstance(values, list)
        or len(values) != len(kinds)
        or not all(type(value) is kind for value, kind in zip(values, kinds, strict=True))
        or any(isinstance(value, int) and abs(value) > BIGINT for value in values)
        or any(isinstance(value, str) and "\0" in value for value in values)
    ):
        raise invalid([("next", NOT_A_PLACE)])
    return values


class ProblemOut(Out):
    """Something wrong with a flow: errors keep it from being published, warnings are to be weighed."""

    node: str | None
    field: str | None
    code: str
    message: str
    severity: str
    fix: str | None


def problem_out(problem: Problem) -> ProblemOut:
    """A problem in English."""
    return ProblemOut(
        node=problem.node,
        field=problem.field,
        code=problem.code,
        message=problem.text,
        severity=problem.severity,
        fix=problem.fix,
    )
