"""The scripts' own tests and their types, run by node as the pages' authors run them."""

import os
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def environment() -> dict[str, str]:
    """The machine's environment with a node in reach."""
    folder = subprocess.run([ROOT / ".ci/node"], check=True, capture_output=True, text=True).stdout.strip()
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def run(*words: str) -> None:
    """A command that must end well; what it says is shown when it does not."""
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_scripts_own_tests_pass() -> None:
    run("node", "--test", *sorted(str(path) for path in (ROOT / "tests/js").glob("*.test.mjs")))


def test_the_types_of_the_canvas_hold() -> None:
    run("node", "node_modules/typescript/bin/tsc", "-p", ".")
