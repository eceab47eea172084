"""The small tree of errors of the pure core; problems of a document are data (`validate.Problem`), never exceptions."""

from collections.abc import Sequence


class FlowError(Exception):
    """Something a person wrote cannot be understood; the message names the place and the fix."""


class DocumentError(FlowError):
    """A flow document is not schema 1 (or an older one that can be upgraded); nothing of it was kept.

    `errors` are pairs of a field (`nodes[3].id`; empty: the document as a whole) and a sentence.
    """

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{field}: {message}" if field else message for field, message in self.errors))


class RuleError(FlowError):
    """A rule is not in the language of DESIGN §5; the message starts with the path to the leaf."""


class NodeError(Exception):
    """A node broke its contract: it left a member out, placed one twice, or named a port it does not have."""
