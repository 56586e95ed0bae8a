from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.findings import make_finding
from piperoll.reading.cells.amounts import explain_unreadable, find_scale, read_amount, spell_number

MONEY = st.decimals(min_value=-(10**11), max_value=10**11, places=2, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("cell", "pounds"),
    [
        ("1234.5", "1234.5"),
        ("£1,234.50", "1234.50"),
        (" £ 1 234.50 ", "1234.50"),
        ("(1,234.00)", "-1234.00"),
        (" (80,025.00)", "-80025.00"),
        ("165,546.00-", "-165546.00"),
        ("-£52,999.90", "-52999.90"),
        ("£-5", "-5"),
        ("\u22125.10", "-5.10"),
        ("12.34 CR", "-12.34"),
        ("12.34 DR", "12.34"),
        ("1.5E+05", "150000"),
        ("1,000,000", "1000000"),
        ("1\xa0234,567"[:5], "1234"),
        (".50", "0.50"),
        ("(0)", "0"),
        ("-0", "0"),
        ("GBP 7", "7"),
        ("0.1", "0.1"),
        ("100CR", "-100"),
        ("100 DR", "100"),
        ("CR 100", "-100"),
        ("+5", "5"),
        ("5.", "5"),
        ("1,234.50.", "1234.50"),
        ("1e3", "1000"),
        ("1.2E+05", "120000"),
        ("1,234*", "1234"),
        ("(1,234)†", "-1234"),
        ("'123.45", "123.45"),
        ("0.00-", "0"),
        ("(£5)", "-5"),
        ("£ 1\u2009234.50", "1234.50"),
        ("\u0661\u0662\u0663\u066b\u0665", "123.5"),
        ("\uff11\uff12\uff0e\uff15", "12.5"),
    ],
)
def test_money_in_every_notation(cell: str, pounds: str) -> None:
    assert read_amount(cell) == Decimal(pounds)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("34,551,00", "comma"),
        ("1234,56", "comma"),
        ("1.234,56", "comma"),
        ("1,23,456", "comma"),
        ("€5", "foreign"),
        ("$5", "foreign"),
        ("USD 5", "foreign"),
        ("5 CHF", "foreign"),
        ("£1.2m", "rounded"),
        ("1.2k", "rounded"),
        ("12.5%", "share"),
        ("500.00 (1)", "brackets"),
        ("1O0.00", "letter-o"),
        ("l00.00", "letter-one"),
        ("£5.00 £6.00", "several"),
        ("£5 / £6", "several"),
    ],
)
def test_a_doubtful_amount_is_not_read_and_the_finding_says_why(cell: str, why: str) -> None:
    assert read_amount(cell) is None
    assert explain_unreadable(cell) == why
    assert cell in make_finding("amount-unreadable", variant=why, text=cell).message
    assert cell in make_finding("number-unreadable", variant=why, text=cell).message


@pytest.mark.parametrize("cell", ["#REF!", "", "abc", "--5", "(5", "E00", "1 2", ".", "-(5)", "£nil", "£-", "5p", "5²"])
def test_a_cell_without_an_amount_gives_none(cell: str) -> None:
    assert read_amount(cell) is None


@given(MONEY)
def test_any_amount_reads_back_exactly_in_each_notation(amount: Decimal) -> None:
    size = abs(amount)
    minus = "-" if amount < 0 else ""
    spellings = [f"{amount:f}", f"{minus}£{size:,.2f}", f"£{minus}{size:,.2f}", f" {amount:,.2f} "]
    if amount < 0:
        spellings += [f"({size:,.2f})", f"{size:,.2f}-", f"{size:.2f}CR", f"CR {size:.2f}", f"\u2212{size:f}"]
    for spelling in spellings:
        assert read_amount(spelling) == amount, spelling
    assert Decimal(spell_number(amount)) == amount


@given(st.text(max_size=30))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    assert read_amount(text) is None or "E" not in spell_number(read_amount(text) or Decimal(0))


def test_the_heading_gives_the_unit() -> None:
    assert find_scale("Amount (£000)") == 1000
    assert find_scale("Amount £'000s") == 1000
    assert find_scale("Value (£m)") == 1_000_000
    assert find_scale("Amount in pence") == Decimal("0.01")
    assert find_scale("Amount (£)") == 1


@pytest.mark.parametrize(
    ("heading", "scale"),
    [
        ("£k", 1000),
        ("GBP m", 1_000_000),
        ("Value (£ million)", 1_000_000),
        ("£000,000", 1_000_000),
        ("Budget £bn", 1_000_000_000),
        ("Amount (in thousands)", 1000),
        ("Amount (p)", Decimal("0.01")),
        ("Over £25,000", 1),
        ("Over £25 000", 1),
        ("Over 25 thousand pounds", 1),
        ("Cost per thousand", 1),
    ],
)
def test_a_limit_in_a_heading_is_not_a_unit(heading: str, scale: Decimal) -> None:
    assert find_scale(heading) == scale


@given(cell=st.from_regex(r"\A-?£?\d{1,4}(,\d{2,4}){0,5}(\.\d{0,8})?\Z", alphabet="0129,.£-٣"))
def test_the_fast_path_reads_an_amount_like_the_full_parser(cell: str) -> None:
    quickly, closely = read_amount(cell), read_amount(f" {cell}")
    assert (quickly is None) == (closely is None)
    assert quickly is None or closely is None or quickly.as_tuple() == closely.as_tuple()
