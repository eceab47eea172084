"""Errors as people and programs read them: RFC 9457 documents for the API, a small page for browsers. Decides nothing.

Bodies are generic on purpose: no SQL, no address, no secret and nobody's data ever stand in one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg import OperationalError
from starlette.exceptions import HTTPException as StarletteHTTPException

from app import log
from app.publishing import RefusedError
from app.staff import StaffError
from app.web.templating import PAGE_HEADERS, reading
from flows.errors import DocumentError, RuleError
from flows.problems import Problem, place, say
from flows.words import Language, _, again, spoken, told

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2
PROGRAM_PATHS = ("/api/", "/v1/", "/hooks/", "/healthz", "/readyz", "/metrics")
# Whatever an address may name in vain.
THINGS = (
    _("account"), _("caller"), _("caught message"), _("channel"), _("colleague"), _("comment"), _("contact"),
    _("draft"), _("enrollment"), _("file"), _("journey"), _("key"), _("link"), _("message"), _("migration"), _("node type"),
    _("page"), _("plan"), _("session"), _("submission"), _("template"), _("thread"), _("user"), _("version"),
)  # fmt: skip
NAMES = {413: "Content Too Large", 422: "Unprocessable Content"}  # as RFC 9110 has them; Python's differ by version

Errors = Sequence[tuple[str, str]]


class ProblemError(HTTPException):
    """An answer that is a problem document. `more` adds fields, such as the current revision of a draft."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Errors = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.errors = errors
        self.more = dict(more or {})


def missing(what: str) -> ProblemError:
    """404: also for what lies in another workspace, so that nobody learns that it exists."""
    return ProblemError(404, told(_("There is no such {what}."), what=told(what)))


def invalid(
    errors: Errors, detail: str = _("The request was understood, but its content cannot be used.")
) -> ProblemError:
    """422 with the fields and what is wrong with each."""
    return ProblemError(422, detail, errors=errors)


def away() -> ProblemError:
    """503: the database cannot be reached; nothing was kept, asking again is safe."""
    detail = _("The database cannot be reached just now. Nothing was changed; please try again.")
    return ProblemError(503, detail, headers={"Retry-After": str(RETRY_SECONDS)})


def too_large() -> ProblemError:
    """413."""
    return ProblemError(413, _PLAIN[413])


def install(app: FastAPI) -> None:
    """Answer every error of the application in one way."""
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(DocumentError, _document)
    app.add_exception_handler(RuleError, _rule)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(StaffError, _staff)
    app.add_exception_handler(OperationalError, _database)


def document(status: int, detail: str, errors: Errors = (), more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A problem document."""
    title = NAMES.get(status) or HTTPStatus(status).phrase
    return {
        "type": f"urn:journey-canvas:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": [{"field": field, "message": message} for field, message in errors],
        **(more or {}),
    }


def answer(request: Request, problem: ProblemError) -> Response:
    """The problem in the form the asker reads."""
    headers = problem.headers or {}
    if request.headers.get("hx-request") and not request.url.path.startswith(PROGRAM_PATHS):
        return _said(request, problem)
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(PROGRAM_PATHS):
        # The shell is asked for by name: the pages stand on this module. Faults of ours ask no database who is reading.
        calm = 401 < problem.status_code < 500 and problem.status_code != 413
        around = request.app.state.shell(request, ask=calm and not request.url.path.startswith("/static/"))
        with reading(request):
            page = {**around, "status": problem.status_code, "detail": again(problem.detail)}
        templates = request.app.state.templates
        return templates.TemplateResponse(  # type: ignore[no-any-return]
            request, "error.html", page, problem.status_code, {**PAGE_HEADERS, **headers}
        )
    with _asker(request):
        errors = [(field, again(message)) for field, message in problem.errors]
        content = document(problem.status_code, again(problem.detail), errors, problem.more)
    return JSONResponse(content, problem.status_code, headers, MEDIA_TYPE)


def _said(request: Request, problem: ProblemError) -> Response:
    """To a part of a page: nothing is swapped in, the page says it in its corner."""
    with reading(request):
        errors = "; ".join(
            f"{field}: {again(message)}" if field else again(message) for field, message in problem.errors
        )
        said = {"toast": {"text": errors or again(problem.detail), "kind": "bad", "target": "#toasts"}}
    return Response(
        status_code=problem.status_code,
        headers={**(problem.headers or {}), "HX-Reswap": "none", "HX-Trigger": json.dumps(said)},
    )


@contextmanager
def _asker(request: Request) -> Iterator[None]:
    """Programs are answered in English, so that what they log can be looked for; pages of ours in the reader's language."""
    if "authorization" in request.headers or not request.headers.get("cookie"):
        yield
        return
    with reading(request):
        yield


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    if not isinstance(error, ProblemError):
        said = _PLAIN.get(error.status_code, str(error.detail))
        error = ProblemError(error.status_code, said, headers=error.headers)
    return answer(request, error)


_PLAIN = {
    404: _("There is nothing at this address."),
    405: _("This address does not take that method."),
    413: _("The request is larger than this address takes."),
}


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    with _asker(request):
        errors = [(place(detail["loc"][1:]), say(detail, spoken())) for detail in error.errors()]
    if any(detail["type"] == "model_attributes_type" and detail["loc"] == ("body",) for detail in error.errors()):
        errors = [("", "must be a JSON object, sent with Content-Type: application/json")]
    return answer(request, invalid(errors))


def _staff(request: Request, error: Exception) -> Response:
    assert isinstance(error, StaffError)
    if error.kind == "missing":
        return answer(request, missing("user"))
    errors = [(error.field, error.why)]
    if error.kind == "invalid":
        return answer(request, invalid(errors))
    detail = _("There is a user with this address already.") if error.kind == "taken" else _("This is the last admin.")
    return answer(request, ProblemError(409, detail, errors=errors))


def _document(request: Request, error: Exception) -> Response:
    assert isinstance(error, DocumentError)
    errors = [(f"document.{field}" if field else "document", message) for field, message in error.errors]
    return answer(request, invalid(errors, _("The flow document cannot be used.")))


def _rule(request: Request, error: Exception) -> Response:
    field, _colon, message = str(error).partition(": ")
    errors = [(field, message)] if message else [("rule", field)]
    return answer(request, invalid(errors, _("The rule cannot be used.")))


REFUSED = {"missing": 404, "conflict": 409, "forbidden": 403, "invalid": 422}


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    if error.kind == "missing":
        return answer(request, missing(error.detail))
    with _asker(request):
        language = spoken()
        errors = [
            (".".join(filter(None, ("document", one.node, one.field))), one.render(language)) for one in error.problems
        ]
        more = {"problems": [_shown(one, language) for one in error.problems]} if error.problems else {}
    return answer(request, ProblemError(REFUSED[error.kind], error.detail, errors=errors, more=more))


def _shown(problem: Problem, language: Language) -> dict[str, Any]:
    return {
        "node": problem.node,
        "field": problem.field,
        "code": problem.code,
        "message": problem.render(language),
        "severity": problem.severity,
        "fix": problem.render_fix(language),
    }


def _database(request: Request, error: Exception) -> Response:
    log.get(__name__).warning("database away", error=type(error).__name__, path=request.url.path)
    return answer(request, away())


def bug(request: Request, error: Exception) -> ProblemError:
    """500: a fault of ours, told to the log and not to the asker."""
    log.get(__name__).error("unexpected error", path=request.url.path, **log.told(error))
    return ProblemError(500, _("Something went wrong on our side; it has been logged."))
