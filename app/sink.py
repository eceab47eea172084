"""The sink: a mail server and an HTTP receiver on this machine that stand in for providers, so that nothing leaves it.

Keeps what it catches through the function it is given; answers everybody that all is well. Only for `journey run`.
"""

import asyncio
import email
import email.policy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.courier import Divert
from app.store.caught import Catch

HOST = "127.0.0.1"
LARGEST = 2_000_000
LONGEST_TITLE = 200
SENDER = "demo@journey.example"
SHOWN_HEADERS = ("From", "To", "Reply-To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")

Keep = Callable[[Catch], None]


class Sink:
    """Both servers, while the `with` block lasts."""

    def __init__(self, keep: Keep, *, smtp_port: int, http_port: int) -> None:
        self._mail = _Mail(_Catcher(keep), hostname=HOST, port=smtp_port, data_size_limit=LARGEST)
        self._http = ThreadingHTTPServer((HOST, http_port), _receiver(keep))
        self._http.daemon_threads = True
        self._thread = Thread(target=self._http.serve_forever, name="sink-http", daemon=True)

    def __enter__(self) -> Self:
        self._mail.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._mail.stop(no_assert=True)
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    @property
    def smtp_port(self) -> int:
        return int(self._mail.port)

    @property
    def http_port(self) -> int:
        return int(self._http.server_address[1])


def diversion(smtp_port: int, http_port: int) -> Divert:
    """What makes a message go to the sink: the account's server, or the address, replaced; the words stay."""

    def divert(channel: str, fields: dict[str, str], account: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        if channel == "email":
            kept = {name: value for name, value in account.items() if name not in ("username", "password")}
            return fields, {"from_address": SENDER, **kept, "host": HOST, "port": smtp_port, "tls": "none"}
        if channel == "webhook":
            meant = fields.get("url") or account.get("url", "")
            kept = {name: value for name, value in account.items() if name != "url"}
            return {**fields, "url": f"http://{HOST}:{http_port}/?to={quote(meant, safe='')}"}, kept
        return fields, account

    return divert


class _Mail(Controller):
    """The library greets itself once at the start, and must know which port it was given."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class _Catcher:
    def __init__(self, keep: Keep) -> None:
        self._keep = keep

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        del session
        content = envelope.content
        mail = email.message_from_bytes(content if isinstance(content, bytes) else b"", policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        catch = _of_mail(mail, ", ".join(envelope.rcpt_tos))
        # The database is waited for in a thread: the next mail may come in meanwhile.
        await server.loop.run_in_executor(None, self._keep, catch)
        return "250 caught"


def _of_mail(mail: EmailMessage, recipient: str) -> Catch:
    parts = {kind: mail.get_body((kind,)) for kind in ("plain", "html")}
    text, html = (part.get_content() if part is not None else "" for part in parts.values())
    headers = {name: str(mail[name]) for name in SHOWN_HEADERS if mail[name]}
    title = str(mail["Subject"] or "")[:LONGEST_TITLE]
    return Catch(0, "email", recipient, title, {"text": text, "html": html, "headers": headers}, datetime.now(UTC))


def _receiver(keep: Keep) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > LARGEST:
                self.send_error(413)
                return
            body = self.rfile.read(int(length))
            keep(_of_request(self.path, dict(self.headers.items()), body))
            answer = b'{"caught": true}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent: the page shows what came."""
            del format, args

    return Receiver


def _of_request(path: str, headers: dict[str, str], body: bytes) -> Catch:
    meant = parse_qs(urlsplit(path).query).get("to", [path])[0]
    try:
        content = json.loads(body)
    except ValueError:
        content = body.decode("utf-8", "replace")
    shown = {name: value for name, value in headers.items() if name.lower().startswith(("x-journey", "idempotency"))}
    return Catch(
        0, "webhook", meant, f"POST {meant}"[:LONGEST_TITLE], {"body": content, "headers": shown}, datetime.now(UTC)
    )
