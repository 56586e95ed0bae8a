"""Clean tables of made-up rows, for each dataset: plain headings, plain cells, nothing to trip over but the names."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from random import Random

from piperoll import assets

from .drafts import Draft, Line, Meanings, Sheet

FIRMS = (
    *("Acme Printing Ltd", "Total Gas & Power", "Bolt, Nut & Co", "Redactive Publishing", "Nil Desperandum Ltd"),
    *("May Gurney Limited", "None the Wiser Theatre Co", "3M United Kingdom PLC", "24-7 Staffing Ltd", "Decco Ltd"),
    *('The "Old" Bakery Ltd', "O'Brien & Sons Ltd", "NA Carers CIC", "Date Fruit Company", "Grand Total Fitness Ltd"),
    *("University of Fairshire", "Cost Cutters Ltd", "Marchwood Trust", "Supplier Services Limited", "Subtotal Ltd"),
)
PURPOSES = (
    *("Printing of leaflets", "Repairs to roof", "Training, two days", "Rent", "Nil by mouth training"),
    *("Agency nurse", "Total station survey", "Software licences", "No smoking signs", "Legal advice"),
)
AREAS = ("Adult Care", "Highways", "Corporate Services", "Planning", "Estates & Facilities", "Housing")
SERVICES = (
    *("Tax disc renewal", "Passport application", "Fishing licence", "Land search", "Book a driving test"),
    *("Court fee payment", "Blue badge", "Company registration", "Student loan", "Total loss notice"),
)
POSTS = ("Director", "Policy Adviser", "Team Leader", "Administrative Officer", "Head of Finance", "Analyst")
GRADES = ("SCS1", "Grade 7", "HEO", "EO", "AO", "SEO")

Make = Callable[[Random, int, date], str]


def _one_of(words: tuple[str, ...]) -> Make:
    return lambda random, _row, _day: random.choice(words)


def _money(low: int, high: int, negative: float = 0.0) -> Make:
    def make(random: Random, row: int, day: date) -> str:
        pence = random.randint(low * 100, high * 100)
        if random.random() < 0.2:
            pence -= pence % 100
        sign = -1 if random.random() < negative else 1
        return f"{sign * pence / 100:.2f}"

    return make


def _whole(low: int, high: int) -> Make:
    return lambda random, _row, _day: str(random.randint(low, high))


def _reference(start: str) -> Make:
    return lambda random, row, _day: f"{start}{random.randint(1000, 9999)}{row:03d}"


def _within_month(random: Random, row: int, day: date) -> str:
    return (day + timedelta(days=random.randint(0, 27))).isoformat()


def _years_on(low: int, high: int) -> Make:
    return lambda random, _row, day: (day + timedelta(days=random.randint(365 * low, 365 * high))).isoformat()


def _first_day(random: Random, row: int, day: date) -> str:
    return day.isoformat()


def _last_day(random: Random, row: int, day: date) -> str:
    return (date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)).isoformat()


CORE: dict[str, dict[str, Make]] = {
    "spend": {"payment_date": _within_month, "supplier_name": _one_of(FIRMS), "net_amount": _money(250, 60_000, 0.1)},
    "contracts": {
        "contract_ref": _reference("C"),
        "title": lambda random, row, _day: f"{random.choice(PURPOSES)} {row}",
        "supplier_name": _one_of(FIRMS),
        "start_date": _years_on(0, 1),
        "current_end_date": _years_on(2, 5),
        "original_value": _money(5_000, 900_000),
    },
    "roles": {
        "post_id": _reference(""),
        "job_title": _one_of(POSTS),
        "grade": _one_of(GRADES),
        "salary_floor": _whole(20_000, 59_999),
        "salary_ceiling": _whole(60_000, 99_999),
        "fte": lambda random, _row, _day: random.choice(("1.00", "0.50", "0.80", "2.40")),
    },
    "transactions": {
        "service_name": lambda random, row, _day: f"{random.choice(SERVICES)} {row}",
        "period_start": _first_day,
        "period_end": _last_day,
        "completed": _whole(500, 90_000),
        "digital_completed": _whole(10, 499),
        "cost_per_transaction": _money(1, 90),
    },
}
MORE: dict[str, dict[str, Make]] = {
    "spend": {
        "transaction_number": _reference("T"),
        "expense_type": _one_of(PURPOSES),
        "expense_area": _one_of(AREAS),
        "org_unit": _one_of(AREAS),
        "purpose": _one_of(PURPOSES),
        "contract_ref": _reference("K"),
        "supplier_company_number": lambda random, _row, _day: f"{random.randint(100_000, 9_999_999):08d}",
    },
    "contracts": {
        "org_unit": _one_of(AREAS),
        "process_type": _one_of(("Open tender", "Call-off", "Quotation")),
        "is_sme": _one_of(("Yes", "No")),
        "review_date": _years_on(1, 2),
        "annual_value": _money(500, 90_000),
    },
    "roles": {
        "org_unit": _one_of(AREAS),
        "reports_to": _reference(""),
        "occupation": _one_of(("Policy", "Finance", "Legal")),
        "body_name": _one_of(("Fairshire Office",)),
    },
    "transactions": {
        "body_name": _one_of(("Fairshire Office", "Marsh Agency")),
        "department_family": _one_of(("Department for Fairs",)),
        "channel": _one_of(("online", "post")),
        "cost_total": _money(5_000, 90_000),
    },
}
NUMBERS = {
    "spend": ("net_amount",),
    "contracts": ("original_value", "annual_value"),
    "roles": ("salary_floor", "salary_ceiling", "fte"),
    "transactions": ("cost_per_transaction", "cost_total", "completed", "digital_completed"),
}
DATES = {
    "spend": ("payment_date",),
    "contracts": ("start_date", "current_end_date", "review_date"),
    "roles": (),
    "transactions": ("period_start", "period_end"),
}
NAMES = {
    "spend": ("supplier_name", "purpose", "expense_type"),
    "contracts": ("supplier_name", "title"),
    "roles": ("job_title", "org_unit"),
    "transactions": ("service_name", "body_name"),
}
"""Fields whose words may be anything."""
AMOUNT = {"spend": "net_amount", "contracts": "original_value", "roles": "", "transactions": ""}
"""The field whose rows add up to totals."""
REFERENCES = {"spend": "transaction_number", "contracts": "contract_ref", "roles": "post_id", "transactions": ""}
_UNIT = re.compile(r"gross|inc|vat|£|\$|€|0{3}|pence|thousand|million|\(p\)|\(m\)|gbp|eur|usd|sterling|pound", re.I)


@cache
def plain_headings(dataset: str) -> dict[str, tuple[str, ...]]:
    """For each field the listed headings that mean nothing else and say nothing of units or VAT; its title first."""
    listed: dict[str, set[str]] = {}
    with (assets.folder("datapackages") / dataset / "headings.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        listed.setdefault(_key(row["heading"]), set()).add(row["field"])
    for field in assets.dataset(dataset).fields:
        listed.setdefault(_key(field.title), set()).add(field.name)
        listed.setdefault(_key(field.name), set()).add(field.name)
    found: dict[str, list[str]] = {}
    for row in rows:
        alone = len(listed[_key(row["heading"])]) == 1 and not row["part"]
        if alone and not _UNIT.search(row["heading"]) and row["heading"][0].isalpha():
            found.setdefault(row["field"], []).append(row["heading"].capitalize())
    return {name: tuple(headings) for name, headings in found.items()}


def _key(heading: str) -> str:
    return "".join(re.findall(r"[a-z0-9]+", heading.casefold()))


def clean(dataset: str, rows: int, random: Random) -> Draft:
    """A file with this many rows, every core field and some others, under the first heading listed for each."""
    more = {name: make for name, make in MORE[dataset].items() if random.random() < 0.6}
    makers = CORE[dataset] | more
    names = [*[name for name in makers if name not in AMOUNT.values()], *filter(makers.__contains__, AMOUNT.values())]
    day = date(random.randint(2012, 2025), random.randint(1, 12), 1)
    headings = plain_headings(dataset)
    lines = [Line(tuple(headings[name][0] for name in names), "heading")]
    for row in range(rows):
        cells = {name: makers[name](random, row, day) for name in names}
        lines.append(Line(tuple(map(_as_sent, cells.values())), means={n: _meaning(c) for n, c in cells.items()}))
    return Draft(dataset, (Sheet(tuple(lines), tuple(names)),))


_ISO = re.compile(r"\d{4}-\d\d-\d\d\Z")


def _as_sent(cell: str) -> str:
    """Days are sent day first, as British programs write them."""
    return f"{cell[8:]}/{cell[5:7]}/{cell[:4]}" if _ISO.match(cell) else cell


def _meaning(cell: str) -> Meanings:
    return ({"Yes": "true", "No": "false"}.get(cell, cell),)
