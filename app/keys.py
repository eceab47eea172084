"""Names and secrets that follow from other things, so nobody has to store them: the same question, the same answer.

Pure; the program's secret is an argument. Never random, never a clock.
"""

import hashlib
import hmac

KEY_FIELDS = ("workspace", "journey", "contact", "trigger", "node", "visit", "channel", "recipient")


def idempotency_key(*parts: object) -> str:
    """The name of one message towards its provider (rule D6), out of `KEY_FIELDS` in this order.

    Every attempt, on every machine, after every crash, says the same key; nothing of process, job or clock is in it.
    """
    if len(parts) != len(KEY_FIELDS):
        raise TypeError(f"a key is made of {', '.join(KEY_FIELDS)}")
    text = "".join(f"{len(str(part))}:{part}" for part in parts)  # lengths, so that no two lists read alike
    return hashlib.sha256(text.encode()).hexdigest()


def derived(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose out of the program's one secret; who learns one has not learnt the others."""
    return hmac.new(secret, f"journey-canvas/{purpose}".encode(), hashlib.sha256).digest()


def user_hash(workspace_secret: str, user_id: str) -> str:
    """What a workspace's own server hands its pages, so that nobody pretends to be somebody else (T21)."""
    return hmac.new(workspace_secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()


def is_user(workspace_secret: str, user_id: str, given: str) -> bool:
    """Whether the hash was made by somebody who knows the workspace's secret."""
    return hmac.compare_digest(user_hash(workspace_secret, user_id).encode(), given.encode())


def address_digest(secret: bytes, workspace_id: int, address: str) -> str:
    """What is kept of an erased person's address: without the program's secret nobody can try addresses on it."""
    key = derived(secret, f"erased/{workspace_id}")
    return hmac.new(key, address.strip().lower().encode(), hashlib.sha256).hexdigest()
