"""What a reviewer may bind an approval to: at most so many people enter, and nobody before an instant. Pure.

Of several approvals the strictest of each holds, so that nobody lifts what somebody else has set.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from flows.contract import Json

OVER = "over the approved cap"  # why somebody was not let in
ENTRIES_AT_MOST = 2**31 - 1


class Conditions(BaseModel):
    """`entries_at_most` counts every entry by the version that is published; `not_before` moves its start."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    entries_at_most: Annotated[int, Field(ge=1, le=ENTRIES_AT_MOST, strict=True)] | None = None
    not_before: AwareDatetime | None = None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self.entries_at_most is not None or self.not_before is not None


NONE = Conditions()


def load(raw: Mapping[str, Json]) -> Conditions:
    """Conditions as they were kept."""
    return Conditions.model_validate(raw)


def dump(conditions: Conditions) -> dict[str, Json]:
    """As JSON, without what is not set; instants in UTC."""
    found: dict[str, Json] = {}
    if conditions.entries_at_most is not None:
        found["entries_at_most"] = conditions.entries_at_most
    if conditions.not_before is not None:
        found["not_before"] = conditions.not_before.astimezone(UTC).isoformat()
    return found


def strictest(some: Iterable[Conditions]) -> Conditions:
    """The smallest cap and the latest start among these."""
    caps: list[int] = []
    starts: list[datetime] = []
    for one in some:
        caps += [one.entries_at_most] if one.entries_at_most is not None else []
        starts += [one.not_before] if one.not_before is not None else []
    return Conditions(entries_at_most=min(caps, default=None), not_before=max(starts, default=None))
