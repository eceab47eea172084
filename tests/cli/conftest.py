"""The command line as somebody at a terminal meets it: what is typed, what is printed where, which code comes back."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import cli
from app.settings import Settings
from tests.conftest import ROOT


@dataclass(frozen=True)
class Called:
    """What a command left: its exit code, its output for programs, its words for people."""

    code: int
    out: str
    err: str


Journey = Callable[..., Called]


@pytest.fixture
def journey(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Journey:
    """Run `journey …` on the test's database."""
    monkeypatch.setenv("JOURNEY_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("JOURNEY_REDIS_URL", str(settings.redis_url))
    monkeypatch.setenv("JOURNEY_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Called:
        monkeypatch.setattr(sys, "argv", ["journey", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        out, err = capsys.readouterr()
        return Called(code or 0, out, err)

    return call


@pytest.fixture
def example() -> Path:
    """A sound flow document."""
    return ROOT / "app" / "demo" / "welcome.yaml"
