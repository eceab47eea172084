"""Health, numbers, errors, headers: what operators and machines in front of the program rely on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from fastapi import FastAPI
from psycopg import sql
from starlette.testclient import TestClient

from app import database
from app.database import Connection
from app.main import create_app
from app.settings import Settings, SettingsError
from app.web.openapi import operations
from tests.web.conftest import FLOW, Api, Staff, hire

Publish = Callable[..., int]


@contextmanager
def app_with(settings: Settings, **changed: object) -> Iterator[TestClient]:
    with TestClient(create_app(settings.model_copy(update=changed))) as opened:
        yield opened


def test_a_process_is_alive_ready_and_counted(client: TestClient, viewer: Api) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "database": "ok", "migrations": "ok", "redis": "ok"}
    viewer.ok("GET", "/journeys")
    text = client.get("/metrics").text
    for name in ("journey_inbox_letters 0.0", "journey_messages_due 0.0", "journey_database_up 1.0"):
        assert name in text
    assert 'journey_requests_total{method="GET",route="list_journeys",status="200"} 1.0' in text
    assert "jc_" not in text


def test_without_redis_the_process_is_ready_but_says_so(settings: Settings, connection: Connection) -> None:
    key = hire(connection, "shop").keys["operator"]
    with app_with(settings, redis_url="redis://127.0.0.1:1/0") as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"], answer.json()["redis"]) == (200, "degraded", "away")
        assert Api(client, key)("GET", "/journeys").status_code == 200
    with app_with(settings, redis_url=None) as client:
        assert client.get("/readyz").json()["redis"] == "none"


def test_with_the_database_away_every_request_is_told_to_come_back(settings: Settings) -> None:
    with app_with(settings, database_url="postgresql://nobody@127.0.0.1:1/nothing") as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["database"] == "away"
        for _ in range(3):
            answer = client.get("/api/v1/journeys", headers={"Authorization": f"Bearer jc_{'0' * 12}_{'0' * 64}"})
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["content-type"] == "application/problem+json"
            assert "postgres" not in answer.text
        assert "journey_database_up 0.0" in client.get("/metrics").text


def test_tables_that_lack_a_migration_make_the_process_not_ready(settings: Settings, connection: Connection) -> None:
    before = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert before is not None
    with database.transaction(connection):
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    try:
        with app_with(settings) as client:
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["migrations"]) == (503, "behind")
    finally:
        with database.transaction(connection):
            connection.execute("UPDATE alembic_version SET version_num = %s", before)


def test_errors_are_problem_documents_for_programs_and_pages_for_people(client: TestClient, viewer: Api) -> None:
    unknown = client.get("/api/v1/nothing")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"] == "application/problem+json"
    assert unknown.json().keys() == {"type", "title", "status", "detail", "errors"}
    page = client.get("/nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert client.delete("/api/v1/journeys").json()["status"] == 405
    missing = viewer("POST", "/segments/preview", {})
    assert (missing.status_code, missing.json()["errors"]) == (422, [{"field": "rule", "message": "is needed"}])
    wrong = viewer("POST", "/segments/preview", {"rule": {"attribute": "x", "op": "like", "value": 1}})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"].startswith("rule")
    assert viewer("GET", "/journeys?limit=0").json()["errors"][0]["field"] == "limit"
    for place in ("x", "W10", "bnVsbA", "WzEuNV0", "%00", "W1swXV0"):
        answer = viewer("GET", f"/journeys?next={place}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "next")


def test_a_fault_of_ours_is_a_500_without_details(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = hire(connection, "shop").keys["viewer"]

    def broken(*_: object) -> None:
        raise RuntimeError("the canary 4471")

    monkeypatch.setattr("app.store.journeys.page", broken)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        answer = Api(client, key)("GET", "/journeys")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "4471" not in answer.text
    assert "x-content-type-options" in answer.headers


def test_every_answer_carries_the_security_headers_t24(client: TestClient, app: FastAPI) -> None:
    addresses = {path for path, _, _ in operations(app.openapi())} | {
        "/",
        "/login",
        "/docs",
        "/static/none",
        "/nothing",
    }
    for path in addresses:
        answer = client.get(path.replace("{", "").replace("}", ""), follow_redirects=False)
        if path.startswith("/v1/"):
            continue
        assert answer.headers["x-content-type-options"] == "nosniff", path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe-eval" not in policy, path
        assert answer.headers.get("referrer-policy"), path
        if path.startswith("/api/"):
            assert answer.headers["cache-control"] == "no-store", path


def test_no_program_starts_without_a_secret_or_a_database_t24(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="JOURNEY_SECRET"):
        create_app(settings.model_copy(update={"secret": None}))
    with pytest.raises(SettingsError, match="JOURNEY_DATABASE_URL"):
        create_app(settings.model_copy(update={"database_url": None}))


def test_a_forged_host_changes_no_link_and_no_answer_t29(client: TestClient, viewer: Api) -> None:
    for headers in (
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"Forwarded": "host=evil.example"},
    ):
        for answer in (
            viewer("GET", "/journeys", headers=headers),
            client.get("/login", headers=headers),
            client.get("/nothing", headers={**headers, "Accept": "text/html"}),
        ):
            assert "evil.example" not in answer.text
            assert "evil.example" not in str(answer.headers)


def test_the_caught_messages_are_for_a_session_or_this_machine(
    client: TestClient, settings: Settings, staff: Staff
) -> None:
    assert staff.workspace_id
    assert client.get("/sink").status_code == 401
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 5000)) as here:
        assert here.get("/sink").status_code == 200
        assert here.get("/sink", headers={"Host": "rebound.example"}).status_code == 401


def test_looking_changes_nothing_t06(
    client: TestClient, app: FastAPI, publish: Publish, staff: Staff, connection: Connection
) -> None:
    journey = publish()
    before = fingerprint(connection)
    for path, method, _ in operations(app.openapi()):
        if method == "get":
            filled = path.format(
                journey_id=journey,
                contact_id=1,
                message_id=1,
                key_id=1,
                user_id=1,
                plan_id=1,
                name="exit",
                account="x",
                token="x",
                what="x",
            )
            for key in (staff.keys["admin"], None):
                client.get(filled, headers={"Authorization": f"Bearer {key}"} if key else {})
            client.head(filled)
            client.options(filled)
    for path in ("/", "/login?token=x", "/docs", "/sink", "/u/x", "/r/x", "/o/x.gif"):
        client.get(path, follow_redirects=False)
    assert fingerprint(connection) == before


def fingerprint(connection: Connection) -> dict[str, str]:
    """A hash of every table."""
    connection.rollback()
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    found = {}
    for (name,) in tables:
        query = sql.SQL("SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t")
        row = connection.execute(query.format(sql.Identifier(name))).fetchone()
        assert row is not None
        found[name] = row[0]
    connection.rollback()
    return found


def test_the_description_is_complete(client: TestClient, app: FastAPI) -> None:
    whole = client.get("/openapi.json").json()
    ids = set()
    for path, method, operation in operations(whole):
        place = f"{method} {path}"
        assert operation.get("summary"), place
        assert operation["operationId"] not in ids, place
        ids.add(operation["operationId"])
        if not path.startswith("/api/"):
            continue
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert media.get("example"), f"{place} has no example of its body"
        good = [code for code in operation["responses"] if code.startswith("2")]
        assert len(good) == 1, place
        if good != ["204"]:
            assert all("example" in media for media in operation["responses"][good[0]]["content"].values()), place
        for code in {"401", "403", "422", "503"} | ({"404"} if "{" in path else set()):
            assert "application/problem+json" in operation["responses"][code]["content"], f"{place} {code}"
        assert operation["security"] == [{"key": []}], place
    page = client.get("/docs")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://cdn" not in page.text
    for path in app.openapi()["paths"]:
        assert path in page.text


def test_examples_of_the_description_are_taken_as_they_are(admin: Api, app: FastAPI) -> None:
    tried = 0
    for path, method, operation in operations(app.openapi()):
        example = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {}).get("example")
        if path.startswith("/api/") and example is not None and "{" not in path:
            answer = admin(method, path.removeprefix("/api/v1"), example)
            assert answer.is_success or answer.status_code in (404, 428), f"{method} {path}: {answer.text}"
            tried += 1
    assert tried >= 4
    journey = admin.ok("POST", "/journeys", {"name": "A", "document": FLOW})["id"]
    assert journey
