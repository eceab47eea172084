"""What contacts are asked about, as a form: purposes, the text above them, what counts as personal. Saved as the API saves it."""

from typing import Annotated, Any

from fastapi import Form, Request, Response
from pydantic import ValidationError

from app import privacy
from app.auth import Caller
from app.language import words
from app.store import workspaces
from app.store.rows import Connection
from app.web import privacy as api
from app.web.guard import Asker, Database, Now, can
from app.web.page import page_router, render, toast
from app.web.privacy import PrivacyIn
from app.web.problems import ProblemError
from app.web.templating import language_of
from flows.problems import say as say_problem
from flows.words import _

routes = page_router()

Words = Annotated[list[str], Form(max_length=100)]
Text = Annotated[str, Form(max_length=4_000)]
MISFIT = _("The page is not whole any more; load it again.")


def values(connection: Connection, caller: Caller) -> dict[str, Any]:
    """What holds now, as fields."""
    raw = workspaces.privacy(connection, caller.workspace_id)
    held = privacy.load(raw)
    return {
        "purposes": [one._asdict() for one in held.purposes],
        "privacy": {
            "text": held.text,
            "text_version": held.text_version,
            "personal": ", ".join(sorted(held.personal)),
        },
        "privacy_tag": api.etag(held),
        "privacy_errors": {},
        "privacy_theirs": None,
        "fresh_purpose": False,
    }


@routes.post("/settings/policies/purposes", dependencies=[can("policy.edit")])
def save_purposes(
    request: Request,
    caller: Asker,
    connection: Database,
    now: Now,
    etag: Annotated[str, Form(max_length=80)] = "",
    do: Annotated[str, Form(max_length=40)] = "",
    name: Words = [],  # noqa: B006 FastAPI copies it
    title: Words = [],  # noqa: B006
    text: Text = "",
    text_version: Text = "",
    personal: Text = "",
) -> Response:
    """Save them (`do`: only draw the form with a row more or less); the form comes back with what is wrong."""
    if len(name) != len(title):
        raise ProblemError(422, words(language_of(request)).gettext(MISFIT))
    rows = [{"name": one.strip(), "title": other.strip()} for one, other in zip(name, title, strict=True)]
    typed = {
        **values(connection, caller),
        "purposes": rows,
        "privacy": {"text": text, "text_version": text_version.strip(), "personal": personal},
        "privacy_tag": etag,
    }
    if do:
        return render(request, "settings/_purposes.html", _drawn(typed, do))
    wish, errors = _read(request, typed)
    if wish is None:
        return render(request, "settings/_purposes.html", {**typed, "privacy_errors": errors}, status=422)
    try:
        api.save(wish, connection, caller, now, etag)
    except api.Outrun as outrun:
        theirs = {"privacy_theirs": outrun.held, "privacy_their_tag": api.etag(outrun.held)}
        return render(request, "settings/_purposes.html", {**typed, **theirs}, status=412)
    answer = render(request, "settings/_purposes.html", values(connection, caller))
    return toast(answer, words(language_of(request)).gettext(_("Saved. The preference page asks this from now on.")))


def _drawn(typed: dict[str, Any], deed: str) -> dict[str, Any]:
    """The form after a button: `add`, `remove 2`."""
    verb, _space, number = deed.partition(" ")
    rows = typed["purposes"]
    if verb == "add" and len(rows) < api.PURPOSES_AT_MOST:
        rows.append({"name": "", "title": ""})
    elif verb == "remove" and number.isdecimal() and int(number) < len(rows):
        del rows[int(number)]
    return {**typed, "fresh_purpose": verb == "add"}


def _read(request: Request, typed: dict[str, Any]) -> tuple[PrivacyIn | None, dict[str, str]]:
    """What the form says, or what is wrong with each field: `purpose-0-name`, `text`."""
    say = words(language_of(request)).gettext
    given = typed["privacy"]
    personal = [one.strip() for one in given["personal"].replace("，", ",").replace("\n", ",").split(",")]
    wish = {"purposes": typed["purposes"], **given, "personal": [one for one in personal if one]}
    names = [one["name"] for one in typed["purposes"]]
    twice = {
        f"purpose-{number}-name": say(_("This name stands above already."))
        for number, one in enumerate(names)
        if one and one in names[:number]
    }
    try:
        return (None, twice) if twice else (PrivacyIn.model_validate(wish), {})
    except ValidationError as error:
        return None, {_place(one["loc"]): _wrong(one, say) for one in error.errors()}


def _place(loc: tuple[int | str, ...]) -> str:
    return f"purpose-{loc[1]}-{loc[2]}" if loc[0] == "purposes" and len(loc) > 2 else str(loc[0])


def _wrong(one: Any, say: Any) -> str:
    if one["loc"][-1] == "name" and one["type"] == "string_pattern_mismatch":
        return str(say(_("Write small letters, digits, _ and - only; 32 at most.")))
    if one["loc"][-1] == "title":
        return str(say(_("Write what people read.")))
    return str(say(say_problem(one)))
