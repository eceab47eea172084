"""The rules of the house as tests (DESIGN §2): who imports whom, who commits, how large things get, what is explained.

A rule that is not a failing test is not a rule. An exception is a line in a table here, with its reason.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping

import networkx
import pytest

from app import log
from app.settings import Settings
from tests.house import FILE_LIMIT, FUNCTION_LIMIT, ROOT, Module, file_sizes, function_sizes, modules, target, tracked

TOP_LEVEL = {
    *("app", "flows", "nodes", "static", "templates", "migrations", "tests", "pyproject.toml", "README.md"),
    *(
        "Makefile",
        "setup.py",
        "requirements.lock",
        "requirements-dev.lock",
        "package.json",
        "package-lock.json",
        "LICENSE",
        ".ci",
    ),
    *("compose.yaml", "Dockerfile", "alembic.ini", ".npmrc", ".gitignore", "tsconfig.json"),
}
ROOMS = ("app", "flows", "nodes", "static", "templates", "migrations", "tests")
# Larger than the limits, and why a split would be worse.
LARGE: dict[str, str] = {}
FLOW_LIBRARIES = {*sys.stdlib_module_names, "pydantic", "pydantic_core", "networkx", "flows"}
DATABASE_LIBRARIES = {"psycopg", "psycopg_pool", "sqlalchemy", "sqlmodel", "alembic", "redis"}
WORLD = {
    "os",
    "socket",
    "subprocess",
    "random",
    "secrets",
    "time",
    "threading",
    "asyncio",
    "urllib.request",
    "http.client",
}
# The floors of DESIGN §2 from the ground up: nobody imports from a higher one. What is not named stands on 3.
FLOORS = {
    "app.settings": 0,
    "app.failpoints": 0,
    "app.lanes": 0,
    "app.calls": 1,
    "app.identities": 1,
    "app.localservers": 1,
    "app.database": 1,
    "app.models": 1,
    "app.store": 2,
    "app.stages": 4,
    "app.web": 4,
    "app.auth": 4,
    "app.signin": 4,
    "app.staff": 4,
    "app.secondstep": 4,
    "app.engine": 5,
    "app.delivering": 5,
    "app.world": 5,
    "app.scenarios": 6,
    "app.main": 5,
    "app.heartbeat": 6,
    "app.worker": 6,
    "app.bench": 6,
    "app.firstuse": 5,
    "app.demo": 6,
    "app.commands": 7,
    "app.child": 7,
    "app.run": 7,
    "app.cli": 7,
}
USUAL_FLOOR = 3
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
CLOCKS = re.compile(
    r"(datetime|date)\.(now|utcnow|today)$|^time\.(time|time_ns|monotonic|perf_counter|sleep)$"
    r"|^random\.|^secrets\.(token|choice|rand)|^uuid\.uuid[14]$|^os\.(environ|getenv|urandom)$"
)
# Words that make a string SQL; upper case, as SQL is written here, so that prose is not caught.
SQL = re.compile(
    r"\bSELECT\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|\bDELETE FROM\b|\bTRUNCATE\b|\bCOPY \w+ ?\("
    r"|\b(CREATE|ALTER|DROP) (TABLE|INDEX|UNIQUE|DATABASE|SCHEMA|TYPE)\b|\bpg_(advisory|try_advisory|terminate|notify)"
    r"|(?i:^\s*(select\s.+\sfrom|insert\s+into|delete\s+from|update\s+\w+\s+set)\s)"
)
SQL_ROOMS = ("app/store/", "app/models/", "app/database.py", "migrations/", "app/bench")
CONNECTION_MAKERS = {"create_engine", "create_async_engine", "sessionmaker"}


def refuse(problems: Iterable[str]) -> None:
    found = sorted(set(problems))
    assert not found, "\n" + "\n".join(found)


def code(*rooms: str) -> Iterator[Module]:
    yield from (module for module in modules(*rooms) if not module.is_test)


def imports_of(*rooms: str) -> Iterator[tuple[Module, str, str]]:
    """Who imports what: the module, the imported one, and the place to show."""
    for module in code(*rooms):
        for one in module.imports:
            yield module, target(one.name), f"{module.place}:{one.line} imports {one.name}"


def within(name: str, *prefixes: str) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def test_flows_import_only_the_standard_library_pydantic_networkx_and_flows() -> None:
    refuse(place for _, name, place in imports_of("flows") if name.partition(".")[0] not in FLOW_LIBRARIES)
    refuse(place for _, name, place in imports_of("flows") if within(name, *WORLD))


def test_a_node_imports_no_other_node_s_folder_no_app_and_no_database() -> None:
    folders = {path.parent.name for path in tracked() if path.match("nodes/*/__init__.py")}
    assert len(folders) >= 15, "the node folders were not found"
    problems = []
    for module, name, place in imports_of("nodes"):
        own = module.name.split(".")[1] if module.name.count(".") else ""
        parts = name.split(".")
        other = parts[0] == "nodes" and len(parts) > 1 and parts[1] in folders and parts[1] != own
        if other or parts[0] == "app" or parts[0] in DATABASE_LIBRARIES:
            problems.append(place)
    refuse(problems)


def floor(name: str) -> int:
    return next((floor for prefix, floor in FLOORS.items() if within(name, prefix)), USUAL_FLOOR)


def test_inside_app_nobody_imports_from_a_higher_floor() -> None:
    refuse(
        f"{place} (floor {floor(name)} from floor {floor(module.name)})"
        for module, name, place in imports_of("app")
        if within(name, "app") and name != "app" and floor(name) > floor(module.name)
    )


def test_the_web_never_imports_stages_and_stages_never_call_one_another_or_the_web() -> None:
    refuse(place for _, name, place in imports_of("app/web") if within(name, "app.stages", "app.engine"))
    refuse(
        place
        for module, name, place in imports_of("app/stages")
        if within(name, "app.web") or (within(name, "app.stages") and name not in {"app.stages", module.name})
    )


def test_no_two_modules_import_each_other() -> None:
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    for module in code("app", "flows", "nodes"):
        for one in module.imports:
            if one.at_top and not one.typing_only and target(one.name) != module.name:
                graph.add_edge(module.name, target(one.name))
    refuse(" → ".join(cycle) for cycle in networkx.simple_cycles(graph))


def test_only_the_database_module_commits_and_makes_connections() -> None:
    problems = []
    for module in code("app", "flows", "nodes"):
        if module.place == "app/database.py":
            continue
        problems += [f"{module.place}:{line} commits" for name, line in module.calls if name == "commit"]
        problems += [f"{module.place}:{line} calls {name}" for name, line in module.calls if name in CONNECTION_MAKERS]
        problems += [
            f"{module.place}:{line} connects"
            for name, line in module.dotted
            if re.fullmatch(r"(psycopg\.)?((Async)?Connection\.)?connect", name)
        ]
        problems += [f"{module.place}:{one.line} pools" for one in module.imports if within(one.name, "psycopg_pool")]
    refuse(problems)


def test_only_the_settings_read_the_environment() -> None:
    refuse(
        f"{module.place}:{line} reads {name}"
        for module in code("app", "flows", "nodes", "migrations")
        for name, line in module.dotted
        if re.fullmatch(r"os\.(environb?|getenvb?)(\..*)?", name) and module.place != "app/settings.py"
    )
    refuse(
        place
        for module, name, place in imports_of()
        if name in {"os.environ", "os.getenv"} and module.place != "app/settings.py"
    )


def test_sql_stands_only_in_the_store() -> None:
    refuse(
        f"{module.place}:{line} speaks SQL: {text.strip()[:50]!r}"
        for module in code("app", "flows", "nodes")
        if not module.place.startswith(SQL_ROOMS)
        for text, line in module.texts
        if SQL.search(text)
    )


def test_flows_and_nodes_have_no_clock_no_chance_and_no_environment() -> None:
    problems = []
    for module in code("flows", "nodes"):
        problems += [f"{module.place}:{line} {name}" for name, line in module.dotted if CLOCKS.search(name)]
        problems += [
            f"{module.place}:{one.line} imports {one.name}"
            for one in module.imports
            if within(one.name, "random", "secrets") or one.name in {"uuid.uuid1", "uuid.uuid4", "time.time"}
        ]
    refuse(problems)


def swallows(handler: ast.ExceptHandler) -> bool:
    """Whether it catches everything and does nothing about it."""
    everything = handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"}
    )
    idle = all(
        isinstance(step, ast.Pass | ast.Continue)
        or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))
        for step in handler.body
    )
    return handler.type is None or (everything and idle)


def test_no_error_is_swallowed() -> None:
    problems = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and swallows(node):
                problems.append(f"{module.place}:{node.lineno} catches everything and goes on")
            if isinstance(node, ast.Call) and "suppress(Exception)" in ast.unparse(node):
                problems.append(f"{module.place}:{node.lineno} suppresses everything")
    refuse(problems)


def test_no_log_line_is_given_a_field_that_would_be_withheld() -> None:
    refuse(
        f"{module.place}:{node.lineno} gives {field.arg!r}, which `log.FIELDS` does not know"
        for module in code("app")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and "log" in ast.unparse(node.func.value)
        for field in node.keywords
        if field.arg not in log.FIELDS and field.arg not in (None, "exc_info")
    )


def over(sizes: Iterable[tuple[str, int]], limit: int) -> dict[str, int]:
    return {name: size for name, size in sizes if size > limit}


def test_files_and_functions_stay_readable() -> None:
    large = {**over(file_sizes(), FILE_LIMIT), **over(function_sizes(), FUNCTION_LIMIT)}
    refuse(
        f"{name}: {size} lines, at most {FILE_LIMIT} a file, {FUNCTION_LIMIT} a function"
        for name, size in large.items()
        if name not in LARGE
    )
    refuse(f"{name} is exempt for nothing" for name in LARGE if name not in large)


def test_every_module_says_what_it_is_for() -> None:
    refuse(module.place for module in modules() if not ast.get_docstring(module.tree))


def test_the_top_of_the_tree_holds_only_the_seven_rooms_and_what_tools_need() -> None:
    refuse(top for path in tracked() if (top := path.relative_to(ROOT).parts[0]) not in TOP_LEVEL)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_readme(room: str) -> None:
    assert (ROOT / room / "README.md").is_file()


@pytest.mark.parametrize("room", ["app", "flows"])
def test_a_room_s_readme_names_every_module_and_none_that_is_gone(room: str) -> None:
    there = {path.relative_to(ROOT / room).parts[0] for path in tracked() if path.is_relative_to(ROOT / room)}
    there = {name.removesuffix(".py") for name in there} - {"__init__", "README.md"}
    rows = [line for line in (ROOT / room / "README.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    named = {
        name.strip("/").removesuffix(".py") for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert named == there


def test_no_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    # Put together from pieces, so that this file does not contain what it looks for.
    names = ("py" + "pi", "python" + "hosted", "npm" + "js", "deb" + "ian", "yarn" + "pkg", "registry." + "npm")
    host = re.compile(rf"\b({'|'.join(names)})[.](org|com|io)\b")
    folder = re.compile("/" + r"(work|farm|root|home|opt/jc)/[a-z.]")
    problems = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if host.search(line) or (folder.search(line) and path.suffix not in {".lock", ".txt"}):
                problems.append(f"{path.relative_to(ROOT)}:{number} {line.strip()[:80]}")
    refuse(problems)


def test_every_setting_is_explained() -> None:
    refuse(name for name, field in Settings.model_fields.items() if len(field.description or "") < 20)


def test_every_node_type_is_explained() -> None:
    from nodes import catalog

    types = catalog()
    assert len(types) >= 15
    problems = []
    for name, node in types.items():
        problems += [f"{name} has no {part}" for part in ("title", "help") if not str(getattr(node, part)).strip()]
        fields = node.settings.model_fields
        problems += [f"{name}.{field} has no title" for field, about in fields.items() if not about.title]
    refuse(problems)


def operations(document: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    paths = document["paths"]
    assert isinstance(paths, Mapping)
    for path, methods in paths.items():
        yield from (
            (f"{method.upper()} {path}", operation) for method, operation in methods.items() if method != "parameters"
        )


def test_every_route_is_explained(settings: Settings) -> None:
    from app.main import create_app

    app = create_app(settings)
    found = dict(operations(app.openapi()))
    assert len(found) >= 5
    refuse(f"{name} has no summary" for name, operation in found.items() if not operation.get("summary"))
    refuse(f"{name} has no description" for name, operation in found.items() if not operation.get("description"))
