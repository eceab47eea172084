"""The scripts' own tests, by Node and without a browser: each file of tests here is one test there. Never a page."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.js.node import environment

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=[path.name.removesuffix(".test.mjs") for path in FILES])
def test_the_scripts_pass_their_own_tests(file: Path) -> None:
    done = subprocess.run(
        ["node", "--test", str(file)], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_of_tests_is_overlooked() -> None:
    assert FILES
    assert {path.name for path in Path(__file__).parent.glob("*test*.?js")} == {path.name for path in FILES}
