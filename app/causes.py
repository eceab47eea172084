"""What our own guard, channels and nodes gave as a reason, said again in the reader's words.

Reasons are stored in English, so that they can be searched. Whatever is not said here (a plugin's, a provider's) stays as it is.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from flows.durations import words
from flows.words import _

Say = Callable[[str], str]
Named = Callable[[str], str]

TEXTS = (
    # copy that cannot be rendered: the guard, its filters, the words of a step
    _("the template is longer than {size} kB"),
    _("the tag {tag} is not allowed"),
    _("template: {opening} in line {line} is never closed, or goes on for too long"),
    _("the template takes too long"),
    _("the template is nested too deeply"),
    _("template: cannot be read"),
    _("template: {rest}"),
    _("{name} cannot be replaced"),
    _("a text grows too long"),
    _("a range is longer than {number}"),
    _("a list is longer than {number}"),
    _("a number is out of range"),
    _("a value is not JSON"),
    _("a filter was given a value it cannot work with ({error})"),
    _("money needs a number"),
    _("unknown currency {code}"),
    _("date needs a time"),
    _("unknown date part {part}"),
    _("missing variable: {path}"),
    _("unknown filter: {name}"),
    _("unknown variable: {path} (a path starts with one of {roots})"),
    _("the step {step} cannot send"),
    _("the step {step} sends by {channel}, and this message is for {other}"),
    # the way out
    _("the credentials of account {name} do not open with this secret"),
    _("the credentials of account {name} belong to another account"),
    _("no answer in time"),
    _("the channel failed: {error}"),
    _("the channel reported on other messages than it was given"),
    _("the address holds characters that no address has"),
    _("the address cannot be read"),
    _("only https addresses are allowed"),
    _("the address must not hold a user name"),
    _("the host name cannot be read"),
    _("port {port} is not allowed"),
    _("the host is inside a private network"),
    _("the host cannot be reached"),
    _("no answer after the request was sent"),
    # mails
    _("the mail account is not complete: {fields}"),
    _("the batch took too long"),
    _("the mail server did not answer"),
    _("the mail server takes no addresses with letters beyond ASCII"),
    _("no answer after the mail was handed over"),
    _("the mail cannot be written: {rest}"),
    _("the mail is empty"),
    _("the mail would carry headers nobody wrote"),
    _("a marketing mail needs a way to unsubscribe"),
    _("the {what} holds a line break or control character"),
    _("the {what} holds an encoded word"),
    _("the {what} is longer than {number} characters"),
    _("the {what} is not a mail address"),
    _("the {what} has an impossible domain"),
    # webhooks
    _("the webhook account is not complete"),
    _("no address to send to"),
    _("the address is not on the account's host"),
    _("the body is not JSON"),
    _("the receiver cannot be reached"),
    _("HTTP {status} (redirects are not followed)"),
    _("{host} cannot be reached"),
    # steps
    _("node type {type} is not installed"),
    _("no date in {name}"),
)
# What a mail's reasons speak of.
PARTS = (
    _("sender address"),
    _("sender name"),
    _("recipient"),
    _("reply-to"),
    _("subject"),
    _("unsubscribe link"),
    _("unsubscribe address"),
    _("bounce address"),
)
# What a rule saw of somebody; only of steps that ask one, for “tag vip” may mean something else to a plugin.
ASKING = ("condition", "branch")
OUTCOMES: Mapping[str, str] = {
    "sent": _("sent"),
    "delivered": _("delivered"),
    "opened": _("opened"),
    "clicked": _("clicked"),
    "failed": _("failed"),
    "suppressed": _("not sent"),
}
_OUTCOME = rf"(?P<outcome>{'|'.join(OUTCOMES)})"
SEEN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"tag (?P<name>.+)", _("has the tag “{name}”")),
        (r"no tag (?P<name>.+)", _("does not have the tag “{name}”")),
        (r"in audience (?P<name>.+)", _("is in the audience “{name}”")),
        (r"not in audience (?P<name>.+)", _("is not in the audience “{name}”")),
        (r"(?P<name>[^=]+) is missing", _("{name} is not known")),
        (rf"(?P<message>\S+) not {_OUTCOME}", _("“{message}” was not {outcome}")),
        (rf"(?P<message>\S+) {_OUTCOME}", _("“{message}” was {outcome}")),
        (r"(?P<name>.+) (?P<times>\d+)x in (?P<span>[\d a-z]+)", _("{name} {times}× in {span}")),
        (r"(?P<name>.+) (?P<times>\d+)x", _("{name} {times}×")),
    )
)
_SPAN = re.compile(r"(\d+) (week|day|hour|minute|second)s?")


class Cause(NamedTuple):
    """A marked text, and what fills it in."""

    text: str
    places: Mapping[str, str]


def said(reason: str, say: Say) -> str:
    """A reason in the reader's words, as it stands where it is nobody's of ours."""
    found = _cause(reason)
    if found is None:
        return reason
    places = {name: say(value) if value in PARTS else value for name, value in found.places.items()}
    return say(found.text).format_map(places)


def seen(reason: str, say: Say, named: Named) -> str | None:
    """What a rule saw of somebody; None where it says something else. `named` gives the title of a step."""
    for pattern, text in SEEN:
        if match := pattern.fullmatch(reason):
            places = match.groupdict()
            if "message" in places:
                places |= {"message": named(places["message"]), "outcome": say(OUTCOMES[places["outcome"]])}
            if "span" in places:
                places["span"] = _span(places["span"])
            return say(text).format_map(places)
    return None


@lru_cache(maxsize=4096)
def _cause(reason: str) -> Cause | None:
    if reason in TEXTS:
        return Cause(reason, {})
    for pattern, text in _PATTERNS:
        if match := pattern.fullmatch(reason):
            return Cause(text, match.groupdict())
    return None


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(text)), re.DOTALL)


# The most particular first: “the receiver cannot be reached” before “{host} cannot be reached”.
_PATTERNS = tuple((_pattern(text), text) for text in sorted(TEXTS, key=len, reverse=True) if "{" in text)


def _span(text: str) -> str:
    """`7 days 2 hours` in the language spoken."""
    counts = {unit: count for count, unit in _SPAN.findall(text)}
    date = "".join(f"{counts[unit]}{unit[0].upper()}" for unit in ("week", "day") if unit in counts)
    clock = "".join(f"{counts[unit]}{unit[0].upper()}" for unit in ("hour", "minute", "second") if unit in counts)
    return words(f"P{date}{'T' if clock else ''}{clock}") if counts else text
