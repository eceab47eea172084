"""Which node types are installed, with the schema of their settings and their icon; the palette is drawn from this."""

from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import ConfigDict

from app.web.guard import TheHouse, can, router
from app.web.problems import missing
from app.web.shapes import Out, Page
from flows.contract import NodeType
from nodes import icon

routes = router("node types")

TypeName = Annotated[
    str, Path(max_length=64, pattern=r"^[a-z0-9_.]+$", description="Name of the type.", examples=["wait.duration"])
]
# An icon is a drawing of ours or of a plugin: shown as a picture, it can run nothing.
ICON_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=3600"}


class NodeTypeOut(Out):
    """A node type. `ports` is null where they follow from the settings."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "exit",
                    "version": 1,
                    "title": "End",
                    "group": "flow",
                    "help": "People who come here have completed the journey.",
                    "ports": [],
                    "channel": None,
                    "is_entry": False,
                    "waits": False,
                    "icon": "/api/v1/node-types/exit/icon.svg",
                    "settings": {"type": "object", "properties": {}},
                    "account": None,
                }
            ]
        }
    )
    type: str
    version: int
    title: str
    group: str
    help: str
    ports: list[str] | None
    channel: str | None
    is_entry: bool
    waits: bool
    icon: str
    settings: dict[str, Any]
    account: dict[str, Any] | None


@routes.get("/node-types", dependencies=[can("node_type.read")])
def list_node_types(house: TheHouse) -> Page[NodeTypeOut]:
    """List the installed node types, all on one page."""
    return Page(items=[_shown(node) for node in house.catalog.values()], next=None)


@routes.get("/node-types/{name}", dependencies=[can("node_type.read")])
def read_node_type(name: TypeName, house: TheHouse) -> NodeTypeOut:
    """Show a node type."""
    node = house.catalog.get(name)
    if node is None:
        raise missing("node type")
    return _shown(node)


@routes.get(
    "/node-types/{name}/icon.svg",
    dependencies=[can("node_type.read")],
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}, "example": "<svg/>"}}}},
)
def read_icon(name: TypeName, house: TheHouse) -> Response:
    """Show the icon of a node type."""
    node = house.catalog.get(name)
    if node is None:
        raise missing("node type")
    return Response(icon(node), media_type="image/svg+xml", headers=ICON_HEADERS)


def _shown(node: NodeType) -> NodeTypeOut:
    channel = node.channel
    return NodeTypeOut(
        type=node.type,
        version=node.version,
        title=str(node.title),
        group=node.group,
        help=str(node.help),
        ports=None if callable(node.ports) else list(node.ports),
        channel=channel.name if channel else None,
        is_entry=node.start is not None,
        waits=node.waits,
        icon=f"/api/v1/node-types/{node.type}/icon.svg",
        settings=node.settings.model_json_schema(),
        account=channel.account.model_json_schema() if channel and channel.account else None,
    )
