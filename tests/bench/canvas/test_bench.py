"""The bench of the canvas itself: its journeys are sound and of the size they say, and a missed target is called missed."""

from datetime import UTC, datetime

import pytest

from app import auth
from app.database import Connection
from flows import document
from flows.validate import validate
from nodes import catalog
from tests.bench.canvas import place
from tests.bench.canvas.journeys import EDGES_PER_STEP, journey, numbers, ports
from tests.bench.canvas.targets import OURS, PEER, Figure, judged, medians, missed, table


@pytest.mark.parametrize("count", [50, 300, 1000])
def test_a_journey_of_the_bench_has_its_size_and_no_mistakes(count: int) -> None:
    made = journey(count)
    assert made == journey(count)
    assert len(made["nodes"]) == count
    assert len(made["edges"]) / count == pytest.approx(EDGES_PER_STEP, abs=0.15)
    assert validate(document.load(made), catalog(plugins=False), accounts={}) == []


def test_live_numbers_name_steps_and_ports_that_exist() -> None:
    made = journey(50)
    told = numbers(made, 7, limit=20)
    assert len(told["nodes"]) == 20
    assert set(told["ports"]) == {f"{node['id']} {port}" for node in made["nodes"][:20] for port in ports(node)}


def test_a_target_that_is_missed_is_called_missed() -> None:
    figures = [Figure("mount", value, 1000, "fitted", OURS) for value in (90, 400, 110)]
    peer = Figure("mount", 1000, 1000, "fitted", PEER)
    good = medians([*figures, peer])
    assert [(one.value, one.target, one.ok) for one in good if one.candidate == OURS] == [(110, 250, True)]
    bad = judged([Figure("mount", 260, 1000, "fitted", OURS), peer])
    assert [one.target for one in missed(bad)] == [250], "a quarter of the peer's time"
    assert "missed" in table(bad)
    assert missed(judged([Figure("mount", 900, 1000, "all mounted", OURS)])) == []


def test_the_operator_of_the_bench_is_signed_in(connection: Connection) -> None:
    workspace_id, session = place.operator(connection)
    caller = auth.identify(connection, session, datetime.now(UTC), kind="js")
    assert caller is not None
    assert (caller.workspace_id, caller.role) == (workspace_id, "operator")
