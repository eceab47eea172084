"""Brings old documents and old node settings up to date on loading, by pure steps from one number to the next.

Behaviour never asks for a version: by the time anything else sees a document it is the current one.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flows.contract import Json, NodeType
from flows.errors import DocumentError
from flows.words import _, told

if TYPE_CHECKING:
    from flows.document import Document, Node

SCHEMA = 1

# From each older schema to the next; schema 1 is the first.
STEPS: Mapping[int, Callable[[dict[str, Json]], dict[str, Json]]] = {}

# What a plugin's upgrade step raises when old settings are not what it expects.
UNEXPECTED = (KeyError, IndexError, TypeError, ValueError, AttributeError)


def upgrade_document(raw: Mapping[str, Json]) -> dict[str, Json]:
    """The raw document in the current schema."""
    schema = raw.get("schema")
    if isinstance(schema, bool) or not isinstance(schema, int):
        raise DocumentError([("schema", told(_('is needed: write "schema": {known}'), known=SCHEMA))])
    if schema > SCHEMA:
        raise DocumentError(
            [
                (
                    "schema",
                    told(
                        _("{schema} comes from a newer release; this one knows up to {known}"),
                        schema=schema,
                        known=SCHEMA,
                    ),
                )
            ]
        )
    document = dict(raw)
    for number in range(schema, SCHEMA):
        if number not in STEPS:
            raise DocumentError(
                [("schema", told(_("{schema} was never a format of ours; write {known}"), schema=schema, known=SCHEMA))]
            )
        document = STEPS[number](document) | {"schema": number + 1}
    return document


def upgrade_nodes(document: "Document", catalog: Mapping[str, NodeType]) -> "Document":
    """The document with the settings of every node in the version its type has now.

    A node whose type is unknown, or whose old settings its own step cannot read, stays as it is: validate reports it.
    """
    nodes = tuple(_upgraded(node, catalog.get(node.type)) for node in document.nodes)
    return document if nodes == document.nodes else document.model_copy(update={"nodes": nodes})


def settings(kind: NodeType, saved: Mapping[str, Json], version: int) -> dict[str, Json]:
    """The saved settings of a node in the version its type has now; each of the type's steps goes up by one."""
    current = dict(saved)
    for step in range(version, kind.version):
        current = dict(kind.upgrade(current, step))
    return current


def _upgraded(node: "Node", kind: NodeType | None) -> "Node":
    if kind is None or node.version >= kind.version:
        return node
    try:
        current = settings(kind, node.settings, node.version)
    except UNEXPECTED:
        return node
    return node.model_copy(update={"settings": current, "version": kind.version})
