"""What a version of a series says that the one before did not: rows added, removed and changed, with their pounds.

Lines are compared by what they say, not by where they stood: another order, another file or another spelling is no
difference. Of lines that say the same, as many are alike as both versions have.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from piperoll.errors import ConservationError
from piperoll.model import Dataset, Differences, Effect, Manifest
from piperoll.model.columns import pc
from piperoll.releasing.conserving import add_pounds
from piperoll.releasing.deriving import SEPARATOR, is_hash, is_provenance
from piperoll.releasing.published import amount_fields, read_published_lines

_STEP = 10_000


def compare_versions(dataset: Dataset, before: Path, after: Path, to: Path) -> Differences:
    """Compare two versions that lie in the folders `before` and `after`, and write the rows that differ to `to`.

    `to` becomes a CSV (UTF-8, RFC 4180, CRLF) with two columns before those of the dataset: `change` (`before` and
    `after` of a changed row, `removed`, `added`) and `pair`, the number that joins the two lines of a changed row.
    Fields that only one version's schema has are left out of the comparison.

    Raises: ConservationError: the pounds of the differences do not add up to what the manifests say.
    """
    files = [folder / f"{dataset.name}.csv" for folder in (before, after)]
    shared = _shared_names(files)
    told = [one.name for one in dataset.fields if one.name in shared]
    said = [one.name for one in dataset.fields if one.name in shared and not (is_provenance(one) or is_hash(one))]
    lost, new = _unlike(files[0], files[1], told, said)
    pairs = _paired(lost, new, _keys(dataset, shared))
    _write(to, told, lost, new, pairs)
    found = _summed(lost, new, pairs, said, _amount(before, after, told))
    _conserve(found, before, after)
    return found


def _shared_names(files: Iterable[Path]) -> frozenset[str]:
    heads = []
    for path in files:
        with path.open(encoding="utf-8", newline="") as stream:
            heads.append(frozenset(next(csv.reader(stream))))
    return frozenset.intersection(*heads)


def _unlike(before: Path, after: Path, told: Sequence[str], said: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """The lines of each that the other has no like of: a difference of multisets, of which only digests are kept."""
    left = Counter(digest for batch in read_published_lines(before, told) for digest in _digests(batch, said))
    new = [batch.filter(_beyond(_digests(batch, said), left)) for batch in read_published_lines(after, told)]
    spare = +left
    lost = [batch.filter(_surplus(_digests(batch, said), spare)) for batch in read_published_lines(before, told)]
    schema = pa.schema([pa.field(name, pa.string()) for name in told])
    return pa.Table.from_batches(lost, schema), pa.Table.from_batches(new, schema)


def _digests(batch: pa.RecordBatch, said: Sequence[str]) -> Iterator[bytes]:
    cells = [batch.column(name) for name in said]
    lines = pc.binary_join_element_wise(*cells, SEPARATOR, null_handling="replace", null_replacement="")
    return (blake2b(line, digest_size=16).digest() for line in lines.cast(pa.binary()).to_pylist())


def _beyond(digests: Iterable[bytes], left: Counter[bytes]) -> pa.BooleanArray:
    """Which lines have no like left, each like being used once."""
    found = []
    for digest in digests:
        there = left[digest] > 0
        found.append(not there)
        if there:
            left[digest] -= 1
    return pa.array(found, pa.bool_())


def _surplus(digests: Iterable[bytes], spare: Counter[bytes]) -> pa.BooleanArray:
    """Which lines are among those that were left over."""
    surplus: pa.BooleanArray = pc.invert(_beyond(digests, spare))
    return surplus


def _keys(dataset: Dataset, shared: frozenset[str]) -> list[tuple[str, ...]]:
    """What names a row: the line's identifier, then the dataset's keys that both versions have."""
    hashes = [(one.name,) for one in dataset.fields if is_hash(one) and one.name in shared]
    return [*hashes, *(key for key in dataset.keys if shared.issuperset(key))]


def _paired(lost: pa.Table, new: pa.Table, keys: Iterable[tuple[str, ...]]) -> list[tuple[int, int]]:
    """(place in `lost`, place in `new`) of the rows that are one row changed, by the first key that names just one."""
    pairs: dict[int, int] = {}
    paired: set[int] = set()
    for key in keys:
        were = _named_once(lost, key, paired)
        are = _named_once(new, key, pairs)
        for name, place in are.items():
            if name in were:
                pairs[place] = were[name]
                paired.add(were[name])
    return [(pairs[place], place) for place in sorted(pairs)]


def _named_once(table: pa.Table, key: Sequence[str], taken: Iterable[int]) -> dict[tuple[str, ...], int]:
    """The free rows that `key` names alone: key to place. A row with a gap in its key has no name."""
    out = frozenset(taken)
    columns = zip(*(table.column(name).to_pylist() for name in key), strict=True)
    free = [(name, place) for place, name in enumerate(columns) if place not in out and None not in name]
    counts = Counter(name for name, _ in free)
    return {name: place for name, place in free if counts[name] == 1}


def _write(to: Path, told: Sequence[str], lost: pa.Table, new: pa.Table, pairs: Sequence[tuple[int, int]]) -> None:
    were, are = {old for old, _ in pairs}, {place for _, place in pairs}
    removed = [place for place in range(lost.num_rows) if place not in were]
    added = [place for place in range(new.num_rows) if place not in are]
    with to.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["change", "pair", *told])
        both = zip(_lines(lost, [old for old, _ in pairs]), _lines(new, [place for _, place in pairs]), strict=True)
        for number, (was, now) in enumerate(both, start=1):
            writer.writerow(["before", number, *was])
            writer.writerow(["after", number, *now])
        writer.writerows(["removed", None, *line] for line in _lines(lost, removed))
        writer.writerows(["added", None, *line] for line in _lines(new, added))


def _lines(table: pa.Table, places: Sequence[int]) -> Iterator[tuple[str | None, ...]]:
    """Rows of a table, of which a few thousand at a time are made into text."""
    for start in range(0, len(places), _STEP):
        part = table.take(pa.array(places[start : start + _STEP], pa.int64()))
        yield from zip(*(column.to_pylist() for column in part.columns), strict=True)


def _amount(before: Path, after: Path, told: Sequence[str]) -> str | None:
    """The one field that both versions' totals are of; None where there is none, or several."""
    named = amount_fields(before) | amount_fields(after)
    return next(iter(named)) if len(named) == 1 and named <= set(told) else None


def _summed(
    lost: pa.Table, new: pa.Table, pairs: Sequence[tuple[int, int]], said: Sequence[str], amount: str | None
) -> Differences:
    were, are = [old for old, _ in pairs], [place for _, place in pairs]
    old, now = lost.take(pa.array(were, pa.int64())), new.take(pa.array(are, pa.int64()))
    pounds = None if amount is None else (_total(old, amount), _total(now, amount))
    changed = None if pounds is None else add_pounds(pounds[1], -pounds[0])
    fields = {name: _unequal(old, now, name) for name in said}
    return Differences(
        added=_rest(new, are, amount),
        removed=_rest(lost, were, amount),
        changed=Effect(len(pairs), changed),
        fields={name: count for name, count in fields.items() if count},
    )


def _unequal(old: pa.Table, now: pa.Table, name: str) -> int:
    differs = pc.not_equal(pc.fill_null(old.column(name), ""), pc.fill_null(now.column(name), ""))
    count: int | None = pc.sum(differs).as_py()
    return count or 0


def _rest(table: pa.Table, paired: Sequence[int], amount: str | None) -> Effect:
    """The rows of a table that are in no pair."""
    out = frozenset(paired)
    rest = table.take(pa.array([place for place in range(table.num_rows) if place not in out], pa.int64()))
    return Effect(rest.num_rows, None if amount is None else _total(rest, amount))


def _total(table: pa.Table, amount: str) -> Decimal:
    total = Decimal(0)
    for cell in table.column(amount).to_pylist():
        total = add_pounds(total, Decimal(cell or 0))
    return total


def _conserve(found: Differences, before: Path, after: Path) -> None:
    was, now = (Manifest.from_bytes((folder / "manifest.json").read_bytes()) for folder in (before, after))
    rows = found.added.rows - found.removed.rows
    if rows != now.rows - was.rows:
        raise ConservationError(
            f"{now.series}: the differences make {rows:+} rows, the versions {now.rows - was.rows:+}"
        )
    parts = [part.amount_gbp for part in (found.added, found.changed, found.removed)]
    if None in parts or was.amount_gbp is None or now.amount_gbp is None:
        return
    added, changed, removed = (part or Decimal(0) for part in parts)
    net = add_pounds(add_pounds(added, changed), -removed)
    if net != add_pounds(now.amount_gbp, -was.amount_gbp):
        raise ConservationError(f"{now.series}: the differences come to £{net}, the versions say otherwise")
