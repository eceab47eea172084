"""A claimed message becomes words: the plan says the templates, the contact and the entry event say the values.

Never sends and never writes; links are made in two passes, because their rows must exist before the words go out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

from app.copyfilters import zone_of
from app.copywriting import CopyError, render
from app.keys import idempotency_key
from app.links import Tokens, in_html, in_text, rewrite_html, rewrite_text, with_pixel
from app.store.outbox import Claimed, storable
from flows.compile import Plan
from flows.contract import Channel, Event, Outgoing
from flows.durations import elapsed

LONGEST_TITLE = 200
TRACKED_TEXT = "text"
LANGUAGES = ("language", "locale")
WAY_OUT = "退订 · Unsubscribe"


@dataclass(frozen=True, slots=True)
class Site:
    """Where people outside reach us, and what signs the addresses that lead there."""

    base_url: str
    tokens: Tokens

    def unsubscribe(self, message: Claimed) -> str:
        """The way out of this message's channel; it names the contact, so it works as long as the contact exists."""
        token = self.tokens.make("unsubscribe", message.workspace_id, message.id, message.contact_id)
        return f"{self.base_url}/u/{token}"

    def pixel(self, message: Claimed) -> str:
        return f"{self.base_url}/o/{self.tokens.make('open', message.workspace_id, message.id)}.gif"

    def click(self, message: Claimed, link: int) -> str:
        return f"{self.base_url}/r/{self.tokens.make('click', message.workspace_id, message.id, link)}"


@dataclass(slots=True)
class Words:
    """One message with its fields rendered; `addresses` are those whose clicks will be counted."""

    message: Claimed
    channel: Channel
    fields: dict[str, str]
    title: str
    content: dict[str, Any] | None = None
    addresses: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    def outgoing(self, account: Mapping[str, Any]) -> Outgoing:
        """What the channel is handed."""
        one = self.message
        return Outgoing(one.id, one.recipient or "", self.fields, account, key_of(one), self.links, one.marketing)


def key_of(one: Claimed) -> str:
    """The message's name towards its provider; the enrollment stands for the event that triggered it."""
    contact = one.origin or one.contact_id  # as it was before two contacts became one
    return idempotency_key(
        one.workspace_id, one.journey_id, contact, one.enrollment_id, one.node, one.visit, one.channel, one.recipient
    )


def words(one: Claimed, plan: Plan, entry: Event | None, site: Site, now: datetime) -> Words:
    """Render every field; raises `CopyError` with the reason."""
    step = plan.steps.get(one.node)
    if step is None or step.node is None or step.node.channel is None:
        raise CopyError(f"the step {one.node} cannot send")
    channel = step.node.channel
    if channel.name != one.channel:  # the gate asked about the one, so it may not go by the other
        raise CopyError(f"the step {one.node} sends by {channel.name}, and this message is for {one.channel}")
    made = Words(one, channel, {}, "")
    mail = "html" in channel.fields.values()
    if mail and one.marketing:
        made.links["unsubscribe"] = site.unsubscribe(one)
    data = _data(one, plan, entry, now, made.links)
    language = next((str(one.attributes[name]) for name in LANGUAGES if one.attributes.get(name)), "en")
    zone = zone_of(str(one.attributes.get("timezone") or plan.timezone))
    for name, kind in channel.fields.items():
        given = (one.content or {}).get(name)
        template = str(getattr(step.settings, name, None) or "")
        # What a node computed itself is words already: compiling it would compile what contacts wrote.
        said = str(given) if given is not None else render(template, data, kind, locale=language, zone=zone)
        made.fields[name] = storable(said) or ""
    made.title = _title(channel, made.fields)
    if mail:
        _add_way_out(made)
        made.addresses = _addresses(made, site)
    if channel.local:
        made.content = _kept(made.fields, step.settings, now)
    return made


def track(made: Words, site: Site, ids: Mapping[tuple[int, str], int]) -> None:
    """Lead clicks and opens of a mail through us."""
    if "html" not in made.channel.fields.values():
        return
    one = made.message

    def through(address: str) -> str | None:
        link = ids.get((one.workspace_id, address))
        return None if link is None or address.startswith(site.base_url) else site.click(one, link)

    for name, kind in made.channel.fields.items():
        if kind == "html" and made.fields[name]:
            made.fields[name] = with_pixel(rewrite_html(made.fields[name], through), site.pixel(one))
        elif name == TRACKED_TEXT:
            made.fields[name] = rewrite_text(made.fields[name], through)
    made.links["open"] = site.pixel(one)


def _data(
    one: Claimed, plan: Plan, entry: Event | None, now: datetime, links: Mapping[str, str]
) -> dict[str, dict[str, Any] | str]:
    contact = {**one.attributes, "id": one.user_id or str(one.contact_id)}
    if one.recipient and "@" in one.recipient:
        contact.setdefault("email", one.recipient)
    return values(contact, entry, {"id": plan.journey_id, "version": plan.number}, links, now)


def values(
    contact: Mapping[str, Any], entry: Event | None, journey: Mapping[str, Any], links: Mapping[str, str], now: datetime
) -> dict[str, dict[str, Any] | str]:
    """What a template may speak of, whether it is sent or only shown."""
    came: dict[str, Any] = {}
    if entry is not None:
        came = {"name": entry.name, "timestamp": entry.timestamp.isoformat(), "properties": dict(entry.properties)}
    return {
        "contact": dict(contact),
        "entry": came,
        "event": {**came.get("properties", {}), **came},
        "journey": dict(journey),
        "metric": {},
        "links": dict(links),
        "now": now.isoformat(),
    }


def _title(channel: Channel, fields: Mapping[str, str]) -> str:
    name = next((name for name, kind in channel.fields.items() if kind == "text"), next(iter(channel.fields), ""))
    return " ".join(fields.get(name, "").split())[:LONGEST_TITLE]


def _add_way_out(made: Words) -> None:
    """A marketing mail shows its way out also to readers whose program hides the header; ours where it names none."""
    address = made.links.get("unsubscribe")
    if address is None:
        return
    for name, kind in made.channel.fields.items():
        said = made.fields[name]
        if kind == "html" and said and escape(address) not in said:
            line = f'<p style="font-size:12px;color:#666"><a href="{escape(address)}">{WAY_OUT}</a></p>'
            end = said.lower().rfind("</body>")
            made.fields[name] = said + line if end < 0 else said[:end] + line + said[end:]
        elif name == TRACKED_TEXT and said and address not in said:
            made.fields[name] = f"{said}\n\n{WAY_OUT}: {address}\n"


def _addresses(made: Words, site: Site) -> list[str]:
    found: list[str] = []
    for name, kind in made.channel.fields.items():
        if kind == "html":
            found += in_html(made.fields[name])
        elif name == TRACKED_TEXT:
            found += in_text(made.fields[name])
    return [address for address in dict.fromkeys(found) if not address.startswith(site.base_url)]


def _kept(fields: Mapping[str, str], settings: Any, now: datetime) -> dict[str, Any]:
    """What is pulled later, with the moment after which nobody finds it any more."""
    expires = getattr(settings, "expires", None)
    until = {"expires_at": (now + elapsed(expires)).isoformat()} if expires else {}
    return {**fields, **until}
