"""The ingest door described in OpenAPI, with an example of each call; merged into the application's own description."""

from typing import Any

from app.tracking import END_OF_TIME, ID_AT_MOST, KINDS, NAME_AT_MOST
from app.web.ingest import PATHS
from app.web.problems import document

Json = dict[str, Any]
NOTHING: Json = {"type": "null"}
NEEDED_ID: list[Json] = [{"type": "string", "maxLength": ID_AT_MOST, "minLength": 1}, {"type": "integer"}]
TEXT_OR_NUMBER: Json = {"anyOf": [{"type": "string", "maxLength": ID_AT_MOST}, {"type": "integer"}, NOTHING]}
TEXT: Json = {"type": ["string", "null"]}
TIME: Json = {
    "description": "RFC 3339, or milliseconds since 1970; between 1970 and 2200. What lies in the future counts as now.",
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "number", "minimum": 0, "exclusiveMaximum": int(END_OF_TIME.timestamp() * 1000)},
        NOTHING,
    ],
}
COMMON: Json = {
    "userId": {**TEXT_OR_NUMBER, "description": "Who it is; this or `anonymousId` is needed."},
    "anonymousId": {**TEXT_OR_NUMBER, "description": "A device or visitor that has not said who it is."},
    "timestamp": TIME,
    "messageId": {**TEXT_OR_NUMBER, "description": "The same message sent again changes nothing, for 30 days."},
    "context": {"description": "Taken, and not kept."},
}
ENVELOPE: Json = {
    "writeKey": {**TEXT, "description": "Instead of the Authorization header."},
    "sentAt": {
        **TIME,
        "description": "By the client's clock; corrects `timestamp` where that clock is wrong by over 5 s.",
    },
}
OBJECT: Json = {"type": ["object", "null"], "additionalProperties": True}
OWN: dict[str, Json] = {
    "track": {"event": {"type": "string", "maxLength": NAME_AT_MOST, "pattern": "\\S"}, "properties": OBJECT},
    "identify": {
        "traits": {**OBJECT, "description": "Become attributes; null takes one away. `email`, `phone` name people."}
    },
    "page": {"name": TEXT, "category": TEXT, "properties": OBJECT},
    "screen": {"name": TEXT, "category": TEXT, "properties": OBJECT},
    "group": {"groupId": {"anyOf": NEEDED_ID}, "traits": OBJECT},
    "alias": {
        "previousId": {"anyOf": NEEDED_ID, "description": "The id that is given up for `userId`."},
        "userId": {"anyOf": NEEDED_ID},
    },
}
NEEDED: dict[str, list[str]] = {"track": ["event"], "group": ["groupId"], "alias": ["previousId", "userId"]}
EXAMPLES: dict[str, Json] = {
    "track": {
        "userId": "u-1042",
        "event": "order_submitted",
        "properties": {"order_id": "o-77", "amount": 129.9},
        "timestamp": "2026-11-21T09:30:00Z",
        "messageId": "6f1c2d6e-9a41-4f0e-8c9b-1f1f6c1f0a77",
    },
    "identify": {"userId": "u-1042", "anonymousId": "a-9", "traits": {"email": "ana@example.com", "plan": "pro"}},
    "page": {"anonymousId": "a-9", "name": "Home", "properties": {"url": "https://shop.example/"}},
    "screen": {"userId": "u-1042", "name": "Cart"},
    "group": {"userId": "u-1042", "groupId": "g-3", "traits": {"plan": "team"}},
    "alias": {"userId": "u-1042", "previousId": "a-9"},
}
SUMMARIES = {
    "track": "Something a contact did",
    "identify": "Who a contact is, and what is known of them",
    "page": "A page was seen; the event `page`",
    "screen": "A screen was seen; the event `screen`",
    "group": "A contact belongs to a group; the event `group`",
    "alias": "Two ids are one person",
    "batch": "Many calls, taken together or not at all",
}
PROBLEMS = {
    "400": "A call cannot be read; `errors` names the field, such as `batch[3].timestamp`. Nothing was taken.",
    "401": "No write key, or one that is unknown or revoked.",
    "403": "The key is of another role.",
    "408": "The body came too slowly.",
    "413": "The body, or one event in it, is too large. Nothing was taken.",
    "415": "Not JSON, or packed in another way than by gzip.",
    "503": "The database is away or behind; send the same again after `Retry-After` seconds.",
}
OK: Json = {
    "description": "Durably taken, or taken before.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}},
            "example": {"success": True},
        }
    },
}


def openapi_paths() -> Json:
    """The `paths` of the door; the short forms are left to the browser library that needs them."""
    return {path: {"post": _operation(kind)} for path, kind in PATHS.items() if path == f"/v1/{kind}"}


def security_schemes() -> Json:
    """What the paths refer to under `components.securitySchemes`."""
    return {"writeKey": {"type": "http", "scheme": "basic", "description": "The write key as user name, no password."}}


def _operation(kind: str) -> Json:
    schema, example = (_batch(), _batch_example()) if kind == "batch" else (_call(kind, ENVELOPE), EXAMPLES[kind])
    return {
        "tags": ["ingest"],
        "operationId": f"ingest_{kind}",
        "summary": SUMMARIES[kind],
        "description": "Segment's public tracking protocol, so that its SDKs work unchanged. May be packed with gzip.",
        "security": [{"writeKey": []}, {}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}},
        "responses": {"200": OK, **{status: _problem(status, text) for status, text in PROBLEMS.items()}},
    }


def _call(kind: str, more: Json) -> Json:
    needed = {"required": NEEDED[kind]} if kind in NEEDED else {}
    return {"type": "object", "properties": {**COMMON, **OWN[kind], **more}, **needed}


def _batch() -> Json:
    calls = [_call(kind, {"type": {"const": kind}}) for kind in KINDS]
    calls = [{**call, "required": ["type", *call.get("required", [])]} for call in calls]
    items = {"type": "array", "items": {"oneOf": calls}}
    return {"type": "object", "required": ["batch"], "properties": {"batch": items, **ENVELOPE}}


def _batch_example() -> Json:
    calls = [{"type": kind, **EXAMPLES[kind]} for kind in ("identify", "track")]
    return {"batch": calls, "sentAt": "2026-11-21T09:30:01Z"}


def _problem(status: str, text: str) -> Json:
    field = [("timestamp", "is not a moment between 1970 and 2200")] if status == "400" else []
    example = document(int(status), text, field)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema, "example": example}}}
