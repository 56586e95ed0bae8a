"""The one thing that pyproject.toml cannot say: the data folders go into the wheel under `piperoll/data/`."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DATA = ("datapackages", "expectations", "findings", "catalogue")
DOCS = ("findings.md", "glossary.md", "check-report.schema.json")


class BuildWithData(build_py):
    """`build_py`, and then our data folders; an editable install finds them in the checkout."""

    def run(self) -> None:
        """Build the modules, then lay the data beside them."""
        super().run()
        if self.editable_mode:
            return
        place = Path(self.build_lib) / "piperoll" / "data"
        shutil.rmtree(place, ignore_errors=True)
        for folder in DATA:
            shutil.copytree(folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
        (place / "docs").mkdir()
        for name in DOCS:
            shutil.copy(Path("docs") / name, place / "docs" / name)


setup(cmdclass={"build_py": BuildWithData})
