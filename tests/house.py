"""The source tree as data, for `test_house.py`: which files there are, what they import, call and say.

`python tests/house.py` lists what is larger than aimed at. It judges nothing.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_AIM, FILE_LIMIT = 300, 400
FUNCTION_AIM, FUNCTION_LIMIT = 40, 60
CODE_SUFFIXES = {".py", ".js", ".css", ".html"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One import: the full name, its line, and whether it is only for the type checker."""

    name: str
    line: int
    typing_only: bool
    at_top: bool


@dataclass(frozen=True)
class Module:
    """One Python file."""

    path: Path

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def name(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def is_test(self) -> bool:
        return self.place.startswith("tests/") or self.path.name.startswith("test_") or self.path.name == "conftest.py"

    @cached_property
    def lines(self) -> int:
        return len(self.path.read_text(encoding="utf-8").splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, Function))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self.tree, self.name, typing_only=False, at_top=True))

    @cached_property
    def dotted(self) -> tuple[tuple[str, int], ...]:
        """Every dotted name that is spoken, such as `os.environ`, with its line."""
        found = ((_dotted(node), node.lineno) for node in ast.walk(self.tree) if isinstance(node, ast.Attribute))
        return tuple((name, line) for name, line in found if name)

    @cached_property
    def calls(self) -> tuple[tuple[str, int], ...]:
        """The last name of everything that is called, such as `commit`, with its line."""
        return tuple(
            (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id, node.lineno)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
        )

    @cached_property
    def texts(self) -> tuple[tuple[str, int], ...]:
        """Every string that is not a docstring, with its line."""
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(self.tree)
            if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
        }
        return tuple(
            (node.value, node.lineno)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        )


def _imports(node: ast.AST, own: str, *, typing_only: bool, at_top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, typing_only, at_top) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            # `from app import store` may name a module or a value; `known` sorts that out.
            yield from (Import(f"{base}.{alias.name}", child.lineno, typing_only, at_top) for alias in child.names)
        else:
            guarded = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            yield from _imports(
                child, own, typing_only=typing_only or guarded, at_top=at_top and not isinstance(child, Function)
            )


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value)):
        return f"{owner}.{node.attr}"
    return ""


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project: what Git knows, and what it would take in."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def everything() -> tuple[Module, ...]:
    return tuple(Module(path) for path in tracked() if path.suffix == ".py")


def modules(*rooms: str) -> Iterator[Module]:
    """The Python files below these folders; all of them if none is named."""
    folders = tuple(f"{room}/" for room in rooms)
    yield from (one for one in everything() if not rooms or one.place.startswith(folders))


@cache
def known() -> frozenset[str]:
    return frozenset(module.name for module in everything())


def target(name: str) -> str:
    """The module of ours that an imported name stands in; the name itself if it is not ours."""
    return name if name in known() else parent if (parent := name.rpartition(".")[0]) in known() else name


def file_sizes() -> Iterator[tuple[str, int]]:
    for path in tracked():
        if path.suffix in CODE_SUFFIXES:
            yield path.relative_to(ROOT).as_posix(), len(path.read_text(encoding="utf-8").splitlines())


def function_sizes() -> Iterator[tuple[str, int]]:
    for module in modules():
        for function in module.functions:
            yield f"{module.place}:{function.name}", (function.end_lineno or 0) - function.lineno + 1


def report() -> Iterator[str]:
    """What is larger than aimed at, largest first."""
    for sizes, aim in ((file_sizes(), FILE_AIM), (function_sizes(), FUNCTION_AIM)):
        over = sorted(((size, name) for name, size in sizes if size > aim), reverse=True)
        yield from (f"{size} lines, {aim} aimed at: {name}" for size, name in over)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in report())
