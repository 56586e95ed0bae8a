from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.describing import wording

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("1234567.89", "£1,234,567.89"),
        ("0", "£0.00"),
        ("-0", "£0.00"),
        ("-12", "-£12.00"),
        ("-0.005", "-£0.005"),
        ("999.9", "£999.90"),
        ("1E+6", "£1,000,000.00"),
    ],
)
def test_pounds_keep_every_decimal_place(amount: str, words: str) -> None:
    assert wording.format_pounds(Decimal(amount)) == words


@given(AMOUNTS)
def test_pounds_lose_nothing(amount: Decimal) -> None:
    assert Decimal(wording.format_pounds(amount).replace("£", "").replace(",", "")) == amount


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_a_change_reads_back_to_its_number(difference: int) -> None:
    words = wording.format_change(difference)
    assert (words == "no change") if difference == 0 else int(words.replace(",", "")) == difference


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (12_345, "12.3 kB"), (4_500_000, "4.5 MB"), (2**40, "1.1 TB")],
)
def test_sizes_use_the_unit_that_fits(count: int, words: str) -> None:
    assert wording.format_size(count) == words


def test_dates_and_instants_are_written_in_words() -> None:
    assert wording.format_day(date(2026, 10, 1)) == "1 October 2026"
    assert wording.format_day("2026-10-01T23:59:59Z") == "1 October 2026"


def test_nouns_agree_with_their_numbers() -> None:
    assert [wording.format_count(1, "row"), wording.format_count(2981, "row")] == ["1 row", "2,981 rows"]
    assert wording.format_count(2, "body", "bodies") == "2 bodies"
    assert wording.format_number(1000) == "1,000"
    assert wording.format_change(Decimal("12.5")) == "+£12.50"
