"""The description and the program agree: requests made up from the one are answered as it says by the other."""

import re
import socket
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis import Case
from schemathesis.checks import CHECKS

from app.database import Connection
from app.models import SQLModel
from app.web.openapi import operations
from tests.web.conftest import Api, Staff

TRIES = 4
# Without meaning here: a body that has the right shape may still be no flow; If-Match missing is 428, not 400.
LEFT_OUT = ("positive_data_acceptance", "missing_required_header")


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The application behind a real server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.mark.timeout(240)
def test_made_up_requests_are_answered_as_the_description_says(app: FastAPI, address: str, staff: Staff) -> None:
    schema = schemathesis.openapi.from_dict(app.openapi())
    operations = [found.ok() for found in schema.get_all_operations()]
    headers = {"Authorization": f"Bearer {staff.keys['admin']}"}
    left_out = [check for check in CHECKS.get_all() if check.__name__ in LEFT_OUT]
    managed = [one for one in operations if one.path.startswith("/api/") and not one.path.endswith("/revoke")]
    assert len(managed) >= 35
    for operation in managed:

        @seed(20261121)
        @hypothesis_settings(max_examples=TRIES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def try_it(case: Case) -> None:
            answer = case.call(base_url=address, headers=headers, timeout=10)
            case.validate_response(answer, excluded_checks=left_out)

        try_it()


def parts(whole: Any, schema: Any, seen: set[str]) -> Iterator[tuple[str, Any]]:
    """Every named schema that one is made of."""
    if isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            yield name, whole["components"]["schemas"][name]
            yield from parts(whole, whole["components"]["schemas"][name], seen)
        for one in schema.values():
            yield from parts(whole, one, seen)
    elif isinstance(schema, list):
        for one in schema:
            yield from parts(whole, one, seen)


def test_every_body_and_answer_has_an_example_and_it_is_as_its_schema_says(app: FastAPI) -> None:
    whole = app.openapi()
    for path, method, operation in operations(whole):
        contents = [
            one.get("content", {}) for one in (operation.get("requestBody", {}), *operation["responses"].values())
        ]
        for kind, media in ((kind, media) for content in contents for kind, media in content.items()):
            if kind not in ("application/json", "application/problem+json"):
                continue
            place = f"{method} {path}"
            assert "example" in media, f"{place} has no example"
            schema = {**media.get("schema", {}), "components": whole["components"]}
            wrong = jsonschema_rs.validator_for(schema).iter_errors(media["example"])
            assert not [f"{place}: {one.instance_path} {one.message}" for one in wrong]


def test_no_body_takes_and_no_answer_gives_a_field_that_is_not_described_t10(
    app: FastAPI, admin: Api, connection: Connection
) -> None:
    """Every column of every table is tried as a field of every body; rows of tables are no answers."""
    whole = app.openapi()
    columns = {
        name
        for (name,) in connection.execute(
            "SELECT DISTINCT column_name FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
    }
    connection.rollback()
    tried = 0
    for path, method, operation in operations(whole):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if not path.startswith("/api/") or content is None:
            continue
        own = {field for _, part in parts(whole, content["schema"], set()) for field in part.get("properties", {})}
        foreign = sorted(columns - own)
        address = re.sub(r"{\w+}", "1", path).removeprefix("/api/v1")
        body = {**content["example"], **dict.fromkeys(foreign, 1)}
        answer = admin(method, address, body, headers={"If-Match": '"1"'})
        assert answer.status_code == 422, f"{method} {path}: {answer.status_code} {answer.text[:200]}"
        assert {one["field"] for one in answer.json()["errors"]} >= set(foreign), (
            f"{method} {path}: {answer.text[:300]}"
        )
        tried += 1
    assert tried >= 25
    tables = {mapper.class_.__name__ for mapper in SQLModel._sa_registry.mappers}
    assert len(tables) > 30
    assert not tables & set(whole["components"]["schemas"])
    answers = [operation["responses"] for path, _, operation in operations(whole) if path.startswith("/api/")]
    open_ended = {name for name, part in parts(whole, answers, set()) if part.get("additionalProperties") is not False}
    assert open_ended == {"Problem"}, "an answer that would give whatever it is handed"
