"""The scripts' own tests, by Node and without a browser: each file of tests here is one test there. Never a page."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.fixture(scope="session")
def node() -> str:
    """The folder of a Node that will do."""
    found = subprocess.run([ROOT / ".ci" / "node"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.fail(found.stderr)
    return found.stdout.strip()


@pytest.mark.parametrize("file", FILES, ids=[path.name.removesuffix(".test.mjs") for path in FILES])
def test_the_scripts_pass_their_own_tests(file: Path, node: str) -> None:
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["node", "--test", str(file)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_of_tests_is_overlooked() -> None:
    assert FILES
    assert {path.name for path in Path(__file__).parent.glob("*test*.?js")} == {path.name for path in FILES}
