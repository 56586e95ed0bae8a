"""What a version of a series says that the one before did not: rows added, removed and changed, with their pounds.

Lines are compared by their content, not by where they came from: another order, file or spelling is no difference. If
lines repeat, as many of them match as both versions have.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from piperoll.errors import ConservationError
from piperoll.model import Dataset, Differences, Effect, Manifest
from piperoll.model.columns import pc
from piperoll.releasing.columns import add_exactly, digest_lines
from piperoll.releasing.deriving import is_hash, is_provenance
from piperoll.releasing.files import amount_fields, read_column_names, read_published_lines

_ROWS_AT_ONCE = 10_000
"""Rows that are turned into Python text at a time."""


def compare_versions(dataset: Dataset, before: Path, after: Path, to: Path) -> Differences:
    """Compare two versions in the folders `before` and `after`, and write the rows that differ to `to`.

    `to` becomes a CSV (UTF-8, RFC 4180, CRLF) with two columns before those of the dataset: `change` (`before` and
    `after` of a changed row, `removed`, `added`) and `pair`, the number that joins the two lines of a changed row.
    Fields that only one version's schema has are not compared.

    Raises: ConservationError: the pounds of the differences do not add up to what the manifests say.
    """
    files = [folder / f"{dataset.name}.csv" for folder in (before, after)]
    shared = frozenset.intersection(*(frozenset(read_column_names(path)) for path in files))
    fields = [field for field in dataset.fields if field.name in shared]
    names = [field.name for field in fields]
    content = [field.name for field in fields if not (is_provenance(field) or is_hash(field))]
    lost, new = _find_unmatched(files[0], files[1], names, content)
    # What names a row: the identifier of the line, then the dataset's keys that both versions have.
    keys: list[tuple[str, ...]] = [(field.name,) for field in fields if is_hash(field)]
    keys += [key for key in dataset.keys if shared.issuperset(key)]
    pairs = _pair_rows(lost, new, keys)
    _write_rows(to, names, lost, new, pairs)
    amounts = amount_fields(before) | amount_fields(after)
    amount = next(iter(amounts)) if len(amounts) == 1 and amounts <= set(names) else None
    found = _sum_differences(lost, new, pairs, content, amount)
    _conserve(found, before, after)
    return found


def _find_unmatched(
    before: Path, after: Path, names: Sequence[str], content: Sequence[str]
) -> tuple[pa.Table, pa.Table]:
    """The lines of each version that match none of the other. Only hashes of the lines are kept in memory."""
    counts = Counter(digest for batch in read_published_lines(before, names) for digest in digest_lines(batch, content))

    def use_matches(batch: pa.RecordBatch) -> pa.BooleanArray:
        """Which lines have a match left in `counts`, where each is used once."""
        matched = []
        for digest in digest_lines(batch, content):
            has_match = counts[digest] > 0
            matched.append(has_match)
            if has_match:
                counts[digest] -= 1
        return pa.array(matched, pa.bool_())

    new = [batch.filter(pc.invert(use_matches(batch))) for batch in read_published_lines(after, names)]
    # What is left in `counts` now are the lines before that nothing after matches: read them once more.
    lost = [batch.filter(use_matches(batch)) for batch in read_published_lines(before, names)]
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    return pa.Table.from_batches(lost, schema), pa.Table.from_batches(new, schema)


def _pair_rows(lost: pa.Table, new: pa.Table, keys: Iterable[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Pair rows that are one row changed: (index in `lost`, index in `new`), by the first key that names just one."""
    pairs: dict[int, int] = {}
    paired: set[int] = set()
    for key in keys:
        before = _index_unique(lost, key, paired)
        after = _index_unique(new, key, pairs)
        for name, index in after.items():
            if name in before:
                pairs[index] = before[name]
                paired.add(before[name])
    return [(pairs[index], index) for index in sorted(pairs)]


def _index_unique(table: pa.Table, key: Sequence[str], taken: Iterable[int]) -> dict[tuple[str, ...], int]:
    """The rows not yet taken that `key` names alone. A row with an empty cell in its key has no name."""
    out = frozenset(taken)
    columns = zip(*(table.column(name).to_pylist() for name in key), strict=True)
    free = [(name, index) for index, name in enumerate(columns) if index not in out and None not in name]
    counts = Counter(name for name, _ in free)
    return {name: index for name, index in free if counts[name] == 1}


def _write_rows(
    to: Path, names: Sequence[str], lost: pa.Table, new: pa.Table, pairs: Sequence[tuple[int, int]]
) -> None:
    before, after = [old for old, _ in pairs], [now for _, now in pairs]
    removed, added = sorted(set(range(lost.num_rows)) - set(before)), sorted(set(range(new.num_rows)) - set(after))
    with to.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["change", "pair", *names])
        changed = zip(_read_rows(lost, before), _read_rows(new, after), strict=True)
        for number, (old, now) in enumerate(changed, start=1):
            writer.writerow(["before", number, *old])
            writer.writerow(["after", number, *now])
        writer.writerows(["removed", None, *row] for row in _read_rows(lost, removed))
        writer.writerows(["added", None, *row] for row in _read_rows(new, added))


def _read_rows(table: pa.Table, indices: Sequence[int]) -> Iterator[tuple[str | None, ...]]:
    for start in range(0, len(indices), _ROWS_AT_ONCE):
        part = table.take(pa.array(indices[start : start + _ROWS_AT_ONCE], pa.int64()))
        yield from zip(*(column.to_pylist() for column in part.columns), strict=True)


def _sum_differences(
    lost: pa.Table, new: pa.Table, pairs: Sequence[tuple[int, int]], content: Sequence[str], amount: str | None
) -> Differences:
    before, after = [old for old, _ in pairs], [now for _, now in pairs]
    old, now = lost.take(pa.array(before, pa.int64())), new.take(pa.array(after, pa.int64()))
    changed = None if amount is None else add_exactly(_sum_cells(now, amount), -_sum_cells(old, amount))
    fields = {}
    for name in content:
        differs = pc.not_equal(pc.fill_null(old.column(name), ""), pc.fill_null(now.column(name), ""))
        if count := pc.sum(differs).as_py():
            fields[name] = count

    def sum_unpaired(table: pa.Table, paired: Sequence[int]) -> Effect:
        indices = sorted(set(range(table.num_rows)) - set(paired))
        rest = table.take(pa.array(indices, pa.int64()))
        return Effect(rest.num_rows, None if amount is None else _sum_cells(rest, amount))

    return Differences(
        added=sum_unpaired(new, after),
        removed=sum_unpaired(lost, before),
        changed=Effect(len(pairs), changed),
        fields=fields,
    )


def _sum_cells(table: pa.Table, name: str) -> Decimal:
    total = Decimal(0)
    for cell in table.column(name).to_pylist():
        total = add_exactly(total, Decimal(cell or 0))
    return total


def _conserve(found: Differences, before: Path, after: Path) -> None:
    was, now = (Manifest.from_bytes((folder / "manifest.json").read_bytes()) for folder in (before, after))
    rows = found.added.rows - found.removed.rows
    if rows != now.rows - was.rows:
        raise ConservationError(
            f"{now.series}: the differences are {rows:+} rows, but the versions differ by {now.rows - was.rows:+}"
        )
    added, changed, removed = (part.amount_gbp for part in (found.added, found.changed, found.removed))
    if added is None or changed is None or removed is None or was.amount_gbp is None or now.amount_gbp is None:
        return
    net = add_exactly(add_exactly(added, changed), -removed)
    if net != add_exactly(now.amount_gbp, -was.amount_gbp):
        raise ConservationError(f"{now.series}: the differences add up to £{net}, which is not what the versions say")
