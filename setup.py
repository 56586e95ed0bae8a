"""Copy the data folders into the wheel, under `piperoll/data/`, which pyproject.toml cannot express."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DATA = ("datapackages", "expectations", "findings", "catalogue", "measures")
DOCS = ("findings.md", "glossary.md", "check-report.schema.json")


class BuildWithData(build_py):
    """Build the modules and copy the data folders; an editable install finds them in the checkout."""

    def run(self) -> None:
        """Build the modules, then copy the data beside them."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "piperoll" / "data"
        shutil.rmtree(target, ignore_errors=True)
        for folder in DATA:
            shutil.copytree(folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
        (target / "docs").mkdir()
        for name in DOCS:
            shutil.copy(Path("docs") / name, target / "docs" / name)


setup(cmdclass={"build_py": BuildWithData})
