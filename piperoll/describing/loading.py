"""How to load a release in the programs that people have, and how to cite it: lines to copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from piperoll import layout
from piperoll.describing import places
from piperoll.describing.figures import day
from piperoll.describing.holdings import Holdings
from piperoll.describing.wording import series_title
from piperoll.model import FileEntry, Series, Version


@dataclass(frozen=True, slots=True)
class Way:
    """One way to load a table: the program and the lines to copy into it; `steps` are for people, not programs."""

    name: str
    title: str
    code: str
    steps: str = ""


def ways(holdings: Holdings, series: Series, version: Version, files: Sequence[FileEntry]) -> list[Way]:
    """The lines for pandas, R, DuckDB and a terminal, and the steps in Excel, for the files that there are."""
    found = {entry.path.rpartition(".")[2]: _address(holdings, series, version, entry) for entry in files}
    parquet, csv = found["parquet"], found["csv"]
    dataset = series.dataset
    return [
        Way("excel", "Excel", csv, "Choose Data, then From Web, and paste this address. The file is UTF-8."),
        Way("pandas", "Python with pandas", f'import pandas as pd\n\n{dataset} = pd.read_parquet("{parquet}")'),
        Way("r", "R", f'library(arrow)\n\n{dataset} <- read_parquet("{parquet}")'),
        Way(
            "duckdb",
            "DuckDB",
            f"SELECT *\nFROM read_parquet('{parquet}')\nLIMIT 20;",
            "Outside a browser DuckDB reads only the parts that a question needs.",
        ),
        Way("command", "In a terminal", _command(holdings, series, version)),
    ]


def citation(holdings: Holdings, series: Series, version: Version) -> str:
    """One sentence that names the table, its version, who made it and where it stands."""
    title = series_title(holdings.dataset(series.dataset), holdings.body(series.body), series)
    page = places.address(holdings.base_url, layout.version_page(series, version))
    return (
        f"{title}. Version {version.version}, {day(version.published)}. "
        f"{holdings.publisher_name}. {places.release_name(series, version)}. {page}"
    )


def _address(holdings: Holdings, series: Series, version: Version, entry: FileEntry) -> str:
    return places.address(holdings.base_url, layout.release_file(series, version, entry.path))


def _command(holdings: Holdings, series: Series, version: Version) -> str:
    part = f" --part {series.part}" if series.part else ""
    asked = f"--body {series.body} --period {series.period}{part} --version-number {version.version}"
    return f"piperoll get {series.dataset} --from {holdings.base_url} \\\n  {asked} -o {series.dataset}.parquet"
