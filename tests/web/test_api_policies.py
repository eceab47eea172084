"""Caps and quiet hours over the API: read by all, changed by admins, nobody's change lost, wrong ones named."""

from typing import Any

import pytest

from tests.web.conftest import Api

CAP: dict[str, Any] = {"limit": 2, "per": "day", "channel": "email", "over": "defer"}
FUSE = {"marketing": 3, "transactional": 30, "reach_times": 3}
NIGHT = {"from": "21:00", "to": "08:00", "channel": None, "over": "defer"}


def test_a_new_workspace_has_no_policies_and_everybody_may_read_them(viewer: Api) -> None:
    answer = viewer("GET", "/policies")
    assert answer.json() == {"caps": [], "quiet": [], "defer_at_most": "P2D", "fuse": FUSE}
    assert answer.headers["ETag"]


def test_an_admin_replaces_them_and_the_second_of_two_is_told(admin: Api) -> None:
    tag = admin("GET", "/policies").headers["ETag"]
    assert admin("PUT", "/policies", {"caps": [CAP]}).status_code == 428
    first = admin("PUT", "/policies", {"caps": [CAP], "quiet": [NIGHT]}, headers={"If-Match": tag})
    assert first.json() == {"caps": [CAP], "quiet": [NIGHT], "defer_at_most": "P2D", "fuse": FUSE}
    second = admin("PUT", "/policies", {"caps": []}, headers={"If-Match": tag})
    assert second.status_code == 412
    assert admin("GET", "/policies").json() == first.json()


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"caps": [{"limit": 0}]}, "caps[0].limit"),
        ({"quiet": [{"from": "25:00", "to": "08:00"}]}, "quiet[0].from"),
        ({"caps": [{"limit": 1, "per": "P99D"}]}, "caps[0].per"),
    ],
)
def test_a_wrong_policy_changes_nothing_and_names_the_field(admin: Api, wish: dict[str, Any], field: str) -> None:
    tag = admin("GET", "/policies").headers["ETag"]
    answer = admin("PUT", "/policies", wish, headers={"If-Match": tag})
    assert answer.status_code == 422
    assert any(field in error["field"] for error in answer.json()["errors"]), answer.json()
    assert admin("GET", "/policies").headers["ETag"] == tag
