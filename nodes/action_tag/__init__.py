"""Give people tags and take tags from them; the next node sees it."""

from pydantic import Field, model_validator

from flows.contract import Batch, NodeSettings, NodeType, Outcome, Tag
from flows.words import _, clip, say
from nodes.fields import TagName

SAMPLE = {"add": ["warm"], "remove": ["cold"]}
TAGS_AT_MOST = 50


class Settings(NodeSettings):
    add: tuple[TagName, ...] = Field((), title=_("Add"), description=_("Tags to give."), max_length=TAGS_AT_MOST)
    remove: tuple[TagName, ...] = Field(
        (), title=_("Remove"), description=_("Tags to take away."), max_length=TAGS_AT_MOST
    )

    @model_validator(mode="after")
    def _something_once(self) -> "Settings":
        if not self.add and not self.remove:
            raise ValueError(_("name at least one tag to add or remove"))
        if both := set(self.add) & set(self.remove):
            raise ValueError(
                say(_("a tag cannot be added and removed at once: {names}"), names=", ".join(sorted(both)))
            )
        return self


def summary(settings: Settings) -> str:
    return clip(" ".join([*(f"+{tag}" for tag in settings.add), *(f"−{tag}" for tag in settings.remove)]))


def advance(batch: Batch) -> Outcome:
    everybody = [member.id for member in batch.members]
    return Outcome(go={"next": everybody}, effects=(Tag(everybody, batch.settings.add, batch.settings.remove),))


node = NodeType(
    "action.tag",
    version=1,
    title=_("Tag"),
    group="action",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    help=_("Adds tags to people and removes tags."),
)
