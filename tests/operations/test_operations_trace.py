"""A published row leads back to the cells that were sent, and says what was done to each."""

from __future__ import annotations

import threading

import pytest

from piperoll.errors import UsageError
from piperoll.model import Period, Series
from piperoll.operations.run_request import RunRequest
from piperoll.operations.trace import trace_row
from publishers import open_reader, open_store, read_history, serve_site
from tests.operations.inbox import plain_run, put

OCTOBER = Series("spend", "anytown", Period.month(2026, 10))
SENT = """Anytown Council;;;;
Payments over £500;;;;
Date;Supplier;Amount (£);Internal code;Expense Type
1/10/2026;Acorn Roofing Ltd ;£1,250.00;X1;n/a
02/10/2026;Beech Tree Services plc;(34.50);X2;Trees
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("traced")
    put(folder / "inbox", "spend/anytown/October 2026.csv", SENT.encode("cp1252"))
    plain_run(RunRequest(to=str(folder / "out"), inbox=folder / "inbox"), catalogued=False)
    return str(folder / "out")


def traced(place: str, line: str):
    reader = open_reader(place)
    history, _ = read_history(reader, OCTOBER)
    assert history.current_version is not None
    return trace_row(reader, history, history.current_version, line)


def test_each_cell_says_where_it_stood_and_what_was_done_to_it(place: str) -> None:
    told = traced(place, "1")
    assert (told.file, told.sheet, told.row, told.version) == ("October 2026.csv", None, 4, 1)
    fields = {one.name: one for one in told.fields}
    amount = fields["net_amount"]
    assert (amount.letter, amount.heading, amount.sent) == ("C", "Amount (£)", "£1,250.00")
    assert (amount.published, amount.done) == ("1250.00", "converted to our format")
    assert fields["supplier_name"].done == "tidied"
    assert (fields["expense_type"].published, fields["expense_type"].done.split(":")[0]) == (None, "left out")
    assert fields["currency"].done == "added by us"
    assert told.cells["D"] == "X1"


def test_by_its_identifier_it_is_the_same_row(place: str) -> None:
    assert traced(place, traced(place, "2").line_id) == traced(place, "2")
    assert {one.name: one.published for one in traced(place, "2").fields}["net_amount"] == "-34.50"


def test_a_missing_row_is_a_usage_error(place: str) -> None:
    with pytest.raises(UsageError, match="has no row '3'"):
        traced(place, "3")


def test_a_stranger_learns_the_place_and_not_the_private_cells(place: str) -> None:
    with serve_site(open_store(place), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            told = traced(server.address, "1")
        finally:
            server.shutdown()
            thread.join()
    assert (told.row, dict(told.cells)) == (4, {})
    assert {one.sent for one in told.fields} == {None}
