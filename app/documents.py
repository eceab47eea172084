"""Flow documents as text: JSON, or YAML with sorted keys for files and Git. Never what a document means (`flows`).

YAML is read as JSON with less ink: `yes` and dates are text, twin keys and object tags are refused, nothing is built.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from flows.contract import Json
from flows.document import Document, dump, load
from flows.errors import DocumentError
from flows.words import _, told

YAML_AT_MOST = 2 * 1024 * 1024
DEPTH_AT_MOST = 45
WIDTH = 110

_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# What JSON would call these; YAML 1.1 would also make truth out of "yes" and days out of "2026-03-05".
_PLAIN = (
    ("bool", re.compile(r"(?:true|false)\Z"), list("tf")),
    ("int", re.compile(r"-?(?:0|[1-9][0-9]{0,30})\Z"), list("-0123456789")),
    ("float", re.compile(r"-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?\Z"), list("-0123456789")),
    ("null", re.compile(r"(?:null|~|)\Z"), ["n", "~", ""]),
)


class _Loader(_Safe):  # type: ignore[misc]  # the class is chosen above
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the library's own way

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Json, Json]:
        """The mapping, unless a key stands in it twice."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) != len(keys):
            twin = next(key for key in keys if keys.count(key) > 1)
            raise yaml.constructor.ConstructorError(None, None, f"“{twin[:60]}” stands twice", node.start_mark)
        found: dict[Json, Json] = super().construct_mapping(node, deep=deep)
        return found


class _Dumper(_SafeDumper):  # type: ignore[misc]  # the class is chosen above
    """Quotes whatever either we or an older reader would not take for text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Equal parts are written out."""
        del data
        return True


for _name, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, _first)
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, _first)


def read_yaml(text: str, *, aliases: bool = False) -> Json:
    """The JSON value of YAML text; DocumentError says what is wrong. `aliases` only for files of our own making."""
    if len(text) > YAML_AT_MOST:
        raise DocumentError(
            [("", told(_("the text is longer than {megabytes} MB"), megabytes=YAML_AT_MOST // 1024 // 1024))]
        )
    try:
        _scan(text, aliases=aliases)
        return yaml.load(text, Loader=_Loader)  # a safe one, chosen above
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        where = told(_(" in line {line}, column {column}"), line=mark.line + 1, column=mark.column + 1) if mark else ""
        raise DocumentError([("", told(_("not YAML: {problem}{where}"), problem=problem, where=where))]) from None
    except ValueError as error:
        raise DocumentError([("", told(_("not YAML that can be used: {problem}"), problem=error))]) from None


def _scan(text: str, *, aliases: bool) -> None:
    # Event by event, before anything is built: a nest or a knot of aliases could take all memory.
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) and not aliases:
            raise DocumentError([("", told(_("aliases (*) are not allowed: line {line}"), line=_line(event)))])
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_AT_MOST:
            raise DocumentError([("", _("nested too deep"))])


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def read(text: str) -> Document:
    """A flow document out of a file, JSON or YAML."""
    if text.lstrip().startswith("{"):
        return load(text)
    value = read_yaml(text)
    return load(value if isinstance(value, dict) else {})


def write_yaml(document: Document) -> str:
    """The document as YAML with sorted keys, one fact a line, so that Git shows what changed."""
    text: str = yaml.dump(
        dump(document), Dumper=_Dumper, sort_keys=True, allow_unicode=True, default_flow_style=False, width=WIDTH
    )
    return text


def write_step(settings: Mapping[str, Json], type: str) -> str:
    """One step as it would stand in a file: what the catalogue shows as an example."""
    step = {"type": type, "settings": dict(settings)}
    text: str = yaml.dump(
        step, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=WIDTH
    )
    return text
