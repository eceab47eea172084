"""Errors as people and programs read them: RFC 9457 documents for the API, a small page for browsers. Decides nothing.

Bodies are generic on purpose: no SQL, no address, no secret and nobody's data ever stand in one.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg import OperationalError
from starlette.exceptions import HTTPException as StarletteHTTPException

from app import log
from app.language import words
from app.publishing import RefusedError
from app.web.templating import PAGE_HEADERS, language_of
from flows.errors import DocumentError, RuleError
from flows.problems import Problem, place, say

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2
PROGRAM_PATHS = ("/api/", "/v1/", "/hooks/", "/healthz", "/readyz", "/metrics")
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
    return ProblemError(404, f"There is no such {what}.")


def invalid(
    errors: Errors, detail: str = "The request was understood, but its content cannot be used."
) -> ProblemError:
    """422 with the fields and what is wrong with each."""
    return ProblemError(422, detail, errors=errors)


def away() -> ProblemError:
    """503: the database cannot be reached; nothing was kept, asking again is safe."""
    detail = "The database cannot be reached just now. Nothing was changed; please try again."
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
        page = {**around, "status": problem.status_code, "detail": problem.detail}
        templates = request.app.state.templates
        return templates.TemplateResponse(  # type: ignore[no-any-return]
            request, "error.html", page, problem.status_code, {**PAGE_HEADERS, **headers}
        )
    content = document(problem.status_code, problem.detail, problem.errors, problem.more)
    return JSONResponse(content, problem.status_code, headers, MEDIA_TYPE)


def _said(request: Request, problem: ProblemError) -> Response:
    """To a part of a page: nothing is swapped in, the page says it in its corner."""
    detail = words(language_of(request)).gettext(problem.detail)
    errors = "; ".join(f"{field}: {message}" if field else message for field, message in problem.errors)
    said = {"toast": {"text": errors or detail, "kind": "bad", "target": "#toasts"}}
    return Response(
        status_code=problem.status_code,
        headers={**(problem.headers or {}), "HX-Reswap": "none", "HX-Trigger": json.dumps(said)},
    )


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    if not isinstance(error, ProblemError):
        said = _PLAIN.get(error.status_code, str(error.detail))
        error = ProblemError(error.status_code, said, headers=error.headers)
    return answer(request, error)


_PLAIN = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request is larger than this address takes.",
}


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [(place(detail["loc"][1:]), say(detail)) for detail in error.errors()]
    if any(detail["type"] == "model_attributes_type" and detail["loc"] == ("body",) for detail in error.errors()):
        errors = [("", "must be a JSON object, sent with Content-Type: application/json")]
    return answer(request, invalid(errors))


def _document(request: Request, error: Exception) -> Response:
    assert isinstance(error, DocumentError)
    errors = [(f"document.{field}" if field else "document", message) for field, message in error.errors]
    return answer(request, invalid(errors, "The flow document cannot be used."))


def _rule(request: Request, error: Exception) -> Response:
    field, _, message = str(error).partition(": ")
    return answer(request, invalid([(field, message)] if message else [("rule", field)], "The rule cannot be used."))


REFUSED = {"missing": 404, "conflict": 409, "forbidden": 403, "invalid": 422}


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    if error.kind == "missing":
        return answer(request, missing(error.detail))
    errors = [(".".join(filter(None, ("document", one.node, one.field))), one.text) for one in error.problems]
    more = {"problems": [_shown(one) for one in error.problems]} if error.problems else {}
    return answer(request, ProblemError(REFUSED[error.kind], error.detail, errors=errors, more=more))


def _shown(problem: Problem) -> dict[str, Any]:
    return {
        "node": problem.node,
        "field": problem.field,
        "code": problem.code,
        "message": problem.text,
        "severity": problem.severity,
        "fix": problem.fix,
    }


def _database(request: Request, error: Exception) -> Response:
    log.get(__name__).warning("database away", error=type(error).__name__, path=request.url.path)
    return answer(request, away())


def bug(request: Request, error: Exception) -> ProblemError:
    """500: a fault of ours, told to the log and not to the asker."""
    log.get(__name__).error("unexpected error", path=request.url.path, **log.told(error))
    return ProblemError(500, "Something went wrong on our side; it has been logged.")
