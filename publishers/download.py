"""Downloading what is published: a file of a version, or all bodies of a year as one file, with every hash compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt, UsageError
from piperoll.model import FileEntry, History, Manifest, Period, Series, Status, Version, file_entry, parse_instant
from publishers.consolidated import list_consolidated_years, read_consolidated_year
from publishers.index import list_indexed_series_of
from publishers.pointer import read_history
from publishers.published_bodies import find_published_body
from publishers.stores import open_reader
from publishers.stores.protocol import JsonObject, StoreReader, read_json

_CHUNK_BYTES = 1 << 20

_NEAREST = 4
"""Periods that are named where the one asked for is not published."""


def find_series(address: str, series: Series) -> tuple[StoreReader, History]:
    """Open the store at an address and read the history of a series; its body may be given by any of its names.

    Raises: UsageError: there is no such series, or no such body; the message suggests some.
    """
    reader = open_reader(address)
    history, _ = read_history(reader, series)
    if not history.versions:
        _, body = require_published(reader, address, series.dataset, series.body)
        series = replace(series, body=body or series.body)
        history, _ = read_history(reader, series)
    if not history.versions:
        raise UsageError(_explain_missing(reader, address, series))
    return reader, history


def require_published(
    reader: StoreReader, address: str, dataset: str | None, body: str | None
) -> tuple[str | None, str | None]:
    """The dataset and the slug of the body, which is given by any of its names, if something is published of them.

    Raises: UsageError: nothing is; the message suggests what is.
    """
    datasets = read_json(reader, layout.INDEX).get("datasets", {})
    if not datasets:
        raise UsageError(_explain_nothing(address))
    if dataset is not None and dataset not in datasets:
        raise UsageError(_explain_dataset(address, dataset, datasets))
    return dataset, find_published_body(reader, body) if body is not None else None


def _explain_nothing(address: str) -> str:
    return f"nothing is published in {address}: give a folder, s3://bucket/prefix, or the web address of one"


def _explain_dataset(address: str, dataset: str, datasets: Iterable[str]) -> str:
    near = get_close_matches(dataset, datasets, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"no dataset '{dataset}' is published in {address}: {hint}It has {', '.join(sorted(datasets))}"


def _explain_missing(reader: StoreReader, address: str, series: Series) -> str:
    """Say that a series is not published, and what is that comes nearest."""
    datasets = read_json(reader, layout.INDEX).get("datasets", {})
    if series.body not in datasets[series.dataset]:
        near = get_close_matches(series.body, datasets[series.dataset], n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return (
            f"{series} is not published in {address}: {hint}"
            f"piperoll list {address} --dataset {series.dataset} lists who has"
        )
    there = list(list_indexed_series_of(reader, series.dataset, series.body))
    same_time = [one for one in there if one.period == series.period]
    near_ones = same_time or sorted(there, key=lambda one: abs(one.period.end - series.period.end))[:_NEAREST]
    named = ", ".join(f"{one.period}{f' --part {one.part}' if one.part else ''}" for one in sorted(near_ones))
    part = f", {series.part}" if series.part else ""
    return (
        f"{series} ({series.period.title}{part}) is not published in {address}: "
        f"the nearest {'is' if len(near_ones) == 1 else 'are'} {named}. "
        f"piperoll list {address} --body {series.body} lists all"
    )


def choose_version(history: History, as_known_on: str | date | None, number: int | None) -> Version:
    """Choose a version whose files are still published: by day or instant, by number, or the current one.

    Raises: UsageError: there is none, it was purged, both a day and a number are given, or the day is none or to come.
    """
    if as_known_on is not None and number is not None:
        raise UsageError("give either a day or a version number, not both")
    if number is not None:
        version, missing = history.version(number), f"no version {number}"
    elif as_known_on is not None:
        instant = parse_instant(as_known_on)
        if instant[: len("2026-11-01")] > datetime.now(UTC).date().isoformat():
            raise UsageError(f"{instant} is still to come: leave it out to get what is known today")
        version, missing = history.as_known_on(instant), f"no version was current on {instant}"
    else:
        version, missing = history.current_version, "no version is current now"
    if version is None:
        raise UsageError(f"{history.series}: {missing}: piperoll history {history.series} lists its versions")
    if version.status is Status.PURGED:
        raise UsageError(f"version {version.version} of {history.series} was purged: {version.because}")
    return version


def fetch_file(reader: StoreReader, series: Series, version: Version, name: str, out: Path) -> FileEntry:
    """Download one file of a version to `out` and return its entry in the manifest.

    Raises: StoreCorrupt: it is not the file that the manifest names, or a file is missing; `out` is not written.
    """
    manifest_key, key = (layout.release_file(series, version, one) for one in ("manifest.json", name))
    try:
        content = reader.read(manifest_key).content
        if hashlib.sha256(content).hexdigest() != version.manifest_sha256:
            raise StoreCorrupt(f"{manifest_key} is not the one that {layout.pointer(series)} names")
        wanted = next(entry for entry in Manifest.from_bytes(content).files if entry.path == name)
        partial_file = out.with_name(out.name + ".part")
        reader.fetch(key, partial_file)
    except NotThere as error:
        raise StoreCorrupt(f"{error}: piperoll verify says what else is missing") from error
    got = file_entry(partial_file.parent, partial_file.name)
    if (got.bytes, got.sha256) != (wanted.bytes, wanted.sha256):
        partial_file.unlink()
        raise StoreCorrupt(f"{key} is not the file that its manifest names: nothing was kept")
    partial_file.replace(out)
    return wanted


def fetch_consolidated_year(reader: StoreReader, dataset: str, year: str, out: Path, bodies: Sequence[str] = ()) -> int:
    """Download a financial year of every body (or of some `bodies`) as one file; return how many bodies are in it.

    Bodies may be given by any of their names.
    `out` ends in .csv or .parquet. Each body's file is compared with the hash in the index of the year.
    `year` is a financial year as `Period.parse_year` reads it: 2011-12, 2011/12.
    Raises: UsageError: there is no such year or body, or `out` has another ending. StoreCorrupt: a file is not the one
    that is named; `out` is not written.
    """
    kind = out.suffix.removeprefix(".")
    if kind not in ("csv", "parquet"):
        raise UsageError(f"cannot tell which format {out} should have: end its name in .csv or .parquet")
    years, covered = list_consolidated_years(reader, dataset), Period.parse_year(year)
    year = str(covered)
    if year not in years:
        there = ", ".join(Period.parse(one).financial_year_name for one in years)
        raise UsageError(f"{dataset} has no consolidated files for {covered.title}; it has them for {there or 'none'}")
    entries = read_consolidated_year(reader, dataset, year)["bodies"]
    bodies = [slug if slug in entries else find_published_body(reader, slug) for slug in bodies]
    if missing := [slug for slug in bodies if slug not in entries]:
        raise UsageError(f"{missing[0]} has nothing in {year}: the catalogue lists the bodies that have")
    wanted = {slug: entry for slug, entry in entries.items() if not bodies or slug in bodies}
    with TemporaryDirectory(prefix="piperoll-", dir=out.parent) as scratch:
        whole = Path(scratch) / f"whole.{kind}"
        files = [_fetch_body(reader, dataset, year, entry[kind], Path(scratch)) for entry in wanted.values()]
        (_join_csv if kind == "csv" else _join_parquet)(files, whole)
        whole.replace(out)
    return len(wanted)


def _fetch_body(reader: StoreReader, dataset: str, year: str, entry: JsonObject, folder: Path) -> Path:
    name: str = entry["path"]
    to, key = folder / name, layout.consolidated_file(dataset, year, name)
    try:
        reader.fetch(key, to)
    except NotThere as error:
        raise StoreCorrupt(f"{error}: it may have been replaced while we read: try again") from error
    if file_entry(folder, to.name).sha256 != entry["sha256"]:
        raise StoreCorrupt(f"{key} is not the file that the index of {year} names: nothing was kept")
    return to


def _join_csv(files: Sequence[Path], whole: Path) -> None:
    with whole.open("wb") as out:
        for number, path in enumerate(files):
            with path.open("rb") as stream:
                header = stream.readline()
                if number == 0:
                    out.write(header)
                while chunk := stream.read(_CHUNK_BYTES):
                    out.write(chunk)


def _join_parquet(files: Sequence[Path], whole: Path) -> None:
    """Join Parquet files, each number column with as many decimal places as any of the files has."""
    schemas = [pq.read_schema(path) for path in files]
    fields = []
    for field in schemas[0]:
        types = [schema.field(field.name).type for schema in schemas]
        widest = max(types, key=lambda one: one.scale) if pa.types.is_decimal(field.type) else field.type
        fields.append(pa.field(field.name, widest))
    joined = pa.schema(fields)
    with pq.ParquetWriter(whole, joined, compression="zstd") as out:
        for path in files:
            with pq.ParquetFile(path) as file:
                for number in range(file.num_row_groups):
                    out.write_table(file.read_row_group(number).cast(joined))
