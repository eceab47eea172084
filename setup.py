"""Lays what the pages need beside the code into a wheel; everything else about the package stands in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# Tools of set-up and notes for who works here stay behind.
LEFT_OUT = shutil.ignore_patterns("tools", "*.md", "pictures")


class Build(build_py):
    """Python files, and with them `static/` (the vendored part has to be made first) and `templates/`."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # they are found in the checkout
        if not (ROOT / "static" / "vendor" / "manifest.json").exists():
            raise SystemExit("static/vendor is missing: run `node static/tools/vendor.mjs` before building.")
        for name in ("static", "templates"):
            place = Path(self.build_lib) / "app" / "bundle" / name
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(ROOT / name, place, ignore=LEFT_OUT)


setup(cmdclass={"build_py": Build})
