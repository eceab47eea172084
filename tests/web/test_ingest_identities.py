"""Who a call is from: known and new people, shared devices, joining, and several processes at once."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from app import database
from app.database import Connection
from app.groupcommit import commit_calls
from app.store import accept
from app.store.accept import FreshIds
from app.tracking import Limits, read
from app.web.ingest import accept_now
from tests.web.door import NOW, inbox, key_of, rows, statements, workspace

Take = Callable[..., list[Any]]


@pytest.fixture
def take(connection: Connection, database_url: str) -> Take:
    """Accept calls; returns the whole inbox."""
    workspace_id = workspace(database_url)

    def run(*calls: dict[str, Any], at: datetime = NOW) -> list[Any]:
        accept_now(connection, workspace_id, calls, at)
        return inbox(database_url)

    return run


def track(**ids: str) -> dict[str, Any]:
    return {"type": "track", "event": "seen", **ids}


def identify(traits: dict[str, Any] | None = None, **ids: str) -> dict[str, Any]:
    return {"type": "identify", "traits": traits or {}, **ids}


def names(url: str) -> dict[str, int]:
    return {f"{row.kind}:{row.value}": row.contact_id for row in rows(url, "SELECT * FROM identity")}


def test_an_anonymous_visitor_who_signs_up_stays_the_same_contact(take: Take) -> None:
    letters = take(
        track(anonymousId="a1"), identify({"name": "Ana"}, userId="u1", anonymousId="a1"), track(userId="u1")
    )
    assert len({letter.contact_id for letter in letters}) == 1
    assert [letter.kind for letter in letters] == ["track", "identify", "track"]


def test_a_known_user_on_a_new_device_brings_the_device_along(take: Take) -> None:
    letters = take(track(userId="u1"), track(userId="u1", anonymousId="phone"), track(anonymousId="phone"))
    assert len({letter.contact_id for letter in letters}) == 1


def test_an_anonymous_visitor_who_signs_in_is_joined_to_the_user(take: Take, database_url: str) -> None:
    first = take(track(userId="u1"), track(anonymousId="a1"))
    user, visitor = (letter.contact_id for letter in first)
    *_, merge, said = take(identify(userId="u1", anonymousId="a1"))
    assert (merge.kind, merge.contact_id, merge.lane) == ("merge_out", visitor, first[1].lane)
    assert merge.said == {"winner": user, "identities": [["anonymous_id", "a1"]]}
    assert (said.kind, said.contact_id) == ("identify", user)
    assert names(database_url) == {"user_id:u1": user, "anonymous_id:a1": user}
    assert take(track(anonymousId="a1"))[-1].contact_id == user


def test_a_shared_device_joins_nobody(take: Take) -> None:
    first, second = take(identify(userId="u1", anonymousId="tv"), identify(userId="u2", anonymousId="tv"))
    assert first.contact_id != second.contact_id
    letters = take(
        identify(userId="u2", anonymousId="tv"), track(userId="u2", anonymousId="tv"), track(anonymousId="tv")
    )
    assert [letter.kind for letter in letters] == ["identify"] * 3 + ["track"] * 2
    assert [letter.contact_id for letter in letters[2:]] == [second.contact_id, second.contact_id, first.contact_id]


def test_a_track_with_both_ids_joins_nobody(take: Take) -> None:
    letters = take(track(userId="u1"), track(anonymousId="a1"), track(userId="u1", anonymousId="a1"))
    assert [letter.kind for letter in letters] == ["track"] * 3
    assert letters[2].contact_id == letters[0].contact_id


@pytest.mark.parametrize("together", [True, False])
def test_joining_in_one_batch_is_joining_one_by_one(take: Take, database_url: str, together: bool) -> None:
    calls = [
        track(anonymousId="a1"), track(userId="u1"), identify(userId="u1", anonymousId="a1"),
        track(anonymousId="a2"), {"type": "alias", "previousId": "a2", "userId": "u1"}, track(anonymousId="a2"),
        track(userId="u2"), {"type": "alias", "previousId": "u1", "userId": "u2"}, track(userId="u1"),
    ]  # fmt: skip
    if together:
        letters = take(*calls)
    else:
        for call in calls:
            letters = take(call)
    shape = [(letter.kind, letter.name) for letter in letters]
    assert shape.count(("merge_out", "merge_out")) == 3
    assert len(set(names(database_url).values())) == 1
    assert letters[-1].contact_id == names(database_url)["user_id:u2"]
    assert len(rows(database_url, "SELECT FROM contact")) == 4


def test_alias_names_an_id_never_seen(take: Take, database_url: str) -> None:
    [letter] = take({"type": "alias", "previousId": "a1", "userId": "u1"})
    assert names(database_url) == {"user_id:u1": letter.contact_id, "anonymous_id:a1": letter.contact_id}
    assert letter.name == "alias"


def test_alias_gives_an_anonymous_contact_its_user_id(take: Take) -> None:
    letters = take(track(anonymousId="a1"), {"type": "alias", "previousId": "a1", "userId": "u1"})
    assert [letter.kind for letter in letters] == ["track", "track"]
    assert letters[0].contact_id == letters[1].contact_id


def test_alias_renames_a_user(take: Take) -> None:
    letters = take(track(userId="old"), {"type": "alias", "previousId": "old", "userId": "new"}, track(userId="new"))
    assert len({letter.contact_id for letter in letters}) == 1


def test_alias_of_a_shared_device_joins_nobody(take: Take) -> None:
    alias = {"type": "alias", "previousId": "tv", "userId": "u2"}
    letters = take(identify(userId="u1", anonymousId="tv"), track(userId="u2"), alias)
    assert [letter.kind for letter in letters] == ["identify", "track", "track"]


@pytest.mark.parametrize(
    "calls",
    [
        [{"type": "alias", "previousId": "x", "userId": "x"}] * 2,
        [track(userId="x"), {"type": "alias", "previousId": "x", "userId": "x"}],
        [track(anonymousId="x"), track(userId="x"), identify(userId="x", anonymousId="x"), identify(userId="x", anonymousId="x")],
        [
            track(userId="a"), track(userId="b"),
            {"type": "alias", "previousId": "a", "userId": "b"}, {"type": "alias", "previousId": "b", "userId": "a"},
            {"type": "alias", "previousId": "a", "userId": "b"},
        ],
    ],
)  # fmt: skip
def test_an_id_joined_to_itself_or_in_a_circle_is_harmless(
    take: Take, database_url: str, calls: list[dict[str, Any]]
) -> None:
    letters = take(*calls)
    merges = [letter for letter in letters if letter.kind == "merge_out"]
    assert len(merges) <= 1
    assert all(letter.said["winner"] != letter.contact_id for letter in merges)
    assert len(set(names(database_url).values())) == 1


def test_email_and_phone_become_identities_once_and_only_where_they_are_addresses(
    take: Take, database_url: str
) -> None:
    take(identify({"email": " Ana@Example.COM ", "phone": "+86 138-0013-8000"}, userId="u1"))
    take(identify({"email": "ana@example.com", "phone": "008613800138000"}, userId="u2"))
    take(identify({"email": "not an address", "phone": "12"}, userId="u3"))
    take(identify({"email": 7, "phone": 13900139000}, userId="u4"))
    found = names(database_url)
    assert found["email:ana@example.com"] == found["user_id:u1"]
    assert found["phone:+8613800138000"] == found["user_id:u1"]
    assert found["phone:13900139000"] == found["user_id:u4"]
    assert len(found) == 4 + 3
    assert {letter.kind for letter in inbox(database_url)} == {"identify"}


def test_names_of_two_workspaces_never_meet(connection: Connection, database_url: str) -> None:
    for number in range(2):
        accept_now(connection, workspace(database_url, key_of(number)), [identify(userId="u1", anonymousId="a1")], NOW)
    assert len({letter.contact_id for letter in inbox(database_url)}) == 2


def test_an_enrollment_by_api_is_asked_for_once(connection: Connection, database_url: str) -> None:
    workspace_id = workspace(database_url)
    for expected in (True, False):
        with database.transaction(connection):
            assert expected is accept.enroll(
                connection, workspace_id, 7, user_id="u1", context={"amount": 3}, idempotency_key="k1", now=NOW
            )
    [letter] = inbox(database_url)
    assert (letter.kind, letter.name, letter.said) == (
        "enroll",
        "journey.enrolled",
        {"journey": 7, "context": {"amount": 3}},
    )


def test_the_number_of_statements_does_not_grow_with_the_group(connection: Connection, database_url: str) -> None:
    workspace_id = workspace(database_url)
    counts = {}
    for size in (10, 1_000):
        people = range(size)
        before = [track(anonymousId=f"{size}a{n}") for n in people] + [track(userId=f"{size}u{n}") for n in people]
        accept_now(connection, workspace_id, before, NOW)
        mixed = [
            identify({"email": f"{size}x{n}@x.io"}, userId=f"{size}u{n}", anonymousId=f"{size}a{n}") for n in people
        ]
        named = [{**call, "messageId": f"{size}m{n}"} for n, call in enumerate([*mixed, track(userId=f"{size}new")])]
        calls = read("batch", encode({"batch": named})).calls(workspace_id, NOW, Limits())
        with database.transaction(connection), statements(connection) as said:
            accept.write(connection, calls, FreshIds())
        counts[size] = len(said)
    assert counts[10] == counts[1_000] <= 9


def run_at_once(url: str, workspace_id: int, batches: list[list[dict[str, Any]]]) -> None:
    """Each batch by a process of its own, as far as the database can tell, all starting together."""
    barrier = threading.Barrier(len(batches))
    failures: list[BaseException] = []

    def work(batch: list[dict[str, Any]]) -> None:
        try:
            with database.connect(url) as connection:
                barrier.wait()
                for call in batch:
                    calls = read("batch", encode({"batch": [call]})).calls(workspace_id, NOW, Limits())
                    commit_calls(connection, calls, FreshIds())
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_f10_a_new_person_on_sixteen_connections_is_one_contact(database_url: str) -> None:
    workspace_id = workspace(database_url)
    run_at_once(
        database_url, workspace_id, [[track(userId=f"u{n}", anonymousId=f"a{n}") for n in range(5)] for _ in range(16)]
    )
    assert len(rows(database_url, "SELECT FROM contact")) == 5
    assert len(names(database_url)) == 10
    assert len(inbox(database_url)) == 80
    assert {letter.contact_id for letter in inbox(database_url)} == set(names(database_url).values())


def test_f10_the_same_message_on_sixteen_connections_is_one_row(database_url: str) -> None:
    workspace_id = workspace(database_url)
    same = [{**track(userId=f"u{n}"), "messageId": f"m{n}"} for n in range(10)]
    run_at_once(database_url, workspace_id, [same] * 16)
    assert len(inbox(database_url)) == 10


def test_joining_from_both_sides_at_once_never_goes_in_a_circle(database_url: str) -> None:
    workspace_id = workspace(database_url)
    ids = [f"u{n}" for n in range(6)]
    with database.connect(database_url) as connection:
        accept_now(connection, workspace_id, [track(userId=one) for one in ids], NOW)
    circles = [
        [{"type": "alias", "previousId": a, "userId": b} for a in ids for b in ids if a != b][n::4] for n in range(4)
    ]
    run_at_once(database_url, workspace_id, circles)
    assert len(set(names(database_url).values())) == 1
    merges = [letter for letter in inbox(database_url) if letter.kind == "merge_out"]
    assert len(merges) == len({letter.contact_id for letter in merges}) == 5
    assert names(database_url)["user_id:u0"] not in {letter.contact_id for letter in merges}


PEOPLE = st.sampled_from(["p", "q", "r"])
CALLS = st.one_of(
    st.builds(lambda user: track(userId=user), PEOPLE),
    st.builds(lambda user: track(anonymousId=user), PEOPLE),
    st.builds(lambda user, other: track(userId=user, anonymousId=other), PEOPLE, PEOPLE),
    st.builds(lambda user, other: identify({"email": f"{other}@x.io"}, userId=user, anonymousId=other), PEOPLE, PEOPLE),
    st.builds(lambda user, other: {"type": "alias", "previousId": other, "userId": user}, PEOPLE, PEOPLE),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(CALLS, st.integers(0, 12)), max_size=12), st.integers(1, 12))
def test_p9_however_calls_are_cut_into_batches_the_people_are_the_same(
    connection: Connection, database_url: str, calls: list[tuple[dict[str, Any], int]], size: int
) -> None:
    """Duplicates by message id, any batch sizes: the same letters for the same people, each message once."""
    outcomes = []
    for cut in (1, size):
        workspace_id = workspace(database_url, key_of(len(outcomes)))
        batch = [{**call, "messageId": f"m{number}"} for call, number in calls]
        for start in range(0, len(batch), cut):
            accept_now(connection, workspace_id, batch[start : start + cut], NOW)
        letters = [letter for letter in inbox(database_url) if letter.workspace_id == workspace_id]
        people: dict[int, int] = {}
        shape = [(letter.kind, letter.name, people.setdefault(letter.contact_id, len(people))) for letter in letters]
        found = {
            f"{row.kind}:{row.value}": people[row.contact_id]
            for row in rows(database_url, "SELECT * FROM identity WHERE workspace_id = %s", workspace_id)
        }
        outcomes.append((shape, found))
        rows(database_url, "DELETE FROM key WHERE workspace_id = %s RETURNING id", workspace_id)
    assert outcomes[0] == outcomes[1]
