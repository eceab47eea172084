"""In `journey run` nothing leaves the machine: the sink takes every message as its provider would have."""

import threading
from collections.abc import Callable, Iterator

import pytest

from app.courier import courier_for
from app.database import Connection, connect, transaction
from app.run import with_sink
from app.settings import Settings
from app.sink import Sink, diversion
from app.store import caught
from app.store.caught import Catch
from tests.deliver.house import House, build

SENT = 2


@pytest.fixture
def keep(database_url: str) -> Callable[[Catch], None]:
    def kept(catch: Catch) -> None:
        with connect(database_url) as own, transaction(own):
            caught.add(own, catch)

    return kept


@pytest.fixture
def sink(keep: Callable[[Catch], None]) -> Iterator[Sink]:
    with Sink(keep, smtp_port=0, http_port=0) as running:
        yield running


@pytest.fixture
def house(connection: Connection, settings: Settings, sink: Sink) -> House:
    made = build(connection, hook={"url": "https://crm.example.com/in?x={{ contact.id }}"})
    ports = {"smtp_port": sink.smtp_port, "http_port": sink.http_port}
    made.courier = courier_for(with_sink(settings, ports), diversion(**ports))
    return made


def test_mails_webhooks_and_in_app_messages_are_caught_without_any_account(house: House) -> None:
    house.message(1)
    house.message(2, "hook")
    house.message(3, "pop")
    house.deliver()
    assert house.statuses() == [SENT] * 3
    with transaction(house.connection):
        newest = caught.newest(house.connection, house.workspace)
        found = {one.channel: caught.find(house.connection, house.workspace, one.id) for one in newest}
    mail, hook, pop = found["email"], found["webhook"], found["inapp"]
    assert mail is not None
    assert hook is not None
    assert pop is not None
    assert (mail.recipient, mail.title) == ("p1@example.com", "Hi P1")
    assert "Hi P1" in mail.content["html"]
    assert mail.content["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (hook.recipient, hook.content["body"]) == ("https://crm.example.com/in?x=u2", {"who": "u2"})
    assert (pop.recipient, pop.title, pop.content["body"]) == ("u3", "Hi P3", "there")


def test_a_provider_that_is_configured_is_not_reached_either(house: House, connected: list[tuple[str, int]]) -> None:
    house.account(
        "mail",
        "email",
        {"host": "smtp.example.com", "from_address": "shop@example.com", "username": "u", "password": "hunter2"},
    )
    house.account("crm", "webhook", {"url": "https://crm.example.com/", "secret": "s"})
    house.message(1)
    house.message(2, "hook")
    house.deliver()
    assert house.statuses() == [SENT] * 2
    assert {host for host, _ in connected} == {"127.0.0.1"}
    with transaction(house.connection):
        (mail,) = caught.newest(house.connection, house.workspace, channel="email")
        found = caught.find(house.connection, house.workspace, mail.id)
    assert found is not None
    assert found.content["headers"]["From"] == "shop@example.com"


def test_the_sink_stops_with_all_it_has_started(keep: Callable[[Catch], None]) -> None:
    before = set(threading.enumerate())
    with Sink(keep, smtp_port=0, http_port=0):
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) == before
