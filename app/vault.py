"""Credentials of providers, encrypted at rest (T25): what is secret in an account's settings never lies in clear.

The key follows from the program's secret; a sealed text is bound to its workspace and account and opens for no other.
Never logs, never shows, never guesses: what does not open raises.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, SecretStr

from app.keys import derived


class VaultError(Exception):
    """A credential cannot be opened: another secret, another account, or tampered with."""


def seal(account: BaseModel, *, owner: str, secret: bytes) -> tuple[dict[str, Any], str]:
    """The settings that may be seen, and the secret ones as one sealed text. `owner` is `workspace/account`."""
    hidden = {
        name: value.get_secret_value()
        for name, value in ((name, getattr(account, name)) for name in type(account).model_fields)
        if isinstance(value, SecretStr) and value.get_secret_value()
    }
    shown = account.model_dump(mode="json", exclude=_secret_fields(type(account)))
    if not hidden:
        return shown, ""
    text = json.dumps({"owner": owner, "values": hidden})
    return shown, _box(secret).encrypt(text.encode()).decode()


def unseal(shown: Mapping[str, Any], sealed: str, *, owner: str, secret: bytes) -> dict[str, Any]:
    """All settings of an account in clear, for the channel alone."""
    if not sealed:
        return dict(shown)
    try:
        content = json.loads(_box(secret).decrypt(sealed.encode()))
    except (InvalidToken, ValueError) as error:
        raise VaultError(f"the credentials of account {owner} do not open with this secret") from error
    if content["owner"] != owner:
        raise VaultError(f"the credentials of account {owner} belong to another account")
    return {**shown, **content["values"]}


def _secret_fields(kind: type[BaseModel]) -> set[str]:
    return {name for name, field in kind.model_fields.items() if field.annotation is SecretStr}


def _box(secret: bytes) -> Fernet:
    return Fernet(urlsafe_b64encode(derived(secret, "accounts")))
