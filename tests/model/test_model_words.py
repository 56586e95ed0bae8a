from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll import layout
from piperoll.errors import DescriptorError, StoreCorrupt, UsageError
from piperoll.model import (
    Body,
    FileEntry,
    Finding,
    History,
    Manifest,
    Period,
    Register,
    Series,
    Severity,
    Status,
    Submission,
    Version,
    format_decimal,
    from_document,
    slugify,
    to_document,
)

SLUGS = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)


def finding(row: int, code: str = "amount-unreadable") -> Finding:
    return Finding(code, Severity.ERROR, f"Row {row} is wrong.", "Mend it.", row=row, column="F", value="x")


@given(SLUGS, st.sampled_from([None, "card", "senior"]), st.sampled_from(["2026-10", "2011-04--2012-01", "2026-Q1"]))
def test_a_series_reads_back_from_its_identifier(body: str, part: str | None, period: str) -> None:
    series = Series("spend", body, Period.parse(period), part)
    assert Series.parse(str(series)) == series


def test_a_series_without_a_period_is_refused() -> None:
    with pytest.raises(UsageError, match="not a series"):
        Series.parse("spend/anytown")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_an_amount_is_written_exactly_and_without_an_exponent(amount: Decimal) -> None:
    text = format_decimal(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert len(text.partition(".")[2]) >= 2


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1E+3", "1000.00"), ("-0", "0.00"), ("1.5", "1.50"), ("0.125", "0.125"), ("1.5000", "1.50"), ("-0.00", "0.00")],
)
def test_the_plain_spelling_of_an_amount(amount: str, text: str) -> None:
    assert format_decimal(Decimal(amount)) == text


def test_a_finding_reads_back_from_its_json() -> None:
    assert from_document(Finding, to_document(finding(3))) == finding(3)


@pytest.mark.parametrize("identifier", ["E07000188", "gss:X07000188", "GB-", "gb-govuk-x"])
def test_a_body_without_a_public_identifier_is_refused(identifier: str) -> None:
    with pytest.raises(DescriptorError, match="not a body identifier"):
        Body(identifier, "anytown", "Anytown", "council")


def test_a_body_is_found_by_slug_identifier_name_and_alias() -> None:
    body = Body("gss:E07000001", "anytown", "Anytown Council", "council", aliases=("ATC",), same_as=("GB-LAE-ANY",))
    register = Register((body,))
    for sender in ("anytown", "gss:E07000001", "anytown council", "atc", "GB-LAE-ANY"):
        assert register.find(sender) is body


def test_an_unknown_sender_gets_a_provisional_body() -> None:
    body = Register(()).find("Île Nowhere & Sons")
    assert body.provisional
    assert (body.slug, body.id) == ("ile-nowhere-sons", "XI-PIPEROLL-ile-nowhere-sons")


def test_two_bodies_of_one_name_are_refused() -> None:
    bodies = (Body("gss:E07000001", "a", "Same", "council"), Body("gss:E07000002", "b", "Same", "council"))
    with pytest.raises(DescriptorError, match="two bodies"):
        Register(bodies)


@given(st.text())
def test_a_slug_is_always_a_path_segment(text: str) -> None:
    assert slugify(text).replace("-", "a").isalnum()


def test_a_manifest_and_a_history_read_back_byte_for_byte() -> None:
    series = Series("spend", "anytown", Period.month(2026, 10))
    manifest = Manifest(
        series=series,
        dataset_version="1.0.0",
        rules_version="1.0.0+x",
        rows=1,
        amount_gbp=Decimal("1.50"),
        rows_sha256="1" * 64,
        sources=("2" * 64,),
        files=(FileEntry("spend.csv", 1, "0" * 64),),
    )
    assert Manifest.from_bytes(manifest.to_bytes()).to_bytes() == manifest.to_bytes()
    version = Version(
        1, "v1-000000000000", manifest.sha256, "2026-11-01T00:00:00Z", Status.CURRENT, None, "first", 1,
        Decimal("1.50"), "1" * 64, ("2" * 64,),
    )  # fmt: skip
    history = History(series, (version,), 1)
    assert History.from_bytes(history.to_bytes()) == history
    assert history.current_version == version


def test_a_pointer_cut_short_is_told_as_corrupt() -> None:
    with pytest.raises(StoreCorrupt):
        History.from_bytes(b'{"series": "spend/a/2026-10", "versions": [')


def test_the_same_bytes_received_twice_are_two_records_of_one_submission() -> None:
    first = Submission("a" * 64, 1, "x.csv", "spend", "anytown", "spend/anytown/x.csv", "2026-11-01T06:00:00Z")
    second = Submission("a" * 64, 1, "x.csv", "spend", "anytown", "spend/anytown/x.csv", "2026-12-01T06:00:00Z")
    assert layout.received_bytes(first.sha256) == layout.received_bytes(second.sha256)
    assert layout.record(first) != layout.record(second)
    assert from_document(Submission, to_document(first)) == first
