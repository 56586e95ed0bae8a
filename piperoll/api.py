"""The Python API: what the command line does, for programs.

from piperoll import api

report = api.check("Payments over 500 October 2026.xlsx", dataset="spend")
if not report.verdict.publishes:
    for finding in report.findings:
        print(finding.row, finding.column, finding.message, finding.fix)
"""

from __future__ import annotations

import csv
import getpass
from collections.abc import Callable, Iterable
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from piperoll import assets
from piperoll.checking.check_file import FileToCheck, check_file, examine_file
from piperoll.checking.engine import CheckEngine
from piperoll.errors import MappingError, UsageError
from piperoll.model import KINDS, Body, BodyMapping, DecidedAs, Period, Report, Series, printable_name, resolve_body
from piperoll.reading import Content, OnDisk, whole
from piperoll.scratch import scratch_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from piperoll.model import DecisionEntry, Differences, History
    from piperoll.operations.marked_copy import CorrectedCopy
    from piperoll.operations.run_summary import RunSummary
    from publishers import PublishedTable

__all__ = [
    "check",
    "corrected_copy",
    "decide",
    "diff",
    "get",
    "history",
    "list_published",
    "marked_copy",
    "require_readable",
    "run",
    "take_back",
]


def check(  # noqa: PLR0913 - keyword-only options
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
    kind: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Check one file: what it is, its findings with their addresses, and the verdict.

    Nothing is stored, and nothing is read from the network except from a bucket that `against` names.

    Args:
        file: A path, or the content as bytes.
        name: The file's name, from which a period may be read; by default that of the path.
        dataset: A name or alias that `piperoll datasets` lists; by default recognised from the file.
        period: 2026-10, 2026-Q4, 2026-27 or 2026-10-31; by default recognised from the file.
        quick: Do not check whether figures are plausible.
        engine: `compiled` applies the rules to whole columns. `reference` runs them in Frictionless and Great
            Expectations: the same report, much slower.
        mappings: A folder with `<dataset>.toml` files that say what the headings of a body mean.
        against: A folder or s3://bucket/prefix. The file is compared with what `body` has published there.
        body: The body that sends the file: its slug, name or another name in the register; required with `against`.
        kind: The kind of body, which decides its legal duties: council, department, agency, nhs, police, fire or other;
            by default that of `body`, or recognised from the file.
        progress: Called with the name of each step when it begins.

    Raises:
        UsageError: There is no such file, engine, body or kind, nothing is published in `against`, or `against` is
            given without `body`.
        UnknownDataset, PeriodError: `dataset` or `period` is not valid.
        MappingError: A file in `mappings` cannot be read.
    """
    if engine not in set(CheckEngine):
        raise UsageError(f"there is no engine '{engine}': use {' or '.join(CheckEngine)}")
    known, part = assets.find_dataset(dataset) if dataset else (None, None)
    covered = Period.parse(period) if period else None
    content, name = _open_file(file, name)
    _require_kind(kind)
    if against is not None:
        if body is None or mappings is not None:
            raise UsageError(
                "to compare a file with what is published, give both --against and --body. The headings remembered "
                "there are used: leave out --mappings"
            )
        from piperoll.operations.preview import CandidateFile, preview_report  # noqa: PLC0415 - see `run`

        progress("Checking")
        candidate = CandidateFile(whole(content), name, body, known, part, covered, kind)
        report = preview_report(against, candidate, quick=quick, engine=CheckEngine(engine))
        if report is not None:
            return report
        sender: Body | None = resolve_body(body, assets.register()).body or Body.provisional_for(body)
    else:
        sender = _find_sender(body, kind)
    return check_file(
        FileToCheck(content, name, dataset, period, sender, kind),
        quick=quick,
        engine=CheckEngine(engine),
        remembered=_read_mappings(mappings),
        progress=progress,
    )


def marked_copy(  # noqa: PLR0913 - keyword-only options
    file: str | Path | bytes,
    *,
    name: str | None = None,
    dataset: str | None = None,
    period: str | None = None,
    quick: bool = False,
    mappings: str | Path | None = None,
    body: str | None = None,
    kind: str | None = None,
) -> bytes:
    """Make an XLSX copy of a file with its findings marked in their cells, commented, and listed in a sheet.

    The other arguments are those of `check`. Values that are held for privacy are in the copy: it is for the sender.

    Raises: UsageError: The file has no cells, or too many. Also what `check` raises.
    """
    from piperoll.operations.marked_copy import make_marked_copy  # noqa: PLC0415 - see `run`

    content, name = _open_file(file, name)
    _require_kind(kind)
    candidate = FileToCheck(content, name, dataset, period, _find_sender(body, kind), kind)
    return make_marked_copy(content, examine_file(candidate, quick=quick, remembered=_read_mappings(mappings)))


def corrected_copy(  # noqa: PLR0913 - keyword-only options
    file: str | Path | bytes,
    *,
    name: str | None = None,
    dataset: str | None = None,
    period: str | None = None,
    quick: bool = False,
    mappings: str | Path | None = None,
    body: str | None = None,
    kind: str | None = None,
) -> CorrectedCopy:
    """Make a copy of a file with the corrections that need no judgement, and the list of them.

    Dates become year-month-day and amounts plain numbers, spaces and invisible characters around texts go, and total
    rows are moved out of the table. Nothing else changes. The other arguments are those of `check`.

    Raises: UsageError: The file has no table, or too many cells. Also what `check` raises.
    """
    from piperoll.operations.marked_copy import make_corrected_copy  # noqa: PLC0415 - see `run`

    content, name = _open_file(file, name)
    _require_kind(kind)
    candidate = FileToCheck(content, name, dataset, period, _find_sender(body, kind), kind)
    return make_corrected_copy(content, examine_file(candidate, quick=quick, remembered=_read_mappings(mappings)))


def run(
    to: str,
    *,
    inbox: str | Path | None = None,
    sources: str | Path | None = None,
    period: str | None = None,
    bodies: str | Path | None = None,
) -> RunSummary:
    """Collect, check and publish the files of an inbox or a sources file. Files that were processed before are skipped.

    Args:
        to: A folder or `s3://bucket/prefix` to publish to.
        inbox: A folder laid out as `<dataset>/<body>/<file>`.
        sources: A sources.toml file with web addresses; use either `inbox` or `sources`.
        period: The period of every file; by default recognised.
        bodies: A CSV register of bodies.

    Returns:
        The outcome of every file. An error with a single file is part of it, and not raised.

    Raises:
        UsageError: `inbox` or `sources` is missing or not valid, or both are given.
        StoreError: The store cannot be opened.
    """
    from flows.run import run_month  # noqa: PLC0415 - Prefect takes seconds to import, and `check` does not need it
    from piperoll.operations.run_request import parse_request  # noqa: PLC0415

    return run_month(parse_request(to, inbox, sources, period, bodies))


def decide(  # noqa: PLR0913 - keyword-only options
    to: str,
    values: Iterable[str],
    decided_as: str,
    *,
    because: str,
    body: str | None = None,
    all_bodies: bool = False,
    dataset: str | None = None,
    area: bool = False,
    by: str | None = None,
    bodies: str | Path | None = None,
) -> list[DecisionEntry]:
    """Record what held values are. The next run examines the files that it bears on again, and publishes the rows.

    Args:
        to: The folder or `s3://bucket/prefix` that is published to.
        values: The values as the file writes them; capitals, accents and spaces do not matter.
        decided_as: `business`, `public-role`, or `person`: the rows are then published without the name, and versions
            that show it are deleted.
        because: Why. It is kept in the log and not published.
        body: The body whose files it is about: its name, slug, identifier or alias.
        all_bodies: The decision is about the files of every body; use either `body` or `all_bodies`.
        dataset: A name or alias of a dataset; by default every dataset.
        area: The values are service areas: the decision is about everyone who is paid in them.
        by: Who decided; by default the login name.
        bodies: A CSV register of bodies.

    Returns:
        An entry for each value, with the identifier by which `take_back` takes it back.

    Raises:
        UsageError: A value, the reason or the body is missing, or `decided_as` is not valid.
        UnknownDataset: `dataset` is not valid.
    """
    from piperoll.operations import decisions  # noqa: PLC0415 - see `run`
    from piperoll.operations.run_request import current_moment, known_bodies  # noqa: PLC0415
    from publishers import open_store  # noqa: PLC0415

    if decided_as not in set(DecidedAs):
        raise UsageError(f"'{decided_as}' is not a decision: use {', '.join(DecidedAs)}")
    if (body is None) is not all_bodies:
        raise UsageError("say whose files it is about: give either a body (--body) or --all-bodies")
    return decisions.record(
        open_store(to),
        values,
        DecidedAs(decided_as),
        because=because,
        by=by or login_name(),
        moment=current_moment(),
        body=None if body is None else known_bodies(Path(bodies) if bodies else None).find(body).slug,
        dataset=assets.find_dataset(dataset)[0].name if dataset else None,
        area=area,
    )


def take_back(to: str, decision: str, *, because: str, by: str | None = None) -> DecisionEntry:
    """Take a decision back. The next run applies the rules again, and deletes what was published because of it.

    `decision` is its identifier, or the beginning of it; `because` and `by` are as in `decide`.

    Raises:
        UsageError: There is no such decision, it was taken back before, or the reason is missing.
    """
    from piperoll.operations import decisions  # noqa: PLC0415 - see `run`
    from piperoll.operations.run_request import current_moment  # noqa: PLC0415
    from publishers import open_store  # noqa: PLC0415

    store = open_store(to)
    return decisions.take_back(store, decision, because=because, by=by or login_name(), moment=current_moment())


def list_published(
    place: str,
    *,
    dataset: str | None = None,
    body: str | None = None,
    period: str | None = None,
    year: str | None = None,
) -> list[PublishedTable]:
    """List what is published: each table's series, versions, published version, rows and pounds.

    [(str(one.series), one.rows) for one in api.list_published("https://data.example", dataset="spend")]

    The tables of a body may cover the same time, so do not add up their pounds: `get` with `year` counts each row once.

    Args:
        place: A folder, s3://bucket/prefix, or the web address of one.
        dataset: Only this dataset.
        body: Only this body, by its slug or another of its names.
        period: Only tables of this time, in whole or in part.
        year: Only tables of this financial year, in whole or in part: 2026-27, also 2011-12.

    Raises:
        UsageError: Nothing is published there, there is no such dataset or body, or both `period` and `year` are given.
        PeriodError: `period` or `year` is not valid.
        StoreUnavailable: The place does not answer (retryable).
    """
    from publishers import list_published as list_tables  # noqa: PLC0415 - see `run`
    from publishers import open_reader  # noqa: PLC0415
    from publishers.download import require_published  # noqa: PLC0415

    if period and year:
        raise UsageError("give either a period or a financial year, not both")
    within = Period.parse_year(year) if year else Period.parse(period) if period else None
    reader = open_reader(place)
    return list_tables(reader, *require_published(reader, place, dataset, body), within)


def history(series: str, place: str) -> History:
    """Return the versions of a published table: when each was published, why, and what it changed.

    [(one.version, one.published, one.status) for one in api.history("spend/anytown/2026-10", "published").versions]

    Raises:
        UsageError: `series` is not dataset/body/period, or is not published in `place`.
        StoreUnavailable: The place does not answer (retryable).
    """
    from publishers.download import find_series  # noqa: PLC0415 - see `run`

    return find_series(place, Series.parse(series))[1]


def diff(series: str, before: int, after: int, place: str) -> tuple[Differences, pa.Table]:
    """Compare two versions of a table: a summary of the differences, and the rows that differ.

    A changed row is there twice, as it was (`change` is `before`) and as it is (`after`), with one number in `pair`.
    Other rows are `removed` or `added`. All columns are text, as in the CSV that `piperoll diff` writes.

    Raises:
        UsageError: `series` is not published in `place`, or has no such version.
        StoreCorrupt: A file does not match its manifest.
        StoreUnavailable: The place does not answer (retryable).
    """
    import pyarrow as pa  # noqa: PLC0415 - see `run`
    import pyarrow.csv  # noqa: PLC0415

    from piperoll.releasing import compare_versions  # noqa: PLC0415
    from publishers import fetch_version  # noqa: PLC0415
    from publishers.download import choose_version, find_series  # noqa: PLC0415

    reader, found = find_series(place, Series.parse(series))
    with scratch_folder("diff") as scratch:
        folders = {
            number: fetch_version(reader, found.series, choose_version(found, None, number), scratch / str(number))
            for number in dict.fromkeys((before, after))
        }
        out = scratch / "changes.csv"
        summary = compare_versions(assets.dataset(found.series.dataset), folders[before], folders[after], out)
        with out.open(encoding="utf-8", newline="") as stream:
            names = next(csv.reader(stream))
        as_text = pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True)
        parse = pa.csv.ParseOptions(newlines_in_values=True)
        return summary, pa.csv.read_csv(out, convert_options=as_text, parse_options=parse)


def get(  # noqa: PLR0913 - keyword-only options
    dataset: str,
    place: str,
    *,
    body: str | None = None,
    period: str | None = None,
    year: str | None = None,
    part: str | None = None,
    as_known_on: str | date | None = None,
    version: int | None = None,
) -> pa.Table:
    """Download one published table, or a financial year of all bodies, with its types: decimals and dates.

    table = api.get("spend", "https://data.example", body="anytown", period="2026-10")
    table.to_pandas(types_mapper=pandas.ArrowDtype).groupby("supplier_name")["net_amount"].sum()
    everybody = api.get("spend", "https://data.example", year="2026-27")

    The file is compared with the hash in its manifest. The metadata of the table's schema say which it is (`series`,
    `version`, `sha256`).

    Args:
        dataset: The name of the dataset.
        place: A folder, s3://bucket/prefix, or the web address of one.
        body: The body's short name.
        period: 2026-10, 2026-Q4, 2026-27 or 2026-10-31.
        year: Instead of a period, a financial year: 2026-27, also 2011-12. Each row counts once. All bodies, or `body`.
        part: The part of the dataset, if it has parts.
        as_known_on: Get the version that was current on this day, or at this instant in UTC.
        version: Get the version with this number; by default the current one.

    Raises:
        UsageError: No such table is published, its version was withdrawn or purged, or `as_known_on` is no day.
        PeriodError: `period` or `year` is not valid.
        StoreCorrupt: The file does not match its manifest.
        StoreUnavailable: The place does not answer (retryable).
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - see `run`

    from publishers import open_reader  # noqa: PLC0415
    from publishers.download import (  # noqa: PLC0415
        choose_version,
        fetch_consolidated_year,
        fetch_file,
        find_series,
    )

    if year is not None:
        if period or part or as_known_on is not None or version is not None:
            raise UsageError("a year cannot be used with a period, a part, as_known_on or a version")
        with scratch_folder("get") as scratch:
            file = scratch / f"{dataset}.parquet"
            fetch_consolidated_year(open_reader(place), dataset, year, file, (body,) if body else ())
            return pq.read_table(file, memory_map=False)
    if body is None or period is None:
        raise UsageError("choose a table with body and period, or all bodies with year")
    reader, history = find_series(place, Series(dataset, body, Period.parse(period), part))
    chosen = choose_version(history, as_known_on, version)
    with scratch_folder("get") as scratch:
        file = scratch / f"{dataset}.parquet"
        entry = fetch_file(reader, history.series, chosen, file.name, file)
        table = pq.read_table(file, memory_map=False)  # the file is deleted at the end of this block
    metadata = {"series": str(history.series), "version": str(chosen.version), "sha256": entry.sha256}
    return table.replace_schema_metadata(metadata)


def _open_file(file: str | Path | bytes, name: str | None) -> tuple[Content, str]:
    """The content of a file that is given as a path or as bytes, and its name."""
    if isinstance(file, bytes):
        return file, name or "unnamed"
    require_readable(Path(file))
    return OnDisk(Path(file)), name or printable_name(Path(file).name)


def require_readable(path: Path) -> None:
    """Raise UsageError if `path` is not a file that can be read; the message says what to do."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name the files in it, or publish them with piperoll run --inbox {path}")
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check its name and your permissions") from error


def login_name() -> str:
    """The login name. Raises: UsageError: the system knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise UsageError("your login name is not known: say who decided (--by)") from error


def _require_kind(kind: str | None) -> None:
    """Raise UsageError if `kind` is given and is not a kind of body; the message suggests one."""
    if kind is not None and kind not in KINDS:
        near = get_close_matches(kind.casefold(), KINDS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}? The kinds are" if near else "use"
        raise UsageError(f"there is no kind of body '{kind}': {hint} {', '.join(KINDS[:-1])} or {KINDS[-1]}")


def _find_sender(body: str | None, kind: str | None) -> Body | None:
    """The registered body called `body`, or a provisional one if its kind is given."""
    if body is None:
        return None
    match = resolve_body(body, assets.register())
    if match.body is not None:
        return match.body
    if kind is not None:
        return Body.provisional_for(body)
    near = " or ".join(f"'{each.name}'" for each in match.suggestions)
    hint = f"did you mean {near}? If not, give" if near else "give"
    raise UsageError(f"'{body}' is not in the register of bodies: {hint} its kind, such as --kind council")


def _read_mappings(folder: str | Path | None) -> tuple[BodyMapping, ...]:
    if folder is None:
        return ()
    paths = sorted(Path(folder).glob("*.toml"))
    if not paths:
        raise UsageError(f"{folder} has no <dataset>.toml: name the folder of one body, such as mappings/anytown")
    mappings = []
    for path in paths:
        try:
            mappings.append(BodyMapping.from_toml(path.read_text("utf-8")))
        except (MappingError, UnicodeDecodeError) as error:
            raise MappingError(f"{path}: {error}") from error
    return tuple(mappings)
