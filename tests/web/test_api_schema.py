"""The description and the program agree: requests made up from the one are answered as it says by the other."""

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis import Case
from starlette.testclient import TestClient

from tests.web.conftest import FLOW, Api, Staff

TRIES = 12



@pytest.fixture
def operations(app: FastAPI) -> list[schemathesis.APIOperation]:
    schema = schemathesis.openapi.from_dict(app.openapi())
    return [found.ok() for found in schema.get_all_operations() if found.ok().path.startswith("/api/")]


@pytest.mark.timeout(300)
def test_made_up_requests_are_answered_as_the_description_says(
    operations: list[schemathesis.APIOperation], client: TestClient, staff: Staff, operator: Api
) -> None:
    operator.ok("POST", "/journeys", {"name": "A", "document": FLOW})
    headers = {"Authorization": f"Bearer {staff.keys['admin']}"}
    assert len(operations) >= 35
    for operation in operations:
        if operation.path.endswith("/revoke"):
            continue  # it would revoke the key in hand

        @seed(20261121)
        @hypothesis_settings(max_examples=TRIES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def try_it(case: Case) -> None:
            answer = case.call(session=client, headers=headers)
            case.validate_response(answer, excluded_checks=[])

        try_it()
