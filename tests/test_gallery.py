"""Every template opens ready to publish, in both languages, with and without accounts; and walks to its end."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from app import gallery
from app.gallery import GalleryError, Template, filling, templates
from app.simulating import Story, rehearse
from flows import document as documents
from flows.compile import Label, compile_plan
from flows.validate import validate
from nodes import catalog

CATALOG = catalog(plugins=False)
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
IDS = sorted(templates())
CHINESE = re.compile(r"[\u4e00-\u9fff]")
both = pytest.mark.parametrize("language", ["en", "zh"])
every = pytest.mark.parametrize("id", IDS)


def filled(id: str, language: str, accounts: tuple[str, ...] = ("shop-mail",), **typed: str) -> filling.Filled:
    template = templates()[id]
    fields = filling.begin(template, language, NOW, "Asia/Shanghai") | typed
    return filling.fill(template, fields, language, accounts)


def sentences(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in sentences(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in sentences(one)]
    return [value] if isinstance(value, str) else []


def test_there_are_the_templates_that_were_asked_for() -> None:
    asked = {"welcome", "abandoned-order", "win-back", "birthday", "anniversary-service", "first-order"}
    assert asked | {"questionnaire", "monthly-offer", "did-a-not-b", "campaign", "banner"} <= set(IDS)
    assert {one.scene for one in templates().values()} == set(gallery.SCENES)


@every
@both
@pytest.mark.parametrize("accounts", [(), ("shop-mail",), ("a", "b")])
def test_a_template_is_ready_to_publish_as_it_opens(id: str, language: str, accounts: tuple[str, ...]) -> None:
    found = filled(id, language, accounts)
    assert not found.wrong
    problems = validate(documents.load(found.document), CATALOG, accounts=dict.fromkeys(accounts, "email"))
    assert [(one.node, one.code, one.render("en")) for one in problems if one.severity == "error"] == []
    open_ports = [(one.node, one.field) for one in problems if one.code == "port.open"]
    assert open_ports == []
    used = {node["settings"].get("account") for node in found.document["nodes"]} - {None}
    assert used <= set(accounts[:1])


@every
@both
def test_cards_stand_on_the_grid_and_not_on_one_another(id: str, language: str) -> None:
    document = documents.load(filled(id, language).document)
    plan = compile_plan(document, CATALOG, Label(1, 1, 1))
    boxes = []
    for node in document.nodes:
        assert node.name
        assert node.x is not None
        assert node.y is not None
        assert node.x % 8 == 0
        assert node.y % 8 == 0
        boxes.append((node.x, node.y, 62 + 26 * max(1, len(plan.steps[node.id].wires))))
    for number, (x, y, height) in enumerate(boxes):
        for other_x, other_y, other_height in boxes[number + 1 :]:
            assert abs(x - other_x) >= 224 + 64 or y + height <= other_y or other_y + other_height <= y
    for edge in document.edges:
        assert document.index()[edge.to].x > document.index()[edge.source].x  # type: ignore[operator]


@every
def test_the_chinese_of_a_template_is_chinese_and_its_english_is_english(id: str) -> None:
    template = templates()[id]
    for words in (template.name, template.description, *template.story, *(one.title for one in template.blanks)):
        assert CHINESE.search(words.zh)
        assert not CHINESE.search(words.en)
    for node in filled(id, "en").document["nodes"]:
        assert not CHINESE.search(" ".join(sentences(node)))
    names = [node["name"] for node in filled(id, "zh").document["nodes"]]
    assert all(CHINESE.search(name) for name in names)


@every
def test_a_blank_goes_where_its_template_says(id: str) -> None:
    template = templates()[id]
    before = filled(id, "en").document
    for blank in template.blanks:
        typed = {
            "text": "Something else", "long": "Something else\nin two lines", "url": "https://example.com/x",
            "event": "other_event", "attribute": "other_attribute", "number": "7", "percent": "33", "time": "07:45",
            "moment": "2027-03-04T05:06",
        }  # fmt: skip
        parts = {"duration": {".amount": "77", ".unit": "M"}, "period": {".amount": "7", ".unit": "W"}}
        parts["monthly"] = {".day": "17", ".time": "06:05"}
        fields = {f"{blank.id}{name}": text for name, text in parts.get(blank.kind, {}).items()}
        found = filled(id, "en", **(fields or {blank.id: typed[blank.kind]}))
        assert not found.wrong
        assert found.document != before, blank.id
        assert not [one for one in validate(documents.load(found.document), CATALOG) if one.severity == "error"]


@pytest.mark.parametrize(
    ("blank", "text"),
    [
        ("patience.amount", ""), ("patience.amount", "-1"), ("patience.amount", "ten"), ("patience.amount", "9999999"),
        ("patience.amount", "0"), ("patience.unit", "parsecs"), ("ordered", ""), ("ordered", "x" * 201), ("link", "javascript:1"),
        ("subject", "two\nlines"), ("subject", "nul\x00"), ("subject", "{{ contact.name"), ("text", "x" * 10_001),
    ],
)  # fmt: skip
def test_what_cannot_stand_in_a_blank_is_refused_at_its_field(blank: str, text: str) -> None:
    assert list(filled("abandoned-order", "en", **{blank: text}).wrong) == [blank.split(".")[0]]


def test_without_an_account_a_mail_becomes_a_message_in_the_app_with_the_same_words() -> None:
    mail, app = (
        next(
            node
            for node in filled("abandoned-order", "en", accounts, link="https://x.example/").document["nodes"]
            if node["id"] == "mail"
        )
        for accounts in (("shop-mail",), ())
    )
    assert mail["type"] == "send.email"
    assert mail["settings"]["account"] == "shop-mail"
    assert mail["settings"]["text"].endswith("\n\nhttps://x.example/")
    assert app["type"] == "send.inapp"
    assert (app["settings"]["title"], app["settings"]["url"]) == (mail["settings"]["subject"], "https://x.example/")


PERSON = {
    "attributes": {"name": "Mia", "birthday": "1990-11-25", "bought_air_conditioner_on": "2025-12-01"},
    "identities": {"email": "mia@example.com"},
    "past": [
        *({"event": "product_viewed", "ago": "PT5H", "properties": {"price": 2000}},) * 3,
        {"event": "app_open", "ago": "P2D"},
    ],
}  # fmt: skip
BUYER = PERSON | {"past": [{"event": "order_paid", "ago": "P100D"}, {"event": "app_open", "ago": "P40D"}]}
BUYS = {"win-back", "monthly-offer"}
ENDS = {
    "welcome": "no order yet", "abandoned-order": "not paid", "win-back": "no order", "birthday": "no order",
    "anniversary-service": "not booked", "first-order": "no order", "questionnaire": "no answer", "monthly-offer": "no order",
    "did-a-not-b": "followed up", "campaign": "no order", "banner": "not clicked",
}  # fmt: skip


@every
@pytest.mark.parametrize("accounts", [(), ("shop-mail",)])
def test_somebody_walks_a_template_to_its_end_in_the_simulator(id: str, accounts: tuple[str, ...]) -> None:
    plan = compile_plan(documents.load(filled(id, "en", accounts).document), CATALOG, Label(1, 1, 1, timezone="UTC"))
    person = BUYER if id in BUYS else PERSON
    enter = {"do": "enter", "properties": {"order_id": "A1"}}
    story = {"start": NOW, "person": person, "arms": {"control": "go"}, "happenings": [enter, *[{"do": "next"}] * 12]}
    told = rehearse(plan, Story.model_validate(story))
    assert not [one for one in told.moments if one.kind in ("refused", "failed", "stopped")]
    assert told.moments[-1].kind == "left"
    assert told.moments[-1].why == ENDS[id]
    sent = [one.detail for one in told.moments if one.kind == "message"]
    assert sent
    assert {one["status"] for one in sent} == {"sent"}
    assert not [one for one in sent if "{{" in str(one["fields"])]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("kind: event", "kind: evnt"), "blanks[0].kind"),
        (("scene: convert", "scene: confuse"), "scene"),
        (("at: [/nodes/ordered/settings/event]", "at: [/nodes/nobody/settings/event]"), "“nobody”"),
        (("id: paid\n", "id: ordered\n"), "blanks[1].id"),
        (("name: {en: Order not paid, zh: 下单未支付}", "name: {en: Order not paid}"), "name.zh"),
        (("scene: convert", "scene: convert\nscenery: convert"), "scenery"),
        (("scene: convert", "scene: [convert"), "not YAML"),
    ],
)  # fmt: skip
def test_a_bad_file_says_which_field_is_wrong(change: tuple[str, str], named: str) -> None:
    text = (gallery.HERE / "abandoned-order.yaml").read_text(encoding="utf-8")
    assert change[0] in text
    with pytest.raises(GalleryError, match=re.escape(named)) as caught:
        gallery.read("mine.yaml", text.replace(*change, 1))
    assert str(caught.value).startswith("mine.yaml: ")


def test_a_template_is_not_changed_by_being_used() -> None:
    template: Template = templates()["welcome"]
    before = template.model_dump_json()
    filled("welcome", "zh", ())
    assert template.model_dump_json() == before
