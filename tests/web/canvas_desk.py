"""A browser at the settings panel: opens it, sends its form, reads the news for the editor. Judges nothing."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2
from starlette.testclient import TestClient

from flows.contract import Json
from tests.web.canvas_forms import Sheet, sheet
from tests.web.conftest import flow

ORIGIN = {"Origin": "http://testserver"}


class Panel:
    """One journey's panel."""

    def __init__(self, client: TestClient, journey: int) -> None:
        self.client = client
        self.journey = journey

    def html(self, node: Mapping[str, Json], document: Json = None, *, language: str = "en") -> str:
        """The panel of a step."""
        answer = self.client.post(
            f"/journeys/{self.journey}/nodes/{node['id']}/panel",
            json={"node": node, "document": document or flow()},
            headers={**ORIGIN, "Accept-Language": language},
        )
        assert answer.status_code == 200, answer.text
        return answer.text

    def open(self, node: Mapping[str, Json], document: Json = None, *, language: str = "en") -> Sheet:
        """The same as a browser sees it."""
        return sheet(self.html(node, document, language=language))

    def post(
        self, what: str, pairs: list[tuple[str, str]], *, node: str = "it", language: str = "en"
    ) -> httpx2.Response:
        body = httpx2.QueryParams(pairs)
        return self.client.post(
            f"/journeys/{self.journey}/nodes/{node}/panel/{what}",
            content=str(body),
            headers={**ORIGIN, "Content-Type": "application/x-www-form-urlencoded", "Accept-Language": language},
        )

    def apply(self, pairs: list[tuple[str, str]], **more: Any) -> dict[str, Any]:
        answer = self.post("apply", pairs, **more)
        assert answer.status_code == 200, sheet(answer.text).text
        return news(answer)


def news(answer: httpx2.Response) -> dict[str, Any]:
    """What the editor is told: by a header, or in the page."""
    said: dict[str, Any] = json.loads(answer.headers.get("HX-Trigger", "null"))
    if said is None:
        block = answer.text.split("data-applied>")[1].split("</script>")[0]
        one = json.loads(block)
        said = {one["name"]: one["detail"]}
    return next(iter(said.values()))  # type: ignore[no-any-return]


def change(pairs: list[tuple[str, str]], name: str, text: str) -> list[tuple[str, str]]:
    """The form with another text in a field; a field that is there must have been there."""
    assert name in dict(pairs), sorted(dict(pairs))
    return [(key, text if key == name else value) for key, value in pairs]
