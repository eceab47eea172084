"""The rules for sending as a page: caps, quiet hours, fuse; in fields, in words, and what they would have done these days.

Saved by the same function as the API's, under the same ETag: who was second is told, and nothing of theirs is lost.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from app import effects, publishing, reasons
from app.auth import Caller
from app.language import words
from app.store import journeys, overview, workspaces
from app.store.rows import Connection
from app.web import health, policyforms, purposepages
from app.web.guard import Asker, Database, Now, can
from app.web.journeys import AtDesk
from app.web.page import page_router, render, toast
from app.web.policies import etag
from app.web.policyforms import Fields
from app.web.problems import invalid
from app.web.templating import channel_words, language_of
from flows import policies
from flows.errors import DocumentError
from flows.policies import Policies
from flows.words import _

routes = page_router()

VALUES_AT_MOST = 1_000
RANKED_AT_MOST = 100


async def _posted(request: Request) -> dict[str, list[str]]:
    """All fields by name, each with all its values."""
    form = await request.form(max_fields=VALUES_AT_MOST)
    return {name: [str(one) for one in form.getlist(name)] for name in form}


Posted = Annotated[dict[str, list[str]], Depends(_posted)]


@routes.get("/settings/policies", dependencies=[can("policy.read")])
def show_policies(request: Request, caller: Asker, connection: Database, now: Now) -> Response:
    """What holds now, in fields for who may change it, in words for everybody."""
    held = policies.load(workspaces.policies(connection, caller.workspace_id))
    values = {
        **_values(request, connection, caller, now, policyforms.of(held), etag(held)),
        **purposepages.values(connection, caller),
        **health.complaints(connection, caller.workspace_id, now),
        "ranked": journeys.ranked(connection, caller.workspace_id, RANKED_AT_MOST),
    }
    return render(request, "settings/policies.html", values)


@routes.post("/settings/policies/form", dependencies=[can("policy.edit")])
def draw_form(
    request: Request,
    caller: Asker,
    connection: Database,
    now: Now,
    posted: Posted,
) -> Response:
    """The form after a button, or its words and effects after a change; keeps nothing."""
    form, tag = _read(posted), _tag(posted)
    deed = (posted.get("do") or [""])[-1]
    values = _values(request, connection, caller, now, policyforms.changed(form, deed), tag)
    if deed:
        # Where the focus goes: to the new rule, or from one that is gone to where another is added.
        return render(request, "settings/_policies.html", {**values, "errors": {}, "fresh": deed.partition(" ")[0]})
    return render(request, "settings/_policy_says.html", values)


@routes.post("/settings/policies", dependencies=[can("policy.edit")])
def save_policies(request: Request, caller: Asker, desk: AtDesk, posted: Posted) -> Response:
    """Save them; the form comes back where a field is wrong (422) or somebody was faster (412)."""
    form, tag, say = _read(posted), _tag(posted), words(language_of(request)).gettext
    held = policies.load(workspaces.policies(desk.connection, desk.workspace_id, lock=True))
    values = _values(request, desk.connection, caller, desk.now, form, tag)
    if values["errors"]:
        return render(request, "settings/_policies.html", values, status=422)
    if tag != etag(held):
        theirs = _told(request, policyforms.of(held))
        return render(
            request, "settings/_policies.html", {**values, "theirs": theirs, "their_tag": etag(held)}, status=412
        )
    found = publishing.allow(desk, policyforms.raw(form))
    values = _values(request, desk.connection, caller, desk.now, policyforms.of(found), etag(found))
    answer = render(request, "settings/_policies.html", values)
    return toast(answer, say(_("Saved. They hold for every message from now on.")))


def _read(posted: Mapping[str, Sequence[str]]) -> policyforms.Form:
    try:
        return policyforms.posted(posted)
    except DocumentError as error:
        raise invalid(error.errors) from None


def _tag(posted: Mapping[str, Sequence[str]]) -> str:
    return (posted.get("etag") or [""])[-1]


def _values(
    request: Request, connection: Connection, caller: Caller, now: Any, form: policyforms.Form, tag: str
) -> dict[str, Any]:
    """The form with its words, effects and mistakes."""
    say = words(language_of(request)).gettext
    place = overview.place(connection, caller.workspace_id)
    wrong = policyforms.mistakes(form)
    rules = [policyforms.one_cap(one) for one in form.caps], [policyforms.one_quiet(one) for one in form.quiet]
    whole = Policies(caps=tuple(filter(None, rules[0])), quiet=tuple(filter(None, rules[1])))
    was = None
    if caller.scopes is None and whole.active:  # the numbers are the whole workspace's
        was = effects.past(connection, caller.workspace_id, whole, place.timezone, now)
    return {
        **_told(request, form),
        "form": form,
        "etag": tag,
        "errors": {name: say(text) for name, text in wrong.items()},
        "held": {
            "cap": [effects.of(was, one) if was and one else None for one in rules[0]],
            "quiet": [effects.of(was, one) if was and one else None for one in rules[1]],
        },
        "was": was,
        "looked_at": effects.LOOKED_AT,
        "days": effects.DAYS,
        "place": place,
        "channel_words": channel_words(request, request.state.house.catalog),
        "units": {name: say(text) for name, text in policyforms.UNITS.items()},
        "span_words": {name: say(text) for name, text in policyforms.SPAN_WORDS.items()},
        "overs": {name: say(text) for name, text in policyforms.OVERS.items()},
        "theirs": None,
        "fresh": "",
    }


def _told(request: Request, form: policyforms.Form) -> dict[str, Any]:
    """The rules of a form as sentences need them; None where a rule is not one yet."""
    say = words(language_of(request)).gettext
    return {
        "told_caps": [_told_cap(one, say) for one in form.caps],
        "told_quiet": [_told_quiet(one) for one in form.quiet],
        "told_defer": reasons.window(policyforms.raw(form)["defer_at_most"], say),
        "told_fuse": {name: form.single[name] for name in policyforms.FUSE},
    }


def _told_cap(fields: Fields, say: reasons.Say) -> dict[str, Any] | None:
    cap = policyforms.one_cap(fields)
    if cap is None:
        return None
    return {
        "limit": cap.limit,
        "window": reasons.window(cap.per, say),
        "channel": cap.channel,
        "over": cap.over,
    }


def _told_quiet(fields: Fields) -> dict[str, Any] | None:
    quiet = policyforms.one_quiet(fields)
    if quiet is None:
        return None
    return {"from": quiet.since, "to": quiet.until, "channel": quiet.channel, "over": quiet.over}
