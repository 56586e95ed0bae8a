"""The Python door: the same as the command line, for programs.

from piperoll import api
report = api.check("Payments over 500 October 2026.xlsx", dataset="spend")
if not report.verdict.publishes:
    for finding in report.findings: ...
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from piperoll import assets
from piperoll.checking import Examination, examine
from piperoll.errors import UsageError
from piperoll.model import Body, Dataset, Period, Report
from piperoll.reading import read

if TYPE_CHECKING:
    from flows import Summary

__all__ = ["check", "examination_of", "run"]


def check(
    file: str | Path | bytes,
    *,
    name: str | None = None,
    dataset: str | None = None,
    period: str | None = None,
    quick: bool = False,
) -> Report:
    """The report on one file: what it is, what is wrong with it and where, and the verdict.

    `file` is a path, or the bytes themselves with their `name`. `dataset` is one of `piperoll datasets` (or another
    name for it, as `gpc` for payment cards); it is recognised when not given, and so is `period` (2026-10, 2026-Q4,
    2026-27, 2026-10-31). `quick` leaves out whether the figures are plausible, which is most of the time it takes.
    Nothing is stored and nothing goes over the network.

    Raises: UsageError: there is no such file. UnknownDataset, PeriodError: the name is neither.
    """
    return examination_of(file, name=name, dataset=dataset, period=period, quick=quick).report


def examination_of(
    file: str | Path | bytes,
    *,
    name: str | None = None,
    dataset: str | None = None,
    period: str | None = None,
    quick: bool = False,
) -> Examination:
    """As `check`, with what was read and what becomes of each row."""
    content, name = (file, name or "unnamed") if isinstance(file, bytes) else (read_file(Path(file)), name or str(file))
    given, part = assets.find_dataset(dataset) if dataset else (None, None)
    about = Period.parse(period) if period else None
    reading = read(content, Path(name).name, assets.datasets(), dataset=given, part=part)
    return examine(
        reading,
        file=Path(name).name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        body=Body.provisional_for("unknown"),
        period=about,
        part=part,
        plausibility=not quick,
        suite=_suite(reading.dataset),
    )


def run(
    *,
    to: str,
    inbox: str | Path | None = None,
    sources: str | Path | None = None,
    period: str | None = None,
    bodies: str | Path | None = None,
) -> Summary:
    """Collect, check and publish everything in an inbox or from a sources file into a folder or bucket.

    `inbox` is laid out `<dataset>/<body>/<file>`; `to` is a folder or `s3://bucket/prefix`. What has been done before
    is not done again. Returns what became of every file.

    Raises: UsageError: neither or both of `inbox` and `sources` are given, or one of them is not there.
    StoreError, CollectError: the store or a source fails.
    """
    import flows  # noqa: PLC0415 - Prefect takes seconds to import, and `check` must never bring it in

    raise NotImplementedError(flows)


def read_file(path: Path) -> bytes:
    """The bytes of a file that a person names. Raises: UsageError: it is a folder, is not there or cannot be read."""
    if path.is_dir():
        raise UsageError(
            f"{path} is a folder: name the files in it, for example '{path}/'*.csv, "
            "or collect a whole inbox with piperoll run --inbox"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): check the name, and that you may read it"
        ) from error


def _suite(dataset: Dataset | None) -> str | None:
    return None if dataset is None else assets.suite(dataset.name)
