"""Figures for whoever runs it: complaints on the health page and in /metrics, anchors of the audit log on its page."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from app import anchors
from app.database import Connection, transaction
from app.settings import Settings
from app.store import inbox
from app.store.inbox import Letter
from app.worker import Making, Worker
from tests.web.conftest import Staff
from tests.web.signing import AT, Clock, Door

PAGE = {"Accept": "text/html"}


def heard(connection: Connection, workspace: int, channel: str, delivered: int, complained: int) -> None:
    with transaction(connection):
        connection.execute(
            "INSERT INTO reputation (workspace_id, channel, journey_id, marketing, at, delivered, complained)"
            " VALUES (%s, %s, 1, true, %s, %s, %s)",
            (workspace, channel, AT, delivered, complained),
        )


def page(door: Door, path: str, cookie: str) -> str:
    door.client.cookies.clear()
    answer = door.client.get(path, headers={**PAGE, "Cookie": f"journey_session={cookie}"})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_complaints_stand_on_the_health_page_and_in_the_metrics_from_a_thousand_on(door: Door, others: Staff) -> None:
    cookie, own = door.enter("viewer"), door.staff.workspace_id
    assert "Complaints" not in page(door, "/health", cookie)
    heard(door.connection, own, "email", 2_000, 1)
    heard(door.connection, own, "sms", 1_000, 2)
    heard(door.connection, own, "push", 999, 99)
    heard(door.connection, others.workspace_id, "webhook", 1_000, 7)
    rules = page(door, "/settings/policies", cookie)
    assert rules.count(" delivered</td>") == 2, "the rules for sending say it too"
    assert "E-mail" in rules.partition('id="complaints"')[2]
    text = page(door, "/health", cookie)
    assert "0.05%" in text.split('class="pill good"')[-2] + text.split('class="pill good"')[-1]
    assert "0.2%" in text.partition('id="complaints"')[2].partition('class="pill warn"')[2][:400]
    assert "0.7%" not in text, "another workspace's"
    said = door.client.get("/metrics").text
    assert f'journey_complaint_rate{{channel="email",workspace="{own}"}} 0.0005' in said
    assert f'journey_complaint_rate{{channel="sms",workspace="{own}"}} 0.002' in said
    assert f'journey_complaint_rate{{channel="webhook",workspace="{others.workspace_id}"}} 0.007' in said
    assert 'channel="push"' not in said


def test_what_waits_is_counted_of_one_s_own_workspace_as_the_lists_behind_it_are(door: Door, others: Staff) -> None:
    cookie = door.enter("viewer")
    with transaction(door.connection):
        for lane, (workspace, letters) in enumerate(((door.staff.workspace_id, 2), (others.workspace_id, 5))):
            letter = Letter(lane, 0, workspace, 1, "track", "opened", AT, AT, "{}", None)
            inbox.put(door.connection, [letter] * letters)
    figures = page(door, "/health", cookie).partition('id="waits"')[2]
    assert [int(n) for n in re.findall(r'href="/health/waiting/\w+">(\d+)<', figures)] == [2, 0, 0]
    assert page(door, "/health/waiting/events", cookie).count("<tr>") == 1 + 2


def test_the_worker_anchors_the_log_once_a_day_and_the_page_shows_it_and_what_was_cut_t28(
    open_door: Callable[[Settings], Door], settings: Settings, tmp_path: Path
) -> None:
    wish = settings.model_copy(update={"sink": False, "data": tmp_path})
    door = open_door(wish)
    cookie = door.enter("admin")
    clock = Clock(door.clock())
    worker = Worker(wish, Making(clock=clock))
    for hours in (0, 5, 24):
        clock.now = AT + timedelta(hours=hours)
        worker._anchor()
    found = anchors.read(tmp_path)
    assert [one.day for one in found.anchors] == ["2026-11-22", "2026-11-23"]
    shown = page(door, "/settings/audit", cookie)
    assert "last on 2026-11-23" in shown
    assert found.anchors[-1].hash[:16] in shown
    assert "This log is not what it was." not in shown
    with transaction(door.connection):
        door.connection.execute("ALTER TABLE audit DISABLE TRIGGER USER")
        door.connection.execute("UPDATE audit SET hash = 'f' WHERE number = %s", (found.anchors[0].number,))
        door.connection.execute("ALTER TABLE audit ENABLE TRIGGER USER")
    assert "anchored on 2026-11-22, is another one now." in page(door, "/settings/audit", cookie)
