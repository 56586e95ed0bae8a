"""docs/api.md is true: each of its examples is requested."""

from __future__ import annotations

import io
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pytest

from piperoll import api as door
from piperoll.errors import UsageError
from publishers import FolderStore
from publishers.site import serve_site
from serving.query import OPERATORS, RESERVED
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.serving.published_place import OCTOBER, Served

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
REQUESTS = re.findall(r"^(?:(\d{3}) )?GET (\S+)(?: \[Accept: (\S+)\])?$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("status", "path", "accept"), REQUESTS)
def test_each_example_gets_its_status(api: Served, status: str, path: str, accept: str) -> None:
    answer = api.get(path, headers={"Accept": accept or "*/*"})
    assert answer.status_code == int(status or 200), answer.text


def test_each_address_of_the_table_exists(api: Served) -> None:
    for path in re.findall(r"`(/[^`]*)`", PAGE.split("## Rows")[0]):
        assert api.get(path).status_code == 200, path


def test_every_parameter_and_operator_is_documented() -> None:
    for name in (*RESERVED, *{one for able in OPERATORS.values() for one in able if one not in ("eq",)}):
        assert name in PAGE, name


def test_the_python_example_runs(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.parent)
    if not Path("published").exists():
        Path("published").symlink_to(world)
    [lines] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(lines, namespace)  # noqa: S102 - our own page
    assert namespace["table"].num_rows == len(OCTOBER)
    frame = namespace["frame"]
    assert (str(frame["payment_date"].dtype)[:10], frame["net_amount"].dtype.kind) == ("datetime64", "O")
    assert frame["net_amount"].sum() == sum(Decimal(one["net_amount"]) for one in OCTOBER)


def test_the_examples_for_other_tools_give_dates_and_decimals(api: Served, tmp_path: Path) -> None:
    """R is not run here: pandas and DuckDB read the same Parquet."""
    rows = dict(re.findall(r"^\| (pandas|R|DuckDB|Excel) \| .*?`(.*?)`", PAGE, re.MULTILINE))
    code = {tool: text.replace("http://127.0.0.1:8080", api.address) for tool, text in rows.items()}
    assert list(rows) == ["pandas", "R", "DuckDB", "Excel"]

    frame = eval(code["pandas"], {"pd": pd})  # noqa: S307 - our own page
    total = frame["net_amount"].sum()
    assert isinstance(total, Decimal)
    assert frame["payment_date"].dt.year.dropna().unique().tolist() == [2026]

    [address] = re.findall(r"'(http.*?)'", code["DuckDB"])  # DuckDB would fetch an extension to read an address
    (tmp_path / "rows.parquet").write_bytes(api.session.get(address, timeout=PATIENCE_SECONDS).content)
    statement = code["DuckDB"].replace(address, str(tmp_path / "rows.parquet"))
    query = f"SELECT sum(net_amount), max(payment_date), count(*) FROM ({statement})"  # noqa: S608
    with duckdb.connect() as database:
        summed, latest, count = database.execute(query).fetchone()  # type: ignore[misc]
    assert (summed, count) == (total, len(frame))
    assert isinstance(summed, Decimal)
    assert isinstance(latest, date)
    assert re.findall(r'"(http.*?)"', code["R"]) == [address]

    content = api.session.get(code["Excel"], timeout=PATIENCE_SECONDS).content
    header, *lines = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    sheet = pd.DataFrame(lines, columns=header)
    assert sheet["net_amount"].sum() == pytest.approx(float(total))
    assert all(isinstance(one, datetime) for one in sheet["payment_date"].dropna())


def test_a_table_from_a_folder_and_from_the_web_is_the_same(world: Path) -> None:
    parameters = {"body": "anytown", "period": "2026-10"}
    table = door.get("spend", str(world), **parameters)
    assert sum(table["net_amount"].to_pylist()) == sum(Decimal(row["net_amount"]) for row in OCTOBER)
    assert {key: value for key, value in table.schema.metadata.items() if key != b"sha256"} == {
        b"series": b"spend/anytown/2026-10",
        b"version": b"2",
    }
    import threading  # noqa: PLC0415 - only here

    with serve_site(FolderStore(world), port=0) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            assert door.get("spend", site.address, **parameters).equals(table)
        finally:
            site.shutdown()
            thread.join()
    assert door.get("spend", str(world), **parameters, as_known_on="2026-11-02").num_rows == len(OCTOBER) - 1
    assert door.get("spend", str(world), **parameters, version=1).num_rows == len(OCTOBER) - 1
    assert door.get("spend", str(world), **parameters, part="card").num_rows == 1
    for wrong in ({"body": "nowhere", "period": "2026-10"}, {"body": "brackwater", "period": "2026-11"}):
        with pytest.raises(UsageError):
            door.get("spend", str(world), **wrong)
