"""Templates of journeys: a flow with blanks that an operator fills in, in English and Chinese. Read once, strictly.

A template is a YAML file in this folder. Wherever a text stands, `{en: …, zh: …}` says it in both languages.
Never writes a journey: `filling` makes a document, `publishing` keeps it.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from app.documents import read_yaml
from app.gallery.pointers import PointerError, find
from flows.contract import Json
from flows.errors import DocumentError
from flows.problems import place, say
from flows.words import _

HERE = Path(__file__).parent
TONGUES = frozenset({"en", "zh"})
Scene = Literal["acquire", "convert", "retain", "win_back"]
SCENES: Mapping[str, str] = {
    "acquire": _("Acquire"),
    "convert": _("Convert"),
    "retain": _("Retain"),
    "win_back": _("Win back"),
}
Kind = Literal[
    "text", "long", "url", "event", "attribute", "number", "percent", "duration", "period", "time", "moment", "monthly"
]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class GalleryError(Exception):
    """A file of the gallery cannot be used; the text names file and field."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    """A text in both languages."""

    en: Text
    zh: Text

    def of(self, language: str) -> str:
        """In the reader's language."""
        return self.zh if language == "zh" else self.en


class Blank(_Part):
    """What the operator fills in: where it goes, and what stands there to begin with."""

    id: Id
    kind: Kind
    title: Words
    help: Words | None = None
    at: Annotated[tuple[str, ...], Field(min_length=1)]
    default: Any


class Template(_Part):
    """One template. `story` tells what it does, a sentence for each step."""

    id: Id
    scene: Scene
    name: Words
    description: Words
    story: Annotated[tuple[Words, ...], Field(min_length=2, max_length=8)]
    blanks: Annotated[tuple[Blank, ...], Field(min_length=1, max_length=12)]
    document: dict[str, Any]

    @model_validator(mode="after")
    def _blanks_have_a_place(self) -> "Template":
        seen: set[str] = set()
        for number, blank in enumerate(self.blanks):
            if blank.id in seen:
                raise ValueError(f"blanks[{number}].id: “{blank.id}” is the id of an earlier blank too")
            seen.add(blank.id)
            for pointer in blank.at:
                try:
                    find(self.document, pointer)
                except PointerError as error:
                    raise ValueError(f"blanks[{number}].at: {error}") from None
        return self

    def words(self, language: str) -> dict[str, Json]:
        """The document in one language, its blanks as the file has them."""
        found: dict[str, Json] = spoken(self.document, language)
        return found


def spoken(value: Json, language: str) -> Json:
    """The value with every `{en, zh}` in it said in one language."""
    if isinstance(value, Mapping):
        if value.keys() == TONGUES:
            return value[language]
        return {name: spoken(one, language) for name, one in value.items()}
    return [spoken(one, language) for one in value] if isinstance(value, list) else value


def read(name: str, text: str) -> Template:
    """A template out of a file; GalleryError names the file, the field and what is wrong with it."""
    try:
        return Template.model_validate(read_yaml(text))
    except DocumentError as error:
        raise GalleryError(f"{name}: {error}") from None
    except ValidationError as error:
        wrong = [(place(one["loc"]), say(one)) for one in error.errors(include_url=False, include_input=False)]
        raise GalleryError(f"{name}: " + "; ".join(f"{field} {text}".strip() for field, text in wrong)) from None


@cache
def templates() -> Mapping[str, Template]:
    """All templates by id, in the order in which they are shown: by scene, then by name."""
    found = [read(path.name, path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.yaml"))]
    scenes = list(SCENES)
    found.sort(key=lambda one: (scenes.index(one.scene), one.name.en))
    return {one.id: one for one in found}
