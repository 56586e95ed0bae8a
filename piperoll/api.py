"""The Python door: the same as the command line, for programs.

from piperoll import api

report = api.check("Payments over 500 October 2026.xlsx", dataset="spend")
if not report.verdict.publishes:
    for finding in report.findings:
        print(finding.row, finding.column, finding.message, finding.fix)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from piperoll import assets
from piperoll.checking.check_file import OneFile, report_alone
from piperoll.checking.engine import CheckEngine
from piperoll.errors import MappingError, UsageError
from piperoll.model import BodyMapping, Period, Report, Series
from piperoll.reading import Content, OnDisk, whole

if TYPE_CHECKING:
    import pyarrow as pa

    from piperoll.operations.run_summary import RunSummary

__all__ = ["check", "get", "require_readable", "run"]


def check(  # noqa: PLR0913 - what is known of a file, by name
    file: str | Path | bytes,
    *,
    name: str | None = None,
    dataset: str | None = None,
    period: str | None = None,
    quick: bool = False,
    engine: str = CheckEngine.COMPILED,
    mappings: str | Path | None = None,
    against: str | None = None,
    body: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """The report on one file: what it is, what is wrong with it and where, and the verdict.

    `file` is a path, or the bytes themselves with their `name`. `dataset` is one of `piperoll datasets` (or another
    name for it, as `gpc` for payment cards); it is recognised when not given, and so is `period` (2026-10, 2026-Q4,
    2026-27, 2026-10-31). `quick` leaves out whether the figures are plausible. `engine` is `compiled`, which
    applies the rules to whole columns, or `reference`, which runs all of them in Frictionless and Great Expectations:
    the same report, in many times the time.
    `mappings` is a folder with what is remembered of the body's headings, `<dataset>.toml` each.
    `against` is a folder or s3://bucket/prefix that was published to: the file is held against what `body` (a name or
    slug) published there before, and read with the headings that are remembered there.
    Nothing is stored, and nothing goes over the network but what is read from a bucket that is named. `progress` is
    told what is being done.

    Raises: UsageError: there is no such file or engine, nothing is published in `against`, or it is given without
    `body`. UnknownDataset, PeriodError: the name is neither. MappingError: a file of `mappings` cannot be understood.
    """
    given, part = assets.find_dataset(dataset) if dataset else (None, None)
    about = Period.parse(period) if period else None
    content, name = _content(file, name)
    by = _engine(engine)
    if against is not None or body is not None:
        place, whose = _both(against, body, mappings)
        from piperoll.operations.preview import CandidateFile, preview_report  # noqa: PLC0415 - as for `run`: only who asks for it waits

        progress("Checking")
        beside = preview_report(
            place, CandidateFile(whole(content), name, whose, given, part, about), quick=quick, engine=by
        )
        if beside is not None:
            return beside
    one, remembered = OneFile(content, name, dataset, period), _remembered(mappings)
    return report_alone(one, quick=quick, engine=by, remembered=remembered, progress=progress)


def run(
    to: str,
    *,
    inbox: str | Path | None = None,
    sources: str | Path | None = None,
    period: str | None = None,
    bodies: str | Path | None = None,
) -> RunSummary:
    """Collect, check and publish everything in an inbox or from a sources file into a folder or bucket.

    `inbox` is laid out `<dataset>/<body>/<file>`, `sources` is a sources.toml, `to` a folder or `s3://bucket/prefix`,
    `bodies` a register of your own. What was done before is not done again. The summary has what came of every file.

    Raises: UsageError: neither or both of `inbox` and `sources` are given, or they cannot be understood.
    StoreError: the store cannot be opened. What goes wrong with single files stands in the summary.
    """
    from flows.run import run_month  # noqa: PLC0415 - Prefect takes seconds to import, and `check` never needs it
    from piperoll.operations.run_request import parse_request  # noqa: PLC0415

    return run_month(parse_request(to, inbox, sources, period, bodies))


def _engine(name: str) -> CheckEngine:
    """The engine of this name. Raises: UsageError: there is none."""
    if name not in set(CheckEngine):
        raise UsageError(f"there is no engine '{name}': those known are {', '.join(CheckEngine)}")
    return CheckEngine(name)


def get(
    dataset: str,
    place: str,
    *,
    body: str,
    period: str,
    part: str | None = None,
    as_known_on: str | None = None,
    version: int | None = None,
) -> pa.Table:
    """One published table, typed: amounts are decimals, dates are dates.

    `place` is a folder, s3://bucket/prefix, or the web address of one. It is the version that stands, or the one that
    stood on `as_known_on` (a day, or an instant in UTC), or the one of the number `version`. Its metadata say which
    (`series`, `version`, `sha256`). The file is compared with the hash that its manifest names.

    table = api.get("spend", "https://data.example", body="anytown", period="2026-10")
    table.to_pandas().groupby("supplier_name")["net_amount"].sum()

    Raises: UsageError: no such table is published there, or that version was taken back. PeriodError: `period` is none.
    StoreCorrupt: what came is not what the manifest names. StoreUnavailable (retryable): the place does not answer.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - as for `run`

    from publishers.download import choose_version, fetch_file, find_series  # noqa: PLC0415

    reader, found = find_series(place, Series(dataset, body, Period.parse(period), part))
    wanted = choose_version(found, as_known_on, version)
    with TemporaryDirectory(prefix="piperoll-") as scratch:
        file = Path(scratch) / f"{dataset}.parquet"
        entry = fetch_file(reader, found.series, wanted, file.name, file)
        table = pq.read_table(file, memory_map=False)
    told = {"series": str(found.series), "version": str(wanted.version), "sha256": entry.sha256}
    return table.replace_schema_metadata(told)


def _both(against: str | None, body: str | None, mappings: str | Path | None) -> tuple[str, str]:
    """Where to compare and whose file it is. Raises: UsageError: one is missing, or does not go with the rest."""
    if against is None or body is None or mappings is not None:
        raise UsageError(
            "to hold a file against what is published, say where (--against) and whose file it is (--body). The "
            "headings that are remembered there are used: leave out --mappings"
        )
    return against, body


def _remembered(folder: str | Path | None) -> tuple[BodyMapping, ...]:
    """The mappings in a folder, in order of their names. Raises: UsageError: there is none, or one makes no sense."""
    if folder is None:
        return ()
    paths = sorted(Path(folder).glob("*.toml"))
    if not paths:
        raise UsageError(f"{folder} holds no <dataset>.toml: name the folder of one body, such as mappings/anytown")
    return tuple(map(_mapping, paths))


def _mapping(path: Path) -> BodyMapping:
    try:
        return BodyMapping.from_toml(path.read_text("utf-8"))
    except (MappingError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: {error}") from error


def require_readable(path: Path) -> None:
    """Nothing, if `path` is a file that can be read. Raises: UsageError: it is not; the message says what to do."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name the files in it, or collect an inbox: piperoll run --inbox {path}")
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): check its name, and that you may read it"
        ) from error


def _content(file: str | Path | bytes, name: str | None) -> tuple[Content, str]:
    if isinstance(file, bytes):
        return file, name or "unnamed"
    require_readable(Path(file))
    return OnDisk(Path(file)), name or Path(file).name
