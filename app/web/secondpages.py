"""One's second step of signing in, on one's own page: turned on, given new recovery codes, turned off. And the admin's part.

Key and recovery codes are in the answer of the request that made them, and in no page. Changing anything takes the password.
"""

from typing import Annotated, Any, Literal

from fastapi import Form, Request, Response

from app import secondstep, throttle
from app.secondstep import WRONG_CODE
from app.staff import Hand, StaffError
from app.store import secondsteps
from app.store.users import User
from app.web.guard import Asker, TheHouse, can
from app.web.house import House
from app.web.page import page_router, render
from app.web.selfpages import WAIT, own, refused
from app.web.session import address_of, give_cookie, new_session
from app.web.templating import reading
from app.web.users import ByHand, UserId

routes = page_router()

Text = Annotated[str, Form(max_length=400)]
PART = "settings/_second_step.html"


@routes.post("/settings/me/second-step", dependencies=[can("self.edit")])
def offer(request: Request, house: TheHouse, hand: ByHand, present: Text = "") -> Response:
    """A key to put into one's phone, once the password is right."""
    me = own(hand)
    wrong = refused(request, hand, me, present)
    if wrong:
        return _part(request, hand, me, {"present": wrong})
    try:
        offered = secondstep.offer(hand, house.settings.secret_bytes, me)
    except StaffError as already:
        return _part(request, hand, me, {already.field: already.why})
    hand.note("user.second_step_offer", me.id)
    return _part(request, hand, me, {}, offered=offered)


@routes.post("/settings/me/second-step/confirm", dependencies=[can("self.edit")])
def confirm(request: Request, house: TheHouse, caller: Asker, hand: ByHand, code: Text = "") -> Response:
    """Its first code: from now on it counts. All other browsers are signed out."""
    me, secret = own(hand), house.settings.secret_bytes
    codes = secondstep.confirm(hand, secret, me, code)
    if codes is None:
        return _part(request, hand, me, {"code": WRONG_CODE}, offered=secondstep.offered(hand, secret, me))
    answer = _part(request, hand, own(hand), {}, codes=codes)
    give_cookie(request, answer, new_session(request, hand.connection, caller))
    return answer


@routes.post("/settings/me/second-step/codes", dependencies=[can("self.edit")])
def renew_codes(request: Request, house: TheHouse, hand: ByHand, present: Text = "", code: Text = "") -> Response:
    """Ten other recovery codes."""
    me = own(hand)
    errors = _unproven(request, house, hand, me, present, code)
    if errors:
        return _part(request, hand, me, errors)
    return _part(request, hand, me, {}, codes=secondstep.fresh_codes(hand, house.settings.secret_bytes, me))


@routes.post("/settings/me/second-step/off", dependencies=[can("self.edit")])
def turn_off(
    request: Request, house: TheHouse, caller: Asker, hand: ByHand, present: Text = "", code: Text = ""
) -> Response:
    """One step is enough from now on. All other browsers are signed out."""
    me = own(hand)
    errors = _unproven(request, house, hand, me, present, code)
    if errors:
        return _part(request, hand, me, errors)
    secondstep.remove(hand, me.id)
    answer = Response(status_code=204, headers={"HX-Redirect": "/settings/me?done=second-off"})
    give_cookie(request, answer, new_session(request, hand.connection, caller))
    return answer


@routes.post("/settings/second-step", dependencies=[can("user.edit")])
def require(hand: ByHand, to: Annotated[Literal["required", "free"], Form()]) -> Response:
    """Whether admins and reviewers must have one."""
    secondstep.require(hand, on=to == secondsteps.REQUIRED)
    return Response(status_code=204, headers={"HX-Redirect": "/settings/people"})


@routes.post("/settings/people/{user_id}/second-step/reset", dependencies=[can("user.edit")])
def reset(hand: ByHand, user_id: UserId) -> Response:
    """Take away the second step of somebody who has lost their phone and their codes; ends their sessions."""
    secondstep.reset(hand, user_id)
    return Response(status_code=204, headers={"HX-Redirect": "/settings/people"})


def _unproven(request: Request, house: House, hand: Hand, me: User, present: str, code: str) -> dict[str, str]:
    """What is wrong with password and code; empty where both are right. The code is used up."""
    wrong = refused(request, hand, me, present)
    if wrong:
        return {"present": wrong}
    buckets = throttle.buckets(f"code:{me.id}", address_of(request))
    if throttle.take(house.hints, hand.connection, buckets, hand.now):
        return {"code": WAIT}
    secret = house.settings.secret_bytes
    if secondstep.proven(hand.connection, secret, hand.workspace_id, me.id, code, hand.now) is None:
        return {"code": WRONG_CODE}
    throttle.forgive(house.hints, hand.connection, buckets)
    return {}


def _part(
    request: Request,
    hand: Hand,
    me: User,
    errors: dict[str, str],
    *,
    offered: secondstep.Offer | None = None,
    codes: list[str] | None = None,
) -> Response:
    with reading(request) as say:
        said = {name: say(text) for name, text in errors.items()}
    kept = secondsteps.find(hand.connection, hand.workspace_id, me.id)
    values: dict[str, Any] = {"me": me, "second": kept if kept and kept.since else None, "errors": said}
    shown = {"offered": offered, "codes": codes, "opened": _opened(said, me)}
    return render(request, PART, {**values, **shown}, status=422 if errors else 200)


def _opened(errors: dict[str, str], me: User) -> bool:
    return bool(errors) and me.second_step
