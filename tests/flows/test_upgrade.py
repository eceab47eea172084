"""Old documents and old settings are brought up to date when they are loaded."""

from typing import Any

import pytest

from flows import upgrade
from flows.document import load
from tests.flows.build import CATALOG


def a_send(version: int, settings: dict[str, Any]) -> Any:
    return load(
        {"schema": 1, "nodes": [{"id": "m", "type": "send.test", "version": version, "settings": settings, "x": 5}]}
    )


def test_old_settings_climb_step_by_step() -> None:
    node = upgrade.upgrade_nodes(a_send(1, {"subject": "Hi"}), CATALOG).nodes[0]
    assert (node.version, node.settings, node.x) == (3, {"title": "Hi", "account": None, "colour": "blue"}, 5)


def test_settings_of_today_stay_the_same_object() -> None:
    document = a_send(3, {"title": "Hi"})
    assert upgrade.upgrade_nodes(document, CATALOG) is document


def test_settings_that_the_step_cannot_read_stay_as_they_are() -> None:
    document = a_send(1, {})
    assert upgrade.upgrade_nodes(document, CATALOG) == document


def test_a_type_that_is_not_installed_stays_as_it_is() -> None:
    document = a_send(1, {"subject": "Hi"})
    assert upgrade.upgrade_nodes(document, {}) == document


def test_an_older_schema_would_climb_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "STEPS", {0: lambda raw: {"nodes": raw["steps"]}})
    assert load({"schema": 0, "steps": [{"id": "a", "type": "exit"}]}).nodes[0].id == "a"
