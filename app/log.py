"""Log lines for people or for machines: set up once by each process, with a list of the fields that may appear.

A field that is not on the list is withheld, and an error is told by its kind and place, because what it says may quote a row:
no line ever holds personal data. Never a metric, never a decision.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Literal

import psycopg
import structlog

FIELDS = frozenset(
    {
        *("account", "actor", "attempt", "attempts", "batch", "channel", "code", "contact", "count"),
        *("database", "day", "detail", "error", "event", "failures", "handled", "hash", "id", "journey"),
        *("kind", "lane", "lanes", "level", "limit", "method", "module", "moved", "ms", "name", "node"),
        *("number", "path", "port", "reason", "seconds", "sqlstate", "stage", "state", "status", "step"),
        *("taken", "thread", "timestamp", "trace", "tries", "url", "version", "withheld", "worker", "workers"),
        *("workspace", "workspaces"),
    }
)
FRAMES = 8
LONGEST = 500
# Their words are about connections, files and settings, never about a contact.
PLAIN = (psycopg.OperationalError, OSError)
Fields = MutableMapping[str, Any]


def get(name: str) -> Any:
    """The logger of a module; keywords become fields."""
    return structlog.get_logger(name, module=name)


def configure(style: Literal["console", "json"] = "console", level: str = "info") -> None:
    """Send everything, ours and the libraries', to standard error in one style."""
    steps: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tell_error,
        _withhold,
    ]
    structlog.configure(
        processors=[*steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*steps, _name_foreign],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Its every tick is a line; only its troubles are news.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)


def told(error: BaseException) -> dict[str, Any]:
    """An error as fields: its kind, where it was raised, and its words only where they cannot quote a row."""
    fields: dict[str, Any] = {"error": type(error).__name__, "trace": _trace(error.__traceback__)}
    if isinstance(error, psycopg.Error) and error.sqlstate:
        fields["sqlstate"] = error.sqlstate
    if isinstance(error, PLAIN):
        fields["detail"] = " ".join(str(error).split())[:LONGEST]
    return fields


def _trace(found: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(found)[-FRAMES:]
    return [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def _tell_error(_logger: Any, _method: str, fields: Fields) -> Fields:
    given = fields.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        fields.update(told(error))
    return fields


def _withhold(_logger: Any, _method: str, fields: Fields) -> Fields:
    unknown = sorted(name for name in fields if name not in FIELDS and not name.startswith("_"))
    for name in unknown:
        del fields[name]
    if unknown:
        fields["withheld"] = unknown
    fields["event"] = (
        str(fields.get("event", ""))[:LONGEST].encode("unicode_escape").decode("ascii")
        if _odd(fields.get("event"))
        else fields.get("event")
    )
    return fields


def _odd(event: Any) -> bool:
    """Whether the words could forge a line or drive a terminal."""
    return not isinstance(event, str) or not event.isprintable() or len(event) > LONGEST


def _name_foreign(_logger: Any, _method: str, fields: Fields) -> Fields:
    record = fields.get("_record")
    if isinstance(record, logging.LogRecord):
        fields["module"] = record.name
    return fields
