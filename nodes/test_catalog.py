"""Which node types there are, and what becomes of strangers."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest

import nodes
from flows.contract import NodeType
from flows.errors import NodeError
from nodes import catalog, icon
from nodes.exit import node as exit_node
from nodes.testing import check_contract

BUILT_IN = [
    "action.attribute",
    "action.event",
    "action.tag",
    "branch",
    "condition",
    "entry.api",
    "entry.date",
    "entry.event",
    "entry.schedule",
    "entry.segment",
    "exit",
    "goto",
    "holdout",
    "send.email",
    "send.inapp",
    "send.webhook",
    "split",
    "wait.duration",
    "wait.event",
    "wait.until",
]

STRANGER = """
from dataclasses import replace
from nodes.exit import node
node = replace(node, type="{type}")
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with one entry point where Python finds it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(package: str, key: str, code: str, value: str = "") -> None:
        (tmp_path / f"{package}.py").write_text(code)
        metadata = tmp_path / f"{package}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[journey.nodes]\n{key} = {value or package + ':node'}\n")
        monkeypatch.delitem(sys.modules, package, raising=False)

    return put


def test_the_built_in_types_are_all_there() -> None:
    assert list(catalog(plugins=False)) == BUILT_IN


def test_nothing_can_be_added_to_a_catalogue() -> None:
    types = catalog()
    with pytest.raises(TypeError):
        types["exit"] = exit_node  # type: ignore[index]
    assert isinstance(types.broken, MappingProxyType)
    assert len(types) == len(list(types))


def test_importing_the_package_imports_no_node() -> None:
    asked = "import sys, nodes; print(sorted(name for name in sys.modules if name.startswith('nodes.')))"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_every_type_has_its_own_drawing() -> None:
    drawings = [icon(node) for node in catalog(plugins=False).values()]
    assert len(set(drawings)) == len(BUILT_IN)


def test_a_script_can_give_types_of_its_own_but_not_ours_again() -> None:
    own = NodeType(**{**{name: getattr(exit_node, name) for name in exit_node.__slots__}, "type": "own.exit"})
    assert catalog([own], plugins=False)["own.exit"] is own
    with pytest.raises(NodeError, match="given twice"):
        catalog([exit_node])


def test_a_stranger_comes_in_by_its_entry_point(install: Install) -> None:
    install("acme_bye", "acme.bye", STRANGER.format(type="acme.bye"))
    types = catalog()
    assert types["acme.bye"].type == "acme.bye"
    assert "acme.bye" not in catalog(plugins=False)
    assert not types.broken


@pytest.mark.parametrize(
    ("key", "code", "reason"),
    [
        ("acme.one", "raise RuntimeError('no licence')", "cannot be imported: RuntimeError: no licence"),
        ("acme.one", "import no_such_package", "cannot be imported: ModuleNotFoundError"),
        ("acme.one", "def (", "cannot be imported: SyntaxError"),
        ("acme.one", "raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("acme.one", "", "cannot be imported: AttributeError"),
        ("acme.one", "node = {'type': 'acme.one'}", "is not a NodeType"),
        ("acme.one", STRANGER.format(type="acme.two"), "named acme.one, the node type acme.two"),
        ("acme.one", "CONTRACT = 2\n" + STRANGER.format(type="acme.one"), "written for contract 2; this is contract 1"),
        ("exit", STRANGER.format(type="exit"), "a node type of this name already"),
    ],
)
def test_a_broken_stranger_is_left_out_with_its_reason(install: Install, key: str, code: str, reason: str) -> None:
    install("acme_stranger", key, code)
    types = catalog()
    assert list(types) == BUILT_IN
    assert reason in types.broken[key]


def test_two_strangers_of_one_name_are_both_left_out(install: Install) -> None:
    install("acme_a", "acme.bye", STRANGER.format(type="acme.bye"))
    install("acme_b", "acme.bye", STRANGER.format(type="acme.bye"))
    types = catalog()
    assert list(types) == BUILT_IN
    assert types.broken["acme.bye"] == "offered by several packages: acme_a, acme_b"


@pytest.mark.parametrize("code", ["", "raise RuntimeError", "from nodes.exit import node"])
def test_a_broken_node_of_ours_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    (tmp_path / "broken_one").mkdir()
    (tmp_path / "broken_one" / "__init__.py").write_text(code)
    monkeypatch.setattr(nodes, "__path__", [*nodes.__path__, str(tmp_path)])
    nodes._built_in.cache_clear()
    try:
        with pytest.raises((NodeError, RuntimeError)):
            catalog(plugins=False)
    finally:
        sys.modules.pop("nodes.broken_one", None)
        nodes._built_in.cache_clear()


def test_the_node_of_the_readme_works_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(nodes.__file__).parent / "README.md").read_text(encoding="utf-8")
    blocks = [block.partition("\n")[2] for block in page.split("```")[1::2]]
    code, drawing, test, project = blocks[:4]
    (tmp_path / "acme_tier").mkdir()
    (tmp_path / "acme_tier" / "__init__.py").write_text(code)
    (tmp_path / "acme_tier" / "icon.svg").write_text(drawing)
    metadata = tmp_path / "acme_tier-1.0.dist-info"
    metadata.mkdir()
    offered = tomllib.loads(project)["project"]["entry-points"]["journey.nodes"]
    lines = "\n".join(f"{key} = {value}" for key, value in offered.items())
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-tier\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[journey.nodes]\n{lines}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    check_contract(catalog()["acme.tier"])
    tests: dict[str, Callable[[], None]] = {}
    exec(compile(test, "test_acme_tier.py", "exec"), tests)
    for name in [name for name in tests if name.startswith("test_")]:
        tests[name]()
