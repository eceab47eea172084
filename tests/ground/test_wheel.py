"""A wheel built from this checkout holds everything that the program needs, and the program starts from it alone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = ("app", "flows", "nodes", "migrations")
LEFT_OUT = {".md"}
START = """
import app.main, app.language, app.web.files, app.web.templating
from pathlib import Path
import app
home = Path(app.__file__).parent
assert str(home).startswith({folder!r}), home
files = app.web.files.Files()
assert files.address("vendor/htmx.min.js").startswith("/static/")
assert (app.web.templating.ROOT / "templates" / "base.html").is_file()
assert app.language.words("zh").gettext("Journeys") == "旅程"
from app import gallery
assert gallery.templates()
from nodes import catalog
assert len(catalog(plugins=False)) > 10
from app.web.templating import templates
assert templates(lambda name: name).get_template("home.html")
print("served")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a look at any registry; build folders lie outside of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in (*SOURCES, "static", "templates", "pyproject.toml", "setup.py", "README.md", "LICENSE"):
        (source / name).symlink_to(ROOT / name)
    build = [sys.executable, "-c", "import setuptools.build_meta as it, sys; print(it.build_wheel(sys.argv[1]))"]
    made = subprocess.run([*build, str(folder)], cwd=source, capture_output=True, text=True, timeout=110, check=False)
    assert made.returncode == 0, made.stderr[-2000:]
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.timeout(240)
def test_a_wheel_holds_every_file_that_the_program_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        inside = set(packed.namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for room in SOURCES
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in LEFT_OUT
    }
    wanted |= {
        f"app/bundle/{path.relative_to(ROOT)}"
        for room in ("static", "templates")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in LEFT_OUT and not {"tools", "pictures"} & set(path.parts)
    }
    assert sorted(wanted - inside) == []
    assert "app/bundle/static/vendor/manifest.json" in inside
    assert not [name for name in inside if name.startswith(("tests/", "app/bundle/static/tools"))]


@pytest.mark.timeout(240)
def test_the_program_starts_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    folder = str(tmp_path / "installed")
    code = START.replace("{folder!r}", repr(folder))
    paths = {**os.environ, "PYTHONPATH": folder}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=paths, capture_output=True, text=True, timeout=110, check=False
    )
    assert said.returncode == 0, said.stderr[-2000:]
    assert "served" in said.stdout
