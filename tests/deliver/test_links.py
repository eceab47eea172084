"""Links lead where they were written to, tokens open only their own door, and GET opts nobody out (T04, T22)."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.database import Connection, transaction
from app.keys import idempotency_key, is_user, user_hash
from app.links import Tokens, can_lead, in_html, in_text, rewrite_html, rewrite_text, with_pixel
from app.store import links
from app.vault import VaultError, seal, unseal
from nodes.send_webhook.deliver import Account
from tests.deliver.house import SECRET, build

TOKENS = Tokens(SECRET)
ALPHABET = string.ascii_letters + string.digits + "-_"


def test_d6_the_key_is_made_of_all_its_parts_and_nothing_else() -> None:
    parts = (1, 2, 3, 4, "send", 1, "email", "a@example.com")
    key = idempotency_key(*parts)
    assert len(key) == 64
    assert key == idempotency_key(*parts)
    for place in range(len(parts)):
        other = list(parts)
        other[place] = f"{other[place]}0"
        assert idempotency_key(*other) != key
    assert idempotency_key(1, 23, *parts[2:]) != idempotency_key(12, 3, *parts[2:])


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_a_token_says_what_was_put_into_it(workspace: int, message: int, target: int) -> None:
    token = TOKENS.make("click", workspace, message, target)
    assert TOKENS.read("click", token) == (workspace, message, target)
    assert TOKENS.read("unsubscribe", token) is None
    assert Tokens(b"another" * 8).read("click", token) is None


@pytest.mark.parametrize("purpose", ["click", "unsubscribe"])
def test_t04_t22_no_mutated_token_is_accepted(purpose: str) -> None:
    chance = random.Random(7)
    token = TOKENS.make(purpose, 1, 1042, 7)  # type: ignore[arg-type]
    accepted = 0
    for _ in range(10_000):
        letters = list(token)
        for _change in range(chance.randint(1, 3)):
            kind, place = chance.randrange(3), chance.randrange(len(letters))
            if kind == 0:
                letters[place] = chance.choice(ALPHABET)
            elif kind == 1:
                letters.insert(place, chance.choice(ALPHABET + "=+/ \n%.é"))
            else:
                del letters[place]
        changed = "".join(letters)
        accepted += changed != token and TOKENS.read(purpose, changed) is not None  # type: ignore[arg-type]
    assert accepted == 0


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.test",
        "/local",
        "https://a\r\nX: 1",
        "ftp://a",
        "",
        " https://a",
    ],
)
def test_t04_a_redirect_never_leads_anywhere_but_the_web(address: str) -> None:
    assert not can_lead(address)
    assert in_html(f'<a href="{address}">x</a>') == []


def test_links_are_found_and_replaced_in_both_forms() -> None:
    html = """<a class=x href="https://a.example/?x=1&amp;y=2">A</a> <a HREF='http://b.example'>B</a>"""
    assert in_html(html) == ["https://a.example/?x=1&y=2", "http://b.example"]
    changed = rewrite_html(html, lambda address: f"https://go/?{address[8]}&" if "a." in address else None)
    assert changed.startswith('<a class=x href="https://go/?a&amp;">A</a>')
    assert "http://b.example" in changed
    text = "看 https://a.example/x。Or (https://b.example/y), now."
    assert in_text(text) == ["https://a.example/x", "https://b.example/y"]
    assert (
        rewrite_text(text, lambda address: address.upper()) == "看 HTTPS://A.EXAMPLE/X。Or (HTTPS://B.EXAMPLE/Y), now."
    )
    assert with_pixel("<body>x</body>", "https://p").endswith('border:0"></body>')


def test_every_address_is_kept_once(connection: Connection) -> None:
    house = build(connection)
    with transaction(connection):
        first = links.keep(connection, [(house.workspace, "https://a", 1), (house.workspace, "https://b", 1)])
        again = links.keep(connection, [(house.workspace, "https://b", 2), (house.workspace, "https://c", 2)])
    assert again[house.workspace, "https://b"] == first[house.workspace, "https://b"]
    assert len({*first.values(), *again.values()}) == 3
    with transaction(connection):
        assert links.find(connection, house.workspace, first[house.workspace, "https://a"]) == "https://a"
        assert links.find(connection, house.workspace + 1, first[house.workspace, "https://a"]) is None


def test_t21_a_user_hash_is_made_with_the_workspaces_secret() -> None:
    assert is_user("s", "u1", user_hash("s", "u1"))
    for given_hash in ("", user_hash("s", "u2"), user_hash("t", "u1"), "é" * 64):
        assert not is_user("s", "u1", given_hash)


def test_t25_credentials_open_for_their_own_account_only() -> None:
    account = Account.model_validate({"url": "https://x.example", "secret": "hunter2"})
    shown, sealed = seal(account, owner="1/crm", secret=SECRET)
    assert "hunter2" not in f"{shown}{sealed}"
    assert unseal(shown, sealed, owner="1/crm", secret=SECRET)["secret"] == "hunter2"
    for owner, secret in (("2/crm", SECRET), ("1/crm", b"x" * 32)):
        with pytest.raises(VaultError):
            unseal(shown, sealed, owner=owner, secret=secret)
