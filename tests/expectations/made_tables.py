"""Made-up tables: one for each suite on which all its expectations are met, and one for each that is unmet.

A case names the columns that differ from the clean table; a single value fills the column.
"""

ROWS = 12


def _each(pattern):
    return [pattern.format(number) for number in range(1, ROWS + 1)]


def _steps(start, step):
    return [start + step * number for number in range(ROWS)]


def _days(year, month):
    return [f"{year}-{month:02}-{day:02}" for day in range(1, ROWS + 1)]


CLEAN = {
    "spend": {
        "row": _steps(2, 1),
        "body_name": "Borough of Little Sampling",
        "payment_date": _days(2026, 10),
        "transaction_number": _each("T{:05}"),
        "expense_area": _each("Area {}"),
        "expense_type": _each("Type {}"),
        "purpose": _each("Paper for office {}"),
        "supplier_name": _each("Pretend Stationers {} Ltd"),
        "net_amount": _steps(525.5, 310.25),
        "irrecoverable_vat": 12.5,
    },
    "contracts": {
        "row": _steps(2, 1),
        "contract_ref": _each("C-{:03}"),
        "title": _each("Grounds maintenance, lot {}"),
        "description": _each("Mowing and planting in the parks of ward {}"),
        "supplier_name": _each("Imaginary Gardens {} Ltd"),
        "award_date": _days(2026, 1),
        "start_date": _days(2026, 4),
        "original_end_date": _days(2029, 3),
        "current_end_date": _days(2030, 3),
        "max_end_date": _days(2031, 3),
        "review_date": _days(2029, 9),
        "original_value": _steps(64000.0, 5500.0),
        "annual_value": _steps(16000.0, 1000.0),
    },
    "roles": {
        "row": _steps(2, 1),
        "body_name": "Agency for Made-Up Measures",
        "snapshot_date": "2026-09-30",
        "post_id": _each("P{}"),
        "holder_name": "N/D",
        "job_title": _each("Head of Measure {}"),
        "reports_to": ["XX"] + ["P1"] * (ROWS - 1),
        "fte": 1.0,
        "salary_floor": 70000.0,
        "salary_ceiling": 74999.0,
        "grade_maximum": 80000.0,
        "salary": 72500.0,
        "bonuses": 2000.0,
        "pension_contribution": 20000.0,
        "reports_salary_cost": 450000.0,
        "occupation": "Policy",
    },
    "transactions": {
        "row": _steps(2, 1),
        "body_name": "Agency for Made-Up Measures",
        "service_name": _each("Certify measure {}"),
        "channel": "all",
        "period_start": "2026-07-01",
        "period_end": "2026-09-30",
        "started": _steps(6000, 10),
        "completed": _steps(5000, 10),
        "digital_completed": _steps(4000, 10),
        "cost_total": _steps(30000.0, 100.0),
        "cost_per_transaction": 6.5,
        "digital_cost_per_transaction": 1.5,
        "completion_rate": "83%",
        "user_satisfaction": "91.5",
    },
}

UNMET = {
    "spend": {
        "amount-implausibly-large": {"net_amount": [*_steps(525.5, 310.25)[:-1], 57_600_000_000.0]},
        "amounts-look-like-pence": {"net_amount": _steps(3_700_000.0, 100.0)},
        "amounts-look-like-thousands": {"net_amount": _steps(0.5, 0.25)},
        "many-negative-amounts": {"net_amount": [-500.0] * 6 + [9000.0] * 6},
        "total-not-positive": {"net_amount": [*_steps(500.0, 10.0)[:-1], -900_000.0]},
        "many-zero-amounts": {"net_amount": [0.0, *_steps(525.5, 310.25)[1:]]},
        "supplier-is-a-number": {"supplier_name": _each("10044{:02}")},
        "supplier-name-too-short": {"supplier_name": ["AB", "CD", *_each("Pretend Stationers {} Ltd")[2:]]},
        "supplier-is-a-placeholder": {"supplier_name": ["Various", *_each("Pretend Stationers {} Ltd")[1:]]},
        "one-supplier-throughout": {"supplier_name": "Pretend Stationers Ltd", "rows": 1000},
        "supplier-name-garbled": {"supplier_name": ["CafÃ© Imaginaire", *_each("Pretend Stationers {} Ltd")[1:]]},
        "payment-date-far-off": {"payment_date": ["1905-06-28", *_days(2026, 10)[1:]]},
        "one-transaction-number-throughout": {"transaction_number": "230849", "rows": 100},
        "purpose-repeats-supplier": {"purpose": _each("Pretend Stationers {} Ltd")},
        "expense-area-repeats-type": {"expense_area": _each("Type {}")},
        "purpose-too-short": {"purpose": "#"},
        "purpose-is-a-number": {"purpose": _each("00/{:04}")},
        "vat-more-than-amount": {"irrecoverable_vat": 600.0},
        "many-bodies": {"body_name": [f"Cost centre {number}" for number in range(61)], "rows": 61},
        "sheet-full": {"row": _steps(1_048_565, 1)},
    },
    "contracts": {
        "contract-ends-before-it-starts": {"current_end_date": [*_days(2030, 3)[:-1], "2025-03-31"]},
        "award-ends-before-it-starts": {"original_end_date": [*_days(2029, 3)[:-1], "2025-03-31"]},
        "latest-end-before-end": {"max_end_date": [*_days(2031, 3)[:-1], "2030-02-28"]},
        "review-after-end": {"review_date": _days(2032, 1)},
        "contract-value-negative": {"original_value": [-5000.0, *_steps(64000.0, 5500.0)[1:]]},
        "contract-value-implausibly-large": {"original_value": [30_000_000_000.0, *_steps(64000.0, 5500.0)[1:]]},
        "many-token-values": {"original_value": [0.0, 1.0, *_steps(64000.0, 5500.0)[2:]]},
        "contract-values-look-like-thousands": {"original_value": _steps(64.0, 5.5)},
        "year-costs-more-than-contract": {"annual_value": 90000.0},
        "start-date-far-off": {"start_date": ["1926-04-01", *_days(2026, 4)[1:]]},
        "end-date-far-off": {"current_end_date": [*_days(2030, 3)[:-1], "2099-12-31"]},
        "award-end-date-far-off": {"original_end_date": [*_days(2029, 3)[:-1], "2099-12-31"]},
        "awarded-after-start": {"award_date": _days(2026, 6)},
        "many-one-day-contracts": {"current_end_date": _days(2026, 4)},
        "contract-references-repeat": {"contract_ref": "C-001"},
        "title-too-short": {"title": "TBC"},
        "description-repeats-title": {"description": _each("Grounds maintenance, lot {}")},
        "contract-supplier-is-a-placeholder": {"supplier_name": ["Various", "TBC", *_each("Imaginary {} Ltd")[2:]]},
        "description-garbled": {"description": ["The councilâ€™s parks", *_each("Mowing and planting {}")[1:]]},
        "sheet-full": {"row": _steps(1_048_565, 1)},
    },
    "roles": {
        "salary-ceiling-under-floor": {"salary_ceiling": 65000.0},
        "salary-implausibly-large": {"salary_ceiling": 7_499_900.0},
        "salary-floor-implausibly-small": {"salary_floor": 70.0},
        "salary-ceiling-implausibly-small": {"salary_ceiling": 74.0, "salary_floor": 70.0},
        "grade-maximum-under-floor": {"grade_maximum": 60000.0},
        "fte-implausibly-large": {"fte": [70000.0, *[1.0] * (ROWS - 1)]},
        "many-posts-of-no-time": {"fte": [0.0] * 4 + [1.0] * (ROWS - 4)},
        "fte-looks-like-hours-or-pay": {"fte": 1924.0},
        "post-references-repeat": {"post_id": ["P1"] * 10 + ["P2", "P3"], "reports_to": "P9"},
        "post-reports-to-itself": {"reports_to": ["XX", "P2", *["P1"] * (ROWS - 2)]},
        "holder-name-is-not-a-name": {"holder_name": ["head@measures.example", *["N/D"] * (ROWS - 1)]},
        "job-title-too-short": {"job_title": "HO"},
        "reports-to-is-a-name": {"reports_to": "Jane Example"},
        "occupation-not-a-group": {"occupation": "Measurers"},
        "cost-of-reports-implausibly-large": {"reports_salary_cost": 45_000_000_000.0},
        "several-snapshot-dates": {"snapshot_date": ["2026-03-31", *["2026-09-30"] * (ROWS - 1)]},
        "snapshot-date-far-off": {"snapshot_date": "1926-09-30"},
        "bonus-over-salary": {"bonuses": 90000.0},
        "pension-over-salary": {"pension_contribution": 90000.0},
        "many-bodies": {"body_name": [f"Team {number}" for number in range(61)], "rows": 61},
        "sheet-full": {"row": _steps(1_048_565, 1)},
    },
    "transactions": {
        "digital-more-than-all": {"digital_completed": [5500, *_steps(4000, 10)[1:]]},
        "completed-more-than-started": {"started": _steps(3000, 10)},
        "period-ends-before-it-starts": {"period_start": ["2026-10-01", *["2026-07-01"] * (ROWS - 1)]},
        "cost-per-transaction-implausibly-large": {"cost_per_transaction": [25000.0, *[6.5] * (ROWS - 1)]},
        "many-free-transactions": {"cost_per_transaction": [0.0, *[6.5] * (ROWS - 1)]},
        "costs-look-like-pence": {"cost_per_transaction": 650.0},
        "online-dearer-than-average": {"digital_cost_per_transaction": 9.5},
        "volume-implausibly-large": {"completed": [50_000_000_000, *_steps(5000, 10)[1:]]},
        "many-services-without-use": {"completed": [0, 0, *_steps(5000, 10)[2:]]},
        "volumes-look-like-thousands": {"completed": 5, "digital_completed": 4},
        "satisfaction-is-not-a-share": {"user_satisfaction": "very good"},
        "completion-rate-is-not-a-share": {"completion_rate": "830%"},
        "unit-cost-over-total": {"cost_total": 1.0},
        "service-cost-implausibly-large": {"cost_total": [90_000_000_000.0, *_steps(30000.0, 100.0)[1:]]},
        "service-name-too-short": {"service_name": _each("S{}")},
        "service-name-garbled": {"service_name": ["Certify measure â€“ 1", *_each("Certify measure {}")[1:]]},
        "period-far-off": {"period_end": "2126-09-30"},
        "service-listed-twice": {"service_name": "Certify a measure"},
        "sheet-full": {"row": _steps(1_048_565, 1)},
    },
}


def clean(dataset, rows=ROWS):
    """The clean table of a dataset, repeated to `rows` rows."""
    return {name: _column(values, rows) for name, values in CLEAN[dataset].items()}


def unmet_table(dataset, code):
    """The table on which the expectation called `code` is unmet."""
    changes = dict(UNMET[dataset][code])
    rows = changes.pop("rows", ROWS)
    return clean(dataset, rows) | {name: _column(values, rows) for name, values in changes.items()}


def _column(values, rows):
    if not isinstance(values, list):
        return [values] * rows
    return [values[number % len(values)] for number in range(rows)]
