"""Sending policies over HTTP: how often and at which hours marketing may reach a person. They hold from the next batch on."""

import hashlib
import json
from typing import Annotated, Any

from fastapi import Header, Response
from pydantic import ConfigDict, Field

from app import publishing
from app.store import workspaces
from app.web.guard import Asker, Database, can, router
from app.web.journeys import AtDesk
from app.web.problems import ProblemError, invalid
from app.web.shapes import In, Out
from flows import policies
from flows.errors import DocumentError
from flows.words import _

routes = router("policies")

SAMPLE: dict[str, Any] = {
    "caps": [
        {"limit": 2, "per": "day", "channel": None, "over": "skip"},
        {"limit": 1, "per": "P7D", "channel": "email", "over": "defer"},
    ],
    "quiet": [{"from": "21:00", "to": "08:00", "channel": None, "over": "defer"}],
    "defer_at_most": "P2D",
    "fuse": {"marketing": 3, "transactional": 30, "reach_times": 3},
}
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="ETag of the policies you changed.", examples=['"0a1b2c3d"'])
]


class PoliciesIn(In):
    """All policies of the workspace; they replace the ones before."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    caps: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=policies.RULES_AT_MOST,
        description="At most `limit` marketing messages `per` day, week (of the person's own calendar) or duration,"
        " on one channel or all; `over`: skip or defer.",
    )
    quiet: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=policies.RULES_AT_MOST,
        description="No marketing `from` … `to` on the person's own clock; `over`: skip or defer.",
    )
    defer_at_most: str = Field("P2D", description="Who cannot be reached within this time is not written to any more.")
    fuse: dict[str, Any] = Field(
        default_factory=dict,
        description="A journey is paused by itself where one step would write to one person more than `marketing` or"
        " `transactional` times in 24 hours, or all of it more than `reach_times` the approved reach.",
    )


class PoliciesOut(Out):
    """The policies as they hold now."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    caps: list[dict[str, Any]]
    quiet: list[dict[str, Any]]
    defer_at_most: str
    fuse: dict[str, int]


@routes.get("/policies", dependencies=[can("policy.read")])
def read_policies(connection: Database, asker: Asker, response: Response) -> PoliciesOut:
    """Show caps and quiet hours; the `ETag` is needed to change them."""
    found = policies.load(workspaces.policies(connection, asker.workspace_id))
    return _shown(found, response)


@routes.put("/policies", dependencies=[can("policy.edit")])
def replace_policies(wish: PoliciesIn, desk: AtDesk, response: Response, if_match: IfMatch = None) -> PoliciesOut:
    """Replace caps and quiet hours. Send `If-Match`: 428 without it, 412 where somebody was faster."""
    if if_match is None:
        raise ProblemError(428, _("Send If-Match with the ETag of the policies you changed."))
    known = policies.load(workspaces.policies(desk.connection, desk.workspace_id, lock=True))
    if if_match != etag(known):
        raise ProblemError(
            412, _("Somebody changed the policies since; read them again."), headers={"ETag": etag(known)}
        )
    try:
        found = publishing.allow(desk, wish.model_dump())
    except DocumentError as error:
        raise invalid(error.errors, _("The policies cannot be used.")) from None
    return _shown(found, response)


def etag(found: policies.Policies) -> str:
    """Names what the policies say."""
    text = json.dumps(policies.dump(found), sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def _shown(found: policies.Policies, response: Response) -> PoliciesOut:
    response.headers["ETag"] = etag(found)
    return PoliciesOut.model_validate(policies.dump(found))
