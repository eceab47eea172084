"""The description and the program agree: requests made up from the one are answered as it says by the other."""

import socket
import time
from collections.abc import Iterator
from threading import Thread

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis import Case
from schemathesis.checks import CHECKS

from tests.web.conftest import Staff

TRIES = 6
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
