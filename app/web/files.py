"""The program's own files for browsers: read once, compressed once, named by a build, so that a browser asks but once.

An address is `/static/<build>/<path>`; the build is the sum of all files, so a new release never meets an old file.
The words of the scripts in other languages are files too, made here from the catalogues. Never serves what people made.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.language import LANGUAGES, words
from app.web.problems import answer, missing

APP = Path(__file__).resolve().parent.parent
ROOT = (
    bundle if (bundle := APP / "bundle").is_dir() else APP.parent
) / "static"  # a wheel brings them, a checkout has them
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
}
NOT_SERVED = ("tools", "pictures", "README.md")
NEEDED = "vendor/manifest.json"
FOR_EVER = "public, max-age=31536000, immutable"
SMALL_BYTES = 400
IMPORT = re.compile(r"""^(?:import|export)(?:[^"'();]*? from)? ["'](\.[^"']+)["']""", re.MULTILINE)
QUOTED = re.compile(r'"(?:[^"\\\n]|\\["\\nt])*"')
# A script that runs as a worker has the policy it was sent with: it may load its library, and ask nobody anything.
WORKER_POLICY = "default-src 'none'; script-src 'self'"


class VendorError(RuntimeError):
    """The files that come from npm are not there."""


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    plain: bytes
    packed: bytes | None


class Files:
    """An ASGI application that answers with files, and tells templates their addresses."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._files = dict(_read(root)) | dict(_words(_quoted(root)))
        if NEEDED not in self._files:
            raise VendorError(
                "static/vendor is missing: make run and make test set it up; by hand: npm ci --ignore-scripts, then"
                " node static/tools/vendor.mjs"
            )
        whole = hashlib.sha256()
        for path, file in sorted(self._files.items()):
            whole.update(path.encode() + b"\0" + file.plain)
        self.build = whole.hexdigest()[:12]
        self._modules: dict[str, tuple[str, ...]] = {}

    def address(self, path: str) -> str:
        """Where a file is found; a name written wrongly is noticed by whoever renders the page."""
        if path not in self._files:
            raise KeyError(f"static/{path} does not exist")
        return f"/static/{self.build}/{path}"

    def modules(self, entry: str) -> tuple[str, ...]:
        """A script with all it imports, for a page to ask for at once. What comes later by `import()` does not count."""
        if entry not in self._modules:
            found: dict[str, None] = {}
            rest = [entry]
            while rest:
                if (path := rest.pop()) not in found:
                    found[path] = None
                    rest += [normpath(f"{dirname(path)}/{one}") for one in self._imports(path)]
            self._modules[entry] = tuple(found)
        return self._modules[entry]

    def _imports(self, path: str) -> list[str]:
        source = self._root / path  # what is sent may be lean, and harder to read
        return IMPORT.findall(source.read_text(encoding="utf-8")) if source.exists() else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        await self._response(request)(scope, receive, send)

    def _response(self, request: Request) -> Response:
        inside = request.scope["path"].removeprefix(request.scope.get("root_path", "")).lstrip("/")
        build, _, path = inside.partition("/")
        file = self._files.get(path)
        if file is None or request.method not in ("GET", "HEAD"):
            return answer(request, missing("file"))
        # An old build's page may still be open: it gets what there is now, and does not keep it.
        headers = {"Cache-Control": FOR_EVER if build == self.build else "no-cache", "Vary": "Accept-Encoding"}
        if path.endswith(".worker.js"):
            headers["Content-Security-Policy"] = WORKER_POLICY
        body = file.plain
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = file.packed, "gzip"
        return Response(body, headers=headers, media_type=file.kind)


def _read(root: Path) -> Iterator[tuple[str, _File]]:
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.is_file() and path.suffix in KINDS and name.parts[0] not in NOT_SERVED and "lean" not in name.parts:
            yield name.as_posix(), _file(path.suffix, _lean(root, path))


def _lean(root: Path, path: Path) -> bytes:
    """A script without comments and blanks, where set-up made it of this very source; else what stands in the file."""
    source = path.read_bytes()
    made = root / "vendor" / "lean" / f"{hashlib.sha256(source).hexdigest()}.js"
    return made.read_bytes() if path.suffix == ".js" and made.exists() else source


def _quoted(root: Path) -> frozenset[str]:
    """Every text in quotes in our scripts: what they may say is among it, and few other words are."""
    sources = (path.read_text(encoding="utf-8") for path in sorted((root / "js").rglob("*.js")))
    found = (json.loads(text) for source in sources for text in QUOTED.findall(source))
    return frozenset(found)


def _words(said: frozenset[str]) -> Iterator[tuple[str, _File]]:
    """What the scripts say in other languages: a module for each."""
    for language in LANGUAGES:
        known = {text: translated for text, translated in _catalogue(language).items() if text in said}
        text = json.dumps(known, ensure_ascii=False, sort_keys=True)
        yield f"js/words.{language}.js", _file(".js", f"export default {text};\n".encode())


@cache
def _catalogue(language: str) -> dict[str, str]:
    known = getattr(words(language), "_catalog", {})  # what gettext itself looks in; it offers no other list
    return {(key[0] if isinstance(key, tuple) else key): text for key, text in known.items() if key}


def _file(suffix: str, content: bytes) -> _File:
    packed = gzip.compress(content, 9, mtime=0) if len(content) > SMALL_BYTES and suffix != ".png" else None
    return _File(KINDS[suffix], content, packed)
