"""The API described by itself: OpenAPI with an example and every problem of every operation, and a page that shows it.

The page is made on the server and needs no script: nothing is loaded from anywhere else.
"""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from app.web import ingest_docs
from app.web.problems import MEDIA_TYPE, NAMES, document

routes = APIRouter(include_in_schema=False)

Json = dict[str, Any]
METHODS = ("get", "put", "post", "patch", "delete")
MEANINGS = {
    400: "The body is not JSON that can be read, or a key stood in the address.",
    401: "No key, or one that is unknown, revoked or expired.",
    403: "The role of this key may not do this.",
    404: "There is none of that number in this workspace.",
    409: "The state it is in does not allow this.",
    412: "Somebody saved since; the present revision is given.",
    413: "The body is larger than this address takes.",
    422: "A field is missing or wrong; `errors` names it.",
    428: "`If-Match` is missing.",
    503: "The database is away; try again after `Retry-After` seconds.",
}
# Beyond what follows from the shape of an operation: its own refusals.
OWN = {
    "save_draft": (412, 428),
    "take_up_draft": (412, 428),
    "replace_policies": (412, 428),
    "replace_privacy": (412,),
    "change_plan": (412,),
    "create_journey": (404,),
    "submit_draft": (409,),
    "review_draft": (409,),
    "publish_journey": (409,),
    "pause_journey": (409,),
    "resume_journey": (409,),
    "stop_journey": (409,),
    "foresee_resume": (409,),
    "begin_migration": (409,),
    "stop_migration": (409,),
    "reverse_migration": (409,),
    "settle_late": (404,),
    "enroll_contact": (409,),
    "create_user": (409,),
    "change_user": (409,),
    "revoke_key": (409,),
    "create_key": (404,),
}
PROBLEM: Json = {
    "title": "Problem",
    "description": "RFC 9457. More fields may stand in it.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
DESCRIPTION = """Journey Canvas: draw customer journeys, review them, let people walk them.

Send `Authorization: Bearer jc_…`. Lists answer `{"items": […], "next": …}`: give `next` back as the query parameter `next`
for the page after it. Errors are problem documents (RFC 9457). What lies in another workspace does not exist: 404."""


def install(app: FastAPI) -> None:
    """Make `/openapi.json` and `/docs` say all there is to say."""
    described: Json = {}

    def describe() -> Json:
        if not described:
            described.update(_described(app))
        return described

    app.openapi = describe  # type: ignore[method-assign]  # the documented way to extend it
    app.include_router(routes)


def _described(app: FastAPI) -> Json:
    whole = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, _, operation in operations(whole):
        _complete(path, operation, schemas)
    whole["paths"].update(ingest_docs.openapi_paths())
    whole["components"].setdefault("securitySchemes", {}).update(ingest_docs.security_schemes())
    return whole


def operations(whole: Json) -> Iterator[tuple[str, str, Json]]:
    """Every operation: path, method, description."""
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


def _complete(path: str, operation: Json, schemas: Json) -> None:
    """Put in the examples and the problems."""
    responses, body = operation["responses"], operation.get("requestBody")
    for content in (body or {}).get("content", {}), *(one.get("content", {}) for one in responses.values()):
        for media in content.values():
            schema = media.get("schema", {})
            example = _example(schema, schemas)
            if example is not None:
                media.setdefault("example", _whole(example, schema, schemas))
    if not path.startswith("/api/"):
        responses.pop("422", None)
        return
    codes = {400, 401, 403, 422, 503, *OWN.get(operation["operationId"], ())}
    codes |= {404} if "{" in path else set()
    codes |= {413} if body else set()
    for code in sorted(codes):
        responses[str(code)] = _problem(code)
    operation["responses"] = dict(sorted(responses.items()))


def _problem(code: int) -> Json:
    field = [("name", "is needed")] if code == 422 else []
    example = document(code, MEANINGS[code], field)
    return {
        "description": NAMES.get(code, example["title"]),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


def _example(schema: Json, schemas: Json) -> Any:
    """The example of a schema: its own, its part's, or a page of one item."""
    schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if schema.get("examples"):
        return schema["examples"][0]
    properties = schema.get("properties", {})
    if properties.keys() == {"items", "next"}:
        return {"items": [_example(properties["items"]["items"], schemas)], "next": None}
    return None


def _whole(example: Any, schema: Json, schemas: Json) -> Any:
    """The example with the nulls that stand in it by right; FastAPI leaves out whatever is null."""
    schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if isinstance(example, list):
        return [_whole(one, schema.get("items", {}), schemas) for one in example]
    if not isinstance(example, dict):
        return example
    parts = schema.get("properties", {})
    nulls = {name: None for name in schema.get("required", ()) if {"type": "null"} in parts[name].get("anyOf", ())}
    return nulls | {name: _whole(one, parts.get(name, {}), schemas) for name, one in example.items()}


@routes.get("/openapi.json")
def read_description(request: Request) -> Response:
    """The description itself."""
    return JSONResponse(request.app.openapi())


@routes.get("/docs")
def show_docs(request: Request) -> Response:
    """The description as a page."""
    whole = request.app.openapi()
    shown: dict[str, list[Json]] = {}
    for path, method, operation in operations(whole):
        media: Json = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})
        good = next(code for code in operation["responses"] if code.startswith("2"))
        answer: Json = next(iter(operation["responses"][good].get("content", {}).values()), {})
        shown.setdefault(operation["tags"][0], []).append(
            {
                "method": method.upper(),
                "path": path,
                "operation": operation,
                "body": _text(media.get("example")),
                "good": good,
                "answer": _text(answer.get("example")),
                "problems": [code for code in operation["responses"] if not code.startswith("2")],
            }
        )
    values = {"title": whole["info"]["title"], "intro": DESCRIPTION, "tags": shown}
    return request.app.state.templates.TemplateResponse(request, "docs.html", values)  # type: ignore[no-any-return]


def _text(example: Any) -> str:
    if example is None or isinstance(example, str):
        return example or ""
    return json.dumps(example, ensure_ascii=False, indent=2)
