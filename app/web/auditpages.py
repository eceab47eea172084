"""The audit log as a page: who changed what, in words, filtered and in pages. Only read."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response

from app import anchors
from app.store import audit, keys, overview, users
from app.store.audit import Row, Wanted
from app.store.rows import Connection
from app.web import told
from app.web.guard import Asker, Database, TheHouse, can
from app.web.house import House
from app.web.page import page_router, render
from app.web.shapes import LONGEST_PLACE, paged, place_of
from app.web.templating import reading
from flows.words import _

routes = page_router()

A_PAGE = 60
SHOWN = 500
AREAS = {
    "journey": _("Journeys"),
    "plan": _("Plans"),
    "policy": _("Sending policies"),
    "account": _("Accounts"),
    "contact": _("Contacts"),
    "user": _("Team"),
    "key": _("API keys"),
    "session": _("Sign-ins"),
    "messages": _("Held messages"),
    "privacy": _("Consent and personal data"),
    "restore": _("Restored backups"),
}
DEEDS = {
    "journey.create": _("began a journey"),
    "journey.edit": _("changed the draft"),
    "journey.rename": _("renamed the journey"),
    "journey.move": _("moved it between plans"),
    "journey.scope": _("gave it a scope"),
    "journey.archive": _("archived it"),
    "journey.restore": _("brought it back"),
    "journey.submit": _("handed it in for review"),
    "journey.approve": _("approved it"),
    "journey.reject": _("sent it back"),
    "journey.nudge": _("reminded reviewers of it"),
    "journey.aside": _("kept a draft aside"),
    "journey.take_up": _("took a draft up again"),
    "journey.drop": _("deleted a draft kept aside"),
    "journey.publish": _("published it"),
    "journey.pause": _("paused it"),
    "journey.resume": _("resumed it"),
    "journey.stop": _("stopped it"),
    "journey.fuse": _("stopped it: a fuse blew"),
    "journey.migrate": _("moved people to another version"),
    "journey.migrate.stop": _("stopped moving people"),
    "journey.migrate.reverse": _("put the moved people back"),
    "journey.comment": _("commented"),
    "journey.settle": _("settled a thread"),
    "plan.create": _("made a plan"),
    "plan.change": _("changed the plan"),
    "plan.archive": _("archived the plan"),
    "plan.restore": _("brought the plan back"),
    "policy.change": _("changed caps and quiet hours"),
    "policy.review": _("changed when it takes two to approve"),
    "account.save": _("set up an account"),
    "account.remove": _("removed an account"),
    "account.test": _("tested an account"),
    "contact.change": _("changed a contact"),
    "contact.erase": _("erased a person"),
    "messages.hold": _("held messages that an outage made late"),
    "messages.release": _("let late messages go out"),
    "messages.drop": _("dropped late messages"),
    "privacy.edit": _("changed purposes or what counts as personal"),
    "restore.confirm": _("confirmed a restored installation"),
    "user.create": _("invited somebody"),
    "user.change": _("changed a person"),
    "user.password": _("set a password"),
    "user.link": _("made a sign-in link"),
    "user.second_step_offer": _("asked for a second step"),
    "user.second_step": _("turned a second step on or off"),
    "user.recovery_codes": _("made new recovery codes"),
    "user.second_step_rule": _("changed who needs a second step"),
    "user.sign_out": _("signed out everywhere"),
    "key.create": _("made a key"),
    "key.revoke": _("revoked a key"),
    "session.open": _("signed in"),
    "session.close": _("signed out"),
    "session.refused": _("could not sign in"),
}
NOBODY = {"nobody": _("somebody"), "system": _("the program")}
Word = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Day = Annotated[str, Query(max_length=10, pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


YES, NO = _("yes"), _("no")
EMPTY: tuple[Any, ...] = (None, "", {}, [])
# The fields that stand in the log, and words among their values; others stay as they are.
FIELDS = {
    "conditions": _("Conditions"),
    "content_hash": _("Content"), "status": _("Status"), "version": _("Version"), "revision": _("Revision"),
    "name": _("Name"), "comment": _("Comment"), "role": _("Role"), "device": _("Device"), "net": _("Network"),
    "way": _("Way"), "email": _("E-mail"), "scopes": _("Sees"), "text": _("Text"), "node": _("Step"),
    "settled": _("Settled"), "channel": _("Channel"), "settings": _("Settings"), "until": _("Until"),
    "state": _("State"), "migration": _("Migration"), "reason": _("Reason"), "disabled": _("Disabled"),
    "second_step": _("Second step"), "required": _("Required"),
}  # fmt: skip
WORDS = {
    **{name: name for name in ("live", "paused", "draft", "stopped", "archived")},
    **{name: name for name in ("viewer", "operator", "reviewer", "admin")},
    "open": _("waits for a review"), "approved": _("approved"), "rejected": _("rejected"), "link": _("link"),
    "password": _("password"), "code": _("code of the phone"), "recovery code": _("recovery code"),
    "published": _("published"), "withdrawn": _("withdrawn"),
}  # fmt: skip


@routes.get("/settings/audit", dependencies=[can("audit.read")])
def show_audit(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    who: Word = "",
    what: Word = "",
    about: Word = "",
    since: Day = "",
    until: Day = "",
    next: Annotated[str | None, Query(max_length=LONGEST_PLACE)] = None,
) -> Response:
    """The log; with `next` its following rows alone."""
    place = overview.place(connection, caller.workspace_id)
    zone = ZoneInfo(place.timezone)
    wanted = Wanted(who or None, what or None, about or None, _day(since, zone, 0), _day(until, zone, 1))
    before = place_of(next, int)
    found = audit.page(connection, caller.workspace_id, wanted, before[0] if before else None, A_PAGE + 1)
    rows, after = paged(found, A_PAGE, lambda row: [row.number])
    names = keys.names(connection, caller.workspace_id, sorted({one for row in rows for one in (row.actor, row.about)}))
    asked = {"who": who, "what": what, "about": about, "since": since, "until": until}
    with reading(request) as say:
        values: dict[str, Any] = {
            "rows": [_line(row, names, say) for row in rows],
            "after": after,
            "asked": asked,
            "query": told.query(**asked),
            "place": place,
            "areas": {name: say(word) for name, word in AREAS.items()},
        }
    if next is not None:
        return render(request, "settings/_audit_rows.html", values)
    values["anchored"] = _anchored(house, connection, caller.workspace_id)
    values["users"] = users.page(connection, caller.workspace_id, 0, SHOWN)
    return render(request, "settings/audit.html", values)


def _anchored(house: House, connection: Connection, workspace_id: int) -> dict[str, Any]:
    """The last anchor of the log in this machine's data folder, and the first that does not hold any more."""
    found = anchors.read(house.settings.data, at_most=anchors.READ_BYTES).anchors
    own = [one for one in found if one.workspace_id == workspace_id]
    return {"last": own[-1] if own else None, "gone": anchors.gone(connection, workspace_id, own) if own else None}


def _line(row: Row, names: dict[str, str], say: Any) -> dict[str, Any]:
    kind, _colon, number = row.about.partition(":")
    leads = {"journey": f"/journeys/{number}", "plan": f"/plans/{number}", "contact": f"/contacts/{number}"}
    before, after = json.loads(row.before), json.loads(row.after)
    return {
        "number": row.number,
        "at": row.at,
        "who": names.get(row.actor) or say(NOBODY[row.actor]) if row.actor in {*names, *NOBODY} else row.actor,
        "deed": say(DEEDS[row.what]) if row.what in DEEDS else row.what,
        "about": row.about,
        "named": names.get(row.about, ""),
        "leads": leads.get(kind, "") if number.isdecimal() else "",
        "changes": [
            (say(FIELDS.get(name, name)), _shown(before.get(name), say), _shown(after.get(name), say))
            for name in {**before, **after}
            if before.get(name) not in EMPTY or after.get(name) not in EMPTY
        ],
        "hash": row.hash,
    }


def _shown(value: Any, say: Any) -> Any:
    """A value as people read it: known words in their language."""
    if isinstance(value, bool):
        return say(YES if value else NO)
    return say(WORDS[value]) if isinstance(value, str) and value in WORDS else value


def _day(text: str, zone: ZoneInfo, more: int) -> datetime | None:
    try:
        found = date.fromisoformat(text) + timedelta(days=more) if text else None
    except (ValueError, OverflowError):
        return None
    return datetime.combine(found, time(), zone).astimezone(UTC) if found and found.year > 1900 else None
