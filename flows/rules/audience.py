"""Which rules can choose an audience: those that speak of the contact alone. Never SQL: the store writes that."""

from flows.errors import RuleError
from flows.rules.tree import Compare, InSegment, Reached, Tree, leaves
from flows.words import _, say

_NOTHING_SENT = _("nobody has been sent anything yet when an audience is chosen")
_NO_ENTRY = _("an audience has no entry event; ask for an attribute, or for an event")
_NO_NESTING = _("an audience cannot be made of audiences; write its rule here")


def check_audience(tree: Tree) -> None:
    """RuleError for the first leaf that needs a walk through a journey, or another audience."""
    for leaf in leaves(tree):
        if isinstance(leaf, Reached):
            raise RuleError(f"{leaf.place}: {say(_NOTHING_SENT)}")
        if isinstance(leaf, Compare) and leaf.of == "property":
            raise RuleError(f"{leaf.place}: {say(_NO_ENTRY)}")
        if isinstance(leaf, InSegment):
            raise RuleError(f"{leaf.place}: {say(_NO_NESTING)}")
