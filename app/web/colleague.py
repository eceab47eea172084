"""The demo's colleague: whoever tries Journey Canvas alone can be the reviewer too, for nobody approves their own work.

Only where nothing is really sent (a sink stands in for providers), for a browser on the same machine, in the demo's
workspace. Never a way round a review: it is another person's session, and the approval bears their name.
"""

from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from app import auth
from app.auth import Caller
from app.store import demo, users
from app.store.rows import Connection
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.house import House
from app.web.page import SEAT_COOKIE, page_router
from app.web.problems import missing
from app.web.session import COOKIE, is_local, safe_next

routes = page_router()


@routes.post("/demo/colleague", dependencies=[can("journey.read")], max_body_size=8_000)
def change_seats(
    request: Request,
    house: TheHouse,
    connection: Database,
    caller: Asker,
    now: Now,
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Sit down in the colleague's seat, or back in one's own."""
    if not (house.settings.sink and is_local(request) and demo.state(connection, caller.workspace_id)):
        raise missing("page")
    everybody = users.page(connection, caller.workspace_id, 0, 1_000)
    colleague = next((one.id for one in everybody if one.email == demo.COLLEAGUE), None)
    admin = next((one.id for one in everybody if one.role == "admin"), None)
    seat = admin if caller.user_id == colleague else colleague
    if seat is None:
        raise missing("colleague")
    link = auth.login(connection, seat, caller.workspace_id, now)
    session = auth.open_session(connection, link, now)
    answer = RedirectResponse(safe_next(back), 303)
    secure = house.settings.base_url.startswith("https://")
    lasts = int(auth.SESSION_FOR.total_seconds())
    answer.set_cookie(COOKIE, session or "", max_age=lasts, httponly=True, samesite="lax", secure=secure)
    if seat == colleague:
        answer.set_cookie(SEAT_COOKIE, "1", max_age=lasts, httponly=True, samesite="lax", secure=secure)
    else:
        answer.delete_cookie(SEAT_COOKIE)
    return answer


def seat_offered(request: Request, connection: Connection, caller: Caller) -> str:
    """The colleague's name, where this person may take their seat; empty everywhere else."""
    house: House = request.state.house
    if not (house.settings.sink and is_local(request) and demo.state(connection, caller.workspace_id)):
        return ""
    everybody = users.page(connection, caller.workspace_id, 0, 1_000)
    return next((one.name for one in everybody if one.email == demo.COLLEAGUE and one.id != caller.user_id), "")
