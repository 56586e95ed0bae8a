"""The query language: periods, words, groups of dates, conditions on groups, and hints for other languages."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.limits import ApiLimits
from hosting.problems import Problem
from piperoll import assets
from piperoll.model import Period
from serving.app import find_elsewhere
from serving.query import parse_query
from tests.serving.published_place import Served


def numbers(rows: list[dict[str, object]]) -> set[int]:
    return {int(str(row["line_id"]).removeprefix("line-")) for row in rows}


def test_a_financial_year_is_no_december(api: Served) -> None:
    """within=2011-12 was £371 million of December where £16.1 billion of the year were meant."""
    spend = assets.dataset("spend")
    year = parse_query(spend, [("year", "2011-12")], ApiLimits())
    assert year.scope.years == (Period.parse("2011/12"),)
    month = parse_query(spend, [("within", "2011-12")], ApiLimits())
    assert month.scope.within == Period.month(2011, 12)
    assert month.notes == ("within: 2011-12 is read as December 2011; for April 2011 to March 2012 write year=2011-12",)
    assert parse_query(spend, [("within", "2012-12")], ApiLimits()).notes == ()
    assert api.json("/rows/spend", within="2011-12")["notes"] == list(month.notes)


@pytest.mark.parametrize("text", ["2011-12", "2011/12", "2011-2012", "2011/2012", "FY2011-12", "2011-04--2012-03"])
def test_a_financial_year_may_be_written_as_people_write_it(text: str) -> None:
    query = parse_query(assets.dataset("spend"), [("year", text)], ApiLimits())
    assert query.scope.years == (Period.financial_year(2011),)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2011", "within=2011-01--2011-12"),
        ("2011-13", "not a financial year"),
        ("0000-01", "write 2026-27"),
        ("last", "write 2026-27"),
    ],
)
def test_what_is_no_financial_year_is_refused_with_what_to_write(api: Served, text: str, hint: str) -> None:
    answer = api.get("/rows/spend", params={"year": text})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "year")
    assert hint in answer.json()["detail"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("ROOFING acorn", {1, 10, 11, 12, 13, 14, 40, 41, 42}),
        ('"acorn roofing"', {1, 10, 11, 12, 13, 14, 40, 41, 42}),
        ('"roofing acorn"', set()),
        ("zoe", {5}),
        ("zoë", {5}),
        ("%_*", {5}),
        ("jones smith", {4}),
        ("line-00001", set()),
    ],
)
def test_every_word_is_looked_for_in_all_texts(api: Served, words: str, wanted: set[int]) -> None:
    assert numbers(api.rows(q=words, limit=100)) == wanted


def test_equality_without_regard_to_case(api: Served) -> None:
    assert numbers(api.rows(supplier_name__ieq="ACORN TREES")) == {2}
    assert numbers(api.rows(supplier_name__ieq=["corner shop", "Acorn TREES"])) == {2, 30}


@pytest.mark.parametrize(
    ("function", "wanted"),
    [("month", "2026-10"), ("quarter", "2026-Q4"), ("year", "2026"), ("financial_year", "2026-27")],
)
def test_dates_are_grouped_by_what_they_belong_to(api: Served, function: str, wanted: str) -> None:
    rows = api.rows(group_by=f"{function}(payment_date)", count="", body="anytown", period="2026-10", part="none")
    assert rows == [
        {f"{function}_payment_date": wanted, "count": 5},
        {f"{function}_payment_date": None, "count": 1},
    ]
    assert (
        api.rows(group_by=f"{function}(payment_date)", sort=f"-{function}(payment_date)", limit=1)[0][
            f"{function}_payment_date"
        ]
        == wanted
    )


def test_groups_of_a_month_are_paged(api: Served) -> None:
    question = "/rows/spend?group_by=month(payment_date),supplier_name&sum=net_amount"
    whole = api.json(f"{question}&limit=1000")["rows"]
    assert [row for page in api.pages(f"{question}&limit=2") for row in page] == whole


@pytest.mark.parametrize(
    ("having", "wanted"),
    [
        ("count>1", {"Acorn Roofing Ltd", None}),
        ("sum_net_amount>=1000", {"Smith, Jones & Co", "Zoë \u202e %_* £"}),
        ("sum_net_amount__gte=1000", {"Smith, Jones & Co", "Zoë \u202e %_* £"}),
        ("sum_net_amount < 0", {"acorn trees"}),
        ("count=1,sum_net_amount>999.99999999999", {"Smith, Jones & Co", "Zoë \u202e %_* £"}),
        ("sum_net_amount!=1000,count!=1", {"Acorn Roofing Ltd", None}),
    ],
)
def test_groups_are_kept_by_their_figures(api: Served, having: str, wanted: set[str | None]) -> None:
    rows = api.rows(group_by="supplier_name", sum="net_amount", count="", having=having)
    assert {row["supplier_name"] for row in rows} == wanted


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("group_by=month(supplier_name)", "has no month: use month("),
        ("group_by=week(payment_date)", "use month, quarter, year, financial_year"),
        ("group_by=months(payment_date)", "did you mean month"),
        ("group_by=month(payment)", "did you mean payment_date"),
        ("group_by=body&having=sum_net_amount>1", "there is no column 'sum_net_amount'"),
        ("having=count>1", "ask for a figure"),
        ("group_by=body&having=count", "is not a condition on a figure"),
        ("group_by=body&having=count>many", "is not a valid value of having"),
        ("q=", "q has 0 words"),
        ("q=a&q=b", "q is given twice"),
        (f"q={'+'.join('abcdefghijk')}", "q has 11 words"),
    ],
)
def test_a_wrong_group_or_word_says_what_to_use(api: Served, query: str, detail: str) -> None:
    answer = api.get(f"/rows/spend?{query}")
    assert answer.status_code == 400
    assert detail in answer.json()["detail"]


def test_rows_without_a_date_that_a_condition_leaves_out_are_told(api: Served) -> None:
    """A filter by date left £55.9 million of undated rows out without a word."""
    document = api.json("/rows/spend", payment_date__gte="2026-10-01", body="anytown", part="none")
    assert len(document["rows"]) == 5
    assert document["undated"]["rows"] == 4
    assert Decimal(document["undated"]["amount_gbp"]) == Decimal("1210.00")
    narrower = api.json("/rows/spend", payment_date__gte="2026-10-01", net_amount__gt="999", sum="net_amount")
    assert narrower["undated"] == {"rows": 1, "amount_gbp": "1000.00"}
    assert api.json("/rows/spend", payment_date__isnull="true")["undated"] is None
    assert api.json("/rows/spend", net_amount__gt="1")["undated"] is None


DIALECTS = {
    "$where=net_amount > 1000": ("net_amount__gte=1000", None),
    "$limit=10": ("limit=", "?limit=10"),
    "_size=10&body=anytown": ("limit=", "?limit=10&body=anytown"),
    "$select=supplier_name, net_amount": ("columns=", "?columns=supplier_name%2Cnet_amount"),
    "$order=net_amount DESC, supplier_name": ("sort=", "?sort=-net_amount%2Csupplier_name"),
    "order=net_amount.desc": ("sort=", "?sort=-net_amount"),
    "_sort_desc=net_amount": ("sort=", "?sort=-net_amount"),
    "_search=acorn": ("q=", "?q=acorn"),
    "offset=100": ("follow `next`", None),
    "$group=supplier_name": ("group_by=", "?group_by=supplier_name"),
    "select=supplier_name,sum(net_amount)": ("columns=", None),
    "limt=5": ("did you mean limit", None),
    "supplier_name__icontains=acorn": ("use supplier_name__contains", None),
    "supplier_name__startswith=acorn": ("use supplier_name__starts", None),
    "net_amount=gte.100": ("write net_amount__gte=100", None),
    "net_amount__between=1,2": ("use net_amount__eq", None),
}


@pytest.mark.parametrize("query", DIALECTS)
def test_another_query_language_is_answered_with_ours(api: Served, query: str) -> None:
    answer = api.get(f"/rows/spend?{quote(query, safe='=&')}")
    assert answer.status_code == 400
    detail, instead = DIALECTS[query]
    assert detail in answer.json()["detail"]
    assert answer.json().get("instead") == instead
    if instead:
        assert api.get(f"/rows/spend{instead}").status_code == 200


def test_a_text_in_the_manner_of_postgrest_is_looked_for_and_noted(api: Served) -> None:
    document = api.json("/rows/spend", supplier_name="ilike.*acorn*")
    assert document["rows"] == []
    assert document["notes"] == [
        "supplier_name=ilike.*acorn* looks for this very text: write supplier_name__contains=acorn"
    ]


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/rows/spend/?body=anytown", "/rows/spend?body=anytown"),
        ("/bodies/", "/bodies"),
        ("/rows/spend.csv?body=anytown", "/rows/spend?format=csv&body=anytown"),
        ("/datasets/spend.json", "/datasets/spend"),
        ("/docs", "/openapi.json"),
    ],
)
def test_an_address_written_in_another_way_leads_to_the_right_one(api: Served, path: str, leads_to: str) -> None:
    answer = api.get(path, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, leads_to)
    assert api.get(path).status_code == 200


@given(st.text(alphabet="/\\abc.:@%\n", max_size=20))
def test_no_address_leads_to_another_site(path: str) -> None:
    other = find_elsewhere("/" + path)
    assert other is None or (other.startswith("/") and not other.startswith(("//", "/\\")))


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["q", "year", "within", "having", "group_by", "$where", "_size", "order", "supplier_name__ieq", "sort"]
            ),
            st.one_of(
                st.text(max_size=20),
                st.sampled_from(["2011-12", "month(payment_date)", "count>1", "count>=1,count<3", "net_amount desc"]),
            ),
        ),
        max_size=4,
    )
)
def test_any_parameters_are_understood_or_a_problem(parameters: list[tuple[str, str]]) -> None:
    try:
        query = parse_query(assets.dataset("spend"), parameters, ApiLimits())
    except Problem as problem:
        assert (problem.status, bool(str(problem))) == (400, True)
    else:
        assert query.digest


def test_documents_link_to_the_pages_of_the_catalogue(api: Served) -> None:
    """The site and the API did not link to one another."""
    assert api.json("/")["links"]["catalogue"] == "https://data.example/catalogue/index.html"
    assert api.json("/bodies/anytown")["links"]["page"] == "https://data.example/catalogue/bodies/anytown.html"
    assert api.json("/datasets/spend")["links"]["page"] == "https://data.example/catalogue/datasets/spend.html"
    [series, *_] = api.json("/series", body="anytown", period="2026-10")["series"]
    assert series["links"]["page"] == "https://data.example/catalogue/series/spend/anytown/2026-10.html"
