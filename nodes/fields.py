"""Field types that several nodes share: names of events, ports, attributes, tags. Never a title: that is the node's.

What a name means to a form (which list it is picked from) is said by `flows.hints.Ask`.
"""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from flows.hints import Ask
from flows.words import _, say

NAME_AT_MOST = 200
RESERVED = "message."  # events about messages: only receipts may say them

_ONE_LINE = StringConstraints(
    min_length=1, max_length=NAME_AT_MOST, pattern=r"^[^\x00-\x1f\x7f]+$", strip_whitespace=True
)

EventName = Annotated[str, _ONE_LINE, Ask("event")]
PortName = Annotated[str, _ONE_LINE, Ask("port")]
AttributeName = Annotated[str, _ONE_LINE, Ask("attribute")]
TagName = Annotated[str, _ONE_LINE, Ask("tag")]


def _not_reserved(name: str) -> str:
    if name.startswith(RESERVED):
        raise ValueError(say(_("events named message.… are receipts; choose another name")))
    return name


OwnEventName = Annotated[str, _ONE_LINE, AfterValidator(_not_reserved), Ask("event")]
