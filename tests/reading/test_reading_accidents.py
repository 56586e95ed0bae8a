"""Columns as bodies really send them: moved, paired, doubled, exchanged. Each test is one accident."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.model import Field
from piperoll.reading import Reading, ReadTable, read
from piperoll.reading.columns import shifted_columns as shifts
from piperoll.reading.columns.lexicon import Lexicon, build_lexicon
from piperoll.reading.columns.profiles import profile_column, profile_columns
from piperoll.reading.columns.shifted_columns import NO_SHIFT, ColumnShift
from piperoll.reading.grids.grid import Grid, Row, Rows
from piperoll.reading.recognise import recognise


def spend(*lines: str, dataset: str = "spend") -> Reading:
    return read("\n".join(lines).encode(), "file.csv", assets.datasets(), dataset=assets.dataset(dataset))


def table(*lines: str, dataset: str = "spend") -> ReadTable:
    (only,) = spend(*lines, dataset=dataset).tables
    return only


def letters(*lines: str, dataset: str = "spend") -> dict[str, str]:
    return dict(table(*lines, dataset=dataset).column_letters)


def warned(reading: Reading) -> set[str]:
    return {finding.code for finding in reading.findings if str(finding.severity) != "info"}


def test_the_column_with_the_data_of_a_heading_after_a_shift() -> None:
    assert [NO_SHIFT.column_of(place) for place in range(3)] == [0, 1, 2]
    assert [ColumnShift(1, 1).column_of(place) for place in range(3)] == [0, 2, 3]
    assert [ColumnShift(-1, 2).column_of(place) for place in range(4)] == [0, None, 1, 2]
    assert [ColumnShift(-1, 1, 4).column_of(place) for place in range(5)] == [0, 3, 1, 2, 4]


def test_a_column_that_was_moved_only_in_the_data() -> None:
    reading = spend(
        "Body,Payment Date,Transaction Number,Our Period,Organisational Unit,Expense Type,Beneficiary Name,Amount",
        "Ash Council,02/09/2025,TX1,Highways,Works,Alder Beatty,202506,1000.00",
        "Ash Council,03/09/2025,TX2,Adults,Care Fees,Birch Trust,202506,505.00",
        "Ash Council,04/09/2025,TX3,Libraries,Books,Cherry Ltd,202506,640.00",
    )
    found = reading.tables[0].column_letters
    assert (found["org_unit"], found["expense_type"], found["supplier_name"]) == ("D", "E", "F")
    assert "columns-shifted" in warned(reading)


def test_the_headings_of_names_and_numbers_exchanged() -> None:
    reading = spend(
        "Date,Transaction Number,Net Amount,Beneficiary ID,Supplier (Beneficiary),Purpose",
        "02/01/2025,5100771,1040.00,ALDER CARE LTD,100234,Residential Care",
        "03/01/2025,5100772,780.00,BIRCH WAY LTD,100235,Highways",
        "03/01/2025,5100773,12000.00,CHERRY CARE,100236,Home Care",
    )
    found = reading.tables[0].column_letters
    assert (found["supplier_name"], found["supplier_local_id"]) == ("D", "E")
    assert "columns-shifted" in warned(reading)


def test_a_name_column_of_numbers_is_reported_if_no_other_column_holds_names() -> None:
    rows = ("02/01/2025,5100771,1040.00,100234", "03/01/2025,5100772,780.00,100235")
    assert "column-unlike-heading" in warned(spend("Date,Transaction Number,Amount,Supplier Name", *rows))


def test_a_shift_of_all_columns_is_found_in_two_rows_if_no_date_is_below_its_heading() -> None:
    reading = spend(
        "Name of Body,Body,Date,Transaction Number,Amount,Supplier Name,",
        "ADDED,Ash County Council,E10000099,02/04/2026,1900001,5300.00,Alder Ltd",
        "ADDED,Ash County Council,E10000099,03/04/2026,1900002,610.00,Redacted",
    )
    found = reading.tables[0].column_letters
    assert (found["payment_date"], found["net_amount"]) == ("D", "F")
    assert "columns-perhaps-shifted" in warned(reading)  # the name of the body may be in either of two columns


def test_a_column_of_zeros_is_not_the_amount_and_is_reported() -> None:
    reading = spend(
        "Supplier Name,Payment Date,Pay Amt,Inv Amt",
        "Alder Ltd,04/05/2022,0,1500.00",
        "Birch Ltd,05/05/2022,0,702.50",
    )
    assert reading.tables[0].column_letters["net_amount"] == "D"
    assert "amount-column-doubtful" in warned(reading)


LINES = (
    "Supplier,Invoice Number,Payment Date,Net Amount,Line Description,Line Amount",
    "Alder Care,INV001,03/04/2024,3000.00,Bed 1,1000.00",
    "Alder Care,INV001,03/04/2024,3000.00,Bed 2,2000.00",
    "Birch Ltd,INV002,04/04/2024,500.00,Potholes,500.00",
)


def test_an_invoices_total_on_each_of_its_lines_is_not_counted_twice() -> None:
    reading = spend(*LINES)
    assert reading.tables[0].column_letters["net_amount"] == "F"
    assert "amount-column-doubtful" not in warned(reading)


@pytest.mark.parametrize("heading", ["Line Amount", "Value", "Amount Paid", "Payment Amount"])
def test_two_listed_headings_of_money_are_reported_whatever_their_rank(heading: str) -> None:
    reading = spend(
        f"Supplier,Date,Net Amount,{heading}", "Alder,03/04/2024,30.00,11.00", "Birch,04/04/2024,5.00,70.00"
    )
    assert "amount-column-doubtful" in warned(reading)


@pytest.mark.parametrize(
    "rows",
    [
        ("01.05.22,Alder,150.00,0.00,150.00", "04.05.22,Birch,101.20,5.06,106.26", "31.05.22,Cherry,120.00,,120.00"),
        ("01.05.22,Alder,-10.00,-2.00,-12.00", "04.05.22,Birch,1.00,.20,1.20"),
    ],
)
def test_net_plus_tax_equal_to_the_total_in_every_row_proves_the_net_column(rows: tuple[str, ...]) -> None:
    for head in ("Date,Payee,Net,VAT,Total", "Date,Payee,Line Amount,Other,Amount"):
        reading = spend(head, *rows)
        assert reading.tables[0].column_letters["net_amount"] == "C"
        assert "amount-column-doubtful" not in warned(reading)


def test_an_invoice_value_that_is_proved_net_is_preferred_to_gross() -> None:
    rows = ("Alder,03/04/2024,12.00,2.00,10.00", "Birch,04/04/2024,6.00,1.00,5.00")
    assert letters("Supplier,Date,Amount inc VAT,VAT,Invoice value", *rows)["net_amount"] == "E"


@pytest.mark.parametrize("heading", ["Amount", "Line Amount"])
def test_figures_that_may_include_tax_are_reported(heading: str) -> None:
    rows = ("Alder,03/04/2024,36.00,30.00", "Birch,04/04/2024,6.00,5.00", "Cherry,05/04/2024,12.00,10.00")
    reading = spend(f"Supplier,Date,{heading},Amount", *rows)
    assert reading.tables[0].column_letters["net_amount"] == "D"
    assert "amount-column-doubtful" in warned(reading)


def test_two_equal_columns_of_amounts_are_not_reported() -> None:
    rows = ("Alder,03/04/2024,30.00,30.00", "Birch,04/04/2024,5.00,5.00")
    assert "amount-column-doubtful" not in warned(spend("Supplier,Date,Net Amount,Line Amount", *rows))


def test_choosing_gross_over_a_doubtful_column_is_reported() -> None:
    rows = ('Alder,03/04/2024,"34,551,00",41461.20', 'Birch,04/04/2024,"5,000,00",6000.00')
    reading = spend("Supplier,Date,Amount,Gross Amount", *rows)
    assert "amount-column-doubtful" in warned(reading) or reading.tables[0].column_letters["net_amount"] == "C"


def test_a_heading_with_and_without_t_is_a_code_and_its_label() -> None:
    found = letters(
        "Proclass,Proclass(T),Supplier,Supplier(T),Cost Centre,Cost Centre(T),Account Code,Account Code(T),Date,Amount",
        "101100,ICT,204411,ALDER PLC,E1001,Digital,4010,Hardware,02/06/2025,3300.00",
        "201300,Works,204512,BIRCH LTD,E2001,Highways,4120,Contractors,03/06/2025,51000.00",
    )
    assert found == {
        "category_code": "A",
        "category_label": "B",
        "supplier_local_id": "C",
        "supplier_name": "D",
        "expense_area": "F",
        "expense_code": "G",
        "expense_type": "H",
        "payment_date": "I",
        "net_amount": "J",
    }


def test_the_same_heading_over_codes_and_over_words() -> None:
    found = letters(
        "Supplier Name,Payment Date,Account Code,Account Code,Amount",
        "Alder Council,06/03/2017,2280,Miscellaneous,1000.00",
        "Birch Ltd,24/03/2017,1740,Chlorination,696.06",
    )
    assert (found["expense_code"], found["expense_type"]) == ("C", "D")


def test_a_code_and_its_description() -> None:
    found = letters(
        "Supplier,Date,Cost Center,Cost Center Description,Amount",
        "Alder,04/04/2022,10023,Waste Disposal,88213.22",
        "Birch,05/04/2022,10111,Fostering,612.00",
    )
    assert found["expense_area"] == "D"


@pytest.mark.parametrize("heading", ["Line Numbr", "Line No", "Line Nummber"])
def test_a_count_is_never_read_from_pounds_and_pence(heading: str) -> None:
    found = letters(f"Supplier,Date,{heading}", "Alder,04/04/2022,88213.22", "Birch,05/04/2022,612.07")
    assert "line_number" not in found
    assert found["net_amount"] == "C"


def test_capital_and_revenue_are_recognised_by_their_words() -> None:
    rows = ("Alder,04/04/2022,{},8.22", "Birch,05/04/2022,{},612.00")
    budget = letters("Supplier,Date,Expenditure Type,Amount", *(row.format("Capital") for row in rows))
    expense = letters("Supplier,Date,Expenditure Type,Amount", *(row.format("Rates") for row in rows))
    assert ("budget_type" in budget, "expense_type" in expense) == (True, True)


def test_a_department_of_a_council_is_its_organisational_unit() -> None:
    head = "Authority,Supplier,Date,Department,Amount"
    council = letters(head, "Ash MBC,Alder,01/05/2024,Adults,14000.00", "Ash MBC,Birch,02/05/2024,Operations,900.25")
    ministry = letters(head, "Courts,Alder,01/05/2024,Justice,14000.00", "Prisons,Birch,02/05/2024,Justice,900.25")
    assert (council["org_unit"], ministry["department_family"]) == ("D", "D")


def test_payment_above_amounts_is_not_a_date() -> None:
    reading = spend("Supplier,Payment Date,Payment", "Alder,02/01/2026,30.00", "Birch,03/02/2026,40.50")
    assert reading.tables[0].column_letters["net_amount"] == "C"
    assert "column-guessed" in warned(reading)


def test_payment_above_a_few_round_sums_is_the_amount() -> None:
    rows = ("Alder,02/01/2026,30", "Birch,03/02/2026,40")
    assert letters("Supplier,Payment Date,Payment", *rows)["net_amount"] == "C"
    assert "net_amount" not in letters("Supplier,Payment Date,Payment run", *rows)


def untold(*lines: str, name: str = "file.csv") -> Reading:
    return read("\n".join(lines).encode(), name, assets.datasets())


def test_a_file_with_only_general_headings_is_reported_as_a_guess() -> None:
    gifts = untold("Name,Date,Gift,Value", "Director A,01/02/2019,Lunch,£25.00", "Director B,03/02/2019,Wine,£10.00")
    assert "dataset-guessed" in warned(gifts)
    spending = untold("Supplier,Date,Value", "Alder Ltd,01/02/2019,£25.00", "Birch Ltd,03/02/2019,£10.00")
    assert "dataset-guessed" not in warned(spending)


def test_grants_read_as_contracts_are_reported_as_a_guess() -> None:
    grants = untold(
        "Identifier,Title,Description,Amount Awarded,Award Date,Planned Dates:Start Date,Recipient Org:Name",
        "G1,Grant to a choir,Singing,2266,2013-01-18,,Alder Choir",
        "G2,Grant to a club,Coaching,3028,2013-01-18,,Birch Club",
    )
    assert "dataset-guessed" in warned(grants) or not grants.tables


def test_a_lookup_table_is_told_which_datasets_there_are() -> None:
    lookup = untold("code,area,sector", "N1,North,Rural", "S1,South,Urban")
    finding = next(each for each in lookup.findings if each.code == "no-headings")
    assert "cannot tell which dataset this is. We know contracts, " in finding.message


def test_a_table_beside_one_with_headings_of_its_own_is_no_proof_of_a_dataset() -> None:
    own = [["team", "graph", "posts"], ["Alder Trust", "2025-03-31", "11"], ["Birch Trust", "2025-09-30", "12"]]
    bare = [
        ["Alder Services Ltd", "2025-03-31", "2026-03-31", "Cleaning of the offices in the north", "R/1045"],
        ["Birch Services Ltd", "2025-04-30", "2026-04-30", "Repair of the lifts in the tower", "R/2071"],
        ["Cedar Services Ltd", "2025-05-31", "2026-05-31", "Catering for the school kitchens", "R/3302"],
    ]
    datasets = assets.datasets()
    assert recognise([_grid(bare)], datasets) is not None
    assert recognise([_grid(own), _grid(bare)], datasets) is None


def _grid(rows: list[list[str]]) -> Grid:
    return Grid("Sheet", Rows.of(Row(number, number, cells) for number, cells in enumerate(rows, 1)))


def test_a_column_of_web_addresses_names_no_organisations() -> None:
    web = ["https://anytown.co.uk/services", "www.group.example/uk", "office@council.example.uk"]
    assert profile_column(web).companies == 0
    assert profile_column(["Alder Services Ltd", "Birch Group"]).companies == 1


@pytest.mark.parametrize(
    ("heading", "warned_of"),
    [
        ("Invoice No.", True),
        ("Inv Transaction", False),
        ("Transaction number (Anytown Invoice No.)", False),
        ("Transaction number (supplier invoice)", True),
    ],
)
def test_a_ledgers_own_transaction_number_is_not_called_an_invoice_number(heading: str, warned_of: bool) -> None:
    rows = ("Alder Ltd,01/02/2019,P1045,£25.00", "Birch Ltd,03/02/2019,P1046,£10.00")
    assert ("invoice-number-published" in warned(untold(f"Supplier,Payment Date,{heading},Amount", *rows))) == warned_of


def test_orders_read_as_payments_are_reported_as_a_guess() -> None:
    rows = ("4501,01/02/2019,Alder,Lines,6000", "4502,02/02/2019,Birch,Works,25000")
    assert "dataset-guessed" in warned(untold("PO Number,Order Date,Supplier,Description,Order Value", *rows))


@pytest.mark.parametrize("heading", ["Merchant Name", "Merchant", "Merchant Details"])
def test_merchants_are_paid_by_card_whatever_the_file_is_called(heading: str) -> None:
    rows = ("03/04/2019,TESCO STORES,10.42", "03/04/2019,BOOKS ONLINE,8.32")
    assert untold(f"Date,{heading},Amount", *rows).part == "card"
    assert untold("Date,Supplier,Amount", *rows).part is None
    assert untold(f"Date,{heading},Amount", *rows, name="spend-over-25k.csv").part is None


def test_a_column_with_one_name_throughout_is_not_a_rival_of_the_supplier() -> None:
    reading = spend("Company,Supplier Name,Date,Amount", "Ash,Alder,05/02/2024,1.50", "Ash,Birch,05/02/2024,3.10")
    assert reading.tables[0].column_letters["supplier_name"] == "B"
    assert "column-doubtful" not in warned(reading)


@pytest.mark.parametrize("heading", ["Beneficiary ID", "Supplier No", "Payee Nr"])
def test_a_heading_followed_by_no_is_not_a_typing_error(heading: str) -> None:
    meanings = build_lexicon(assets.dataset("spend"), None).meanings(heading)
    assert all(match.field != "supplier_name" for match in meanings)


def test_recoverable_is_not_a_typing_error_for_irrecoverable() -> None:
    found = letters(
        "Supplier,Date,Amount,Recoverable VAT", "Alder,02/01/2026,30.00,6.00", "Birch,03/02/2026,40.50,8.10"
    )
    assert "irrecoverable_vat" not in found


def test_a_vat_column_that_does_not_say_whether_it_is_recoverable_is_reported() -> None:
    rows = ("Alder,02/01/2026,30.00,6.00", "Birch,03/02/2026,40.50,8.10")
    assert "vat-kind-not-said" in warned(spend("Supplier,Date,Amount,VAT", *rows))
    assert "vat-kind-not-said" not in warned(spend("Supplier,Date,Amount,Non recoverable VAT", *rows))


def test_profiles_of_pence_zeros_ranges_codes_and_words() -> None:
    assert profile_column(["12.50", "3.99"]).pence == 1
    assert profile_column(["12.00", "300"]).pence == 0
    assert profile_column(["0", "0.00", "£0"]).zeros == 1
    assert profile_column(["100-105", "£100,000 to £104,999"]).ranges == 1
    assert profile_column(["E1001", "2001"]).is_code
    assert profile_column(["Waste", "Parks"]).is_wordy


def test_thousands_of_headings_are_looked_up_a_few_times_each(monkeypatch) -> None:
    asked = 0
    known = shifts._fields

    def counted(heading: str, lexicon: Lexicon) -> list[Field]:
        nonlocal asked
        asked += 1
        return known(heading, lexicon)

    monkeypatch.setattr(shifts, "_fields", counted)
    headings = ["Supplier Name", *("Reference" for _ in range(500)), "Payment Date", "Amount"]
    rows = [["Acorn Ltd", *(f"R{number}" for _ in range(500)), "12.50", "01/02/2026"] for number in range(8)]
    spend(*(",".join(line) for line in [headings, *rows]))
    assert 0 < asked <= 4 * len(headings)


def test_payments_with_plain_headings_are_not_contracts() -> None:
    lines = ["Date,Supplier,Department,Description,Amount,Ref"]
    lines += [f"{day:02}/10/2026,Acorn Care Ltd,Planning,Rents,10{day}.95,51030{day:02}" for day in range(1, 9)]
    reading = read("\n".join(lines).encode(), "file.csv", assets.datasets())
    assert reading.dataset is not None
    assert reading.dataset.name == "spend"


def debits_and_credits(*signs: str, amounts: tuple[str, ...] = ("10.00", "20.00", "30.00")) -> Reading:
    rows = zip(range(1, 9), amounts, signs, strict=False)
    lines = [f"{day:02}/10/2026,Acorn Care Ltd,Rents,{amount},{sign}" for day, amount, sign in rows]
    return spend("Date,Supplier,Purpose,Amount,DR/CR", *lines)


@pytest.mark.parametrize(
    "signs", [("DR", "CR", "DR"), ("D", "C", "D"), ("", "Credit", ""), ("Invoice", "Credit Note", "Invoice")]
)
def test_credits_marked_only_in_another_column_are_reported(signs: tuple[str, ...]) -> None:
    (finding,) = (one for one in debits_and_credits(*signs).findings if one.code == "amount-sign-beside")
    assert (finding.row, finding.column, finding.field, finding.count) == (3, "E", "net_amount", 1)


def test_negative_credits_and_other_letters_are_not_reported() -> None:
    assert "amount-sign-beside" not in warned(debits_and_credits("DR", "CR", "DR", amounts=("1.00", "-2.00", "3.00")))
    assert "amount-sign-beside" not in warned(debits_and_credits("C", "R", "C"))


def test_a_cell_below_changed_headings_is_reported_with_its_own_column() -> None:
    found = table(
        "Date,Supplier,Purpose,Amount",
        *(f"{day:02}/10/2026,Acorn Care Ltd,Rents,1{day}.00" for day in range(1, 6)),
        "Supplier,Date,Amount,Purpose",
        *(f"Birch Ltd,{day:02}/10/2026,2{day}.00,Works" for day in range(1, 6)),
    )
    assert [found.letter("payment_date", row) for row in (None, 2, 6, 8, 12)] == ["A", "A", "A", "B", "B"]
    assert found.letter("net_amount", 9) == "C"


def test_a_table_with_thousands_of_columns_is_profiled_from_fewer_rows() -> None:
    wide = [Row(number, number, ("x",) * 4000) for number in range(300)]
    assert {each.count for each in profile_columns(wide, 4000)} == {100}
    assert profile_columns(wide, 10)[0].count == 300


def test_the_web_address_of_a_recipient_is_not_guessed_to_be_the_address_of_a_service() -> None:
    lexicon = build_lexicon(assets.dataset("transactions"), None)
    assert [match.field for match in lexicon.meanings("Our web address")] == ["service_url"]
    assert lexicon.meanings("Recipient Org:Web Address") == ()


def test_a_column_of_links_is_not_the_title_of_a_table_without_headings() -> None:
    rows = [
        ("Alder Services Ltd", "2025-03-31", "2026-03-31", "Cleaning in the north"),
        ("Birch Services Ltd", "2025-04-30", "2026-04-30", "Repair of the lifts"),
        ("Cedar Services Ltd", "2025-05-31", "2026-05-31", "Catering for schools"),
    ]
    links = [f"https://www.anytown.example/contracts/notice-{number}-of-the-year-2025.html" for number in range(3)]
    lines = [",".join((*row, link)) for row, link in zip(rows, links, strict=True)]
    assert letters(*lines, dataset="contracts")["title"] == "D"
