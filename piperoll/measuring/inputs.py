"""What a measure reads: views over consolidated files, and small tables about bodies, functions and years.

A query sees the views as tables. Everything is a function of the files and tables given here: no store, no clock.
"""

from __future__ import annotations

import atexit
import csv
import io
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from piperoll import assets
from piperoll.errors import DescriptorError
from piperoll.measuring.rows import MeasuredBody
from piperoll.measuring.statistics import wilson
from piperoll.model import Dataset, DecisionEntry, Period
from piperoll.model.columns import Cells
from piperoll.scratch import scratch_folder

_PLACES = 10
"""The least places of numbers in views: consolidated files have as many where a published value needs more than 4."""

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,  # sums and `first` are then the same on every machine
    "allocator_background_threads": True,  # gives memory back after a query: a third of the peak of a process
    "enable_external_file_cache": False,  # files are local, and it would keep what was read of them until the end
}

TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": f"DECIMAL(38, {_PLACES})",
    "date": "DATE",
    "boolean": "BOOLEAN",
}
"""The type in views of each type of a dataset's fields. Numbers have the places of those in consolidated files."""

LINE_COLUMNS = {
    "body": "VARCHAR",
    "series": "VARCHAR",
    "version": "BIGINT",
    "part": "VARCHAR",
    "line_date": "DATE",
    "month": "VARCHAR",
    "financial_year": "VARCHAR",
    "supplier_key": "VARCHAR",
    "payee_class": "VARCHAR",
    "assigned_function": "VARCHAR",
    "side": "VARCHAR",
    "contested": "BOOLEAN",
    "function_by": "VARCHAR",
    "function_rule": "VARCHAR",
    "adds_up": "BOOLEAN",
}
"""The columns of ours that every view of lines has; NULL in a dataset that they say nothing about."""

RELEASE_COLUMNS = {
    "body": "VARCHAR",
    "series": "VARCHAR",
    "version": "BIGINT",
    "published": "DATE",
    "current": "BOOLEAN",
}
"""The columns of ours in `contract_releases`."""

ACCOUNT_COLUMNS = {
    "dataset": "VARCHAR",
    "body": "VARCHAR",
    "year": "VARCHAR",
    "rows": "BIGINT",
    "amount_gbp": "DECIMAL(38, 10)",
    "undated_rows": "BIGINT",
    "undated_amount_gbp": "DECIMAL(38, 10)",
    "left_out_rows": "BIGINT",
    "left_out_gbp": "DECIMAL(38, 10)",
    "tables": "BIGINT",
    "months": "VARCHAR[]",
}
HELD_COLUMNS = {
    "dataset": "VARCHAR",
    "body": "VARCHAR",
    "year": "VARCHAR",
    "rows": "BIGINT",
    "amount_gbp": "DECIMAL(38, 10)",
}
_BODY_COLUMNS = {
    "body": "VARCHAR",
    "name": "VARCHAR",
    "short_name": "VARCHAR",
    "kind": "VARCHAR",
    "region": "VARCHAR",
    "nation": "VARCHAR",
    "former": "BOOLEAN",
    "population": "BIGINT",
    "id": "VARCHAR",
}
_YEAR_COLUMNS = {"year": "VARCHAR", "period_start": "DATE", "period_end": "DATE"}

Row = dict[str, Any]


@dataclass(frozen=True)
class Lines:
    """The published lines of a dataset: Parquet files, or rows where a test or a derived table has them."""

    dataset: Dataset
    files: tuple[Path, ...] = ()
    rows: Sequence[Row] | None = None


@dataclass(frozen=True)
class ReleaseFile:
    """The Parquet file of one published version of a contracts table, with its place in the history."""

    path: Path
    series: str
    version: int
    body: str
    published: str
    current: bool


@dataclass
class Inputs:
    """Everything that the measures of one financial year read, as a DuckDB connection with views.

    `lines` are those of the year and of earlier years. `outside_tables` are those that the operator supplied, by name,
    and `reviews` the decisions about suppliers and pairs of contracts. As a context manager it closes the connection.
    """

    year: Period
    bodies: Sequence[MeasuredBody]
    lines: Mapping[str, Lines]
    accounts: Sequence[Row] = ()
    held: Sequence[Row] = ()
    contract_releases: Sequence[ReleaseFile] | Sequence[Row] = ()
    outside_tables: Mapping[str, pa.Table] = field(default_factory=dict)
    reviews: Sequence[DecisionEntry] = ()
    made_tables: Mapping[str, pa.Table] = field(default_factory=dict)
    """Derived tables that were made before, to measure with exactly those again."""

    _spill: ExitStack = field(default_factory=ExitStack, init=False, repr=False)

    def outside(self, name: str) -> pa.Table | None:
        """An outside table, such as `population` or `companies`; None if nobody supplied it."""
        return self.outside_tables.get(name)

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection with the views."""
        spill = self._spill.enter_context(scratch_folder("measures"))  # otherwise `.tmp` of the current folder
        connection = duckdb.connect(config=_SETTINGS | {"temp_directory": str(spill)})
        for share in ("lo", "hi"):
            connection.create_function(f"wilson_{share}", _wilson_bound(share), ["BIGINT", "BIGINT"], "DOUBLE")
        for name, lines in self.lines.items():
            _make_view(connection, name, LINE_COLUMNS, lines)
        self._make_contract_releases(connection)
        _make_table(connection, "accounts", ACCOUNT_COLUMNS, self.accounts)
        _make_table(connection, "held", HELD_COLUMNS, self.held)
        _make_table(connection, "bodies", _BODY_COLUMNS, [asdict(one) for one in self.bodies])
        years = {
            "year": self.year.financial_year_name,
            "period_start": self.year.start,
            "period_end": self.year.end,
        }
        _make_table(connection, "years", _YEAR_COLUMNS, [years])
        for name in ("functions", "missions"):
            path = assets.folder("datapackages") / "functions" / f"{name}.csv"
            add_csv(connection, name, path.read_text("utf-8"))
        return connection

    def _make_contract_releases(self, connection: duckdb.DuckDBPyConnection) -> None:
        dataset = assets.dataset("contracts")
        found = list(self.contract_releases)
        if found and isinstance(found[0], ReleaseFile):
            files = [one for one in found if isinstance(one, ReleaseFile)]
            place = {
                "filename": "VARCHAR", **RELEASE_COLUMNS,
            }  # fmt: skip
            _make_table(connection, "_places", place, [_place_release(one) for one in files])
            paths = tuple(one.path for one in files)
            _make_view(connection, "_contract_files", {"filename": "VARCHAR"}, Lines(dataset, paths))
            own = ", ".join(f"_places.{name}" for name in RELEASE_COLUMNS)
            rest = ", ".join(f'files."{one.name}"' for one in dataset.fields if one.name not in RELEASE_COLUMNS)
            connection.execute(
                f"CREATE VIEW contract_releases AS SELECT {own}, {rest} "
                "FROM _contract_files AS files INNER JOIN _places USING (filename)"
            )
        else:
            rows = [one for one in found if isinstance(one, dict)]
            _make_view(connection, "contract_releases", RELEASE_COLUMNS, Lines(dataset, rows=rows))

    def __enter__(self) -> Inputs:
        return self

    def __exit__(self, *_: object) -> None:
        if "connection" in self.__dict__:
            self.connection.close()
        self._spill.close()


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """A database without data that parses queries: to open one for each takes longer than to parse it."""
    atexit.register(_parser.cache_clear)  # DuckDB prints what is open when the interpreter has ended
    return duckdb.connect(config={"threads": 1})


@cache
def find_tables(query: str) -> frozenset[str]:
    """The views and tables that a query reads. Raises: DescriptorError: it is not one SELECT."""
    with _parser().cursor() as connection:  # of its own, because threads measure
        (text,) = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchone() or ("",)
    parsed = json.loads(text)
    if parsed["error"] or len(parsed["statements"]) != 1:
        raise DescriptorError(f"a query is not one SELECT: {parsed.get('error_message', 'it has several statements')}")
    named, defined = set[str](), set[str]()
    nodes = [parsed]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE":
                named.add(node["table_name"])
            defined |= {one["key"] for one in node.get("cte_map", {}).get("map", ())}
        nodes += [one for one in (node.values() if isinstance(node, dict) else node) if isinstance(one, (dict, list))]
    return frozenset(named - defined)


def add_csv(connection: duckdb.DuckDBPyConnection, name: str, text: str) -> None:
    """Add a small table of texts from CSV, in place of one of the same name; an empty cell is NULL."""
    rows = list(csv.DictReader(io.StringIO(text)))
    names = next(csv.reader(io.StringIO(text)))
    cleaned = [{key: value or None for key, value in row.items()} for row in rows]
    connection.execute(f'DROP TABLE IF EXISTS "{name}"')
    _make_table(connection, name, dict.fromkeys(names, "VARCHAR"), cleaned)


def columns_of_lines(dataset: Dataset, added: Mapping[str, str] = LINE_COLUMNS) -> dict[str, str]:
    """The columns of a view of lines with their DuckDB types: ours, then the dataset's own."""
    own = {one.name: TYPES[one.type] for one in dataset.fields}
    return {name: kind for name, kind in added.items() if name not in own} | own


def _make_view(connection: duckdb.DuckDBPyConnection, name: str, added: Mapping[str, str], lines: Lines) -> None:
    """Make a view with all columns of a dataset's lines; those that no file has are NULL.

    Files differ in the places of their decimals. DuckDB reads several files by the type that most of them have, and
    rounds the others, so files of one type are read together, and their decimals are cast to the widest.
    """
    columns = columns_of_lines(lines.dataset, added)
    if not lines.files:
        _make_table(connection, name, columns, lines.rows or ())
        return
    alike: dict[frozenset[tuple[str, int]], list[Path]] = {}
    for path in lines.files:
        fields = pq.read_schema(path)
        places = frozenset((one.name, one.type.scale) for one in fields if pa.types.is_decimal(one.type))
        alike.setdefault(places, []).append(path)
    widest = max((scale for places in alike for _, scale in places), default=0)
    number = f"DECIMAL(38, {max(widest, _PLACES)})"
    selects = []
    for places, files in alike.items():
        paths = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
        source = f"read_parquet([{paths}], union_by_name = true, filename = {'filename' in added})"
        there = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        decimals = {column for column, _ in places}
        chosen = ", ".join(
            f'CAST("{column}" AS {number}) AS "{column}"' if column in decimals
            else f'"{column}"' if column in there
            else f'CAST(NULL AS {number if kind == TYPES["number"] else kind}) AS "{column}"'
            for column, kind in columns.items()
        )  # fmt: skip
        selects.append(f"SELECT {chosen} FROM {source}")
    connection.execute(f'CREATE VIEW "{name}" AS {" UNION ALL ".join(selects)}')


def _make_table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Sequence[Row]
) -> None:
    """Make a table from rows; a column that a row lacks is NULL. Raises: DescriptorError: a row has another column."""
    if unknown := sorted({key for row in rows for key in row} - columns.keys()):
        raise DescriptorError(f"the table {name} has no columns {', '.join(unknown)}")
    described = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    connection.execute(f'CREATE TABLE "{name}" ({described})')
    if rows:
        table = pa.table({column: _texts([row.get(column) for row in rows], columns[column]) for column in columns})
        connection.register("_rows", table)
        chosen = ", ".join(f'CAST("{column}" AS {kind})' for column, kind in columns.items())
        connection.execute(f'INSERT INTO "{name}" SELECT {chosen} FROM _rows')
        connection.unregister("_rows")


def _texts(values: list[Any], kind: str) -> Cells:
    """Values as text that DuckDB casts exactly to `kind`; lists stay lists."""
    if kind.endswith("[]"):
        return pa.array(values, pa.list_(pa.string()))
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _place_release(release: ReleaseFile) -> Row:
    return {
        "filename": str(release.path),
        "body": release.body,
        "series": release.series,
        "version": release.version,
        "published": release.published[:10],
        "current": release.current,
    }


def _wilson_bound(end: str) -> Any:
    def bound(successes: int, trials: int) -> float | None:
        return float(getattr(wilson(successes, trials), end)) if trials else None

    return bound
