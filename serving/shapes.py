"""The columns that a Parquet file has, and how columns of several releases become one, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.parquet as pq

from serving.fields import Known

_TYPES = {"string": pa.string(), "integer": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a file: each name with its type, a decimal with its places."""

    columns: tuple[tuple[str, pa.DataType], ...]

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """By name."""
        return dict(self.columns)


@lru_cache(maxsize=100_000)
def shape_of(path: str) -> Shape:
    """The shape of a file that never changes."""
    schema = pq.read_schema(path)
    return Shape(tuple((field.name, field.type) for field in schema))


def scale_of(shapes: Iterable[Shape]) -> int:
    """The decimal places that hold every number of all files exactly (releases have 4, 10 or 18)."""
    scales = (kind.scale for shape in set(shapes) for _, kind in shape.columns if pa.types.is_decimal(kind))
    return max(scales, default=4)


def column_sql(field: Known, shape: Shape, scale: int) -> str:
    """How a field of a file is read so that it has one type in all: without rounding, and null where there is none."""
    wanted = field.sql_type(scale)
    there = shape.types.get(field.name)
    if there is None:
        return f"CAST(NULL AS {wanted})"
    same = there == (pa.decimal128(38, scale) if field.type == "number" else _TYPES[field.type])
    return field.quoted if same else f"CAST({field.quoted} AS {wanted})"


def runs(paths: Sequence[str], most: int) -> list[range]:
    """Where neighbours of one shape stand together, `most` at a time."""
    found: list[range] = []
    for number, path in enumerate(paths):
        last = found[-1] if found else range(0)
        if len(last) and len(last) < most and shape_of(paths[last.start]) == shape_of(path):
            found[-1] = range(last.start, number + 1)
        else:
            found.append(range(number, number + 1))
    return found
