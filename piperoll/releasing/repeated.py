"""Lines that came again in another file of the same body: which of them not to count.

A dataset that restates (contracts, transactions) says in a later file again what an earlier one said: the latest series
that names a row by its key counts. Elsewhere a line dated outside the period of its own file is left out when the file
of that date has the very same line.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from hashlib import blake2b

import pyarrow as pa

from piperoll.model import Dataset, Field, Series, Standing
from piperoll.model.columns import pc
from piperoll.releasing.deriving import SEPARATOR, is_hash, is_provenance
from piperoll.releasing.published import read_published_lines


def lines_of(dataset: Dataset, standing: Standing) -> Iterator[pa.RecordBatch]:
    """The lines of a release with every field of the dataset as it is today, as canonical strings."""
    path = standing.files / f"{dataset.name}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        there = frozenset(next(csv.reader(stream)))
    names = [field.name for field in dataset.fields]
    for batch in read_published_lines(path, [name for name in names if name in there]):
        nothing = pa.nulls(batch.num_rows, pa.string())
        cells = [batch.column(name) if name in there else nothing for name in names]
        yield pa.RecordBatch.from_arrays(cells, names=names)


Left = Mapping[int, Series]
"""The places of a release's lines that are left out, and the series that counts them."""


def repeated(dataset: Dataset, own: Sequence[Standing], others: Sequence[Standing]) -> dict[Series, Left]:
    """For each series of `own` the lines that are not to be counted, since another counted series has them.

    `own` are the counted series of one body and year, `others` its counted series of other years, which are looked
    into only where a line is dated in their time.
    """
    if dataset.restates:
        return _restated(dataset, own)
    return {} if dataset.snapshot or not dataset.date else _strayed(dataset, own, others)


def _strayed(dataset: Dataset, own: Sequence[Standing], others: Sequence[Standing]) -> dict[Series, Left]:
    """Lines dated outside their file's period that the file of that date has too, as many as that one has."""
    calendar = _Calendar([*own, *others])
    strays = {standing.series: dict(_strays(dataset, standing, calendar)) for standing in own}
    wanted: dict[Series, set[bytes]] = defaultdict(set)
    for found in strays.values():
        for other, digest in found.values():
            wanted[other.series].add(digest)
    there = {
        standing.series: Counter(digest for digest in _said(dataset, standing) if digest in wanted[standing.series])
        for standing in (*own, *others)
        if standing.series in wanted
    }
    return {series: dict(_matched(found, there)) for series, found in strays.items()}


def _matched(
    found: Mapping[int, tuple[Standing, bytes]], there: Mapping[Series, Counter[bytes]]
) -> Iterator[tuple[int, Series]]:
    """The strays that have a like, each like being used once."""
    spare = {series: Counter(counts) for series, counts in there.items()}
    for place, (other, digest) in found.items():
        if spare[other.series][digest]:
            spare[other.series][digest] -= 1
            yield place, other.series


class _Calendar:
    """Which counted series of a part covers a day; no two of them share one."""

    def __init__(self, standings: Sequence[Standing]) -> None:
        self._by_part: dict[str | None, list[Standing]] = defaultdict(list)
        for standing in sorted(standings, key=lambda standing: standing.series):
            self._by_part[standing.series.part].append(standing)

    def at(self, day: str, part: str | None) -> Standing | None:
        """The series of `part` whose period holds an ISO 8601 day."""
        there = self._by_part[part]
        number = bisect_right(there, day, key=lambda standing: standing.series.period.start.isoformat())
        if number and day <= there[number - 1].series.period.end.isoformat():
            return there[number - 1]
        return None


def _strays(dataset: Dataset, standing: Standing, calendar: _Calendar) -> Iterator[tuple[int, tuple[Standing, bytes]]]:
    """The lines that another series covers by their date: their place, that series and what they say."""
    period, start = standing.series.period, 0
    for batch in lines_of(dataset, standing):
        days = pc.coalesce(*(batch.column(name) for name in dataset.date))
        outside = pc.or_(pc.less(days, period.start.isoformat()), pc.greater(days, period.end.isoformat()))
        places = pc.indices_nonzero(pc.fill_null(outside, False))
        digests = list(_digests(batch.take(places), _telling(dataset)))
        for place, day, digest in zip(places.to_pylist(), days.take(places).to_pylist(), digests, strict=True):
            other = calendar.at(day, standing.series.part)
            if other is not None:
                yield start + place, (other, digest)
        start += batch.num_rows


def _restated(dataset: Dataset, own: Sequence[Standing]) -> dict[Series, Left]:
    """Rows that a later series of the same year names by the same key."""
    latest: dict[bytes, Series] = {}
    out: dict[Series, Left] = {}
    for standing in sorted(own, key=_when, reverse=True):
        keys = list(_keys(dataset, standing))
        out[standing.series] = {place: latest[key] for place, key in enumerate(keys) if key in latest}
        for key in keys:
            latest.setdefault(key, standing.series)
    return out


def _when(standing: Standing) -> tuple[date, date, str]:
    period = standing.series.period
    return period.end, period.start, standing.series.part or ""


def _keys(dataset: Dataset, standing: Standing) -> Iterator[bytes]:
    """What names each line: the first of the dataset's keys that it has whole, else all that it says."""
    for batch in lines_of(dataset, standing):
        named: list[bytes | None] = [None] * batch.num_rows
        for number, key in enumerate(dataset.keys):
            gap = [any(cell is None for cell in cells) for cells in zip(*_cells(batch, key), strict=True)]
            for place, digest in enumerate(_digests(batch, key)):
                if named[place] is None and not gap[place]:
                    named[place] = b"%d:%s" % (number, digest)
        whole = _digests(batch, _telling(dataset))
        yield from (name or digest for name, digest in zip(named, whole, strict=True))


def _cells(batch: pa.RecordBatch, names: Sequence[str]) -> list[list[str | None]]:
    return [batch.column(name).to_pylist() for name in names]


def _said(dataset: Dataset, standing: Standing) -> Iterator[bytes]:
    for batch in lines_of(dataset, standing):
        yield from _digests(batch, _telling(dataset))


def _digests(batch: pa.RecordBatch, names: Sequence[str]) -> Iterator[bytes]:
    cells = [batch.column(name) for name in names]
    lines = pc.binary_join_element_wise(*cells, SEPARATOR, null_handling="replace", null_replacement="")
    return (blake2b(line, digest_size=16).digest() for line in lines.cast(pa.binary()).to_pylist())


def _telling(dataset: Dataset) -> list[str]:
    """The fields that say what a line says, whichever file it stands in."""
    return [field.name for field in dataset.fields if not (is_provenance(field) or is_hash(field) or _of_file(field))]


def _of_file(field: Field) -> bool:
    return field.derive is not None and str(field.derive.get("from", "")).startswith("period.")
