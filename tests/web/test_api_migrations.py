"""People in flight over HTTP and on the page: asked for at publishing, previewed, done, stopped, put back; pauses with counts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.database import Connection, transaction
from app.lanes import ALL_LANES
from app.plans import Plans
from app.stages import match, migrate, timers
from nodes import catalog
from tests.web.conftest import FLOW, Api, flow, go_live

Publish = Callable[..., int]
MOVE = [{"node": "pause", "do": "move", "to": "pause", "wait": "keep"}]


@pytest.fixture
def run(connection: Connection) -> Callable[..., None]:
    """The stages, until nothing moves."""
    plans = Plans(catalog())

    def go(later: timedelta = timedelta()) -> None:
        stages: list[Any] = [match, timers, migrate]
        now = datetime.now(UTC) + later
        while any(stage.run(connection, plans, lanes=ALL_LANES, now=now, limit=500) for stage in stages):
            pass

    return go


@pytest.fixture
def under_way(operator: Api, publish: Publish, run: Callable[..., None]) -> str:
    """A journey with five people at its wait."""
    path = f"/journeys/{publish()}"
    for number in range(5):
        operator.ok("POST", f"{path}/enroll", {"user_id": f"u{number}", "idempotency_key": str(number)})
    run()
    return path


def hand_in(operator: Api, reviewer: Api, path: str, document: dict[str, Any]) -> str:
    """A new version, approved; its hash."""
    tag = operator("GET", f"{path}/draft").headers["etag"]
    operator.ok("PUT", f"{path}/draft", {"document": document}, headers={"If-Match": tag})
    content_hash: str = operator.ok("POST", f"{path}/submit")["content_hash"]
    reviewer.ok("POST", f"{path}/reviews", {"decision": "approve", "content_hash": content_hash})
    return content_hash


def versions(connection: Connection) -> list[Any]:
    with transaction(connection):
        return connection.execute(
            "SELECT v.number, e.node, e.status::int, count(*) FROM enrollment e JOIN version v ON v.id = e.version_id"
            " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ).fetchall()


def test_a_plan_is_previewed_carried_out_with_the_publishing_and_undone_f046(
    operator: Api, reviewer: Api, viewer: Api, under_way: str, run: Callable[..., None], connection: Connection
) -> None:
    content_hash = hand_in(operator, reviewer, under_way, flow(duration="PT2H"))
    seen = viewer.ok("POST", f"{under_way}/migrations/preview", {"people": MOVE})
    assert {name: seen[name] for name in ("moved", "exited", "reopened", "stay")} == {
        "moved": 5,
        "exited": 0,
        "reopened": 0,
        "stay": 0,
    }
    assert seen["places"][0]["waiting"] == 5
    assert versions(connection) == [(1, "pause", 0, 5)]
    published = operator.ok("POST", f"{under_way}/publish", {"content_hash": content_hash, "people": MOVE})
    run()
    assert versions(connection) == [(2, "pause", 0, 5)]
    (one,) = viewer.ok("GET", f"{under_way}/migrations")["items"]
    assert (one["id"], one["status"], one["version"]) == (published["migration"], "done", 2)
    assert one["done"] == one["expected"] == {"moved": 5, "exited": 0, "reopened": 0}
    operator.ok("POST", f"{under_way}/migrations/{one['id']}/reverse")
    run()
    assert versions(connection) == [(1, "pause", 0, 5)]
    (one,) = viewer.ok("GET", f"{under_way}/migrations")["items"]
    assert (one["status"], one["put_back"], one["gone"]) == ("reversed", 5, 0)


def test_publishing_without_a_plan_moves_nobody_and_people_may_be_moved_later_p7(
    operator: Api, reviewer: Api, under_way: str, run: Callable[..., None], connection: Connection
) -> None:
    content_hash = hand_in(operator, reviewer, under_way, flow(duration="PT2H"))
    assert operator.ok("POST", f"{under_way}/publish", {"content_hash": content_hash})["migration"] is None
    run()
    assert versions(connection) == [(1, "pause", 0, 5)]
    begun = operator("POST", f"{under_way}/migrations", {"people": [{"node": "pause", "do": "exit"}]})
    assert begun.status_code == 201
    assert operator("POST", f"{under_way}/migrations", {"people": MOVE}).status_code == 409
    stopped = operator.ok("POST", f"{under_way}/migrations/{begun.json()['id']}/stop")
    assert stopped["status"] == "stopped"
    run()
    assert versions(connection) == [(1, "pause", 0, 5)]


@pytest.mark.parametrize(
    "people",
    [
        [{"node": "pause", "do": "move"}],
        [{"node": "pause", "do": "exit", "to": "end"}],
        [{"node": "pause", "do": "vanish"}],
        [{"node": "a b", "do": "exit"}],
        [{"node": "pause", "do": "move", "to": "nowhere"}],
        [{"node": "pause", "do": "move", "to": "start"}],
        [{"node": "pause", "do": "exit"}, {"node": "pause", "do": "exit"}],
    ],
)
def test_a_plan_that_cannot_be_is_refused_and_nothing_is_published(
    operator: Api, reviewer: Api, under_way: str, people: Any
) -> None:
    content_hash = hand_in(operator, reviewer, under_way, flow(duration="PT2H"))
    answer = operator("POST", f"{under_way}/publish", {"content_hash": content_hash, "people": people})
    assert answer.status_code == 422
    assert operator.ok("GET", under_way)["version"] == 1


def test_a_pause_says_before_its_end_what_would_go_out_at_once_q05(
    operator: Api, viewer: Api, under_way: str, connection: Connection
) -> None:
    assert viewer("GET", f"{under_way}/resume").status_code == 409
    assert operator.ok("POST", f"{under_way}/pause", {"mode": "late"})["status"] == "paused"
    connection.execute("UPDATE enrollment SET wake_at = wake_at - interval '1 day'")
    connection.commit()
    connection.execute("UPDATE journey SET paused_at = paused_at - interval '2 days'")
    connection.commit()
    seen = viewer.ok("GET", f"{under_way}/resume")
    assert (seen["mode"], seen["at_once"]["late"]) == ("late", {"people": 5, "messages": 5})
    assert seen["at_once"]["skip"] == {"people": 5, "messages": 0}
    assert operator("POST", f"{under_way}/resume", {"mode": "never"}).status_code == 422
    assert operator.ok("POST", f"{under_way}/resume", {"spread": "PT2H"})["status"] == "live"
    with transaction(connection):
        rows = connection.execute("SELECT wake_at FROM enrollment").fetchall()
    now = datetime.now(UTC)
    assert all(now - timedelta(minutes=1) < at < now + timedelta(hours=2) for (at,) in rows)


def test_a_journey_that_a_fuse_paused_says_so(operator: Api, publish: Publish, connection: Connection) -> None:
    path = f"/journeys/{publish()}"
    assert operator.ok("GET", path)["pause_reason"] is None
    connection.execute("UPDATE journey SET status = 'paused', pause_reason = 'fuse: more than 3 a day'")
    connection.commit()
    assert operator.ok("GET", path)["pause_reason"] == "fuse: more than 3 a day"
    assert operator.ok("POST", f"{path}/resume")["pause_reason"] is None


def test_held_messages_are_listed_and_settled(operator: Api, viewer: Api, publish: Publish) -> None:
    journey = publish()
    assert viewer.ok("GET", "/late") == {"items": []}
    assert viewer("POST", "/late", {"do": "release"}).status_code == 403
    assert operator.ok("POST", "/late", {"do": "release", "journey_id": journey}) == {"messages": 0}
    assert operator("POST", "/late", {"do": "drop", "journey_id": 999_999}).status_code == 404


def test_the_page_asks_for_each_step_says_the_numbers_and_does_it(
    operator: Api,
    reviewer: Api,
    under_way: str,
    run: Callable[..., None],
    connection: Connection,
    operator_visitor: TestClient,
) -> None:
    content_hash = hand_in(operator, reviewer, under_way, flow(duration="PT2H"))
    review = operator_visitor.get(f"{under_way}/review").text
    assert f'hx-get="{under_way}/moving/dialog"' in review
    page = operator_visitor.get(f"{under_way}/moving").text
    assert 'value="1 pause waiting"' in page
    assert 'value="to:start"' not in page
    here = {"Origin": "http://testserver", "HX-Request": "true"}
    fields = {"content_hash": content_hash, "place": ["1 pause waiting"], "choice": ["to:pause"], "wait": ["keep"]}
    told = operator_visitor.post(f"{under_way}/moving/preview", data=fields, headers=here)
    assert "5 people are moved" in told.text
    broken = {**fields, "choice": []}
    assert operator_visitor.post(f"{under_way}/moving", data=broken, headers=here).status_code == 409
    done = operator_visitor.post(f"{under_way}/moving", data=fields, headers=here)
    assert (done.status_code, done.headers["HX-Redirect"]) == (204, f"{under_way}/moving")
    run()
    assert versions(connection) == [(2, "pause", 0, 5)]
    (one,) = operator.ok("GET", f"{under_way}/migrations")["items"]
    back = operator_visitor.post(f"{under_way}/moving/{one['id']}/reverse", headers=here)
    assert "every 1s" in back.text
    run()
    assert "every 1s" not in operator_visitor.get(f"{under_way}/moving/progress").text


def test_the_pages_of_a_pause_show_both_sides(operator: Api, under_way: str, operator_visitor: TestClient) -> None:
    here = {"Origin": "http://testserver", "HX-Request": "true"}
    assert 'value="paused"' in operator_visitor.get(f"{under_way}/pausing").text
    assert (
        operator_visitor.post(f"{under_way}/pausing", data={"to": "paused", "mode": "skip"}, headers=here).status_code
        == 204
    )
    assert operator.ok("GET", under_way)["status"] == "paused"
    page = operator_visitor.get(f"{under_way}/pausing").text
    assert 'value="skip" checked' in page
    assert "paused by itself" not in page
    operator_visitor.post(f"{under_way}/pausing", data={"to": "live", "mode": "freeze", "spread": "1h"}, headers=here)
    assert operator.ok("GET", under_way)["status"] == "live"


def test_the_health_page_says_what_is_held_and_lets_only_an_admin_confirm_a_restore(
    operator_visitor: TestClient, operator: Api, publish: Publish, connection: Connection, app: FastAPI
) -> None:
    del app
    publish()
    connection.execute(
        "INSERT INTO instance (id, token, epoch, number, place, beat_at, held, held_at)"
        " VALUES (1, 't', 1, 1, 'p', now(), 'the database went back to an earlier state', now())"
    )
    connection.execute("UPDATE journey SET status = 'paused', pause_reason = 'fuse: x', paused_at = now()")
    connection.commit()
    page = operator_visitor.get("/health").text
    assert "went back to an earlier state" in page
    assert "a fuse stopped it" in page
    (journey,) = operator.ok("GET", "/journeys")["items"]
    for reason, told in (
        ("fuse: x", "a fuse stopped it: x. Look"),
        ("season: journey 9", "journey 9 pauses it. It goes on by"),
    ):
        connection.execute("UPDATE journey SET pause_reason = %s", (reason,))
        connection.commit()
        assert told in " ".join(operator_visitor.get(f"/journeys/{journey['id']}/pausing").text.split())
    here = {"Origin": "http://testserver", "HX-Request": "true"}
    assert operator_visitor.post("/health/confirm", headers=here).status_code == 403
    assert operator.ok("GET", "/late") == {"items": []}


def test_another_version_goes_live_as_before(operator: Api, reviewer: Api, publish: Publish) -> None:
    journey = publish(FLOW)
    tag = operator("GET", f"/journeys/{journey}/draft").headers["etag"]
    draft = {"document": flow(duration="PT3H")}
    operator.ok("PUT", f"/journeys/{journey}/draft", draft, headers={"If-Match": tag})
    assert go_live(operator, reviewer, journey) == {"version": 2, "status": "live", "migration": None}
