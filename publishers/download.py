"""Downloading what is published, with every hash compared: a file of a version, everything, or a year as one file."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt, UsageError
from piperoll.model import (
    UNDATED,
    FileEntry,
    History,
    Manifest,
    Period,
    Series,
    Status,
    Version,
    file_entry,
    parse_instant,
)
from publishers.consolidated import list_consolidated_years, list_line_files, read_consolidated_year
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
    manifest = _read_manifest(reader, series, version)
    wanted = next(entry for entry in manifest.files if entry.path == name)
    _fetch_entry(reader, layout.release_file(series, version, name), wanted, out)
    return wanted


def _read_manifest(reader: StoreReader, series: Series, version: Version) -> Manifest:
    key = layout.release_file(series, version, "manifest.json")
    try:
        content = reader.read(key).content
    except NotThere as error:
        raise StoreCorrupt(f"{error}: piperoll verify says what else is missing") from error
    if hashlib.sha256(content).hexdigest() != version.manifest_sha256:
        raise StoreCorrupt(f"{key} is not the one that {layout.pointer(series)} names")
    return Manifest.from_bytes(content)


def _fetch_entry(reader: StoreReader, key: str, wanted: FileEntry, out: Path) -> None:
    partial_file = out.with_name(out.name + ".part")
    try:
        reader.fetch(key, partial_file)
    except NotThere as error:
        raise StoreCorrupt(f"{error}: piperoll verify says what else is missing") from error
    got = file_entry(partial_file.parent, partial_file.name)
    if (got.bytes, got.sha256) != (wanted.bytes, wanted.sha256):
        partial_file.unlink()
        raise StoreCorrupt(f"{key} is not the file that its manifest names: nothing was kept")
    partial_file.replace(out)


# --- everything ---------------------------------------------------------------------------------------------------

COPY_LIST = "files.csv"
"""The file in a copy of everything that lists its files; `README.txt` stands beside it."""


class CopiedFile(msgspec.Struct, frozen=True):
    """One file of a copy: its path in the folder, the table and version it belongs to, its size and hash."""

    path: str
    series: str
    version: int
    bytes: int
    sha256: str
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What was done to bring a copy up to date: tables in it, and files downloaded and removed."""

    tables: int
    downloaded: int
    removed: int


def copy_everything(
    reader: StoreReader, folder: Path, dataset: str | None = None, body: str | None = None
) -> CopyResult:
    """Bring the copy in `folder` up to date with every current table, or with those of one dataset or body.

    Only tables whose current version differs from the copy are downloaded; the index says which without opening them.
    Files of versions that are no longer current are removed, if they are as we wrote them. Interrupted, it goes on from
    there when called again. Raises: StoreCorrupt: a file is not the one that its manifest names; it is not kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = _read_copy_list(folder)
    after = {
        series: files
        for series, files in before.items()
        if dataset not in (None, series.dataset) or body not in (None, series.body)
    }
    kept_apart, downloaded = len(after), 0
    try:
        for series, entry in _list_current(reader, dataset, body):
            files = before.get(series, [])
            if not files or files[0].manifest_sha256 != entry["manifest_sha256"] or not _all_there(folder, files):
                history, _ = read_history(reader, series)
                if history.current_version is None:
                    continue
                files = _copy_table(reader, folder, series, history.current_version)
                downloaded += len(files)
            after[series] = files
    except BaseException:  # what was copied so far is listed, so that the next call goes on from here
        _write_copy_list(folder, before | after)
        raise
    removed = _remove_old(folder, before, after)
    _write_copy_list(folder, after)
    if reader.exists(layout.README):
        (folder / "README.txt").write_bytes(reader.read(layout.README).content)
    return CopyResult(len(after) - kept_apart, downloaded, removed)


def _list_current(reader: StoreReader, dataset: str | None, body: str | None) -> Iterator[tuple[Series, JsonObject]]:
    """The series that have a current version, with their entries in the index."""
    for name, bodies in sorted(read_json(reader, layout.INDEX).get("datasets", {}).items()):
        for slug in bodies:
            if dataset not in (None, name) or body not in (None, slug):
                continue
            for year in read_json(reader, layout.body_index(name, slug)).get("years", ()):
                page = read_json(reader, layout.year_index(name, slug, year))
                for series, entry in page.get("series", {}).items():
                    if entry["current"] is not None:
                        yield Series.parse(series), entry


def _copy_table(reader: StoreReader, folder: Path, series: Series, version: Version) -> list[CopiedFile]:
    files = []
    for entry in _read_manifest(reader, series, version).files:
        path = f"{series.dataset}/{series.body}/{layout.download_name(series, version, entry.path)}"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        _fetch_entry(reader, layout.release_file(series, version, entry.path), entry, folder / path)
        files.append(CopiedFile(path, str(series), version.version, entry.bytes, entry.sha256, version.manifest_sha256))
    return files


def _all_there(folder: Path, files: Sequence[CopiedFile]) -> bool:
    paths = [(folder / file.path, file.bytes) for file in files]
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def _remove_old(
    folder: Path, before: Mapping[Series, Sequence[CopiedFile]], after: Mapping[Series, Sequence[CopiedFile]]
) -> int:
    current = {file.path for files in after.values() for file in files}
    removed = 0
    for file in (file for files in before.values() for file in files if file.path not in current):
        path = folder / file.path
        if path.is_file() and file_entry(path.parent, path.name).sha256 == file.sha256:
            path.unlink()
            removed += 1
    return removed


def _read_copy_list(folder: Path) -> dict[Series, list[CopiedFile]]:
    path, found = folder / COPY_LIST, dict[Series, list[CopiedFile]]()
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                file = msgspec.convert(row, CopiedFile, strict=False)
                if PurePosixPath(file.path).is_absolute() or ".." in PurePosixPath(file.path).parts:
                    raise UsageError(f"{path} names {file.path}, which is not in the folder: delete {path}")
                found.setdefault(Series.parse(file.series), []).append(file)
    return found


def _write_copy_list(folder: Path, files: Mapping[Series, Sequence[CopiedFile]]) -> None:
    path = folder / COPY_LIST
    partial_file = path.with_name(f"{COPY_LIST}.part")
    with partial_file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(CopiedFile.__struct_fields__)
        for series in sorted(files):
            writer.writerows(msgspec.structs.astuple(file) for file in files[series])
    partial_file.replace(path)


# --- a year of all bodies -----------------------------------------------------------------------------------------


def fetch_consolidated_year(reader: StoreReader, dataset: str, year: str, out: Path, bodies: Sequence[str] = ()) -> int:
    """Download a financial year of every body (or of some `bodies`) as one file; return how many bodies are in it.

    Bodies may be given by any of their names.
    `out` ends in .csv or .parquet. Each body's file is compared with the hash in the index of the year.
    `year` is a financial year as `Period.parse_year` reads it: 2011-12, 2011/12; or `undated`, the lines without a date
    of tables that span several years.
    Raises: UsageError: there is no such year or body, or `out` has another ending. StoreCorrupt: a file is not the one
    that is named; `out` is not written.
    """
    kind = out.suffix.removeprefix(".")
    if kind not in ("csv", "parquet"):
        raise UsageError(f"cannot tell which format {out} should have: end its name in .csv or .parquet")
    covered = None if year == UNDATED else Period.parse_year(year)
    years, year = list_consolidated_years(reader, dataset), str(covered or UNDATED)
    if year not in years:
        require_published(reader, "this place", dataset, None)
        there = ", ".join(one if one == UNDATED else Period.parse(one).financial_year_name for one in years)
        asked = covered.title if covered else "lines that are in no year"
        raise UsageError(f"{dataset} has no consolidated files for {asked}; it has them for {there or 'none'}")
    entries = read_consolidated_year(reader, dataset, year)["bodies"]
    bodies = [slug if slug in entries else find_published_body(reader, slug) for slug in bodies]
    if missing := [slug for slug in bodies if slug not in entries]:
        raise UsageError(f"{missing[0]} has nothing in {year}: the catalogue lists the bodies that have")
    wanted = {slug: entry for slug, entry in entries.items() if not bodies or slug in bodies}
    with TemporaryDirectory(prefix="piperoll-", dir=out.parent) as scratch:
        whole = Path(scratch) / f"whole.{kind}"
        named = [file for entry in wanted.values() for file in list_line_files(entry, kind)]
        files = [_fetch_file(reader, dataset, year, file, Path(scratch)) for file in named]
        (_join_csv if kind == "csv" else _join_parquet)(files, whole)
        whole.replace(out)
    return len(wanted)


def _fetch_file(reader: StoreReader, dataset: str, year: str, entry: JsonObject, folder: Path) -> Path:
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
