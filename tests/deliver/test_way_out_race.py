"""The way out as a person takes it, while messages go out: the page answers, and no call begins after that (P10, I7)."""

import random
import threading
import time

from starlette.testclient import TestClient

from app.database import Connection, connect
from app.links import Tokens
from app.main import create_app
from app.plans import Plans
from app.settings import Settings
from app.stages import deliver
from tests.deliver.peers import NOW
from tests.deliver.test_opt_outs import SENT, SUPPRESSED, Recorder, furnish, people

PEOPLE = 120
LOT = 8


def test_p10_no_call_begins_after_the_page_has_answered_while_two_senders_are_at_work(
    connection: Connection, database_url: str, settings: Settings
) -> None:
    recorder = Recorder(batch=1, seconds=0.004)
    house = furnish(connection, recorder)
    people(house, range(1, PEOPLE + 1))
    tokens, answered, chance = Tokens(settings.secret_bytes), dict[int, float](), random.Random(11)
    order = list(range(1, PEOPLE + 1))
    chance.shuffle(order)
    go = threading.Event()

    def send() -> None:
        plans = Plans(dict(house.plans.catalog))
        with connect(database_url) as own:
            go.wait()
            while deliver.run(own, plans, house.courier, now=NOW, limit=LOT):
                pass

    def leave(client: TestClient, mine: list[int]) -> None:
        go.wait()
        for number in mine:
            token = tokens.make("unsubscribe", house.workspace, number + 1000, number)
            answer = client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
            answered[number] = time.monotonic()
            assert answer.status_code == 200

    with TestClient(create_app(settings, now=lambda: NOW)) as client:
        threads = [threading.Thread(target=send) for _ in range(2)]
        threads += [threading.Thread(target=leave, args=(client, order[part::3])) for part in range(3)]
        for one in threads:
            one.start()
        go.set()
        for one in threads:
            one.join()
    assert len(answered) == PEOPLE
    late = [n for n, at in answered.items() if any(call > at for call in recorder.calls.get(n + 1000, ()))]
    assert late == []
    states = house.statuses()
    assert set(states) == {SENT, SUPPRESSED}, "nothing raced: all were too early, or all too late"
    assert states.count(SENT) == len(recorder.calls)
    assert {one["reason"] for one in house.messages() if one["status"] == SUPPRESSED} == {"opted_out"}
