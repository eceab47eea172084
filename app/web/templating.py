"""The pages' common ground: templates that speak the reader's language, and the policy that keeps strangers' code out.

Never a page of its own; never a template that an operator wrote.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates, numbers
from fastapi import Request, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, Undefined, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup

from app.language import COOKIE, LANGUAGES, LOCALES, TAGS, choose, words
from flows.contract import NodeType
from flows.words import speaking
from nodes import icon

A_YEAR = 31_536_000
APP = Path(__file__).resolve().parent.parent
# A wheel brings pages and their files inside of the package; a checkout has them beside it.
ROOT = bundle if (bundle := APP / "bundle").is_dir() else APP.parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " font-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language, Cookie",
}


class _Careful(Undefined):
    """What is not there may be asked for and is nothing, but cannot be shown: a name written wrongly is noticed."""

    __str__ = Undefined._fail_with_undefined_error


def templates(address: Callable[[str], str], folder: Path = ROOT / "templates") -> Jinja2Templates:
    """What `app.state.templates` is: every page knows its language and can write numbers and times in it.

    `address` says where a file of the program is found; templates know it as `static("css/app.css")`.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(default=True),
        undefined=_Careful,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]  # by the extension
    environment.filters.update(
        number=_number,
        percent=_percent,
        lasts=_lasts,
        clock=_clock,
        ago=_ago,
        stretch=_stretch,
        inner=_inner,
        points=_points,
        called=_called,
    )
    environment.globals.update(static=address)
    environment.policies["json.dumps_kwargs"] = {
        "sort_keys": False,
        "ensure_ascii": False,
    }  # the order is part of the data
    return Jinja2Templates(env=environment, context_processors=[_reader])


def language_of(request: Request) -> str:
    """The reader's language."""
    header = request.headers.get("accept-language", "")
    return choose(request.query_params.get("lang"), request.cookies.get(COOKIE), header)


@contextmanager
def reading(request: Request) -> Iterator[Callable[[str], str]]:
    """Whatever is said inside, the reader understands; gives what translates a marked text."""
    language = language_of(request)
    translate = words(language).gettext
    with speaking("zh" if language == "zh" else "en", translate):
        yield translate


def remember_language(request: Request, answer: Response) -> None:
    """Who has chosen a language by the switch gets it on every page from now on."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        answer.set_cookie(COOKIE, str(asked), max_age=A_YEAR, httponly=True, samesite="lax")


def icons(request: Request, catalog: Mapping[str, NodeType]) -> Mapping[str, str]:
    """The drawings of all node types, as SVG: files of installed packages, checked by the contract's suite."""
    state = request.app.state
    if not hasattr(state, "icons"):
        state.icons = {"": "", **{name: icon(node) for name, node in catalog.items()}}
    drawings: Mapping[str, str] = state.icons
    return drawings


def channel_words(request: Request, catalog: Mapping[str, NodeType]) -> dict[str, str]:
    """What the channels are called, in the reader's language."""
    say = words(language_of(request)).gettext
    return {node.channel.name: say(node.title) for node in catalog.values() if node.channel}


def _reader(request: Request) -> dict[str, Any]:
    language = language_of(request)
    return {"language": language, "languages": LANGUAGES, "tag": TAGS[language]}


@pass_context
def _gettext(context: Context, text: str) -> str:
    return words(context["language"]).gettext(text)


@pass_context
def _ngettext(context: Context, one: str, many: str, count: int) -> str:
    return words(context["language"]).ngettext(one, many, count)


def _inner(drawing: str) -> Markup:
    """What stands inside of an icon's `<svg …>`: a drawing that the contract's suite checked, so it is no text of strangers."""
    return Markup(drawing[drawing.index(">", drawing.index("<svg")) + 1 : drawing.rindex("</svg>")])


def _points(values: Sequence[int]) -> str:
    """A line of values as the points of a drawing 130 wide and 30 high."""
    step, top = 130 / (len(values) - 1), max(values)
    return " ".join(f"{place * step:.1f} {27 - value * 24 / top:.1f}" for place, value in enumerate(values))


def _called(actor: str, names: Mapping[str, str]) -> str:
    """Whoever did something, by name; who is nobody of this workspace (the demo, an import) as they are written down."""
    return names.get(actor) or (actor if actor and ":" not in actor else "–")


@pass_context
def _number(context: Context, value: float) -> str:
    if isinstance(value, int):  # both languages write whole numbers alike, and a page of lists has hundreds of them
        return f"{value:,}"
    return numbers.format_decimal(value, locale=LOCALES[context["language"]])


@pass_context
def _percent(context: Context, value: float) -> str:
    """A small share: 0.12%."""
    return numbers.format_percent(value, format="0.0#%", locale=LOCALES[context["language"]])


@pass_context
def _clock(context: Context, at: datetime, zone: str) -> str:
    """The time of day; with the date where it is another day than today, and with the year where it is another one."""
    place, locale = ZoneInfo(zone), LOCALES[context["language"]]
    local = at.astimezone(place)
    time = dates.format_time(local, "HH:mm:ss", tzinfo=place, locale=locale)
    if local.date() == context["now"].astimezone(place).date():
        return time
    shape = "MMM d" if locale == "en" else "M月d日"
    if local.year != context["now"].astimezone(place).year:
        shape = "MMM d, y" if locale == "en" else "y年M月d日"
    return f"{dates.format_date(local, shape, locale=locale)} {time[:5]}"


@pass_context
def _stretch(context: Context, at: datetime, zone: str, length: str) -> str:
    """A stretch of a course: its day, or its time of day."""
    place, locale = ZoneInfo(zone), LOCALES[context["language"]]
    if length == "day":
        return dates.format_date(at.astimezone(place), "MMM d" if locale == "en" else "M月d日", locale=locale)
    return dates.format_time(at.astimezone(place), "HH:mm", tzinfo=place, locale=locale)


@pass_context
def _lasts(context: Context, seconds: int) -> str:
    """How long something takes, in the largest unit that fits: “4 seconds”, “2 hours”; never less than it is."""
    unit = next((size for size in (86_400, 3_600, 60) if seconds > size), 1)
    return dates.format_timedelta(-(-seconds // unit) * unit, threshold=1, locale=LOCALES[context["language"]])


@pass_context
def _ago(context: Context, at: datetime) -> str:
    """How long ago, or until when: “5 minutes ago”, “in 2 hours”."""
    return dates.format_timedelta(at - context["now"], add_direction=True, locale=LOCALES[context["language"]])
