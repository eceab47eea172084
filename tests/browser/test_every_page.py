"""Every page, in both themes, on a desk and on a phone, by keyboard, in both languages: accessible, whole, looked at."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import words
from tests.browser.axe import COLOURS, SIZES
from tests.browser.conftest import HEIGHTS, Tour
from tests.browser.keyboard import goes_by_keyboard
from tests.browser.pages import ready
from tests.browser.town import Town
from tests.browser.walk import STOPS, Stop, unknown

WIDTHS_OF_A_PHONE = 390
stops = pytest.mark.parametrize("stop", STOPS, ids=[stop.name for stop in STOPS])
translated = [pytest.param(stop, id=stop.name) for stop in STOPS if not stop.english_only]


def on_a_phone(page: Page) -> Page:
    page.set_viewport_size({"width": WIDTHS_OF_A_PHONE, "height": HEIGHTS[WIDTHS_OF_A_PHONE]})
    return ready(page)


def test_no_page_is_forgotten() -> None:
    assert unknown() == []


@stops
def test_a_page_is_accessible_in_both_themes_by_keyboard_on_a_desk_and_on_a_phone(
    stop: Stop, tour: Tour, town: Town, axe: Callable[..., None], shot: Callable[..., object]
) -> None:
    page = ready(tour(stop.path(town), role=stop.role, of=town.staff))
    axe(page)
    shot(page, f"{stop.name}-light")
    goes_by_keyboard(page)
    page.emulate_media(color_scheme="dark")
    axe(ready(page), COLOURS)
    shot(page, f"{stop.name}-dark", whole=False)
    page.emulate_media(color_scheme="light")
    axe(on_a_phone(page), SIZES)
    shot(page, f"{stop.name}-phone", whole=False)
    assert page.evaluate("() => __probes.tooWide()") == []


@pytest.mark.parametrize("stop", translated)
def test_a_chinese_reader_finds_no_english_left(
    stop: Stop, tour: Tour, town: Town, shot: Callable[..., object]
) -> None:
    page = ready(tour(stop.path(town), role=stop.role, of=town.staff, language="zh"))
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    shot(page, f"{stop.name}-zh", whole=False)
    left = words.left_in_english(page, town.said)
    on_a_phone(page)
    shot(page, f"{stop.name}-zh-phone", whole=False)
    assert page.evaluate("() => __probes.tooWide()") == []
    assert left == []
