"""Through which glasses a caller sees people: whoever may not work with them sees what is flagged as personal masked (F107)."""

from collections.abc import Mapping
from typing import Any

from app.auth import Caller
from app.privacy import Glasses, load
from app.store import workspaces
from app.store.messagelog import Line
from app.store.people import Person
from app.store.rows import Connection
from app.store.timelines import Moment


def glasses_of(connection: Connection, caller: Caller) -> Glasses:
    """Clear for operators and above; for viewers as the workspace has it."""
    if caller.may("contact.unmask"):
        return Glasses()
    return Glasses(load(workspaces.privacy(connection, caller.workspace_id)).personal)


def person_seen(glasses: Glasses, person: Person) -> Person:
    """A contact as it is seen."""
    names, attributes = glasses.identities(person.identities), glasses.attributes(person.attributes)
    return person._replace(identities=names, attributes=attributes)


def moment_seen(glasses: Glasses, moment: Moment) -> Moment:
    """Something that happened, as it is seen."""
    if not glasses.hidden:
        return moment
    detail: dict[str, Any] = dict(moment.detail)
    if isinstance(properties := detail.get("properties"), Mapping):
        detail["properties"] = glasses.attributes(properties)
    if detail.get("title"):
        detail["title"] = glasses.words(detail["title"])
    return moment._replace(detail=detail)


def line_seen(glasses: Glasses, line: Line) -> Line:
    """A message of the log as it is seen."""
    if not glasses.hidden:
        return line
    content = (
        {name: glasses.words(str(value)) for name, value in line.content.items()} if line.content else line.content
    )
    return line._replace(
        name=glasses.name(line.name),
        recipient=glasses.address(line.recipient),
        title=glasses.words(line.title),
        content=content,
    )
