"""The gate: may this message go out now? Pure, over what is known of contact and address. (Grows with the deliver branch.)"""

from collections.abc import Mapping
from typing import Any


def refusal(channel: str, marketing: bool, consents: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Why the message must not go out, or None. Missing consent is consent; only marketing asks for it."""
    if marketing and consents and consents.get(channel, {}).get("marketing") is False:
        return "opted_out"
    return None
