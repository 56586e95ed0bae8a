"""What differs between two versions of a table, row by row."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from piperoll import assets
from piperoll.model import Effect, History, plain
from piperoll.releasing import compare_versions
from publishers import fetch_version
from serving.index_cache import Shelf
from serving.listings import version_of
from serving.problems import Problem

_MOST_ROWS = 400_000
"""Of both versions together: comparing them takes some seconds and a few hundred megabytes."""

_SHOWN = 1_000
"""Rows in a JSON document; the CSV has all."""


def compared(shelf: Shelf, found: History, before: int, after: int) -> tuple[dict[str, Any], bytes]:
    """The differences as a document and as the CSV that `piperoll diff` writes.

    Raises: Problem: a version is not there, or they are too large to be compared here.
    """
    versions = [version_of(found, number) for number in (before, after)]
    if sum(one.rows for one in versions) > _MOST_ROWS:
        raise Problem(400, "too-much", f"these versions have many rows: piperoll diff {found.series} {before} {after}")
    with TemporaryDirectory(prefix="piperoll-") as scratch:
        folders = {
            one.version: fetch_version(shelf.store, found.series, one, Path(scratch) / str(one.version))
            for one in versions
        }
        written = Path(scratch) / "changes.csv"
        told = compare_versions(assets.dataset(found.series.dataset), folders[before], folders[after], written)
        content = written.read_bytes()
    rows = list(csv.DictReader(content.decode().splitlines(keepends=True)))
    effects = {"added": told.added, "removed": told.removed, "changed": told.changed}
    document: dict[str, Any] = {"series": str(found.series), "before": before, "after": after}
    document |= {name: _told(one) for name, one in effects.items()}
    return document | {"fields": dict(told.fields), "rows": rows[:_SHOWN], "rows_count": len(rows)}, content


def _told(effect: Effect) -> dict[str, Any]:
    return {"rows": effect.rows, "amount_gbp": None if effect.amount_gbp is None else plain(effect.amount_gbp)}
