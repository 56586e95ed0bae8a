"""Rows and groups: conditions, columns, sorting, aggregates, errors and hostile input."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest

from tests.serving.published_place import CARD, FINE, HOSTILE, OCTOBER, QUARTER, SEPTEMBER, Served

STANDING = [*QUARTER, *OCTOBER, *CARD, *SEPTEMBER, *FINE]
"""The current rows, in the order of their series."""


def ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["line_id"] for row in rows]


def test_all_current_rows_come_by_body_supplier_and_date(api: Served) -> None:
    rows = api.rows()
    assert sorted(map(str, ids(rows))) == sorted(row["line_id"] for row in STANDING)
    order = [(row["body"], row["supplier_key"] or "~", row["line_date"] or "~") for row in rows]
    assert order == sorted(order)
    assert list(rows[0])[-5:] == ["series", "body", "period", "part", "version"]
    [card] = [row for row in rows if row["line_id"] == "line-00030"]
    assert [card[name] for name in ("series", "body", "part", "version")] == [
        "spend/anytown/2026-10--card",
        "anytown",
        "card",
        1,
    ]


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({"supplier_name": "Acorn Roofing Ltd"}, {1, 10, 11, 12, 13, 14, 40, 41, 42}),
        ({"supplier_name": ["Acorn Roofing Ltd", "Corner Shop"], "body": "anytown"}, {1, 30, 40, 41, 42}),
        ({"supplier_name__contains": "ACORN", "period": "2026-10"}, {1, 2}),
        ({"supplier_name__starts": "acorn t"}, {2}),
        ({"supplier_name__contains": "%_*"}, {5}),
        ({"supplier_name__in": '"Smith, Jones & Co",Corner Shop'}, {4, 30}),
        ({"supplier_name": HOSTILE}, {3}),
        ({"supplier_name__isnull": "true"}, {6, 21}),
        ({"supplier_name__isnull": "false", "period": "2026-10", "part": "none"}, {1, 2, 3, 4, 5, 20}),
        ({"supplier_name__ne": "Acorn Roofing Ltd", "body": "brackwater"}, {20, 21}),
        ({"net_amount": "1000"}, {4, 5}),
        ({"net_amount__in": "1000.000,9.99"}, {4, 5, 30}),
        ({"net_amount__gt": "999.99999"}, {4, 5}),
        ({"net_amount__gte": "1000.0000000000001"}, set()),
        ({"net_amount__lt": "0"}, {2}),
        ({"net_amount__lte": "0.123400000000000001", "net_amount__gt": "0"}, {3, 20}),
        ({"net_amount": "0.12340000000001"}, set()),
        ({"net_amount__ne": "0.12340000000001", "part": "card"}, {30}),
        ({"payment_date__gte": "2026-10-03", "payment_date__lt": "2026-10-31"}, {3, 4}),
        ({"payment_date__in": "2026-10-01,2026-10-31"}, {1, 6}),
        ({"is_sme": "true"}, {1}),
        ({"is_sme__ne": "true", "period": "2026-10", "body": "anytown", "part": "none"}, {2, 3, 4, 5, 6}),
        ({"line_number": "7"}, {3}),
        ({"part": "card"}, {30}),
        ({"part": "card,none", "within": "2026-Q4", "body": "anytown"}, {1, 2, 3, 4, 5, 6, 30}),
        ({"within": "2026-Q3"}, {10, 11, 12, 13, 14, 40, 41, 42}),
        ({"series": "spend/anytown/2026-10"}, {1, 2, 3, 4, 5, 6}),
        ({"version__gt": "1"}, {1, 2, 3, 4, 5, 6}),
        ({"period__starts": "2026-q"}, {41, 42}),
    ],
)
def test_conditions(api: Served, parameters: dict[str, str], wanted: set[int]) -> None:
    assert {int(str(one).removeprefix("line-")) for one in ids(api.rows(**parameters))} == wanted


def test_columns_come_in_the_order_requested(api: Served) -> None:
    rows = api.rows(columns="net_amount,supplier_name,period", part="card")
    assert rows == [{"net_amount": "9.99", "supplier_name": "Corner Shop", "period": "2026-10"}]


def test_sorting_puts_nulls_last_in_both_directions(api: Served) -> None:
    up = ids(api.rows(period="2026-10", body="anytown", part="none", sort="payment_date"))
    down = ids(api.rows(period="2026-10", body="anytown", part="none", sort="-payment_date"))
    assert [one[-1] for one in map(str, up)] == list("123465")
    assert [one[-1] for one in map(str, down)] == list("643215")


def test_sums_are_exact_across_releases_of_different_scales(api: Served) -> None:
    wanted = sum((Decimal(row["net_amount"]) for row in STANDING), Decimal(0))
    [total] = api.rows(sum="net_amount", count="")
    assert (Decimal(total["sum_net_amount"]), total["count"]) == (wanted, len(STANDING))
    assert total["sum_net_amount"].endswith(".6634000001")


def test_groups_with_aggregates(api: Served) -> None:
    rows = api.rows(
        group_by="body,period", sum="net_amount", min="net_amount", max="payment_date", avg="net_amount", count="true"
    )
    october = [Decimal(row["net_amount"]) for row in (*OCTOBER, *CARD)]
    mean = (sum(october, Decimal(0)) / len(october)).quantize(Decimal("0.0000000001"), ROUND_HALF_UP)
    found = next(row for row in rows if (row["body"], row["period"]) == ("anytown", "2026-10"))
    assert Decimal(found["sum_net_amount"]) == sum(october)
    assert (found["min_net_amount"], found["max_payment_date"], found["count"]) == ("-25.05", "2026-10-31", 7)
    assert Decimal(found["avg_net_amount"]) == mean
    assert [(row["body"], row["period"]) for row in rows] == sorted((row["body"], row["period"]) for row in rows)


def test_groups_are_sorted_by_an_aggregate(api: Served) -> None:
    rows = api.rows(group_by="supplier_name", sum="net_amount", sort="-sum_net_amount", limit=2)
    assert [row["supplier_name"] for row in rows] == ["Smith, Jones & Co", "Zoë \u202e %_* £"]


def test_an_empty_group_has_no_mean(api: Served) -> None:
    assert api.rows(avg="net_amount", sum="net_amount", supplier_name="Nobody") == [
        {"sum_net_amount": None, "avg_net_amount": None}
    ]


def test_a_dataset_without_releases_has_no_rows(api: Served) -> None:
    assert api.rows("contracts") == []
    assert api.rows("contracts", sum="current_value", count="") == [{"sum_current_value": None, "count": 0}]
    assert api.get("/rows/contracts?format=csv").text.startswith("line_id,body_id,")


def test_only_lines_that_recur_are_counted_once_and_the_others_are_listed(api: Served) -> None:
    """£151.2 million of payments were in no total, since another table of the same days was counted."""
    document = api.json("/rows/spend", sum="net_amount", body="anytown")["series"]
    assert [(one["series"], one["rows"], one["amount_gbp"]) for one in document["used"]] == [
        ("spend/anytown/2026-07", 1, "70.00"),
        ("spend/anytown/2026-Q3", 2, "140.00"),
        ("spend/anytown/2026-10", 6, "2078.1734"),
        ("spend/anytown/2026-10--card", 1, "9.99"),
    ]
    assert document["left_out"] == [
        {
            "series": "spend/anytown/2026-Q3",
            "reason": "the same lines are counted in another table",
            "because": ["spend/anytown/2026-07"],
            "rows": 1,
            "amount_gbp": "70.00",
        }
    ]
    assert (document["rows"], document["amount_gbp"]) == (10, "2298.1634")
    assert (document["left_out_rows"], document["left_out_amount_gbp"]) == (1, "70.00")
    kept = api.json("/rows/spend", sum="net_amount", body="anytown", overlapping="keep")
    assert kept["series"]["left_out"] == []
    assert Decimal(kept["rows"][0]["sum_net_amount"]) == Decimal("2298.1634") + 70


BAD = {
    "suplier_name=x": "did you mean supplier_name",
    "net_amount=ten": "is not a valid value of net_amount",
    "net_amount__gt=1e5": "is not a valid value of net_amount__gt",
    "net_amount__gt=NaN": "is not a valid value of net_amount__gt",
    "net_amount__contains=1": "is not an operator of net_amount",
    "net_amount__drop=1": "is not an operator",
    "payment_date=2026-13-01": "use a date, such as 2026-10-31",
    "is_sme=maybe": "use true or false",
    "line_number=1.5": "use a whole number, such as 3",
    "supplier_name=": "use text, such as Acorn",
    "body=nowhere": "no body called 'nowhere'",
    "body=": "body is empty",
    "period=October": "not a period",
    "within=2026-13": "not a period",
    "part=cart": "did you mean card",
    "as_known_on=2026-02-31": "is not a day",
    "as_known_on=yesterday": "is not a day",
    "overlapping=maybe": "is not a valid value of overlapping: use leave-out or keep",
    "columns=": "columns is empty",
    "columns=supplier": "did you mean supplier",
    "columns=net_amount&sum=net_amount": "has no columns",
    "group_by=net_amount)--": "no field",
    "sum=supplier_name": "has no sum",
    "avg=payment_date": "has no avg",
    "sort=-nothing": "no column",
    "sort=net_amount,-net_amount": "twice",
    "group_by=body&sort=net_amount": "no column",
    "limit=0": "is not a valid value of limit",
    "limit=10001": "give a whole number from 1 to 10000",
    "limit=1&limit=2": "limit is given twice",
    "limit=\u0661": "is not a valid value of limit",
    "cursor=abc": "the cursor is not valid",
    "cursor=%00": "the cursor is not valid",
    "format=xml": "is not a valid value of format",
    'supplier_name__in="a': "a double quote that is not closed",
    "count=perhaps": "use true or false",
}


@pytest.mark.parametrize("query", BAD)
def test_an_invalid_parameter_is_a_problem_that_says_what_to_use(api: Served, query: str) -> None:
    answer = api.get(f"/rows/spend?{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    problem = answer.json()
    assert BAD[query] in problem["detail"]
    assert problem["status"] == 400


def test_an_unknown_dataset_gets_a_suggestion(api: Served) -> None:
    answer = api.get("/rows/spent")
    assert (answer.status_code, answer.json()["did_you_mean"]) == (404, ["spend"])


INJECTIONS = [
    "' OR 1=1 --",
    "'; DROP TABLE x; --",
    '" OR ""="',
    "1; ATTACH '/tmp/x.db'",
    "x' UNION SELECT * FROM read_csv('/etc/passwd') --",
    "$p0",
    "?",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "/etc/passwd",
    "*",
    "s3://bucket/*",
    "\x00",
    "\ud7ff\ufffe",
    "a" * 5_000,
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_hostile_text_is_treated_as_a_value(api: Served, text: str) -> None:
    for name in ("supplier_name", "supplier_name__contains", "supplier_name__starts", "supplier_name__ne", "body_name"):
        rows = api.rows(**{name: text})
        assert len(rows) == (len(STANDING) if name.endswith("ne") else 1 if text == "*" and "contains" in name else 0)
    for name in ("columns", "group_by", "sum", "sort", "period", "within", "body", "part", "cursor", "format", text):
        answer = api.get("/rows/spend", params={name: text})
        assert answer.status_code == 400, (name, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "Traceback" not in answer.text
