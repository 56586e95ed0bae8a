"""Commands for someone who uses published data: `list`, `get`, `history`, `diff`, `trace` and `verify`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll import assets, layout
from piperoll.errors import StoreCorrupt, StoreError, UsageError
from piperoll.model import UNDATED, Period, Series, find_ambiguity, to_document
from piperoll.scratch import scratch_folder

if TYPE_CHECKING:
    from publishers import Store, StoreFault, StoreReader

NOT_VERIFIED = 1
"""The exit status of `verify` if something does not match."""

Place = Annotated[
    str, typer.Option("--from", metavar="PLACE", help="A folder, s3://bucket/prefix, or the web address of one.")
]
SeriesName = Annotated[
    str, typer.Argument(metavar="SERIES", help="dataset/body/period, for example spend/anytown/2026-10.")
]
VersionNumber = Annotated[
    int | None, typer.Option("--version-number", min=1, help="A version by its number; default: the current one.")
]


def list_published(
    place: Annotated[str, typer.Argument(help="A folder, s3://bucket/prefix, or the web address of one.")],
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Only this dataset.")] = None,
    body: Annotated[str | None, typer.Option(metavar="BODY", help="Only this body, by any of its names.")] = None,
    period: Annotated[str | None, typer.Option(metavar="PERIOD", help="Only tables of this time: 2026-10.")] = None,
    year: Annotated[str | None, typer.Option(metavar="YEAR", help="Only this financial year: 2026-27.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the published tables: dataset, body, period, rows and pounds.

    A provisional body is in no register: its name is the one that it sends files under.
    The tables of a body may cover the same time, so do not add up their pounds: get --year counts each row once.

    piperoll list published
    piperoll list https://data.example --dataset spend --body anytown --year 2026-27
    """
    from piperoll import api
    from publishers import open_reader
    from publishers.published_bodies import read_register

    tables = api.list_published(place, dataset=dataset, body=body, period=period, year=year)
    register = read_register(open_reader(place))
    senders = {slug: register.at_slug(slug) for slug in {one.series.body for one in tables}}
    if as_json:
        documents = [
            to_document(one) | {"name": sender.name, "provisional": sender.provisional}
            for one in tables
            for sender in [senders[one.series.body]]
        ]
        typer.echo(json.dumps(documents, indent=2))
        return
    from piperoll import terminal
    from piperoll.describing.wording import format_count, format_pounds

    rows = []
    for one in tables:
        series = one.series
        name = f"{series.dataset} ({series.part})" if series.part else series.dataset
        counts = ("none", "") if one.rows is None else (f"{one.rows:,}", format_pounds(one.amount_gbp))
        version = "withdrawn" if one.version is None else str(one.version)
        label = f"{series.body} (provisional)" if senders[series.body].provisional else series.body
        rows.append((name, label, series.period.title, str(series.period), *counts, version))
    out = terminal.console()
    if rows:
        headings = ("dataset", "body", "period", "as --period", "rows", "pounds", "version")
        terminal.print_grid(out, headings, rows, right=frozenset({4, 5, 6}))
        out.print()
    bodies = format_count(len({one.series.body for one in tables}), "body", "bodies")
    out.print(f"{format_count(len(tables), 'table')} of {bodies}.")


def get(  # noqa: PLR0913, PLR0917 - one parameter for each option
    place: Place,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FILE", help="A .csv, .parquet or .json file to write; a folder with --all."
        ),
    ],
    dataset: Annotated[str | None, typer.Argument(help="A name that piperoll datasets lists.")] = None,
    body: Annotated[str | None, typer.Option(metavar="BODY", help="The body: its name, short name or slug.")] = None,
    period: Annotated[str | None, typer.Option(metavar="PERIOD", help="2026-10, 2026-Q4, 2026-27 or a day.")] = None,
    year: Annotated[
        str | None,
        typer.Option(metavar="YEAR", help="A financial year of all bodies, for example 2026-27; each row counts once."),
    ] = None,
    part: Annotated[
        str | None, typer.Option(metavar="PART", help="A part of the dataset, as piperoll datasets lists them.")
    ] = None,
    known: Annotated[
        str | None,
        typer.Option("--as-known-on", metavar="WHEN", help="The version that was current on a day, or at an instant."),
    ] = None,
    number: VersionNumber = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every current table, in a folder that is brought up to date each time.")
    ] = False,
) -> None:
    """Download a published table. You can get it as it was on a day, or a financial year of all bodies.

    Choose a table by --body and --period, or a financial year by --year (then --body chooses one body of it). The
    download is compared with its published hash. The name of the file chooses the format: .csv or .parquet for the
    table, .json for the Data Package descriptor of one table.

    piperoll get spend --from https://data.example --body anytown --period 2026-10 -o october.parquet
    piperoll get spend --from published --body anytown --period 2026-10 --as-known-on 2026-11-01 -o october.csv
    piperoll get spend --from https://data.example --year 2026-27 -o all-bodies.parquet
    piperoll get --all --from https://data.example -o everything
    """
    if everything:
        if year or period or part or known or number:
            raise UsageError("--all can be used with a dataset and --body only")
        from publishers import open_reader
        from publishers.download import copy_everything, require_published

        reader = open_reader(place)
        done = copy_everything(reader, out, *require_published(reader, place, dataset, body))
        files = "file" if done.downloaded == 1 else "files"
        typer.echo(f"{out}: {done.tables:,} tables; {done.downloaded:,} {files} downloaded, {done.removed:,} removed.")
        return
    if dataset is None:
        raise UsageError("give the name of a dataset, or --all: piperoll datasets lists them")
    if year is not None:
        if period or part or known or number:
            raise UsageError("--year cannot be used with --period, --part, --as-known-on or --version-number")
        from publishers import open_reader
        from publishers.download import fetch_consolidated_year

        count = fetch_consolidated_year(open_reader(place), dataset, year, out, (body,) if body else ())
        covers = "lines that are in no year" if year == UNDATED else Period.parse_year(year).title
        typer.echo(f"{out}: {dataset} of {covers}, {count:,} {'body' if count == 1 else 'bodies'}.")
        return
    if body is None or period is None:
        raise UsageError("choose a table with --body and --period, or all bodies with --year")
    from publishers.download import choose_version, fetch_file, find_series

    names = {".csv": f"{dataset}.csv", ".parquet": f"{dataset}.parquet", ".json": "datapackage.json"}
    if out.suffix not in names:
        raise UsageError(f"the name {out} does not choose a format: end it in .csv, .parquet or .json")
    try:
        reader, found = find_series(place, Series(dataset, body, Period.parse(period), part))
    finally:
        if other := find_ambiguity(period):
            typer.echo(f"Note: {other.message('--year ')}.", err=True)
    version = choose_version(found, known, number)
    fetch_file(reader, found.series, version, names[out.suffix], out)
    typer.echo(f"{out}: version {version.version} of {found.series} ({version.status}), {version.rows:,} rows.")


def history(
    series: SeriesName,
    place: Place,
    as_json: Annotated[bool, typer.Option("--json", help="Print the content of versions.json.")] = False,
) -> None:
    """List the versions of a published table. Each has its date, its reason and what it changed.

    piperoll history spend/anytown/2026-10 --from published
    """
    from piperoll import terminal
    from piperoll.describing.wording import describe_differences
    from publishers.download import find_series

    _, found = find_series(place, Series.parse(series))
    if as_json:
        typer.echo(found.to_bytes().decode(), nl=False)
        return
    rows = []
    for one in found.versions:
        changes = describe_differences(one.changes.differences) if one.changes else None
        effect = ": ".join(text for text in (one.cause, changes) if text)
        published, status = one.published[:10], str(one.status)
        rows.append((str(one.version), published, status, f"{one.rows:,}", effect, one.because or one.reason))
    headings = ("version", "published", "status", "rows", "what it changed", "why")
    terminal.print_grid(terminal.console(), headings, rows, right=frozenset({0, 3}))


def diff(
    series: SeriesName,
    before: Annotated[int, typer.Argument(min=1, help="The number of a version.")],
    after: Annotated[int, typer.Argument(min=1, help="The number of another version.")],
    place: Place,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="A CSV file for the rows that differ.")],
) -> None:
    """Compare two versions of a table. The rows that differ are written to a file, and summed up.

    A changed row is written twice, as it was (`before`) and as it is (`after`); other rows are `removed` or `added`.

    piperoll diff spend/anytown/2026-10 1 3 --from published -o changes.csv
    """
    from piperoll.describing.wording import describe_differences
    from piperoll.releasing import compare_versions
    from publishers import fetch_version
    from publishers.download import choose_version, find_series

    reader, found = find_series(place, Series.parse(series))
    with scratch_folder("diff") as scratch:
        folders = {
            number: fetch_version(reader, found.series, choose_version(found, None, number), scratch / str(number))
            for number in dict.fromkeys((before, after))
        }
        changes = compare_versions(assets.dataset(found.series.dataset), folders[before], folders[after], out)
    typer.echo(f"From version {before} to {after}: {describe_differences(changes)}. The rows are in {out}.")


def trace(
    series: SeriesName,
    row: Annotated[str, typer.Argument(help="Its line_id, or its number in the CSV: 1 is the first row.")],
    place: Place,
    number: VersionNumber = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where a published row comes from. You see the cells as sent, and what was done to each.

    The file as received is private: without access to it you see its hash, sheet and row.

    piperoll trace spend/anytown/2026-10 1 --from published
    piperoll trace spend/anytown/2026-10 5fc433ee7a2526654a5c-1 --from published --version-number 1
    """
    from piperoll import terminal
    from piperoll.operations.trace import trace_row
    from publishers.download import choose_version, find_series

    reader, found = find_series(place, Series.parse(series))
    traced = trace_row(reader, found, choose_version(found, None, number), row)
    if as_json:
        typer.echo(json.dumps({"series": str(found.series), **to_document(traced)}, indent=2, ensure_ascii=False))
        return
    sheet = f"sheet '{traced.sheet}', " if traced.sheet else ""
    typer.echo(f"Row {traced.line_id} of version {traced.version} of {series}")
    typer.echo(f"From {terminal.clean(traced.file)}, {terminal.clean(sheet)}row {traced.row} (sha256 {traced.sha256})")
    typer.echo(f"Rules {traced.rules_version}, remembered headings {traced.mapping_version or 'none'}\n")
    rows = [
        (one.name, one.letter or "", one.heading or "", one.sent or "", one.published or "", one.done)
        for one in traced.fields
    ]
    out = terminal.console()
    terminal.print_grid(out, ("field", "column", "heading", "as sent", "published", "what was done"), rows)
    used = {one.letter for one in traced.fields}
    if unused := [(letter, cell) for letter, cell in traced.cells.items() if letter not in used and cell.strip()]:
        out.print("\nNot published:")
        terminal.print_grid(out, ("column", "as sent"), unused)


def _verify_objects(store: Store) -> Iterator[StoreFault]:
    """Compare the objects of a store that no manifest names; prefixes that may not be read are named and left out."""
    from publishers import verify_objects, verify_purges

    compared = {prefix: partial(verify_objects, store, prefix) for prefix in (*layout.PUBLIC, *layout.PRIVATE)}
    for prefix, compare in {**compared, "what was purged": partial(verify_purges, store)}.items():
        try:
            yield from compare()
        except StoreError as error:
            if error.retryable:
                raise
            typer.echo(f"Not compared: {prefix} ({error})", err=True)


def _list_published(reader: StoreReader, store: Store | None) -> tuple[list[Series], list[StoreFault]]:
    """Every series in the index, and the faults of its pages: one that cannot be read hides no series of a store."""
    from publishers import StoreFault, list_indexed_series, list_measured_series, list_series

    found: dict[Series, None] = {}
    damaged: list[StoreFault] = []
    for list_index, dataset in ((list_indexed_series, ""), (list_measured_series, layout.MEASURES)):
        try:
            for one in list_index(reader):
                found[one] = None
        except StoreCorrupt as error:
            damaged.append(StoreFault("the index", str(error)))
            found |= dict.fromkeys(list_series(store, dataset) if store else ())
    return list(found), damaged


def _verify_receipt(receipt: Path, file: Path | None, key: str | None) -> None:
    from piperoll.operations.receipts import verify_receipt

    try:
        document = json.loads(receipt.read_bytes())
        sent = file.read_bytes() if file else None
    except (OSError, ValueError) as error:
        raise UsageError(f"{receipt if not file else f'{receipt} or {file}'} cannot be read: {error}") from error
    try:
        proved = verify_receipt(document if isinstance(document, dict) else {}, sent, key)
    except UsageError as error:
        typer.echo(f"{receipt}: {error}")
        raise typer.Exit(NOT_VERIFIED) from error
    for sentence in proved:
        typer.echo(sentence)


def verify(
    place: Annotated[
        str | None, typer.Argument(help="A folder, s3://bucket/prefix, or the web address of one.", show_default=False)
    ] = None,
    series: Annotated[list[str] | None, typer.Argument(metavar="[SERIES]…", help="Only these series.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one document for each series.")] = False,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Verify a receipt of the portal instead, without a network.")
    ] = None,
    file: Annotated[Path | None, typer.Option(metavar="SENT", help="With --receipt: the file that was sent.")] = None,
    key: Annotated[
        str | None, typer.Option(metavar="HEX", help="With --receipt: the platform's public key (receipts-key.json).")
    ] = None,
) -> None:
    """Verify published data, or a receipt. Every hash, total and difference is computed again and compared.

    Measures are made again from the published CSV files alone, and every figure that differs is named.

    Anyone can verify a publisher over the web. In a folder or bucket, every other object is compared with the sha256
    that was stored with it, as far as you may read it: pages, reports, and what is private. The exit status is 0 if
    everything matches and 1 if something does not.

    piperoll verify published
    piperoll verify https://data.example spend/anytown/2026-10
    piperoll verify --receipt receipt.json --file october.xlsx
    """
    if receipt is not None:
        _verify_receipt(receipt, file, key)
        return
    if place is None:
        raise UsageError("name what to verify: a folder, s3://bucket/prefix, a web address, or --receipt FILE")
    from piperoll import terminal
    from piperoll.describing.wording import format_count
    from piperoll.measuring.packing import table_dataset
    from piperoll.operations.measure_verify import MeasureVerifier
    from piperoll.releasing import compare_versions, find_faults
    from publishers import StoreFault, open_reader, open_store, verify_series
    from publishers.stores.web import WebReader

    reader = open_reader(place)
    store = None if isinstance(reader, WebReader) else open_store(place)
    wanted, damaged = _list_published(reader, store) if not series else ([Series.parse(name) for name in series], [])
    if not wanted and not damaged:
        raise UsageError(f"nothing is published in {place}, or it has no data/index.json")
    compare = {dataset.name: partial(compare_versions, dataset) for dataset in (*assets.datasets(), table_dataset())}
    faults = versions = 0
    with terminal.steps("Verifying", len(wanted)) as step, scratch_folder("verify") as scratch:
        measures = MeasureVerifier(reader, scratch)
        for one in verify_series(reader, wanted, find_faults, compare.__getitem__):
            wrong = list(one.faults)
            if one.series.dataset == layout.MEASURES and not wrong:
                wrong = [StoreFault(layout.pointer(one.series), what) for what in measures.find_faults(one.series)]
            versions += one.versions
            faults += len(wrong)
            if as_json:
                found = [{"where": fault.where, "what": fault.what} for fault in wrong]
                typer.echo(json.dumps({"series": str(one.series), "versions": one.versions, "faults": found}))
            else:
                for fault in wrong:
                    typer.echo(f"{fault.where}: {fault.what}")
            step()
    others = _verify_objects(store) if store is not None and not series else ()
    for fault in (*damaged, *(one for one in others if one.what not in {index.what for index in damaged})):
        faults += 1
        where = {"where": fault.where, "what": fault.what}
        typer.echo(json.dumps(where) if as_json else f"{fault.where}: {fault.what}")
    if not as_json:
        result = f"{format_count(faults, 'fault')} found" if faults else "everything matches"
        typer.echo(f"Verified {len(wanted):,} series with {format_count(versions, 'version')}: {result}.")
    raise typer.Exit(NOT_VERIFIED if faults else 0)
