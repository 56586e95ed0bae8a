"""The records of the sample, by field; `files` writes them in the layouts of the bodies.

Amounts are `Decimal`s in pounds and days are `date`s. All names are fictional, and nothing depends on the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from piperoll.model import Period

Row = dict[str, Any]
Words = Mapping[str, Any]

REDACTED = "REDACTED PERSONAL DATA"


def spend(random: Random, words: Words, period: Period, count: int) -> list[Row]:
    """Payments to suppliers by day, with a few credits and redactions."""
    rows = [_payment(random, words, period, number) for number in range(count)]
    for row in random.sample(rows, k=max(1, count // 60)):
        row["supplier_name"], row["supplier_local_id"] = REDACTED, ""
    rows.append(dict(rows[-1]))  # the same invoice line twice, which is genuine and must be published twice
    return sorted(rows, key=lambda row: (row["payment_date"], row["transaction_number"]))


def carers(random: Random, words: Words, period: Period, count: int) -> list[Row]:
    """Payments to suppliers, and some to foster carers by their (fictional) names, which must be held."""
    rows = spend(random, words, period, count)
    for row in random.sample(rows, k=len(words["carers"])):
        row["supplier_name"] = random.choice(words["carers"])
        row |= {"org_unit": "Children's Services - Fostering", "purpose": "Boarding Out Allowances"}
        row |= {"expense_type": "Foster care allowance", "expense_area": "Fostering", "category_label": "Social care"}
        row["net_amount"] = Decimal(random.randrange(50_000, 62_000)) / 100
    return rows


def transfers(random: Random, words: Words, period: Period, count: int) -> list[Row]:
    """Grants to other public bodies, which are no spending on suppliers."""
    rows = [_payment(random, words, period, 90_000 + number) for number in range(count)]
    for row in rows:
        row["supplier_name"] = random.choice(words["public_bodies"])
        row |= {"purpose": "Grant", "expense_type": "Grants to public bodies", "category_label": "Grants"}
        row |= {"supplier_local_id": "", "supplier_type": "Public body", "capital_revenue": "Revenue"}
        row["net_amount"] = Decimal(random.randrange(25_000, 900_000))
    return rows


def correct(rows: list[Row]) -> list[Row]:
    """The records as they are sent again: a few amounts differ, one payment is gone and another is new."""
    kept = [dict(row) for row in rows if row is not rows[len(rows) // 2]]
    for row in kept[10::40]:
        row["net_amount"] = (row["net_amount"] * Decimal("1.20")).quantize(Decimal("0.01"))
    new = dict(kept[-1], transaction_number=f"{kept[-1]['transaction_number']}A", net_amount=Decimal("1250.00"))
    return [*kept, new]


def card(random: Random, words: Words, period: Period, count: int) -> list[Row]:
    """Small purchases with a payment card; merchants are spelled as card gateways spell them."""
    rows = []
    for number in range(count):
        rows.append(
            {
                "payment_date": _day(random, period),
                "transaction_number": f"C{period.start:%y%m}{number:04}",
                "supplier_name": random.choice(words["merchants"]),
                "net_amount": Decimal(random.randrange(500, 60_000)) / 100,
                "category_label": random.choice(words["merchant_categories"]),
                "purpose": "Small purchase",
                "org_unit": random.choice(words["services"])[0],
            }
        )
    return sorted(rows, key=lambda row: (row["payment_date"], row["transaction_number"]))


def contracts(random: Random, words: Words, period: Period, count: int) -> list[Row]:
    """A register of contracts that started in the period."""
    rows = []
    for number in range(count):
        title, unit, category = random.choice(words["contracts"])
        start = _day(random, period)
        end = start + timedelta(days=365 * random.randint(1, 4) - 1)
        row: Row = {
            "contract_ref": f"SMP-{period.start:%y%m}-{number + 1:03}",
            "title": title,
            "description": f"{title} for {unit.lower()}",
            "org_unit": unit,
            "supplier_name": random.choice(words["suppliers"]),
            "start_date": start,
            "current_end_date": end,
            "review_date": end - timedelta(days=180),
            "original_value": Decimal(random.randrange(60, 9_000) * 100),
            "category_label": category,
            "process_type": random.choice(words["processes"]),
            "is_sme": random.choice(["Yes", "No"]),
            "is_vcse": random.choice(["No", "No", "No", "Yes"]),
        }
        # Every third contract has grown, and every other one can be extended by a year.
        row["current_value"] = row["original_value"] * (5 if number % 3 else 6) / 5
        row["max_end_date"] = end + timedelta(days=365 * (number % 2))
        rows.append(row)
    return rows


def senior(random: Random, words: Words, _: Period, count: int) -> list[Row]:
    """Senior posts of an organogram. The first is the head; holders below SCS2 are not named."""
    rows = []
    for number, (title, grade, floor) in enumerate(words["posts"][:count]):
        rows.append(
            {
                "post_id": f"P{number + 1:03}",
                "holder_name": "Vacant" if number == 5 else "N/D",
                "grade": grade,
                "job_title": title,
                "function": "Policy and delivery",
                "org_unit": "Headquarters",
                "contact": "posts@rainydays.example",
                "reports_to": "XX" if number == 0 else "P001" if number < 3 else f"P{random.randint(2, 3):03}",
                "reports_salary_cost": 180_000 + 12_500 * number,
                "fte": Decimal("1.00") if number else Decimal("0.80"),
                "salary_floor": floor,
                "salary_ceiling": floor + 4_999,
                "occupation": "Policy",
                "notes": "",
            }
        )
    return rows


def junior(random: Random, words: Words, _: Period, count: int) -> list[Row]:
    """Junior posts of an organogram, counted by team, grade and job."""
    rows = []
    for number in range(count):
        grade, title, floor, ceiling, occupation = words["grades"][number % len(words["grades"])]
        rows.append(
            {
                "org_unit": random.choice(["Umbrellas", "Puddles", "Forecasts", "Finance"]),
                "reports_to": f"P{random.randint(4, 7):03}",
                "grade": grade,
                "salary_floor": floor,
                "salary_ceiling": ceiling,
                "job_title": title,
                "fte": Decimal(random.randint(2, 90)) / 10,
                "occupation": occupation,
            }
        )
    return rows


def structure(random: Random, words: Words, _: Period, count: int) -> list[Row]:
    """The top three tiers of a council, as the transparency code requires."""
    rows = []
    for number, (title, grade, level, floor) in enumerate(words["structure"][:count]):
        rows.append(
            {
                "level": level,
                "job_title": title,
                "post_id": f"J{number + 1:04}",
                "grade": grade,
                "org_unit": random.choice(["Place", "People", "Resources"]),
                "team": title.rpartition(" of ")[2],
                "contract_type": "Fixed Term" if number == 6 else "Permanent",
                "contact": "hello@little-sampling.example",
                "salary_band": f"£{floor:,} - £{floor + 4_999:,}",
                "grade_maximum": floor + 4_999,
                "vacancy": "Yes" if number == 8 else "No",
                "fte": Decimal("1.00"),
            }
        )
    return rows


def services(random: Random, words: Words, period: Period, count: int) -> list[Row]:
    """Public services and how often each was used."""
    rows = []
    for name, address in words["public_services"][:count]:
        completed = random.randrange(900, 250_000)
        rows.append(
            {
                "service_name": name,
                "url": address,
                "period_start": period.start,
                "period_end": period.end,
                "channel": "all",
                "started": completed + completed // random.randint(5, 20),
                "completed": completed,
                "digital": completed * random.randint(40, 95) // 100,
                "cost_per_transaction": Decimal(random.randrange(45, 2_900)) / 100,
            }
        )
        rows[-1]["cost_total"] = rows[-1]["cost_per_transaction"] * completed
    return rows


GENERATORS: Mapping[str, Callable[[Random, Words, Period, int], list[Row]]] = {
    "spend": spend,
    "carers": carers,
    "card": card,
    "contracts": contracts,
    "senior": senior,
    "junior": junior,
    "structure": structure,
    "services": services,
}
"""The makers of records by the names that sends.json uses. The names seed the random numbers: do not change them."""


def _payment(random: Random, words: Words, period: Period, number: int) -> Row:
    unit, purpose, category, expense = random.choice(words["services"])
    supplier = random.randrange(len(words["suppliers"]))
    lowest, highest = random.choice(
        [(25_000, 200_000), (25_000, 200_000), (200_000, 1_500_000), (1_500_000, 9_000_000)]
    )
    pence = random.randrange(lowest, highest)
    return {
        "payment_date": _day(random, period),
        "transaction_number": f"{period.start:%y%m}{number:05}",
        "org_unit": unit,
        "expense_area": unit,
        "purpose": purpose,
        "expense_type": expense,
        "category_label": category,
        "supplier_name": words["suppliers"][supplier],
        "supplier_local_id": f"V{4_000 + supplier}",
        "supplier_type": "Limited company",
        "net_amount": Decimal(-pence if random.randrange(30) == 0 else pence) / 100,
        "irrecoverable_vat": Decimal(0),
        "capital_revenue": random.choice(["Revenue", "Revenue", "Revenue", "Capital"]),
    }


def _day(random: Random, period: Period) -> date:
    return period.start + timedelta(days=random.randrange((period.end - period.start).days + 1))
