"""Published columns: one way to write each value as text, its type in Parquet, exact sums, and hashes of lines.

CSV has text and Parquet has types. Both are made here from the same canonical strings, so they always agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import partial
from hashlib import blake2b, sha256
from itertools import groupby, pairwise

import pyarrow as pa

from piperoll.errors import ConservationError, DescriptorError
from piperoll.model import Field
from piperoll.model.columns import Cells, constant_text, pc, text_offsets

SEPARATOR = "\x1f"
"""U+001F, the unit separator: it joins the cells of a line before the line is hashed."""

SCALES = (4, 10, 18)
"""Decimal places of a Parquet column: the first that holds every value of the release exactly.

There are few steps, so that nearly all releases of a dataset share one type: a reader that joins files takes the type
of the first and would round the others. Four places hold a fraction of a penny; 18 leave 20 digits for whole pounds.
"""

_DIGITS = 38
"""Digits of a decimal in Parquet; Arrow's decimal128 has no more."""

_EXACT = Context(prec=100)
"""Python's default of 28 digits would round long sums."""

_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """A published column: its field, and for numbers the decimal places that Parquet keeps."""

    field: Field
    scale: int = SCALES[0]

    @property
    def name(self) -> str:
        """The name of the field, which is the heading in CSV and Parquet."""
        return self.field.name

    @property
    def type(self) -> pa.DataType:
        """The Arrow type in Parquet. Raises: DescriptorError: we do not publish fields of this type."""
        if self.field.type == "number":
            return pa.decimal128(_DIGITS, self.scale)
        if self.field.type not in _TYPES:
            raise DescriptorError(f"field {self.name}: type '{self.field.type}' is none of {', '.join(_TYPES)}, number")
        return _TYPES[self.field.type]

    def typed(self, cells: Cells) -> Cells:
        """Convert canonical strings to the column's type. Raises: ConservationError: a value would not stay exact."""
        try:
            if self.field.type == "integer":
                return cells.cast(pa.decimal128(_DIGITS, 0)).cast(pa.int64())
            return cells.cast(self.type)
        except pa.ArrowInvalid as error:
            raise ConservationError(
                f"field {self.name}: a cell is not a canonical {self.field.type}: {error}"
            ) from error

    def spelled(self, cells: Cells) -> Cells:
        """Convert cells to canonical strings: `1250.00`, `2026-10-01`, `true`; an empty text becomes a null."""
        if self.field.type == "string":
            is_empty = pc.equal(cells, "")
            return pc.if_else(is_empty, pa.scalar(None, pa.string()), cells) if pc.any(is_empty).as_py() else cells
        if self.field.type == "number":
            return spell_decimals(self.typed(cells), places=2 if self.field.unit == "GBP" else 0)
        return self.typed(cells).cast(pa.string())

    def sum(self, batch: pa.RecordBatch) -> Decimal:
        """The exact sum of this number column in a batch of canonical strings."""
        return pc.sum(self.typed(batch.column(self.name))).as_py() or Decimal(0)


def columns_of(fields: Iterable[Field], schemas: Sequence[pa.Schema]) -> tuple[PublishedColumn, ...]:
    """The columns for `fields`, numbers with as many decimal places as any of the Parquet `schemas` has for them."""
    return tuple(
        PublishedColumn(
            field,
            max(
                (schema.field(field.name).type.scale for schema in schemas if field.name in schema.names),
                default=SCALES[0],
            )
            if field.type == "number"
            else SCALES[0],
        )
        for field in fields
    )


def scale_for(columns: Iterable[Cells]) -> int:
    """The scale that keeps every number in `columns` (canonical strings) exactly.

    Raises: ConservationError: a number has more decimal places than Parquet can keep.
    """
    places = 0
    for cells in columns:
        digits = pc.utf8_rtrim(cells, "0")
        point = pc.find_substring(digits, ".")
        after = pc.if_else(pc.less(point, 0), 0, pc.subtract(pc.subtract(pc.utf8_length(digits), point), 1))
        places = max(places, pc.max(after).as_py() or 0)
    if places > _DIGITS:
        raise ConservationError(f"a number has {places} decimal places: Parquet can keep {_DIGITS}")
    return next((scale for scale in SCALES if scale >= places), places)


def spell_decimals(values: Cells, places: int) -> Cells:
    """Write decimals as digits and a point with at least `places` digits after it, and no other trailing zeros."""
    with suppress(pa.ArrowInvalid):  # nearly all columns have no more places, and no zeros to remove then
        return values.cast(pa.decimal128(_DIGITS, places)).cast(pa.string())
    cells = values.cast(pa.string())
    if pc.any(pc.match_substring(cells, "E")).as_py():  # Arrow writes the smallest numbers with an exponent
        cells = pa.array([None if value is None else f"{value:f}" for value in values.to_pylist()], pa.string())
    zeros = r"\.?0+$" if places == 0 else rf"(\.\d{{{places}}}\d*?)0+$"
    return pc.replace_substring_regex(cells, zeros, "" if places == 0 else r"\1")


def add_exactly(one: Decimal, other: Decimal) -> Decimal:
    """The exact sum, however many digits it has."""
    return _EXACT.add(one, other)


def join_cells(columns: Sequence[Cells]) -> Cells:
    """Join the cells of each line with `SEPARATOR`, as bytes to hash; a null is an empty text."""
    cells = merge_constants(columns, SEPARATOR)
    lines = pc.binary_join_element_wise(*cells, SEPARATOR, null_handling="replace", null_replacement="")
    return lines.cast(pa.binary())


def merge_constants(
    columns: Sequence[Cells], separator: str, quote: Callable[[str], str] = lambda text: text
) -> list[Cells]:
    """The columns, each run of those with one cell throughout as a scalar, joined: most columns of a release are so.

    A null is an empty text. At least one column stays, so that there are as many lines. `quote` changes each cell.
    """
    constants = [constant_text(column) for column in columns]
    if None not in constants:
        constants[-1] = None
    merged: list[Cells] = []
    for is_constant, run in groupby(zip(constants, columns, strict=True), key=lambda pair: pair[0] is not None):
        own = list(run)
        if is_constant:
            merged.append(pa.scalar(separator.join(quote(text or "") for text, _ in own), pa.string()))
        else:
            merged += [column for _, column in own]
    return merged


def list_texts(lines: Cells) -> Iterator[memoryview]:
    """The bytes of each text of a column without nulls, in place: a Python object for each would take as long."""
    edges = text_offsets(lines).tolist()
    content = lines.buffers()[2]
    whole = memoryview(content if content is not None else b"")
    return (whole[start:end] for start, end in pairwise(edges))


def sha256_lines(columns: Sequence[Cells]) -> list[bytes]:
    """The sha256 of each line of some columns."""
    return [sha256(line).digest() for line in list_texts(join_cells(columns))]


def digest_lines(batch: pa.RecordBatch, names: Sequence[str]) -> Iterator[bytes]:
    """Hash each line by its columns `names`, to find lines that say the same."""
    lines = join_cells([batch.column(name) for name in names])
    digest = partial(blake2b, digest_size=16)
    return (digest(line).digest() for line in list_texts(lines))
