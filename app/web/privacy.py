"""What a workspace asks its contacts about, and which attributes are personal, over HTTP."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import Header, Response
from pydantic import ConfigDict, Field, StringConstraints, field_validator

from app import audit, privacy
from app.auth import Caller
from app.store import workspaces
from app.store.rows import Connection
from app.web.guard import Asker, Database, Now, can, router
from app.web.problems import ProblemError
from app.web.shapes import In, Out, Text
from flows.words import _

routes = router("privacy")

PURPOSES_AT_MOST = 20
PERSONAL_AT_MOST = 200
RESERVED = {"marketing", "transactional"}
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="ETag of what you changed.", examples=['"0a1b2c3d"'])
]
SAMPLE: dict[str, Any] = {
    "purposes": [{"name": "newsletter", "title": "Newsletter"}, {"name": "offers", "title": "Offers"}],
    "personal": ["email", "phone", "name"],
    "text": "Choose what reaches you.",
    "text_version": "2026-11",
}


class PurposeIn(In):
    """Something people may want or not."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")] = Field(
        description="As sends name it: `purpose`.", examples=["newsletter"]
    )
    title: Text = Field(description="What people read on the preference page.", examples=["Newsletter"])

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name in RESERVED:
            raise ValueError("marketing and transactional are always there")
        return name


class PrivacyIn(In):
    """All of it; it replaces what was there before."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    purposes: list[PurposeIn] = Field(default_factory=list, max_length=PURPOSES_AT_MOST)
    personal: list[Text] = Field(
        default_factory=list,
        max_length=PERSONAL_AT_MOST,
        description="Attributes, kinds of names and properties that viewers see masked.",
    )
    text: Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")] = Field(
        "", description="Stands on the preference page above the choices."
    )
    text_version: Annotated[str, StringConstraints(max_length=60, pattern=r"^[^\x00-\x1f]*$")] = Field(
        "", description="What you call this text; the ledger keeps it with every answer."
    )


class PrivacyOut(Out):
    """What holds now."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    purposes: list[dict[str, str]]
    personal: list[str]
    text: str
    text_version: str


class Outrun(Exception):
    """Somebody changed it since; `held` is what holds now."""

    def __init__(self, held: privacy.Privacy) -> None:
        super().__init__("changed since")
        self.held = held


@routes.get("/privacy", dependencies=[can("policy.read")])
def read_privacy(connection: Database, asker: Asker, response: Response) -> PrivacyOut:
    """Show the purposes people are asked about, and which attributes are personal; the `ETag` guards a change."""
    return _shown(privacy.load(workspaces.privacy(connection, asker.workspace_id)), response)


@routes.put("/privacy", dependencies=[can("policy.edit")])
def replace_privacy(
    wish: PrivacyIn, connection: Database, asker: Asker, now: Now, response: Response, if_match: IfMatch = None
) -> PrivacyOut:
    """Replace them. A purpose that is gone is not asked about any more; what people said about it is kept.

    With `If-Match` it is 412 where somebody was faster.
    """
    try:
        return _shown(save(wish, connection, asker, now, if_match), response)
    except Outrun as outrun:
        tag = etag(outrun.held)
        raise ProblemError(412, _("Somebody changed it since; read it again."), headers={"ETag": tag}) from None


def save(wish: PrivacyIn, connection: Connection, asker: Caller, now: datetime, tag: str | None) -> privacy.Privacy:
    """Keep it; `tag` names what the writer saw, None asks for nothing."""
    before = workspaces.privacy(connection, asker.workspace_id, lock=True)
    held = privacy.load(before)
    if tag is not None and tag != etag(held):
        raise Outrun(held)
    purposes = {one.name: one.title for one in wish.purposes}
    after = {
        "purposes": [{"name": name, "title": title} for name, title in purposes.items()],
        "personal": sorted(set(wish.personal)),
        "text": wish.text,
        "text_version": wish.text_version,
    }
    workspaces.set_privacy(connection, asker.workspace_id, after)
    audit.record(connection, asker.workspace_id, asker.actor, "privacy.edit", "workspace", before, after, now)
    return privacy.load(after)


def etag(held: privacy.Privacy) -> str:
    """Names what it says."""
    said = [held.purposes, sorted(held.personal), held.text, held.text_version]
    return f'"{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]}"'


def _shown(held: privacy.Privacy, response: Response) -> PrivacyOut:
    response.headers["ETag"] = etag(held)
    return PrivacyOut(
        purposes=[one._asdict() for one in held.purposes],
        personal=sorted(held.personal),
        text=held.text,
        text_version=held.text_version,
    )
