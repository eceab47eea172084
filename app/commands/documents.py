"""`lint`, `test`, `import`, `export`: flow documents and scenarios in files. One line for each finding; never a page of trace."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from app import documents, publishing
from app.commands.places import CommandError, first_workspace, now, scratch, workplace
from app.commands.showing import Showing
from app.database import transaction
from app.firstuse import OWN_NAME, arrive
from app.publishing import Desk
from app.settings import Settings
from app.store import journeys
from flows.document import dump
from flows.document import load as load_document
from flows.errors import DocumentError
from flows.validate import validate
from nodes import catalog

BYTES_AT_MOST = 8_000_000
ACTOR = "command line"


class Finding(NamedTuple):
    """One thing wrong with a document; `where` names node and field."""

    severity: str
    where: str
    text: str

    @property
    def line(self) -> str:
        """As it is printed."""
        return f"{self.severity:<8} {self.where:<28} {self.text}"


def read(path: Path) -> str:
    """The text of a file."""
    try:
        if path.stat().st_size > BYTES_AT_MOST:
            raise CommandError(f"{path} is larger than {BYTES_AT_MOST // 1_000_000} MB.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8 text.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None


def lint(path: Path) -> list[Finding]:
    """What is wrong with the document in a file. Accounts are not known here, so they are not checked."""
    try:
        document = documents.read(read(path))
    except DocumentError as error:
        return [Finding("error", field or "document", message) for field, message in error.errors]
    found = validate(document, catalog(), accounts=None)
    return [
        Finding(one.severity, " · ".join(part for part in (one.node, one.field) if part) or "journey", one.text)
        for one in found
    ]


class Outcome(NamedTuple):
    """How one scenario went; no differences mean well."""

    name: str
    differences: list[str]


def scenarios(settings: Settings, files: Iterable[Path], showing: Showing) -> Iterator[Outcome]:
    """Live every scenario of the files, each in a world of its own."""
    from app import scenarios as worlds

    found = []
    for path in files:
        try:
            found += [(path, one) for one in worlds.load(read(path))]
        except worlds.ScenarioError as error:
            raise CommandError(f"{path}: {error}") from None
    types = catalog()
    with scratch(settings, fast=True) as connection:
        for number, (path, one) in enumerate(found):
            showing("scenarios", number, len(found))
            try:
                differences = worlds.run(connection, types, one)
            except (worlds.ScenarioError, DocumentError, KeyError) as error:
                differences = [f"cannot be lived: {error}"]
            except publishing.RefusedError as error:
                differences = [
                    f"a journey is refused: {error.detail}",
                    *(f"{p.node}: {p.text}" for p in error.problems),
                ]
            yield Outcome(f"{path.name}: {one['name']}", differences)


def take_in(settings: Settings, path: Path, name: str | None) -> int:
    """The document in a file as a new draft; its id."""
    try:
        document = documents.read(read(path))
    except DocumentError as error:
        raise CommandError(f"{path} is no flow document: {error}. `journey lint {path}` says more.") from None
    with workplace(settings) as (_, connection), transaction(connection):
        workspace_id = arrive(connection, name=OWN_NAME, timezone="UTC", now=now()).workspace_id
        desk = Desk(connection, catalog(), workspace_id, ACTOR, now())
        return publishing.create(desk, name or path.stem.replace("-", " ").replace("_", " "), dump(document)).id


def give_out(settings: Settings, journey_id: int, version: int | None) -> str:
    """A journey's draft, or one of its versions, as YAML with sorted keys."""
    with workplace(settings) as (_, connection), transaction(connection):
        workspace_id = first_workspace(connection)
        if version is None:
            raw = journeys.draft(connection, workspace_id, journey_id)
        else:
            raw = journeys.document(connection, workspace_id, journey_id, version)
    if raw is None:
        what = f"journey {journey_id}" if version is None else f"version {version} of journey {journey_id}"
        raise CommandError(f"There is no {what}.")
    return documents.write_yaml(load_document(raw))
