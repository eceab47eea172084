"""Audiences over HTTP: for now only how many contacts a rule chooses. Named audiences come with their own issue."""

from typing import Any

from pydantic import ConfigDict, Field

from app.store import segments
from app.web.guard import Asker, Database, Now, can, router
from app.web.shapes import In, Out
from flows.rules import parse

routes = router("segments")


class PreviewIn(In):
    """A rule about contacts."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rule": {"attribute": "city", "op": "eq", "value": "上海"}}]}
    )
    rule: dict[str, Any] = Field(description="A rule in the language of conditions.")


class PreviewOut(Out):
    """How many contacts the rule chooses now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"count": 1204}]})
    count: int


@routes.post("/segments/preview", dependencies=[can("segment.preview")])
def preview_segment(wish: PreviewIn, connection: Database, asker: Asker, now: Now) -> PreviewOut:
    """Count the contacts a rule chooses at this moment; nothing is kept."""
    return PreviewOut(count=segments.count(connection, asker.workspace_id, parse(wish.rule), now))
