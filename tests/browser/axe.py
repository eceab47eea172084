"""Accessibility as axe-core sees it (WCAG 2.2 AA): serious and critical findings, told so that one can mend them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.conftest import ROOT

SOURCE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
GRAVE = ("serious", "critical")
SHOWN = 5
# Only what colours decide differs from theme to theme, and little besides sizes from window to window; asking that alone
# takes a tenth of the time.
COLOURS = ("color-contrast", "link-in-text-block")
SIZES = (
    "color-contrast",
    "target-size",
    "scrollable-region-focusable",
    "aria-hidden-focus",
    "button-name",
    "link-name",
)
RUN = """
async ([type, values]) => {
  const found = await axe.run(document, { runOnly: { type, values }, resultTypes: ["violations"] });
  return found.violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help,
    nodes: nodes.map((one) => ({ html: one.html.slice(0, 200), why: one.failureSummary, target: String(one.target) })),
  }));
}
"""


@cache
def source() -> str:
    """The library, from node_modules."""
    assert SOURCE.is_file(), "axe-core is missing: run make test, or npm ci"
    return SOURCE.read_text(encoding="utf-8")


def findings(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Serious and critical findings on the page as it is now, a paragraph each; by these rules alone, if any are named."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(source())
    found = page.evaluate(RUN, ["rule", list(rules)] if rules else ["tag", list(TAGS)])
    return [_told(one) for one in found if one["impact"] in GRAVE]


def _told(one: dict[str, Any]) -> str:
    places = [f"    {node['target']}\n      {node['html']}\n      {_why(node['why'])}" for node in one["nodes"][:SHOWN]]
    more = len(one["nodes"]) - SHOWN
    rest = [f"    … and {more} more"] if more > 0 else []
    return "\n".join([f"  {one['impact']}: {one['help']} ({one['id']})", *places, *rest])


def _why(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines()[1:])
