"""Write bench/RESULTS.md: one section for each benchmark, replaced when the benchmark is run again."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
_HEAD = """# Figures

Made by `make bench`; each figure and its peer come from one run on one machine, and ratios are what to compare.
"""


def write(name: str, title: str, text: str, packages: Iterable[str] = ()) -> None:
    """Write the section `name` of the results, with the machine and the versions of `packages`."""
    section = f"<!-- {name} -->\n## {title}\n\n{text.strip()}\n\n{describe_machine(packages)}\n<!-- /{name} -->\n"
    before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else _HEAD
    pattern = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->\n", re.DOTALL)
    after = pattern.sub(lambda _: section, before) if pattern.search(before) else f"{before}\n{section}"
    RESULTS.write_text(after, encoding="utf-8")
    print(f"{section}\nThis section was written to {RESULTS.name}")


def describe_machine(packages: Iterable[str]) -> str:
    """The day, the machine, its load and the versions, on one line."""
    used = ", ".join(f"{package} {version(package)}" for package in packages)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    day, load = datetime.now(UTC), os.getloadavg()[0]
    return (
        f"*{day:%d %B %Y}; {platform.machine()}, {cores} cores, {memory} GiB, load {load:.1f} at the end; "
        f"Python {platform.python_version()}{', ' + used if used else ''}.*"
    )


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a table as Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
