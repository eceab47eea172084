"""The gate: may this message go out now? Pure, over what is known of contact and address; every no has its reason.

Asked twice: when a message is written, of what is known then, and again when it is claimed, of fresh reads.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

Consents = Mapping[str, Mapping[str, Any]]
MARKETING = "marketing"
ERASED = "erased"
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Case(NamedTuple):
    """What the gate looks at. `recipient` is empty where the contact has no address of the kind the channel needs."""

    channel: str
    marketing: bool
    consents: Consents
    recipient: str
    suppressed: str | None = None  # why nothing more may go to this address
    purpose: str = MARKETING
    erased: str | None = None  # why, where the address belonged to somebody who was erased


def refusal(channel: str, marketing: bool, consents: Consents, purpose: str = MARKETING) -> str | None:
    """Why the message must not go out, or None. Missing consent is consent; only marketing asks for it.

    A no to marketing on a channel is a no to each of its purposes; a no to one of them leaves the others.
    """
    if marketing and consents:
        said = consents.get(channel, NOTHING)
        if said.get(MARKETING) is False or said.get(purpose) is False:
            return "opted_out"
    return None


def _consent(case: Case) -> str | None:
    return refusal(case.channel, case.marketing, case.consents, case.purpose)


def _address(case: Case) -> str | None:
    return None if case.recipient else "no_address"


def _suppression(case: Case) -> str | None:
    """Also for transactional messages: a dead or complaining mailbox is not asked again, whatever the occasion."""
    return f"suppressed: {case.suppressed}" if case.suppressed else None


def _erasure(case: Case) -> str | None:
    """Who was erased and comes back in a list stays unwritten, until they say themselves that they want it again."""
    if case.erased is None:
        return None
    if case.erased != ERASED:
        return f"suppressed: {case.erased}"
    again = case.consents.get(case.channel, NOTHING).get(MARKETING) is True
    return ERASED if case.marketing and not again else None


# In order: the first no is the reason. Quiet hours and frequency caps take their place at the end, where the message is
# known to be possible at all and only its moment is in question.
CHECKS: tuple[Callable[[Case], str | None], ...] = (_consent, _address, _suppression, _erasure)


def verdicts(cases: Sequence[Case]) -> list[str | None]:
    """For each case the reason of the first check that says no, or None."""
    return [next((reason for check in CHECKS if (reason := check(case))), None) for case in cases]
