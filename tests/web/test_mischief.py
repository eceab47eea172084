"""Ways that somebody with bad intent, or two people at the same moment, would try: none of them goes live, none is lost (T20).

What is tried elsewhere: a stolen cookie and a planted one in `test_signing_in.py`, one's own work approved in
`test_api_approval.py`, somebody else's name in `test_lent_names.py`, clocks put back in `tests/stages/test_pauses.py`.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from starlette.testclient import TestClient

from app import auth
from app.commands import documents as commands
from app.commands import people as keys
from app.database import Connection, transaction
from app.settings import Settings
from tests.web.conftest import Api, Staff, flow, go_live

HERE = {"Origin": "http://testserver", "Accept": "text/html"}
HOOK = {"channel": "webhook", "settings": {"url": "https://shop.example/a", "secret": "one"}}


def calling(minutes: int) -> dict[str, Any]:
    """A flow that depends on an account; `minutes` tells drafts apart."""
    made = flow(duration=f"PT{minutes}M")
    settings = {"account": "hook", "url": "https://shop.example/a"}
    made["nodes"][2] = {"id": "note", "type": "send.webhook", "version": 1, "settings": settings}
    return made


@dataclass
class Bench:
    """A journey that is live in an approved version, a draft that nobody approved, and everybody who would like it live."""

    client: TestClient
    connection: Connection
    settings: Settings
    operator: Api
    reviewer: Api
    admin: Api
    cookies: dict[str, str]
    id: int
    first: str  # the hash of what is live

    @property
    def path(self) -> str:
        return f"/journeys/{self.id}"

    def save(self, minutes: int, path: str = "") -> str:
        """Another draft; its hash."""
        path = path or self.path
        tag = self.operator("GET", f"{path}/draft").headers["etag"]
        self.operator.ok("PUT", f"{path}/draft", {"document": calling(minutes)}, headers={"If-Match": tag})
        return str(self.operator.ok("POST", f"{path}/validate")["content_hash"])

    def hand_in(self) -> str:
        return str(self.operator.ok("POST", f"{self.path}/submit")["content_hash"])

    def approve(self, by: Api, content_hash: str, decision: str = "approve", path: str = "") -> int:
        said = {"decision": decision, "content_hash": content_hash, "comment": "Because."}
        return by("POST", f"{path or self.path}/reviews", said).status_code

    def publish(self, content_hash: str, path: str = "") -> None:
        """By everybody, by every door."""
        path = path or self.path
        for api in (self.operator, self.reviewer, self.admin):
            api("POST", f"{path}/publish", {"content_hash": content_hash})
        for cookie in self.cookies.values():
            headers = {**HERE, "Cookie": f"journey_session={cookie}"}
            self.client.cookies.clear()
            for door, form in (
                ("review/publish", {"content_hash": content_hash}),
                ("moving", {"content_hash": content_hash}),
                ("state", {"to": "live"}),
                ("run", {"to": "live"}),
                ("pausing", {"to": "live"}),
            ):
                self.client.post(f"{path}/{door}", data=form, headers=headers, follow_redirects=False)
            self.client.post(f"{path}/review/publish", data={"content_hash": content_hash}, headers=headers)
        for deed in ("resume", "migrations"):
            self.admin("POST", f"{path}/{deed}", {"people": []})

    def live(self) -> list[tuple[Any, ...]]:
        """Every version there is, and which journeys are live by which."""
        self.connection.rollback()
        return self.connection.execute(
            "SELECT j.id, j.status, j.live_version_id, (SELECT string_agg(v.number || v.content_hash, ',' ORDER BY v.id)"
            " FROM version v WHERE v.journey_id = j.id) FROM journey j WHERE j.live_version_id IS NOT NULL ORDER BY 1"
        ).fetchall()


@pytest.fixture
def bench(
    client: TestClient,
    connection: Connection,
    settings: Settings,
    staff: Staff,
    operator: Api,
    reviewer: Api,
    admin: Api,
) -> Bench:
    admin.ok("PUT", "/accounts/hook", HOOK)
    id = int(operator.ok("POST", "/journeys", {"name": "A", "document": calling(10)})["id"])
    first = operator.ok("POST", f"/journeys/{id}/validate")["content_hash"]
    go_live(operator, reviewer, id)
    with transaction(connection):
        cookies = {
            role: auth.begin_session(connection, staff.workspace_id, staff.user_ids[role], datetime.now(UTC))
            for role in ("operator", "reviewer", "admin")
        }
    return Bench(client, connection, settings, operator, reviewer, admin, cookies, id, first)


def by_the_api(it: Bench) -> None:
    """Never handed in, then handed in and not approved, then rejected."""
    it.publish(it.save(20))
    it.publish(it.hand_in())
    handed = it.hand_in()
    assert it.approve(it.reviewer, handed, "reject") == 200
    it.publish(handed)


def by_an_edit_after_approval(it: Bench) -> None:
    """The approved hash, and that of the edit; going back to what was approved does not help."""
    it.save(20)
    handed = it.hand_in()
    assert it.approve(it.reviewer, handed) == 200
    it.publish(it.save(21))
    it.publish(handed)
    assert it.save(20) == handed
    it.publish(handed)


def by_approving_oneself(it: Bench) -> None:
    """The admin draws, the operator hands it in; both would like to approve."""
    tag = it.admin("GET", f"{it.path}/draft").headers["etag"]
    it.admin.ok("PUT", f"{it.path}/draft", {"document": calling(22)}, headers={"If-Match": tag})
    handed = it.hand_in()
    assert it.approve(it.admin, handed) == 403
    assert it.approve(it.operator, handed) == 403
    it.publish(handed)


def by_an_import(it: Bench) -> None:
    """A file that says of itself that it is live and approved."""
    boasting = {
        **calling(23),
        "status": "live",
        "approved_by": "user:3",
        "content_hash": it.first,
        "live_version_id": 1,
    }
    for text in (boasting, calling(10)):  # and one that is to the letter what was approved under another journey
        files = {"file": ("a.json", json.dumps(text).encode(), "application/json")}
        headers = {**HERE, "Cookie": f"journey_session={it.cookies['operator']}"}
        it.client.cookies.clear()
        it.client.post(
            "/journeys/new/import", files=files, data={"document": ""}, headers=headers, follow_redirects=False
        )
    for one in it.operator.ok("GET", "/journeys")["items"]:
        it.publish(it.first, f"/journeys/{one['id']}")


def by_the_command_line(it: Bench) -> None:
    """What a command takes in is a draft, and no command publishes one."""
    file = Path(it.settings.data) / "same.json"
    file.write_text(json.dumps(calling(10)))
    made = commands.take_in(it.settings, file, "Same")
    it.publish(it.first, f"/journeys/{made}")


def by_a_copy(it: Bench) -> None:
    """A duplicate of an approved journey has the same hash and no approval."""
    headers = {**HERE, "Cookie": f"journey_session={it.cookies['operator']}"}
    it.client.cookies.clear()
    copied = it.client.post(f"{it.path}/duplicate", headers=headers, follow_redirects=False)
    path = copied.headers["hx-redirect"].removesuffix("/edit")
    assert it.operator.ok("POST", f"{path}/validate")["content_hash"] == it.first
    assert it.approve(it.reviewer, it.first, path=path) == 409
    it.publish(it.first, path)


def by_a_restored_version(it: Bench) -> None:
    """An old version comes back as a draft, to be reviewed like any other."""
    it.save(24)
    handed = it.hand_in()
    headers = {**HERE, "Cookie": f"journey_session={it.cookies['operator']}"}
    it.client.cookies.clear()
    revision = it.operator.ok("GET", it.path)["revision"]
    form = {"state": "v1", "revision": str(revision)}
    assert it.client.post(f"{it.path}/versions/restore", data=form, headers=headers).status_code < 400
    assert it.operator.ok("POST", f"{it.path}/validate")["content_hash"] == it.first
    it.publish(it.first)
    it.publish(handed)


def by_rolling_back(it: Bench) -> None:
    """The approval of a version is used up by publishing it."""
    it.publish(it.first)
    it.save(10)
    it.publish(it.first)


def by_a_changed_account(it: Bench) -> None:
    """The letter stays, its address is swapped: for another URL, another secret, none; and back again by its name."""
    it.save(25)
    handed = it.hand_in()
    assert it.approve(it.reviewer, handed) == 200
    for settings in (
        {"url": "https://evil.example/a", "secret": "one"},
        {"url": "https://shop.example/a", "secret": "two"},
    ):
        it.admin.ok("PUT", "/accounts/hook", {"channel": "webhook", "settings": settings})
        it.publish(handed)
        it.publish(str(it.operator.ok("POST", f"{it.path}/validate")["content_hash"]))
    it.admin.ok("DELETE", "/accounts/hook")
    it.publish(handed)


def by_a_changed_node_type(it: Bench) -> None:
    """Another version of the node type is installed under an approved journey."""
    it.save(26)
    handed = it.hand_in()
    assert it.approve(it.reviewer, handed) == 200
    house = it.client.app_state["house"]
    installed = house.catalog
    try:
        for change in ({"version": installed["wait.duration"].version + 1}, None):
            house.catalog = {name: node for name, node in installed.items() if change or name != "wait.duration"}
            if change:
                house.catalog["wait.duration"] = replace(installed["wait.duration"], **change)
            it.publish(handed)
    finally:
        house.catalog = installed


def by_another_hash(it: Bench) -> None:
    """An approval, and a hash that is nearly the approved one."""
    it.save(27)
    handed = it.hand_in()
    assert it.approve(it.reviewer, handed) == 200
    for wrong in (it.first, "0" * 64, handed[:-1], handed.upper(), ""):
        it.publish(wrong)


def by_a_second_draft(it: Bench) -> None:
    """One draft is approved, another is handed in over it: neither goes out by the other's approval."""
    it.save(28)
    handed = it.hand_in()
    assert it.approve(it.reviewer, handed) == 200
    other = it.save(29)
    assert it.hand_in() == other
    it.publish(other)
    it.publish(handed)


def by_a_key_that_stands_for_nobody(it: Bench) -> None:
    """A key of the command line approves nothing; a second key of who drew it is the same person."""
    it.save(30)
    handed = it.hand_in()
    for role in ("reviewer", "admin"):
        assert it.approve(Api(it.client, keys.new_key(it.settings, name="robot", role=role)), handed) == 403
    tag = it.admin("GET", f"{it.path}/draft").headers["etag"]
    it.admin.ok("PUT", f"{it.path}/draft", {"document": calling(31)}, headers={"If-Match": tag})
    handed = it.hand_in()
    second = it.admin.ok("POST", "/keys", {"name": "second", "role": "reviewer"})["key"]
    assert it.approve(Api(it.client, second), handed) == 403
    it.publish(handed)


WAYS: list[Callable[[Bench], None]] = [
    by_the_api, by_an_edit_after_approval, by_approving_oneself, by_an_import, by_the_command_line, by_a_copy,
    by_a_restored_version, by_rolling_back, by_a_changed_account, by_a_changed_node_type, by_another_hash,
    by_a_second_draft, by_a_key_that_stands_for_nobody,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_nothing_goes_live_without_an_approval_of_exactly_that_t20_i13(
    bench: Bench, way: Callable[[Bench], None]
) -> None:
    before = bench.live()
    assert [row[1] for row in before] == ["live"]
    way(bench)
    assert bench.live() == before
    # By the one way there is it would go.
    bench.admin.ok("PUT", "/accounts/hook", HOOK)
    bench.save(59)
    handed = bench.hand_in()
    assert bench.approve(bench.reviewer, handed) == 200
    bench.publish(handed)
    assert bench.live() != before


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Done in the same moment; what each said."""
    barrier, said = Barrier(len(deeds)), [None] * len(deeds)

    def go(place: int) -> None:
        barrier.wait()
        said[place] = deeds[place]()

    threads = [Thread(target=go, args=(place,)) for place in range(len(deeds))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return said


@pytest.mark.parametrize("decisions", [("approve", "approve"), ("approve", "reject"), ("reject", "reject")])
def test_two_reviewers_at_once_leave_one_answer_and_a_no_stands_t20(bench: Bench, decisions: tuple[str, str]) -> None:
    for minutes in range(31, 35):
        bench.save(minutes)
        handed, before = bench.hand_in(), bench.live()
        one, other = decisions
        said = at_once(
            lambda: bench.approve(bench.reviewer, handed, one),  # noqa: B023 used before the loop goes on
            lambda: bench.approve(bench.admin, handed, other),  # noqa: B023
        )
        assert set(said) <= {200, 409}
        assert 200 in said
        bench.publish(handed)
        assert (bench.live() != before) == (decisions == ("approve", "approve"))


def test_two_operators_on_one_draft_one_saves_the_other_is_told_and_nothing_is_lost_q20(
    bench: Bench, admin: Api
) -> None:
    """Both began from the same revision and changed different steps: after the 412 the second lays theirs over the first's."""
    for minutes in range(40, 45):
        tag = bench.operator("GET", f"{bench.path}/draft").headers["etag"]
        base = bench.operator.ok("GET", f"{bench.path}/draft")["document"]
        one, other = deepcopy(base), deepcopy(base)
        one["nodes"][1]["settings"]["duration"] = f"PT{minutes}M"
        other["nodes"][2]["settings"]["url"] = f"https://shop.example/{minutes}"

        def save(api: Api, document: dict[str, Any], tag: str) -> Any:
            return api("PUT", f"{bench.path}/draft", {"document": document}, headers={"If-Match": tag})

        said = at_once(lambda: save(bench.operator, one, tag), lambda: save(admin, other, tag))  # noqa: B023
        assert sorted(answer.status_code for answer in said) == [200, 412]
        late, theirs = (admin, other) if said[1].status_code == 412 else (bench.operator, one)
        now = late("GET", f"{bench.path}/draft")
        merged = now.json()["document"]
        place = 2 if theirs is other else 1
        merged["nodes"][place] = theirs["nodes"][place]
        assert save(late, merged, now.headers["etag"]).status_code == 200
        kept = bench.operator.ok("GET", f"{bench.path}/draft")["document"]
        assert kept["nodes"][1]["settings"]["duration"] == f"PT{minutes}M"
        assert kept["nodes"][2]["settings"]["url"] == f"https://shop.example/{minutes}"
        saves = bench.connection.execute("SELECT count(*) FROM journey WHERE revision > 1").fetchone()
        bench.connection.rollback()
        assert saves == (1,)


def test_a_colleague_s_draft_is_not_published_along_with_mine_q20(bench: Bench, admin: Api) -> None:
    """Mine is approved; theirs, saved on top of it, voids that, shows in the comparison, and needs an approval of its own."""
    bench.save(46)
    mine = bench.hand_in()
    assert bench.approve(bench.reviewer, mine) == 200
    before = bench.live()
    tag = admin("GET", f"{bench.path}/draft").headers["etag"]
    theirs = calling(46)
    theirs["nodes"][2]["settings"]["url"] = "https://shop.example/theirs"
    admin.ok("PUT", f"{bench.path}/draft", {"document": theirs}, headers={"If-Match": tag})
    bench.publish(mine)
    assert bench.live() == before
    handed = bench.hand_in()
    changed = bench.reviewer.ok("GET", f"{bench.path}/diff")
    assert {"pause", "note"} <= set(json.dumps(changed).replace('"', " ").split()), "both changes are shown"
    assert bench.approve(admin, handed) == 403
    assert bench.approve(bench.reviewer, handed) == 200
    bench.publish(handed)
    assert bench.live() != before


def test_an_invitation_brought_by_two_at_once_opens_one_session_t13(
    client: TestClient, connection: Connection, staff: Staff
) -> None:
    with transaction(connection):
        link = auth.login(
            connection, staff.user_ids["viewer"], staff.workspace_id, datetime.now(UTC), name="invitation"
        )

    def bring() -> int:
        return client.post("/login", data={"token": link}, headers=HERE, follow_redirects=False).status_code

    assert sorted(at_once(bring, bring, bring, bring)) == [303, 403, 403, 403]
    assert bring() == 403
