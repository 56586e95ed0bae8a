from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll import assets
from piperoll.model import Differences, Packed
from piperoll.releasing import compare_versions
from tests.releasing.example_tables import OCTOBER, Pack, table

COLUMNS = ("payment_date", "transaction_number", "supplier_name", "net_amount", "purpose")
SPEND = assets.dataset("spend")


def line(number: str | None, amount: str, purpose: str = "paper", supplier: str = "Acme Ltd") -> dict[str, str | None]:
    return {
        "payment_date": "2026-10-01",
        "transaction_number": number,
        "supplier_name": supplier,
        "net_amount": amount,
        "purpose": purpose,
    }


def compared(before: Packed, after: Packed, to: Path) -> tuple[Differences, list[dict[str, str]]]:
    found = compare_versions(SPEND, before.folder, after.folder, to)
    with to.open(encoding="utf-8", newline="") as stream:
        return found, list(csv.DictReader(stream))


def of(packing: Pack, before, after, tmp_path: Path) -> tuple[Differences, list[dict[str, str]]]:
    old, new = (packing([table(lines, COLUMNS)]) for lines in (before, after))
    return compared(old, new, tmp_path / "changes.csv")


def test_a_corrected_amount_is_one_row_changed_by_its_number(packing, tmp_path: Path) -> None:
    before = [line("1", "10.00"), line("2", "20.00"), line("3", "30.00")]
    after = [line("1", "10.00"), line("2", "25.50"), line("3", "30.00")]
    found, lines = of(packing, before, after, tmp_path)
    assert (found.added.rows, found.removed.rows, found.changed.rows) == (0, 0, 1)
    assert found.changed.amount_gbp == Decimal("5.50")
    assert found.fields == {"net_amount": 1}
    assert [(one["change"], one["pair"], one["net_amount"]) for one in lines] == [
        ("before", "1", "20.00"),
        ("after", "1", "25.50"),
    ]


def test_a_number_that_several_rows_share_pairs_none_of_them(packing, tmp_path: Path) -> None:
    before = [line("1", "10.00"), line("1", "20.00")]
    after = [line("1", "11.00"), line("1", "21.00")]
    found, lines = of(packing, before, after, tmp_path)
    assert (found.added.rows, found.removed.rows, found.changed.rows) == (2, 2, 0)
    assert Counter(one["change"] for one in lines) == {"removed": 2, "added": 2}


def test_rows_that_came_and_went_have_their_pounds(packing, tmp_path: Path) -> None:
    before = [line("1", "10.00"), line("2", "20.00")]
    after = [line("2", "20.00"), line("3", "-7.005"), line("4", "1.00")]
    found, _ = of(packing, before, after, tmp_path)
    assert (found.added.rows, found.added.amount_gbp) == (2, Decimal("-6.005"))
    assert (found.removed.rows, found.removed.amount_gbp) == (1, Decimal("10.00"))


def test_another_order_or_file_or_sheet_is_no_difference(packing, tmp_path: Path) -> None:
    lines = [*OCTOBER, line(None, "5.00"), line(None, "5.00")]
    columns = (*COLUMNS, "supplier_local_id", "is_grant")
    before = packing([table(lines, columns)])
    after = packing([table(list(reversed(lines)), columns, sheet="Sheet1", step=2)])
    assert before.manifest.rows_sha256 == after.manifest.rows_sha256
    found, written = compared(before, after, tmp_path / "changes.csv")
    assert found.none
    assert written == []


def test_only_surplus_repeats_are_a_difference(packing, tmp_path: Path) -> None:
    found, _ = of(packing, [line(None, "5.00")] * 3, [line(None, "5.00")] * 5, tmp_path)
    assert (found.added.rows, found.removed.rows, found.changed.rows) == (2, 0, 0)
    assert found.added.amount_gbp == Decimal(10)


LINES = st.lists(
    st.builds(
        line,
        st.sampled_from([None, "1", "2", "3"]),
        st.sampled_from(["1.00", "-2.50", "0.005"]),
        st.sampled_from(["a", 'b, "c"', "d\r\ne"]),
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(LINES, LINES)
def test_the_differences_applied_to_the_one_give_the_other(before, after) -> None:
    with TemporaryDirectory() as folder:
        packing = Pack(Path(folder))
        old, new = (packing([table(lines, COLUMNS)]) for lines in (before, after))
        found, changes = compared(old, new, Path(folder) / "changes.csv")
        patched = content(old)
        patched.subtract(said(one) for one in changes if one["change"] in ("removed", "before"))
        patched.update(said(one) for one in changes if one["change"] in ("added", "after"))
        assert +patched == content(new)
        assert min(patched.values(), default=0) >= 0
        net = (found.added.amount_gbp or 0) + (found.changed.amount_gbp or 0) - (found.removed.amount_gbp or 0)
        assert net == (new.manifest.amount_gbp or 0) - (old.manifest.amount_gbp or 0)


def said(one: dict[str, str]) -> tuple[str, ...]:
    return tuple(one[name] for name in COLUMNS)


def content(packed: Packed) -> Counter[tuple[str, ...]]:
    with (packed.folder / "spend.csv").open(encoding="utf-8", newline="") as stream:
        return Counter(said(one) for one in csv.DictReader(stream))
