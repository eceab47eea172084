"""How a form asks for a value, where its JSON schema cannot say: marks on field types and on models. Never what is valid.

A plugin uses the same marks; a form that does not know one asks for plain text. `nodes/README.md` lists them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

Kind = Literal[
    "event", "attribute", "tag", "segment", "account", "property", "timezone",  # named by what the workspace has
    "journey", "plan",  # by their numbers
    "step", "port", "weight",  # by what the journey has
    "liquid", "long", "line", "instant", "address",  # how it is written
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ask:
    """Annotation of a field's type: `EventName = Annotated[str, Ask("event")]`."""

    kind: Kind

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"x-form": self.kind}


def shown(
    *,
    labels: Mapping[str, str] | None = None,
    none: str | None = None,
    needs: Mapping[str, Sequence[Any]] | None = None,
    section: str | None = None,
) -> dict[str, Any]:
    """`json_schema_extra` of a field.

    `labels` says what choices are called, `none` what it means to choose nothing; `needs` names a field beside it (and
    the values of it; empty: any) without which it says nothing and is left out; `section` puts it under a heading below.
    """
    given = {"x-labels": labels, "x-none": none, "x-needs": needs, "x-section": section}
    return {name: value for name, value in given.items() if value is not None}


def ways(*choices: tuple[str, Sequence[str]]) -> dict[str, Any]:
    """`json_schema_extra` of a model whose fields are alternatives: the title of each way, and the fields it uses."""
    return {"x-ways": [{"title": title, "fields": list(fields)} for title, fields in choices]}
