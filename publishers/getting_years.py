"""Getting all bodies of a dataset and financial year as one file, from the consolidated files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import NotThere, StoreCorrupt, UsageError
from piperoll.model import file_entry
from publishers.consolidated import list_consolidated_years, place, read_consolidated_year
from publishers.stores.protocol import StoreReader

KINDS = ("csv", "parquet")


def fetch_consolidated_year(reader: StoreReader, dataset: str, year: str, out: Path, bodies: Sequence[str] = ()) -> int:
    """Bring what counts of every body (or of some `bodies`) in a financial year to one file; how many bodies.

    `out` ends in .csv or .parquet. Each body's file is compared with the hash that the pointer of the year names.
    Raises: UsageError: there is no such year or body, or `out` says nothing of what is wanted. StoreCorrupt: a file is
    not the one that is named: nothing is left at `out`.
    """
    kind = out.suffix.removeprefix(".")
    if kind not in KINDS:
        raise UsageError(f"{out} says nothing of what you want: end its name in .csv or .parquet")
    wanted = _wanted(reader, dataset, year, bodies)
    with TemporaryDirectory(prefix="piperoll-", dir=out.parent) as folder:
        whole = Path(folder) / f"whole.{kind}"
        files = [_brought(reader, dataset, year, entry[kind], Path(folder)) for entry in wanted.values()]
        (_join_csv if kind == "csv" else _join_parquet)(files, whole)
        whole.replace(out)
    return len(wanted)


def _wanted(reader: StoreReader, dataset: str, year: str, bodies: Sequence[str]) -> dict[str, Any]:
    there = list_consolidated_years(reader, dataset)
    if year not in there:
        named = ", ".join(there) or "none"
        raise UsageError(f"nothing of {dataset} is consolidated for {year}: the years there are: {named}")
    told: dict[str, Any] = read_consolidated_year(reader, dataset, year)["bodies"]
    if missing := [slug for slug in bodies if slug not in told]:
        raise UsageError(f"nothing of {missing[0]} counts in {year}: the catalogue lists which bodies do")
    return {slug: entry for slug, entry in told.items() if not bodies or slug in bodies}


def _brought(reader: StoreReader, dataset: str, year: str, entry: dict[str, Any], folder: Path) -> Path:
    name: str = entry["path"]
    to, key = folder / name, place(dataset, year) + name
    try:
        reader.fetch(key, to)
    except NotThere as error:
        raise StoreCorrupt(f"{error}: it may have been made anew while we read: try again") from error
    if file_entry(folder, to.name).sha256 != entry["sha256"]:
        raise StoreCorrupt(f"{key} is not the file that the pointer of {year} names: nothing was kept")
    return to


def _join_csv(files: Sequence[Path], whole: Path) -> None:
    with whole.open("wb") as out:
        for number, path in enumerate(files):
            with path.open("rb") as lines:
                heading = lines.readline()
                if number == 0:
                    out.write(heading)
                while piece := lines.read(1 << 20):
                    out.write(piece)


def _join_parquet(files: Sequence[Path], whole: Path) -> None:
    schema = _widest([pq.read_schema(path) for path in files])
    with pq.ParquetWriter(whole, schema, compression="zstd") as out:
        for path in files:
            for table in _groups(path):
                out.write_table(table.cast(schema))


def _groups(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        yield from (file.read_row_group(number) for number in range(file.num_row_groups))


def _widest(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """The columns of the first, each number with as many places as any body's has."""
    fields = []
    for field in schemas[0]:
        kinds = [schema.field(field.name).type for schema in schemas]
        widest = max(kinds, key=lambda kind: kind.scale) if pa.types.is_decimal(field.type) else field.type
        fields.append(pa.field(field.name, widest))
    return pa.schema(fields)
