"""Consolidating: the releases of one body that count for a year, as one table in which every line is counted once.

Which series count is decided by `piperoll.model.count_once`; which of their lines came again in another file of the
same body is decided here. A dataset that restates (contracts, transactions) says in a later file again what an earlier
one said: the latest series that names a row by its key counts. In other datasets, a line dated outside the period of
its own file is left out if the file of that date has exactly the same line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import ConservationError
from piperoll.model import Consolidated, CurrentRelease, Dataset, Field, Level, Origin, Portion, Series, pounds_of
from piperoll.model.columns import Cells, pc
from piperoll.releasing.columns import PublishedColumn, add_exactly, columns_of, digest_lines
from piperoll.releasing.deriving import is_hash, is_provenance
from piperoll.releasing.files import TableFiles, amount_fields, read_column_names, read_published_lines

ADDED = (
    ("body", "Body", "The body that sent the line, by the name that addresses use."),
    ("series", "Series", "The table that the line was published in."),
    ("version", "Version", "The version of that table."),
)
"""Name, title and description of the columns before those of the dataset."""

LeftOut: TypeAlias = Mapping[int, Series]
"""The lines of a release that are left out, by their number in the CSV from 0, with the series that counts them."""


def consolidate_releases(
    dataset: Dataset, own: Sequence[CurrentRelease], others: Sequence[CurrentRelease], folder: Path
) -> Consolidated:
    """Write `{dataset}.csv` and `{dataset}.parquet` in `folder`: the lines of `own`, series by series, each once.

    `own` are the counted series of one body and year. `others` are its counted series of other years, which are read
    only where a line is dated in their time. The lines are those of the releases, preceded by their body, series and
    version; a field that a release lacks is empty.

    Raises: ConservationError: counted and left-out lines do not add up to what the releases hold.
    """
    own = sorted(own, key=lambda release: release.series)
    left_out = find_repeated_lines(dataset, own, others)
    added = [
        Field(
            name,
            "integer" if name == "version" else "string",
            title,
            description,
            Level.CORE,
            Origin.DERIVED,
            "the catalogue",
        )
        for name, title, description in ADDED
    ]
    schemas = [pq.read_schema(release.files / f"{dataset.name}.parquet") for release in own]
    columns = columns_of([*added, *dataset.fields], schemas)
    counted: list[Portion] = []
    republished: list[Portion] = []
    with TableFiles(folder, dataset.name, columns) as files:
        for release in own:
            portion, portions = _write_release(dataset, release, left_out.get(release.series, {}), files, columns)
            counted.append(portion)
            republished += portions
    return Consolidated(tuple(counted), tuple(republished))


def _write_release(
    dataset: Dataset, release: CurrentRelease, left_out: LeftOut, files: TableFiles, columns: Sequence[PublishedColumn]
) -> tuple[Portion, list[Portion]]:
    """Write the lines that count; return how many they are, and how many are left out because of which series."""
    fields = amount_fields(release.files)
    amounts = [column for column in columns if column.name in fields]
    everything, counted = _PortionTotals(amounts), _PortionTotals(amounts)
    elsewhere = {series: _PortionTotals(amounts) for series in sorted(set(left_out.values()))}
    start = 0
    for batch in read_lines(dataset, release):
        stay = pa.array([line not in left_out for line in range(start, start + batch.num_rows)], pa.bool_())
        kept = batch.filter(stay)
        files.write(_add_origin(kept, release))
        everything.add(batch)
        counted.add(kept)
        for series, totals in elsewhere.items():
            lines = [line - start for line, to in left_out.items() if to == series and 0 <= line - start < len(batch)]
            totals.add(batch.take(pa.array(sorted(lines), pa.int64())))
        start += batch.num_rows
    whole, portion = everything.portion(release.series), counted.portion(release.series)
    portions = [replace(totals.portion(release.series), counted_in=series) for series, totals in elsewhere.items()]
    rows, pounds = sum(one.rows for one in (portion, *portions)), pounds_of([portion, *portions])
    if (rows, pounds) != (whole.rows, whole.amount_gbp):
        raise ConservationError(
            f"{whole.series} has {whole.rows} rows and £{whole.amount_gbp}, but {rows} and £{pounds} are accounted for"
        )
    return portion, portions


class _PortionTotals:
    """Rows and pounds of some lines."""

    def __init__(self, amounts: Sequence[PublishedColumn]) -> None:
        self._amounts = amounts
        self._rows, self._pounds = 0, Decimal(0)

    def add(self, batch: pa.RecordBatch) -> None:
        self._rows += batch.num_rows
        for column in self._amounts:
            self._pounds = add_exactly(self._pounds, column.sum(batch))

    def portion(self, series: Series) -> Portion:
        return Portion(series, self._rows, self._pounds if self._amounts else None)


def _add_origin(batch: pa.RecordBatch, release: CurrentRelease) -> pa.RecordBatch:
    origin = (release.series.body, str(release.series), str(release.version))
    cells: list[Cells] = [pa.repeat(pa.scalar(value, pa.string()), batch.num_rows) for value in origin]
    names = [name for name, _, _ in ADDED]
    return pa.RecordBatch.from_arrays([*cells, *batch.columns], names=[*names, *batch.schema.names])


def read_lines(dataset: Dataset, release: CurrentRelease) -> Iterator[pa.RecordBatch]:
    """Read the lines of a release with every field that the dataset has today, as canonical strings."""
    path = release.files / f"{dataset.name}.csv"
    published = frozenset(read_column_names(path))
    names = [field.name for field in dataset.fields]
    for batch in read_published_lines(path, [name for name in names if name in published]):
        empty = pa.nulls(batch.num_rows, pa.string())
        cells = [batch.column(name) if name in published else empty for name in names]
        yield pa.RecordBatch.from_arrays(cells, names=names)


def find_repeated_lines(
    dataset: Dataset, own: Sequence[CurrentRelease], others: Sequence[CurrentRelease]
) -> dict[Series, LeftOut]:
    """Find the lines of each series of `own` that are not to be counted, since another counted series has them.

    `own` are the counted series of one body and year. `others` are its counted series of other years, which are read
    only where a line is dated in their time.
    """
    if dataset.restates:
        return _find_restated(dataset, own)
    return {} if dataset.snapshot or not dataset.date else _find_strays(dataset, own, others)


def _find_strays(
    dataset: Dataset, own: Sequence[CurrentRelease], others: Sequence[CurrentRelease]
) -> dict[Series, LeftOut]:
    """Lines dated outside their file's period that the file of that date has too, as many as that file has."""
    calendar = _Calendar([*own, *others])
    strays = {release.series: dict(_list_strays(dataset, release, calendar)) for release in own}
    wanted: dict[Series, set[bytes]] = defaultdict(set)
    for found in strays.values():
        for other, digest in found.values():
            wanted[other.series].add(digest)
    counts = {
        release.series: Counter(
            digest
            for batch in read_lines(dataset, release)
            for digest in digest_lines(batch, _content_fields(dataset))
            if digest in wanted[release.series]
        )
        for release in (*own, *others)
        if release.series in wanted
    }

    def match(found: Mapping[int, tuple[CurrentRelease, bytes]]) -> Iterator[tuple[int, Series]]:
        spare = {series: Counter(count) for series, count in counts.items()}  # each line there matches one stray
        for line, (other, digest) in found.items():
            if spare[other.series][digest]:
                spare[other.series][digest] -= 1
                yield line, other.series

    return {series: dict(match(found)) for series, found in strays.items()}


class _Calendar:
    """Finds the counted series of a part that covers a day; no two of them share a day."""

    def __init__(self, releases: Sequence[CurrentRelease]) -> None:
        self._by_part: dict[str | None, list[CurrentRelease]] = defaultdict(list)
        for release in sorted(releases, key=lambda release: release.series):
            self._by_part[release.series.part].append(release)

    def at(self, day: str, part: str | None) -> CurrentRelease | None:
        """The series of `part` whose period includes an ISO 8601 day."""
        releases = self._by_part[part]
        number = bisect_right(releases, day, key=lambda release: release.series.period.start.isoformat())
        if number and day <= releases[number - 1].series.period.end.isoformat():
            return releases[number - 1]
        return None


def _list_strays(
    dataset: Dataset, release: CurrentRelease, calendar: _Calendar
) -> Iterator[tuple[int, tuple[CurrentRelease, bytes]]]:
    """The lines whose date another series covers: their number, that series, and the hash of the line."""
    period, start = release.series.period, 0
    for batch in read_lines(dataset, release):
        days = pc.coalesce(*(batch.column(name) for name in dataset.date))
        outside = pc.or_(pc.less(days, period.start.isoformat()), pc.greater(days, period.end.isoformat()))
        lines = pc.indices_nonzero(pc.fill_null(outside, False))
        digests = list(digest_lines(batch.take(lines), _content_fields(dataset)))
        for line, day, digest in zip(lines.to_pylist(), days.take(lines).to_pylist(), digests, strict=True):
            other = calendar.at(day, release.series.part)
            if other is not None:
                yield start + line, (other, digest)
        start += batch.num_rows


def _find_restated(dataset: Dataset, own: Sequence[CurrentRelease]) -> dict[Series, LeftOut]:
    """Lines that a later series of the same year names by the same key."""

    def latest_first(release: CurrentRelease) -> tuple[date, date, str]:
        period = release.series.period
        return period.end, period.start, release.series.part or ""

    latest: dict[bytes, Series] = {}
    left_out: dict[Series, LeftOut] = {}
    for release in sorted(own, key=latest_first, reverse=True):
        keys = list(_list_keys(dataset, release))
        left_out[release.series] = {line: latest[key] for line, key in enumerate(keys) if key in latest}
        for key in keys:
            latest.setdefault(key, release.series)
    return left_out


def _list_keys(dataset: Dataset, release: CurrentRelease) -> Iterator[bytes]:
    """What names each line: the first of the dataset's keys that it has complete, else all of its content."""
    for batch in read_lines(dataset, release):
        named: list[bytes | None] = [None] * batch.num_rows
        for number, key in enumerate(dataset.keys):
            cells = zip(*(batch.column(name).to_pylist() for name in key), strict=True)
            complete = [None not in line for line in cells]
            for line, digest in enumerate(digest_lines(batch, key)):
                if named[line] is None and complete[line]:
                    named[line] = b"%d:%s" % (number, digest)
        content = digest_lines(batch, _content_fields(dataset))
        yield from (name or digest for name, digest in zip(named, content, strict=True))


def _content_fields(dataset: Dataset) -> list[str]:
    """The fields that say what a line says, whichever file it is in."""

    def is_of_file(field: Field) -> bool:
        return field.derive is not None and str(field.derive.get("from", "")).startswith("period.")

    return [one.name for one in dataset.fields if not (is_provenance(one) or is_hash(one) or is_of_file(one))]
