"""Nobody needs a mouse: on every page the Tab key reaches everything that can be used, in order, and one sees where one is."""

from playwright.sync_api import Page

SPARE_TABS = 8


def tabbed(page: Page) -> tuple[list[str], dict[int, bool]]:
    """What can be tabbed to, and of what was reached whether one saw the focus there."""
    names = page.evaluate("() => __probes.number()")
    page.evaluate("() => __probes.toTheTop()")
    reached: dict[int, bool] = {}
    for _ in range(len(names) + SPARE_TABS):
        page.keyboard.press("Tab")
        place, seen = page.evaluate("() => __probes.here()")
        if place == -1 and len(reached) >= len(names):
            break
        if place >= 0:
            reached.setdefault(place, seen)
    return names, reached


def leads_past_the_navigation(page: Page) -> None:
    """The first Tab offers to go to the content, visibly, and Enter goes there."""
    page.evaluate("() => __probes.toTheTop()")
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert (skip.get_attribute("href") or "").startswith("#"), skip.evaluate("(one) => one.outerHTML")
    assert page.evaluate("() => document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.closest('main') !== null")


def goes_by_keyboard(page: Page) -> None:
    """Fail on what the Tab key does not reach, reaches out of order, or reaches unseen; the page is at its top again after it."""
    leads_past_the_navigation(page)
    names, reached = tabbed(page)
    here = set(range(len(names))) - set(page.evaluate("() => __probes.gone()"))
    assert [names[place] for place in sorted(here - reached.keys())] == [], "not reached"
    assert [names[place] for place, seen in reached.items() if not seen] == [], "the focus cannot be seen"
    assert page.evaluate("() => __probes.outOfReach()") == []
    order = list(reached)
    turned = order[order.index(min(order)) :] + order[: order.index(min(order))]
    assert turned == sorted(turned), [names[place] for place in turned]
    page.evaluate("() => __probes.toTheTop()")
