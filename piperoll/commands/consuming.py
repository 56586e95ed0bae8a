"""What someone who uses the data comes to do: get a table, see its history and differences, verify all of it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from piperoll.errors import UsageError

if TYPE_CHECKING:
    from piperoll.model import Version
    from publishers import VerifiedSeries

FAULTY = 1
"""The exit status of `verify` when something is not as it says."""

Place = Annotated[
    str, typer.Option("--from", metavar="PLACE", help="A folder, s3://bucket/prefix, or the web address of one.")
]
Named = Annotated[str, typer.Argument(metavar="SERIES", help="dataset/body/period, for example spend/anytown/2026-10.")]


def get(  # noqa: PLR0913, PLR0917 - a command has its options
    dataset: Annotated[str, typer.Argument(help="spend, contracts, roles or transactions.")],
    place: Place,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Ending in .csv, .parquet or .json.")],
    body: Annotated[
        str | None, typer.Option(metavar="BODY", help="The body's short name, as in the catalogue's addresses.")
    ] = None,
    period: Annotated[str | None, typer.Option(metavar="PERIOD", help="2026-10, 2026-Q4, 2026-27 or a day.")] = None,
    year: Annotated[
        str | None,
        typer.Option(metavar="YEAR", help="April to March, for example 2026-27: all bodies, each line counted once."),
    ] = None,
    part: Annotated[str | None, typer.Option(metavar="PART", help="The part of the dataset, for example card.")] = None,
    known: Annotated[
        str | None, typer.Option("--as-known-on", metavar="WHEN", help="A day or an instant in UTC: what stood then.")
    ] = None,
    number: Annotated[int | None, typer.Option("--version-number", min=1, help="A version by its number.")] = None,
) -> None:
    """Get one published table, as it stands or as it stood on a day; or a year of all bodies.

    Name a table by --body and --period, or a financial year by --year (then --body is for one body of it). What comes
    is compared with its published hash. The end of FILE's name says what you get: the table as CSV or Parquet, or, of
    one table, its Data Package descriptor as JSON.

    piperoll get spend --from https://data.example --body anytown --period 2026-10 -o october.parquet
    piperoll get spend --from published --body anytown --period 2026-10 --as-known-on 2026-11-01 -o october.csv
    piperoll get spend --from https://data.example --year 2026-27 -o all-bodies.parquet
    """
    if year is not None:
        if period or part or known or number:
            raise UsageError(
                "--year is of all that counts: leave out --period, --part, --as-known-on and --version-number"
            )
        _get_year(dataset, place, year, body, out)
        return
    if body is None or period is None:
        raise UsageError("say which table: --body and --period, or --year for all bodies")
    from piperoll.model import Period, Series
    from publishers.download import choose_version, fetch_file, find_series

    names = {".csv": f"{dataset}.csv", ".parquet": f"{dataset}.parquet", ".json": "datapackage.json"}
    if out.suffix not in names:
        raise UsageError(f"{out} says nothing of what you want: end its name in .csv, .parquet or .json")
    reader, history = find_series(place, Series(dataset, body, Period.parse(period), part))
    version = choose_version(history, known, number)
    fetch_file(reader, history.series, version, names[out.suffix], out)
    typer.echo(f"{out}: version {version.version} of {history.series} ({version.status}), {version.rows:,} rows.")


def _get_year(dataset: str, place: str, year: str, body: str | None, out: Path) -> None:
    from publishers import open_reader
    from publishers.getting_years import fetch_consolidated_year

    count = fetch_consolidated_year(open_reader(place), dataset, year, out, (body,) if body else ())
    typer.echo(f"{out}: what counts of {dataset} in {year}, of {count:,} {'body' if count == 1 else 'bodies'}.")


def history(
    series: Named,
    place: Place,
    as_json: Annotated[bool, typer.Option("--json", help="As versions.json has it.")] = False,
) -> None:
    """List the versions of a published table: when and why each came, and what it changed.

    piperoll history spend/anytown/2026-10 --from published
    """
    from piperoll import terminal
    from piperoll.model import Series
    from publishers.download import find_series

    _, found = find_series(place, Series.parse(series))
    if as_json:
        typer.echo(found.to_bytes().decode(), nl=False)
        return
    rows = [
        (
            str(one.version),
            one.published[:10],
            str(one.status),
            f"{one.rows:,}",
            _effect(one),
            one.because or one.reason,
        )
        for one in found.versions
    ]
    headings = ("version", "published", "status", "rows", "what it changed", "why")
    terminal.console().print(terminal.grid(headings, rows, right=frozenset({0, 3})))


def diff(
    series: Named,
    before: Annotated[int, typer.Argument(min=1, help="A version's number.")],
    after: Annotated[int, typer.Argument(min=1, help="Another version's number.")],
    place: Place,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="A CSV of the rows that differ.")],
) -> None:
    """Write the rows that differ between two versions of a table, and say what they come to.

    A row that was corrected stands twice, as it was (`before`) and as it is (`after`); others were `removed` or
    `added`.

    piperoll diff spend/anytown/2026-10 1 3 --from published -o changes.csv
    """
    from piperoll import assets
    from piperoll.describing import describe_differences
    from piperoll.model import Series
    from piperoll.releasing import compare_versions
    from publishers import fetch_version
    from publishers.download import choose_version, find_series

    reader, found = find_series(place, Series.parse(series))
    with TemporaryDirectory(prefix="piperoll-") as scratch:
        folders = [
            fetch_version(reader, found.series, choose_version(found, None, number), Path(scratch) / str(number))
            for number in dict.fromkeys((before, after))
        ]
        told = compare_versions(assets.dataset(found.series.dataset), folders[0], folders[-1], out)
    typer.echo(f"From version {before} to {after}: {describe_differences(told)}. The rows are in {out}.")


def trace(
    series: Named,
    row: Annotated[str, typer.Argument(help="Its line_id, or its number in the CSV: 1 is the first row.")],
    place: Place,
    number: Annotated[int | None, typer.Option("--version-number", min=1, help="Else the version that stands.")] = None,
) -> None:
    """Show where a published row comes from: the cells as sent, and what was done to each.

    The file as received is private: without the right to read it you still get its hash, sheet and row.

    piperoll trace spend/anytown/2026-10 1 --from published
    piperoll trace spend/anytown/2026-10 5fc433ee7a2526654a5c-1 --from published --version-number 1
    """
    from piperoll import terminal
    from piperoll.model import Series
    from piperoll.operations.trace import trace_row
    from publishers.download import choose_version, find_series

    reader, found = find_series(place, Series.parse(series))
    told = trace_row(reader, found, choose_version(found, None, number), row)
    sheet = f"sheet '{told.sheet}', " if told.sheet else ""
    typer.echo(f"Row {told.line_id} of version {told.version} of {series}")
    typer.echo(f"From {told.file}, {sheet}row {told.row} (sha256 {told.sha256})")
    typer.echo(f"Rules {told.rules_version}, remembered headings {told.mapping_version or 'none'}\n")
    rows = [
        (one.name, one.letter or "", one.heading or "", one.sent or "", one.published or "", one.done)
        for one in told.fields
    ]
    out = terminal.console()
    out.print(terminal.grid(("field", "column", "heading", "as sent", "published", "what was done"), rows))
    used = {one.letter for one in told.fields}
    if unused := [(at, cell) for at, cell in told.cells.items() if at not in used and cell.strip()]:
        out.print("\nNot published:")
        out.print(terminal.grid(("column", "as sent"), unused))


def verify(
    place: Annotated[str, typer.Argument(help="A folder, s3://bucket/prefix, or the web address of one.")],
    series: Annotated[list[str] | None, typer.Argument(metavar="[SERIES]…", help="Only these.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a series.")] = False,
) -> None:
    """See that what is published is what it says: every pointer, file, total and difference, made anew and compared.

    It asks for nothing private, so anyone can do it over the web. The exit status is 0 where all is well and 1 where
    something is not.

    piperoll verify published
    piperoll verify https://data.example spend/anytown/2026-10
    """
    from piperoll import assets, terminal
    from piperoll.describing import format_count
    from piperoll.model import Series
    from piperoll.releasing import compare_versions, find_faults
    from publishers import list_indexed_series, open_reader
    from publishers import verify_series as verify_place

    reader = open_reader(place)
    wanted = [Series.parse(one) for one in series or ()] or list(list_indexed_series(reader))
    if not wanted:
        raise UsageError(f"nothing is published in {place}, or it has no data/index.json")
    compare = {name.name: partial(compare_versions, name) for name in assets.datasets()}
    wrong = versions = 0
    with terminal.steps("Verifying", len(wanted)) as step:
        for one in verify_place(reader, wanted, find_faults, compare.__getitem__):
            versions += one.versions
            wrong += len(one.faults)
            _tell(one, as_json=as_json)
            step()
    if not as_json:
        state = {0: "all is as it says", 1: "1 thing is not as it says"}.get(
            wrong, f"{wrong:,} things are not as they say"
        )
        typer.echo(f"{len(wanted):,} series with {format_count(versions, 'version')} were looked through: {state}.")
    raise typer.Exit(FAULTY if wrong else 0)


def _tell(one: VerifiedSeries, *, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {"series": str(one.series), "versions": one.versions}
        typer.echo(json.dumps(told | {"faults": [{"where": each.where, "what": each.what} for each in one.faults]}))
        return
    for fault in one.faults:
        typer.echo(f"{fault.where}: {fault.what}")


def _effect(version: Version) -> str:
    from piperoll.describing import describe_differences

    told = describe_differences(version.changes.differences) if version.changes else None
    return ": ".join(words for words in (version.cause, told) if words)
