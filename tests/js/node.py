"""A Node for tests that run scripts of ours: the machine's, or the one that set-up brought. Never npm."""

import os
import subprocess
from functools import cache

from tests.conftest import ROOT


@cache
def environment() -> dict[str, str]:
    """The machine's environment with a node in reach."""
    found = subprocess.run([ROOT / ".ci" / "node"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return {**os.environ, "PATH": f"{found.stdout.strip()}{os.pathsep}{os.environ['PATH']}"}
