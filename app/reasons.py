"""Why a message did not go out, or a walk ended: the one place where stored reasons become sentences, for pages and for programs.

Stored reasons are short and fixed (`opted_out`, `lost to journey 12: 3 per P7D`), so that they can be counted and searched.
Pure; never asks anybody: names of journeys and what the ledger of consents says are looked up by `web.whys`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from app import causes
from app.store.pauses import SKIP
from flows import durations
from flows.conditions import OVER
from flows.words import _

Say = Callable[[str], str]

# What the engine and the gate say; what our nodes and channels say is `causes`', and a provider's words stand as they are.
REASONS: Mapping[str, str] = {
    "goal": _("reached the goal"),
    "exit_when": _("the exit rule took them out"),
    "manual": _("the journey was stopped"),
    "merged": _("became one with another contact, who walks here already"),
    "visit_limit": _("came by too often"),
    "opted_out": _("opted out of this channel"),
    "no_address": _("has no address for this channel"),
    "stopped": _("the journey was stopped"),
    "erased": _("the person was erased, and has not asked for messages since"),
    "suppressed: hard_bounce": _("the address bounced before"),
    "suppressed: complaint": _("complained about a message before"),
    "suppressed: manual": _("the address was blocked by hand"),
    "suppressed": _("nothing more may go to this address"),
    "no case holds": _("no case holds"),
    "journey stopped": _("the journey was stopped"),
    "the same person walks here already": _("the same person walks here already"),
    "hard_bounce": _("the address bounced"),
    "complaint": _("complained about the message"),
    "moved": _("moved to another version"),
    "put back": _("put back to where they stood"),
    "taken out": _("taken out when a version was published"),
    "journey paused": _("the journey was paused, and all left"),
    "pause: skipped": _("fell due while the journey was paused"),
    "pause: exit": _("the journey was paused, and all left"),
    "late: held": _("late after an outage, held until somebody releases it"),
    "late: dropped": _("late after an outage, and dropped"),
    "fuse": _("a fuse stopped it"),
    "quiet hours": _("quiet hours"),
    "quiet hours: never": _("quiet hours: the zones it may be in leave no hour of the day in common"),
    "lost to journey": _("lost to another journey under a cap"),
    "season": _("paused while another journey is in season"),
    "plan over budget": _("the budget of the plan is used up"),
    "out of season": _("the journey is out of season"),
    OVER: _("over the approved cap"),
    "failed": _("the provider refused it"),
    "the sender stopped before it knew": _("the sender stopped before it knew"),
}
# How a person came to opt out: what follows the day.
SOURCES: Mapping[str, str] = {
    "page": _("on the preference page"),
    "one-click": _("by one click in their mail program"),
    "keyword": _("by a reply"),
    "complaint": _("by a complaint"),
    "provider": _("told by the provider"),
    "device": _("on their device"),
    "identify": _("told by your app or site"),
    "import": _("by an import"),
    "api": _("told by somebody here"),
}
# In the order in which they are tried; the names are those of the sentence's blanks.
SHAPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"goal (?P<name>.+)", _("the goal was reached by “%(name)s”")),
        (r"exit_when (?P<name>.+)", _("the exit rule met “%(name)s”")),
        (r"lost to journey (?P<journey>\d+): (?P<cap>.+)", _("lost to journey %(journey)s: %(cap)s")),
        (r"overridden by journey (?P<journey>\d+)", _("journey %(journey)s is in season and goes first")),
        (r"quiet hours: until (?P<clock>\d\d:\d\d) (?P<zone>\S+)", _("quiet hours until %(clock)s %(zone)s")),
        (
            r"fuse: more than (?P<limit>\d+) a day of one step to one person(?: \((?P<node>.+)\))?",
            _("ceiling: more than %(limit)s a day of one step to one person"),
        ),
        (
            r"fuse: (?P<messages>\d+) messages in 24 hours, more than (?P<times>\d+) times the approved (?P<reach>\d+)",
            _("fuse: %(messages)s messages in 24 hours, more than %(times)s times the approved %(reach)s"),
        ),
        (
            r"fuse: (?P<complained>\d+) complaints about (?P<delivered>\d+) messages by (?P<channel>\S+) in 7 days;"
            r" from (?P<stop>[\d.]+)% on, mailbox providers refuse mail",
            _(
                "fuse: %(complained)s complaints about %(delivered)s messages by %(channel)s in 7 days; from %(stop)s%% on,"
                " mailbox providers refuse mail"
            ),
        ),
        (r"season: journey (?P<journey>\d+)", _("the season of journey %(journey)s pauses it")),
        (r"unknown(?: before)?: (?P<rest>.+)", _("nobody knows whether it arrived: %(rest)s")),
        (r"gave up: (?P<rest>.+)", _("given up after many tries: %(rest)s")),
        (r"cannot be rendered: (?P<rest>.+)", _("its words cannot be made: %(rest)s")),
        (r"no (?P<channel>\S+) account named (?P<name>.+)", _("there is no account “%(name)s” for this channel")),
        (r"met while paused .*", _("what they waited for came while the journey was paused")),
    )
)
OPEN_PORT = re.compile(r"([A-Za-z0-9_-]+)\.(.+)")
CAP = re.compile(r"(?P<limit>\d+) per (?P<per>day|week|P\S+)(?: by (?P<channel>\S+))?")
WINNER = re.compile(r"(?:lost to|overridden by|season:) journey (\d+)(?::|$)")
OPTED_OUT = "opted_out"
BLANK = "\0"


class Part(NamedTuple):
    """A piece of a sentence; with `href` it leads somewhere."""

    text: str
    href: str | None = None


class OptOut(NamedTuple):
    """What the ledger says of an opt-out, in the reader's words."""

    what: str
    channel: str
    day: str
    how: str


class Face(Protocol):
    """What is known of the version that a walk is pinned to."""

    @property
    def steps(self) -> Mapping[str, Mapping[str, Any]]: ...
    def title(self, node: str) -> str: ...
    def port(self, node: str, port: str) -> str: ...


class Known(NamedTuple):
    """What a sentence may name. Journeys that the reader may not see are not in it."""

    face: Face | None = None
    journeys: Mapping[int, str] = {}
    channels: Mapping[str, str] = {}
    opt_out: OptOut | None = None


NOTHING = Known()


def winner(reason: str | None) -> int | None:
    """The journey that a message was lost to, or that paused another."""
    found = WINNER.match(reason or "")
    return int(found[1]) if found else None


def sentence(reason: str | None, say: Say, known: Known = NOTHING) -> str:
    """A reason in words."""
    return "".join(one.text for one in parts(reason, say, known))


def parts(reason: str | None, say: Say, known: Known = NOTHING) -> tuple[Part, ...]:
    """A reason in words, with links to what it names."""
    if not reason:
        return ()
    if reason == OPTED_OUT and known.opt_out:
        text = say(_("opted out of %(what)s (%(channel)s) on %(day)s, %(how)s"))
        return (Part(text % known.opt_out._asdict()),)
    if reason in REASONS:
        return (Part(say(REASONS[reason])),)
    if reason.startswith(SKIP):
        return (Part(say(_("goes on without the messages that fell due in the pause"))),)
    for pattern, text in SHAPES:
        if match := pattern.fullmatch(reason):
            return _filled(say(text), match.groupdict(), say, known)
    head, _colon, rest = reason.partition(": ")
    if rest and head in REASONS:
        return (Part(f"{say(REASONS[head])}: {rest}"),)
    if (match := OPEN_PORT.fullmatch(reason)) and known.face is not None and match[1] in known.face.steps:
        text = say(_("left “%(step)s” by “%(port)s”, which leads nowhere"))
        return (Part(text % {"step": known.face.title(match[1]), "port": known.face.port(match[1], match[2])}),)
    return (Part(causes.said(reason, say)),)


def _filled(text: str, given: Mapping[str, str | None], say: Say, known: Known) -> tuple[Part, ...]:
    blanks = {name: value or "" for name, value in given.items()}
    if "rest" in blanks:
        blanks["rest"] = sentence(blanks["rest"], say, known)
    if "cap" in blanks:
        blanks["cap"] = cap(blanks["cap"], say, known.channels)
    if "channel" in blanks:
        blanks["channel"] = known.channels.get(blanks["channel"], blanks["channel"])
    if "journey" not in blanks:
        return (Part(text % blanks),)
    number = int(blanks["journey"])
    before, _blank, after = (text % (blanks | {"journey": BLANK})).partition(BLANK)
    name = known.journeys.get(number)
    link = Part(f"“{name}” ({number})", f"/journeys/{number}/live") if name else Part(str(number))
    return Part(before), link, Part(after)


def cap(stored: str, say: Say, channels: Mapping[str, str]) -> str:
    """A cap that was full: `3 per P7D` is “3 of 3 marketing messages in 7 days”."""
    match = CAP.fullmatch(stored)
    if match is None:
        return stored
    by = match["channel"]
    text = _("%(limit)s of %(limit)s marketing messages in %(window)s")
    if by:
        text = _("%(limit)s of %(limit)s marketing messages by %(channel)s in %(window)s")
    return say(text) % {"limit": match["limit"], "window": window(match["per"], say), "channel": channels.get(by, by)}


def window(per: str, say: Say) -> str:
    """The time a cap counts in; after “in”."""
    if per in WINDOWS:
        return say(WINDOWS[per])
    try:
        return durations.words(per)
    except ValueError:
        return per


WINDOWS = {"day": _("one day of their calendar"), "week": _("one week of their calendar")}
