"""The part of the contract that can be seen without walking: names, words, icon, schema. Only for `nodes.testing`."""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from pydantic import BaseModel

from flows.contract import NodeType, Start, names
from nodes import icon

TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
READS = re.compile(
    r"attributes\..+|tags|entry|segment:.+|message:.+|event:.+?( within (P\S+)| since entry)?",
)
LONGEST_SUMMARY = 60
LONGEST_ICON = 4096
SIZE = "24"
DRAWING = frozenset({"svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon", "title", "desc"})


def check(node: NodeType) -> Iterator[str]:
    """What is wrong whatever the settings are."""
    if not TYPE.fullmatch(node.type):
        yield f"the name {node.type!r} is not lower case words with dots"
    if node.version < 1:
        yield "the version is not a number from 1 up"
    for part in ("title", "group", "help"):
        if not getattr(node, part).strip():
            yield f"it has no {part}"
    yield from _icon(node)
    schema = node.settings.model_json_schema()
    parts = schema.get("$defs", {})
    for where, fields in [("settings", schema), *parts.items()]:
        for name, field in fields.get("properties", {}).items():
            # pydantic leaves a title out where it is the name of the part that the field refers to.
            yield from _words(f"{where}.{name}", {**parts.get(field.get("$ref", "").rpartition("/")[2], {}), **field})
    if node.settings.model_config.get("extra") != "forbid" or not node.settings.model_config.get("frozen"):
        yield "settings are not frozen, or take unknown fields; derive them from flows.contract.NodeSettings"
    if node.group == "entry" and node.start is None:
        yield "an entry says with `start` how people come in"


def check_settings(node: NodeType, settings: BaseModel) -> Iterator[str]:
    """What is wrong with the names and the one line that these settings give."""
    line = node.summary(settings)
    if not line.strip() or len(line) > LONGEST_SUMMARY or "\n" in line:
        yield f"the summary is not one line of at most {LONGEST_SUMMARY} characters: {line!r}"
    yield from _names(node, settings)
    if node.start and not isinstance(node.start(settings), Start):
        yield "`start` gives no Start"
    if node.jumps and not set(node.jumps(settings)) <= set(names(node.ports, settings)):
        yield "`jumps` names ports that do not exist"
    if node.channel:
        for name in set(node.channel.fields) - set(type(settings).model_fields):
            yield f"the channel renders {name!r}, which is no setting"


def _names(node: NodeType, settings: BaseModel) -> Iterator[str]:
    for part in ("ports", "reads", "listens"):
        given: object = names(getattr(node, part), settings)
        if not isinstance(given, tuple) or not all(isinstance(name, str) and name.strip() for name in given):
            yield f"{part} are not a tuple of names: {given!r}"
        elif len(set(given)) != len(given):
            yield f"{part} name something twice: {given!r}"
    for fact in names(node.reads, settings):
        if not READS.fullmatch(fact):
            yield f"nobody can fetch the fact {fact!r}"


def _words(where: str, field: dict[str, Any]) -> Iterator[str]:
    if not field.get("title", "").strip():
        yield f"{where} has no title"
    elif field["title"] == where.rpartition(".")[2].replace("_", " ").title() and not field.get("description"):
        yield f"{where} has only the title made from its name"
    if not field.get("description", "").strip():
        yield f"{where} has no help text (`description`)"


def _icon(node: NodeType) -> Iterator[str]:
    try:
        text = icon(node)
    except OSError as error:
        yield f"the icon cannot be read: {error}"
        return
    if len(text) > LONGEST_ICON or "<!" in text or "<?" in text:
        yield f"the icon is longer than {LONGEST_ICON} characters, or more than a drawing"
        return
    try:
        drawing = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        yield f"the icon is not SVG: {error}"
        return
    if drawing.get("viewBox") != f"0 0 {SIZE} {SIZE}" or (drawing.get("width"), drawing.get("height")) != (SIZE, SIZE):
        yield f"the icon is not {SIZE} by {SIZE}"
    if "currentColor" not in text:
        yield "the icon does not take the colour of its surroundings (currentColor)"
    for part in drawing.iter():
        tag = str(part.tag).rpartition("}")[2]
        hidden = [name for name in part.attrib if name.startswith("on") or "href" in name or name == "style"]
        if tag not in DRAWING or hidden:
            yield f"the icon holds more than a drawing: {tag} {' '.join(hidden)}".rstrip()
