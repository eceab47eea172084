"""The second step (T12): a code of the phone after password or link; each opens once, few may be tried, admins may reset it."""

import re
from collections.abc import Callable
from datetime import timedelta

import httpx2
import pyotp
import pytest
from starlette.testclient import TestClient

from app import auth, secondstep
from app.database import transaction
from app.settings import Settings
from app.store import audit, secondsteps
from tests.web.conftest import Api
from tests.web.signing import HERE, PASSWORD, Door


class Phone:
    """Somebody's phone: the key in it, and what it shows."""

    def __init__(self, door: Door, key: str, codes: list[str]) -> None:
        self.door, self.key, self.codes = door, key, codes

    def shows(self) -> str:
        return pyotp.TOTP(self.key).at(self.door.clock())

    def next(self) -> str:
        self.door.clock.turn(seconds=30)
        return self.shows()


def equip(door: Door, role: str) -> tuple[Phone, str]:
    """Set up a second step on the page; the phone, and the cookie of the session that goes on."""
    cookie = door.enter(role)
    offered = door.post("/settings/me/second-step", cookie, present=PASSWORD)
    assert offered.status_code == 200, offered.text
    assert "data:image/svg+xml" in offered.text
    key = re.findall(r'data-copy="([A-Z2-7 ]+)"', offered.text)[0].replace(" ", "")
    shown = door.post("/settings/me/second-step/confirm", cookie, code=pyotp.TOTP(key).at(door.clock()))
    assert shown.status_code == 200, shown.text
    codes = re.findall(r"<li><code>([a-z2-9-]+)</code>", shown.text)
    assert len(set(codes)) == secondstep.CODES
    assert not door.sees(cookie), "who came in without it does not stay"
    return Phone(door, key, codes), shown.cookies["journey_session"]


def answer(door: Door, pending: str, code: str, **more: str) -> httpx2.Response:
    door.client.cookies.clear()
    headers = {**HERE, "Cookie": f"journey_step={pending}"}
    return door.client.post("/login/code", data={"code": code, **more}, headers=headers, follow_redirects=False)


def knock(door: Door, role: str = "operator") -> str:
    """Give the right password; the cookie of the question for the code, and no session."""
    given = door.knock(f"{role}@shop.example", PASSWORD)
    assert given.status_code == 303
    assert given.headers["location"].startswith("/login/code")
    assert "journey_session" not in given.cookies
    return str(given.cookies["journey_step"])


def test_the_password_alone_opens_nothing_and_the_code_does_t12(door: Door) -> None:
    phone, own = equip(door, "operator")
    assert door.sees(own)
    pending = knock(door)
    assert not door.sees(pending), "a question for a code is no session"
    door.client.cookies.clear()
    asked = door.client.get("/login/code", headers={**HERE, "Cookie": f"journey_step={pending}"})
    assert 'autocomplete="one-time-code"' in asked.text
    assert answer(door, pending, "000000").status_code == 403
    came = answer(door, pending, phone.next(), next="/plans")
    assert came.headers["location"] == "/plans"
    assert door.sees(came.cookies["journey_session"])
    assert answer(door, pending, phone.next()).status_code == 403, "the question was answered"


def test_a_code_opens_once_also_within_its_half_minute_t12(door: Door) -> None:
    phone, _own = equip(door, "operator")
    code = phone.next()
    assert answer(door, knock(door), code).status_code == 303
    door.clock.turn(seconds=5)
    assert answer(door, knock(door), code).status_code == 403
    door.clock.turn(seconds=5)
    earlier = pyotp.TOTP(phone.key).at(door.clock() - timedelta(seconds=30))
    assert answer(door, knock(door), earlier).status_code == 403, "nor does one from before it"
    assert answer(door, knock(door), phone.next()).status_code == 303


def test_a_phone_s_clock_may_be_half_a_minute_off_and_no_more_t12(door: Door) -> None:
    phone, _own = equip(door, "operator")
    door.clock.turn(minutes=10)
    for off, status in ((-60, 403), (60, 403), (-30, 303), (30, 303)):
        code = pyotp.TOTP(phone.key).at(door.clock() + timedelta(seconds=off))
        assert answer(door, knock(door), code).status_code == status, off
        door.clock.turn(seconds=10 if off < 0 else 20)


def test_ten_recovery_codes_open_once_each_and_are_kept_as_keyed_hashes_t12(door: Door) -> None:
    phone, _own = equip(door, "operator")
    for number, code in enumerate(phone.codes):
        given = code.upper() if number % 2 else code.replace("-", " ")
        assert answer(door, knock(door), given).status_code == 303, number
        door.clock.turn(seconds=10)
        assert answer(door, knock(door), code).status_code == 403
        door.clock.turn(minutes=1)
        assert answer(door, knock(door), phone.shows()).status_code == 303  # so that nothing is held against us
    kept = door.connection.execute("SELECT sealed, codes FROM second_step").fetchall()
    assert kept[0][1] == []
    assert phone.key not in str(kept)
    door.connection.rollback()


def test_what_is_kept_opens_nothing_t12(door: Door) -> None:
    phone, _own = equip(door, "operator")
    row = door.connection.execute("SELECT sealed, codes::text FROM second_step").fetchone()
    assert row is not None
    text = "".join(row)
    assert phone.key not in text
    assert not any(code.replace("-", "") in text for code in phone.codes)
    door.connection.execute("UPDATE second_step SET user_id = %s", (door.staff.user_ids["viewer"],))
    door.connection.commit()
    assert answer(door, knock(door, "viewer"), phone.next()).status_code == 403, "a sealed key moved to another person"


@pytest.mark.parametrize("counted_in", ["valkey", "database"])
def test_codes_are_tried_as_rarely_as_passwords_and_the_password_wins_no_more_tries_t12(
    open_door: Callable[[Settings], Door], settings: Settings, counted_in: str
) -> None:
    wish = {"sink": False} if counted_in == "valkey" else {"sink": False, "redis_url": None}
    door = open_door(settings.model_copy(update=wish))
    phone, _own = equip(door, "operator")
    seen = []
    for _ in range(30):
        seen.append(answer(door, knock(door), "123456").status_code)
        door.clock.turn(seconds=6)
    assert seen == [403] * 5 + [429] * 25
    assert "Wait 12 minutes" in answer(door, knock(door), "123456").text
    assert answer(door, knock(door), phone.next()).status_code == 429
    door.clock.turn(minutes=16)
    assert answer(door, knock(door), phone.shows()).status_code == 303, "never for good"


def test_the_question_for_a_code_is_over_after_five_minutes_and_with_the_password(door: Door) -> None:
    phone, own = equip(door, "operator")
    pending = knock(door)
    door.clock.turn(minutes=5, seconds=1)
    late = answer(door, pending, phone.shows())
    assert late.status_code == 403
    assert "too long" in late.text
    pending = knock(door)
    fresh = "seven lanterns under snow"
    changed = door.post("/settings/me/password", own, present=PASSWORD, password=fresh, again=fresh)
    assert changed.status_code == 204
    assert answer(door, pending, phone.next()).status_code == 403
    assert answer(door, "jp_" + "0" * 12 + "_" + "0" * 64, phone.next()).status_code == 403
    assert answer(door, own, phone.next()).status_code == 403, "a session is no question"


def test_links_ask_for_the_code_of_who_has_one_and_of_nobody_else(door: Door) -> None:
    phone, _own = equip(door, "operator")
    for role in ("operator", "viewer"):
        with transaction(door.connection):
            link = auth.login(door.connection, door.staff.user_ids[role], door.staff.workspace_id, door.clock())
        came = door.post("/login", "", token=link, next="/settings/me")
        if role == "viewer":
            assert came.headers["location"] == "/settings/me"
            continue
        assert came.headers["location"] == "/login/code?next=%2Fsettings%2Fme"
        assert "journey_session" not in came.cookies
        assert door.post("/login", "", token=link).status_code == 403
        assert answer(door, came.cookies["journey_step"], phone.next()).status_code == 303


def test_a_key_counts_only_once_a_code_of_it_was_shown(door: Door) -> None:
    cookie = door.enter()
    assert door.post("/settings/me/second-step", cookie, present="wrong").status_code == 422
    assert door.post("/settings/me/second-step", cookie, present=PASSWORD).status_code == 200
    wrong = door.post("/settings/me/second-step/confirm", cookie, code="000000")
    assert wrong.status_code == 422
    assert "data:image/svg+xml" in wrong.text, "the picture stays while one tries again"
    assert "journey_session" in door.knock("operator@shop.example", PASSWORD).cookies


def test_it_is_turned_off_with_password_and_code_and_the_codes_are_renewed_so(door: Door) -> None:
    phone, own = equip(door, "operator")
    for wrong in ({"present": "no", "code": phone.next()}, {"present": PASSWORD, "code": "000000"}):
        assert door.post("/settings/me/second-step/off", own, **wrong).status_code == 422
        door.clock.turn(seconds=10)
    renewed = door.post("/settings/me/second-step/codes", own, present=PASSWORD, code=phone.codes[0])
    fresh = re.findall(r"<li><code>([a-z2-9-]+)</code>", renewed.text)
    assert len(fresh) == secondstep.CODES
    assert not set(fresh) & set(phone.codes)
    door.clock.turn(seconds=10)
    assert door.post("/settings/me/second-step/off", own, present=PASSWORD, code=phone.codes[1]).status_code == 422
    door.clock.turn(seconds=10)
    off = door.post("/settings/me/second-step/off", own, present=PASSWORD, code=fresh[0])
    assert off.status_code == 204
    assert not door.sees(own)
    assert door.sees(off.cookies["journey_session"])
    assert "journey_session" in door.knock("operator@shop.example", PASSWORD).cookies


def test_a_workspace_asks_it_of_admins_and_reviewers_before_anything_else(door: Door) -> None:
    admin, reviewer, operator = (door.enter(role) for role in ("admin", "reviewer", "operator"))
    assert door.post("/settings/second-step", reviewer, to="required").status_code == 403
    assert door.post("/settings/second-step", admin, to="required").status_code == 204
    assert door.sees(operator)
    for cookie in (admin, reviewer):
        assert not door.sees(cookie)
        door.client.cookies.clear()
        headers = {**HERE, "Cookie": f"journey_session={cookie}"}
        led = door.client.get("/journeys", headers=headers, follow_redirects=False)
        assert (led.status_code, led.headers["location"]) == (303, "/settings/me")
        page = door.client.get("/settings/me", headers=headers)
        assert "Set up a second step first." in page.text
        assert 'href="/journeys"' not in page.text
        assert door.post("/journeys/new", cookie, name="x").status_code == 403
        assert door.post("/settings/second-step", cookie, to="free").status_code == 403
    _phone, ready = equip_again(door, reviewer)
    assert door.sees(ready)
    assert Api(door.client, door.staff.keys["admin"])("GET", "/journeys").status_code == 200, "programs have no phone"


def equip_again(door: Door, cookie: str) -> tuple[Phone, str]:
    """As `equip`, for a session that is there already."""
    offered = door.post("/settings/me/second-step", cookie, present=PASSWORD)
    key = re.findall(r'data-copy="([A-Z2-7 ]+)"', offered.text)[0].replace(" ", "")
    shown = door.post("/settings/me/second-step/confirm", cookie, code=pyotp.TOTP(key).at(door.clock()))
    return Phone(door, key, []), shown.cookies["journey_session"]


def test_an_admin_resets_another_s_second_step_and_it_is_in_the_log_t28(door: Door, client: TestClient) -> None:
    _phone, own = equip(door, "reviewer")
    admin = door.enter("admin")
    listed = client.get("/api/v1/users", headers={"Authorization": f"Bearer {door.staff.keys['admin']}"}).json()
    assert {one["role"]: one["second_step"] for one in listed["items"]}["reviewer"] is True
    user = door.staff.user_ids["reviewer"]
    assert door.post(f"/settings/people/{user}/second-step/reset", own).status_code == 403
    assert door.post(f"/settings/people/{user}/second-step/reset", admin).status_code == 204
    assert not door.sees(own)
    assert "journey_session" in door.knock("reviewer@shop.example", PASSWORD).cookies
    assert door.post(f"/settings/people/{user}/second-step/reset", admin).status_code == 204  # and nothing is done
    assert door.post("/settings/people/999999/second-step/reset", admin).status_code == 404
    found = audit.page(door.connection, door.staff.workspace_id, audit.Wanted(what="user.second_step"), None, 5)
    assert [(row.actor, row.about, row.after) for row in found] == [
        (f"user:{door.staff.user_ids['admin']}", f"user:{user}", '{"second_step":false}'),
        (f"user:{user}", f"user:{user}", '{"second_step":true}'),
    ]
    equip(door, "reviewer")
    Api(door.client, door.staff.keys["admin"])("DELETE", f"/users/{user}/second-step")
    assert secondsteps.find(door.connection, door.staff.workspace_id, user) is None
    door.connection.rollback()
    _phone, own = equip(door, "admin")
    me = door.staff.user_ids["admin"]
    assert door.post(f"/settings/people/{me}/second-step/reset", own).status_code == 422, "one's own takes a code"
