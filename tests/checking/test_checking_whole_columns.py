"""Whole columns are examined as single rows would be: privacy, gaps, sums, periods, and which findings are named."""

from __future__ import annotations

import itertools
import string
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from piperoll import assets
from piperoll.checking.examine_table import unreadable_core_rows
from piperoll.checking.privacy.columns import (
    find_bare_names,
    find_held_names,
    find_in_codes,
    find_people_in_texts,
    find_personal_data,
    find_trigger_areas,
)
from piperoll.checking.privacy.held_names import HeldNames
from piperoll.checking.privacy.personal_data import RULES, PersonalDataRule, personal_rules, sieve_personal_data
from piperoll.checking.row_sets import LatestWord, RowLabels, RowSet
from piperoll.checking.survey import survey_table
from piperoll.checking.totals import count_table
from piperoll.findings import CappedFindings, cap_findings, group_findings, make_finding
from piperoll.model import Address, Finding, Severity
from piperoll.model.columns import pc, texts
from piperoll.people.lists import privacy_lists
from piperoll.reading import ReadTable
from tests.checking import plain_checking as plain
from tests.checking.made_readings import made_table, screen_table

SPEND, ROLES = assets.dataset("spend"), assets.dataset("roles")
PIECES = (
    *("AB 12 34 56 C", "AB123456C", "QQ12 3456D", "943 476 5919", "943-476-5919", "9434765919", "NHS", "patient"),
    *("j.quince@example.org", "info@", "@", "+44 (0)1632 960 961", "01632 960961", "07700900961", "0 1 2", "tel"),
    *("12-34-56", "12 34 56", "01-04-26", "sort", "s/c", "bank", "acct no", "account num", "12345678", "born 1.1.70"),
    *("dob:", "d.o.b 3", "client ref: 12345", "LAS 4444", "las 4444", "Case no. 7777", "Mr Quince", "mrs a. quince"),
    *("MRS QUINCE", "Rev. Quince", "Rev A. B. Quince", "Prof Q", "Dr.\u00a0Quince", "Master plan", "Miss\tO’Quince"),
    *("Boarding Out", "foster care", "Adult Placement", "adult placements", "£", "–", "’", "é", "²", "٣"),
    *("\u017f", "\u212a"),
)
PERSONAL = (
    *(
        "ab 12 34 56 d",
        "AB123456A",
        "AB\x1c123456C",
        "943 476 5919",
        "943-476-5919",
        "NHS: 9434765919",
        "9434765919 patient",
    ),
    *("j.quince@example.org", "see j+q@ab.cd", "+44 1632 960961", "+44(0)1632 960961", "(01632) 960961", "07700900961"),
    *("tel 01632960961", "45-67-89", "sort 45 67 89", "s/c\u00a012-34-56", "bank of us 12345678", "acct no 12345678"),
    *(
        "acct. number: 12345678",
        "account\x1fnum 12345678",
        "ACCOUNT NO\u00a012345678",
        "dob 1",
        "d.o.b. 3",
        "born in 1970",
    ),
    *("client 1234", "child ref: 1234", "case no.1234", "swift:1234", "mosaic id 1234", "LAS 1234", "CASE\t1234"),
    *("Mr Quince", "Mrs. Quince", "Ms Quince", "Miss\u2003Quince", "Mx Quince", "Master Quince", "Dr\u00a0Quince"),
    *("Cllr Quince", "Rev. Quince", "Rev.. Quince", "Prof A. B Quince Carr", "MR QUINCE", "MRS QUINCE", "MISS QUINCE"),
    *(
        "CLLR QUINCE",
        "mr quince",
        "mrs a. quince",
        "paid – Mr Quince £5",
        "José, Mr Quince",
        "Mr O’Quince",
        "mr 'quince",
    ),
)
SPACES = ("", " ", "\u00a0", "\t", "\x1c", "\u2009", "\n", ".", "-", "/")
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.sampled_from(SPACES),
        st.text(string.ascii_letters[:6] + string.digits + " -@.+()’é£٣\u2009", max_size=6),
    ),
    max_size=6,
).map("".join)
SUPPLIERS = st.one_of(
    st.sampled_from((
        *("Anytown Roofing Ltd", "Quince Chambers", "J Quince", "Mrs J Quince", "John Smith", "REDACTED PERSONAL DATA"),
        *("Commercial in Confidence", "****", "Redactive Publishing Ltd", "BT", "", "PAYPAL *JQUINCE", "Ann Quinceové"),
    )),
    TEXTS,
)  # fmt: skip
AMOUNTS = st.one_of(
    st.sampled_from(("0", "-0.00", "1250.00", "0.005", "9" * 15 + ".000001", "9" * 40, "-0.0000000001")),
    st.decimals(-10_000, 10_000, places=2).map(lambda amount: f"{amount:f}"),
)
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))


def tables_of(dataset: str, cells: dict[str, st.SearchStrategy[str | None]]) -> st.SearchStrategy[ReadTable]:
    """Tables of a few lines in small batches, of which some share a row, and some cells cannot be read."""
    row = st.fixed_dictionaries({name: st.none() | each for name, each in cells.items()})
    numbers = st.lists(st.integers(2, 9), min_size=6, max_size=6)
    unreadable = st.dictionaries(st.sampled_from(sorted(cells)), st.lists(st.integers(2, 12), max_size=4), max_size=2)
    return st.builds(
        lambda rows, at, lost, size: made_table(
            dataset, rows, columns=list(cells), numbers=at[: len(rows)], unreadable=lost, batch_rows=size
        ),
        st.lists(row, max_size=6), numbers, unreadable, st.integers(1, 4),
    )  # fmt: skip


SPENDING = tables_of(
    "spend",
    {
        "supplier_name": SUPPLIERS,
        "category_label": TEXTS,
        "purpose": TEXTS,
        "expense_area": TEXTS,
        "net_amount": AMOUNTS,
        "payment_date": DAYS.map(str),
    },
)
POSTS = tables_of(
    "roles",
    {
        "holder_name": st.sampled_from(("Ann Quince", "N/D", "Vacant", "--", "Bob Quince")),
        "grade": st.sampled_from(("SCS1", "SCS2", "SCS 3", "OF-8")),
        "salary_floor": st.sampled_from(("149999", "150000", "160000.00")),
    },
)


@settings(deadline=None)
@given(st.one_of(SPENDING.map(lambda table: (table, SPEND)), POSTS.map(lambda table: (table, ROLES))))
def test_names_are_left_out_of_columns_as_of_rows(made: tuple) -> None:  # type: ignore[type-arg]
    table, dataset = made
    found = screen_table(table, dataset)
    assert found.redacted == plain.redacted(table, dataset)
    assert {name: set(rows) for name, rows in found.not_due.items()} == plain.not_due(table, dataset)


@settings(deadline=None)
@given(SPENDING)
def test_privacy_does_not_depend_on_where_the_batches_of_a_table_end(table: ReadTable) -> None:
    whole = pa.Table.from_batches(list(table.batches())).combine_chunks().to_batches() if table.rows else ()
    found, expected = (screen_table(one, SPEND) for one in (table, replace(table, stored=tuple(whole))))
    assert found.first_cells == expected.first_cells
    for one, other in ((found.held, expected.held), (found.cut, expected.cut)):
        assert {which: set(rows) for which, rows in one.items()} == {which: set(rows) for which, rows in other.items()}


NAMED = HeldNames()
NAMED.add(["Ann Quince", "Mrs J Quince"])
FINDERS = {
    "codes": find_in_codes,
    "bare": lambda cells: {"bare": find_bare_names(cells)},
    "texts": lambda cells: find_people_in_texts(cells, np.zeros(len(cells), np.bool_)),
    "context": lambda cells: find_people_in_texts(cells, np.ones(len(cells), np.bool_)),
    "held": lambda cells: {"held": find_held_names(cells, NAMED, suppliers=False)},
}
PEOPLE = st.one_of(
    st.sampled_from((
        *("Ann Quince", "refund to John Smith", "W/E 1/2/13 J Quince", "JOHN SMITH", "Élise Smith", "for ann quince"),
        *("child aged 7", "Re: John Smith", "12 Acacia Road, AB1 2AB John Smith", "John Smith 12", "Smith, John"),
        *("Quince J 12", "x y", "Ann–Quince", "the John Smith Centre", "T100", "Mr O’Quince", "AB123456C"),
    )),
    TEXTS,
)  # fmt: skip


@pytest.mark.parametrize("finder", FINDERS)
@settings(deadline=None)
@given(st.lists(PEOPLE, max_size=4))
def test_people_are_found_in_a_column_as_in_each_of_its_cells(finder: str, cells: list[str]) -> None:
    find = FINDERS[finder]
    alone = [frozenset(rule for rule, found in find(texts([cell])).items() if found.any()) for cell in cells]
    for more in ([], ["plain"] * 600, [f"plain {number}" for number in range(600)]):
        column = find(texts([*cells, *more]))
        found = [frozenset(rule for rule, flags in column.items() if flags[index]) for index in range(len(cells))]
        assert found == alone
        assert not any(flags[len(cells) :].any() for flags in column.values())


@pytest.mark.parametrize("text", PERSONAL)
def test_the_sieve_keeps_what_each_rule_finds(text: str) -> None:
    assert personal_rules(text)
    assert sieve_personal_data(texts([text] * 100)).all()


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_each_rule_is_found_through_the_sieve_as_well_as_directly(rule: PersonalDataRule) -> None:
    """A rule that is missing from the sieve never fires in a long column of free text."""
    samples = [text for text in PERSONAL if rule.applies(text)]
    assert samples, f"PERSONAL has no text for {rule.name}"
    for text in samples:
        assert rule.name in personal_rules(text)
        assert not text.isascii() or pc.match_substring_regex(texts([text]), rule.sieve).to_pylist() == [True]
        column = texts([text, *(f"plain {word}" for word in itertools.product("abcdefghij", repeat=3))])
        assert find_personal_data(column)[rule.name].tolist() == [True] + [False] * 1000


@settings(deadline=None, max_examples=500)
@given(TEXTS)
@example("Mr\u2003Quince")
@example("ACCT\x1fNO\u00a012345678")
@example("\u017f/c 12-34-56")
def test_the_sieve_passes_over_nothing_that_may_be_personal(text: str) -> None:
    if personal_rules(text):
        assert sieve_personal_data(texts([text] * 100)).all()


def test_the_sieve_passes_over_plain_texts() -> None:
    kept = [f"Invoice {number} for children’s services at £{number}" for number in range(200)]
    assert not sieve_personal_data(texts(kept)).any()


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_service_areas_are_told_in_columns_as_in_cells(cells: list[str]) -> None:
    lists = privacy_lists()
    expected = [
        2 if lists.household_triggers.search(cell) else int(bool(lists.triggers.search(cell))) for cell in cells
    ]
    for more in ([], ["plain"] * 600, [f"plain {number}" for number in range(600)]):
        assert find_trigger_areas(texts([*cells, *more])).tolist() == expected + [0] * len(more)


@settings(deadline=None)
@given(SPENDING, st.sets(st.integers(2, 9)), st.sets(st.integers(2, 9)))
def test_a_table_adds_up_as_its_rows_do(table: ReadTable, held: set[int], other: set[int]) -> None:
    counted, rows = count_table(table, SPEND, held, held & other), {row for row, _line, _cells in plain.lines(table)}
    assert counted.amount is not None
    assert counted.date is not None
    sums = (counted.amount.read, counted.amount.accepted, counted.amount.held, counted.pounds, counted.held_pounds)
    expected = (
        plain.total(table, "net_amount"),
        plain.total(table, "net_amount", rows - held),
        plain.total(table, "net_amount", held),
        plain.total(table, "net_amount", absolute=True),
        plain.total(table, "net_amount", held & other, absolute=True),
    )
    assert list(map(str, sums)) == list(map(str, expected))
    assert (counted.rows.read, counted.rows.accepted, counted.rows.held) == (
        len(rows), len(rows - held), len(rows & held)
    )  # fmt: skip
    assert counted.lines == sum(row not in held for row, _line, _cells in plain.lines(table))
    assert counted.amount.missing == len(plain.missing_rows(table, "net_amount"))
    assert counted.date.missing == len(plain.missing_rows(table, "payment_date"))
    days = [cells["payment_date"] for _row, _line, cells in plain.lines(table) if cells["payment_date"]]
    assert (counted.date.min, counted.date.max) == (min(days, default=None), max(days, default=None))


@settings(deadline=None)
@given(SPENDING)
def test_rows_are_held_for_what_cannot_be_read_as_if_looked_at_one_by_one(table: ReadTable) -> None:
    assert list(unreadable_core_rows(table, survey_table(table, SPEND))) == plain.unreadable_core(table, SPEND)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), max_size=30), st.integers(0, 260))
def test_findings_beyond_the_cap_are_counted_as_if_they_had_been_made(met: list[tuple[str, str]], more: int) -> None:
    whole = [*met, *[("a", "x")] * more, *met]
    capped, all_findings = CappedFindings(), []
    for row, (code, field) in enumerate(whole):
        address = Address(row=row, field=field)
        capped.add((code, field), row, address, partial(_told_at, code))
        all_findings.append(_told_at(code, address))
    assert sorted(capped.findings(), key=repr) == sorted(cap_findings(all_findings), key=repr)


def _told_at(code: str, address: Address) -> Finding:
    return Finding(code, Severity.WARNING, f"row {address.row}", "", **address.values())


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y"])), max_size=40), st.integers(0, 40))
def test_grouping_findings_in_two_goes_is_grouping_them_at_once(met: list[tuple[str, str]], cut: int) -> None:
    findings = [
        make_finding("date-unreadable", Address(row=row, column=column), variant="plain", value=value, text=value)
        for row, (column, value) in enumerate(met, start=2)
    ]
    at_once = group_findings(findings)
    assert group_findings([*group_findings(findings[:cut]), *findings[cut:]]) == at_once
    assert len({(each.column, each.value) for each in findings}) == len(at_once)
    for finding in at_once:
        rows = [each.row for each in findings if (each.column, each.value) == (finding.column, finding.value)]
        assert list(finding.rows or (finding.row,)) == rows
        assert finding.count == len(rows)
        assert finding.message == f"We cannot read '{finding.value}' in {finding.address} as one date."


@given(st.lists(st.tuples(st.sampled_from("abc"), st.lists(st.integers(0, 40), max_size=8)), max_size=8))
def test_rows_keep_their_labels_and_their_latest_word(labelled: list[tuple[str, list[int]]]) -> None:
    labels, latest, rows = RowLabels(), LatestWord(), RowSet()
    bears: dict[int, set[str]] = {}
    last: dict[int, str] = {}
    for word, at in labelled:
        labels.add(word, np.array(at, np.int64))
        rows.add(np.array(at, np.int64))
        latest.set(np.array(at, np.int64), np.full(len(at), latest.code(word), np.int32))
        for row in at:
            bears.setdefault(row, set()).add(word)
            last[row] = word
    assert labels.by_row() == bears
    assert list(labels.by_row().items()) == sorted(bears.items())
    assert latest.by_row() == last
    assert list(rows) == sorted(bears)
    assert set(latest.by_row().without(RowSet(range(20)))) == {row for row in bears if row >= 20}
    assert all((row in rows) == (row in bears) for row in range(50))


def test_amounts_of_many_digits_are_added_beside_plain_ones() -> None:
    table = made_table(rows=[{"net_amount": "0.10"}] * 3 + [{"net_amount": "1" + "0" * 40}], columns=["net_amount"])
    assert count_table(table, SPEND, (), ()).pounds == Decimal("1" + "0" * 40 + ".30")
