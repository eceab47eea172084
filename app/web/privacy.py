"""What a workspace asks its contacts about, and which attributes are personal, over HTTP."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, field_validator

from app import audit, privacy
from app.store import workspaces
from app.web.guard import Asker, Database, Now, can, router
from app.web.shapes import In, Out, Text

routes = router("privacy")

PURPOSES_AT_MOST = 20
PERSONAL_AT_MOST = 200
RESERVED = {"marketing", "transactional"}
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


@routes.get("/privacy", dependencies=[can("policy.read")])
def read_privacy(connection: Database, asker: Asker) -> PrivacyOut:
    """Show the purposes people are asked about, and which attributes are personal."""
    return _shown(privacy.load(workspaces.privacy(connection, asker.workspace_id)))


@routes.put("/privacy", dependencies=[can("policy.edit")])
def replace_privacy(wish: PrivacyIn, connection: Database, asker: Asker, now: Now) -> PrivacyOut:
    """Replace them. A purpose that is gone is not asked about any more; what people said about it is kept."""
    before = workspaces.privacy(connection, asker.workspace_id, lock=True)
    purposes = {one.name: one.title for one in wish.purposes}
    after = {
        "purposes": [{"name": name, "title": title} for name, title in purposes.items()],
        "personal": sorted(set(wish.personal)),
        "text": wish.text,
        "text_version": wish.text_version,
    }
    workspaces.set_privacy(connection, asker.workspace_id, after)
    audit.record(connection, asker.workspace_id, asker.actor, "privacy.edit", "workspace", before, after, now)
    return _shown(privacy.load(after))


def _shown(held: privacy.Privacy) -> PrivacyOut:
    return PrivacyOut(
        purposes=[one._asdict() for one in held.purposes],
        personal=sorted(held.personal),
        text=held.text,
        text_version=held.text_version,
    )
