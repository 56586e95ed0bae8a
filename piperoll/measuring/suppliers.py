"""The derived table `supplier_identities`: which company each supplier of each body is, and how far that is fact.

Names are matched only as far as they prove right: where a body publishes a number, or someone reviewed a supplier, what
its name alone would have said is compared. Matches by name are facts if the lower bound of the share that is right is
at least `LEAST_PRECISION` and enough of the body's pounds are matched; else they are candidates.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from piperoll import assets
from piperoll.enriching.annotate import payee_fields
from piperoll.enriching.company_numbers import COMPANIES_HOUSE, parse_company_number
from piperoll.enriching.identities import (
    Identity,
    Outcome,
    Register,
    Supplier,
    Tier,
    bare_forms,
    first_payment_matters,
    first_words,
    identify,
    keys_of,
)
from piperoll.measuring.companies import select_companies, select_similar
from piperoll.measuring.inputs import Inputs
from piperoll.measuring.statistics import divide, wilson
from piperoll.model import Dataset, DecisionKind, reviews_in_force

LEAST_PRECISION = Decimal("0.95")
"""The least lower Wilson bound of the share of names matched right, from which a match by name is a fact."""

LEAST_MATCHED = Decimal("0.6")
"""The share of a body's pounds in scope that must be matched for its matches by name to be facts."""

MOST_SEARCHED = 2_000
"""Suppliers without a match, the largest of the year, that similar names are searched for."""

_SPELLINGS = 5
"""Spellings of a supplier's name in the table."""

_ORG_ID = re.compile(r"[A-Z]{2}-[A-Z]{2,8}-[A-Za-z0-9.-]{2,40}")
_CHARITY = "GB-CHC-"
_CHARITY_NUMBER = re.compile(r"\d{6,7}(?:-\d{1,3})?")
"""A number of the Charity Commission for England and Wales."""

_TYPES: dict[str, pa.DataType] = {
    "body": pa.string(),
    "supplier_key": pa.string(),
    "names": pa.string(),
    "payee_class": pa.string(),
    "org_id": pa.string(),
    "company_number": pa.string(),
    "tier": pa.string(),
    "status": pa.string(),
    "evidence": pa.string(),
    "proposed": pa.string(),
    "checked_right": pa.bool_(),
    "has_register": pa.bool_(),
    "first_paid": pa.date32(),
    "pounds": pa.decimal128(38, 10),
}
SCHEMA = pa.schema(_TYPES)
"""`status` is fact, candidate, review, no-company-expected or unmatched; `proposed` are identifiers to review, with
spaces between them; `checked_right` is whether the name alone gives the number that was published or reviewed, empty if
there is none to compare; `pounds` are those of the year measured."""


@dataclass(frozen=True, slots=True)
class _Case:
    """Suppliers of several bodies of which the same is known, and the pounds that all were paid in the year measured.

    `supplier.first` is the earliest day of a first payment and `latest` the latest; with `is_of_day` they are the same,
    and the case is only of suppliers that were first paid then. `review` is what was decided about them.
    """

    number: int
    supplier: Supplier
    review: str | None
    latest: date | None
    pounds: Decimal
    is_of_day: bool = False


def supplier_identities(inputs: Inputs) -> pa.Table:
    """The identity of each supplier of each body, for the year of `inputs`, in order of body and key.

    Suppliers of which the same is known are identified once, however many bodies pay them.
    """
    connection = inputs.connection
    if not _gather_suppliers(inputs):
        return SCHEMA.empty_table()
    companies = inputs.outside("companies")
    cases = _read_cases(connection)
    register = None if companies is None else _read_register(companies, [one.supplier for one in cases])
    if register is not None:
        cases = _split_by_day(connection, cases, register)
    found = _identify_all(cases, register, companies)
    checks = _check_names(cases, found)
    _store_identities(connection, cases, found, checks)
    facts = _bodies_with_facts(connection) if _is_precise(cases, checks) else []
    table = _join_identities(connection, facts, has_register=companies is not None)
    for name in ("_payees", "_identified"):
        connection.execute(f"DROP TABLE {name}")
    return table


# --- what is known ----------------------------------------------------------------------------------------------------

_KNOWN = "supplier_key, spellings, numbers, org_ids, charities, payee_class, review, first_paid IS NULL"
"""What is known of a supplier, but for the day of its first payment: suppliers that share it are one case."""


def _gather_suppliers(inputs: Inputs) -> bool:
    """Make the table `_payees`: every supplier of a body with a key in the lines, of spending and contracts.

    People and placeholders have no key. Return whether there are lines that name suppliers at all.
    """
    selects = [_select_payees(name, one.dataset) for name, one in inputs.lines.items() if payee_fields(one.dataset)]
    if not selects:
        return False
    connection = inputs.connection
    connection.execute("CREATE OR REPLACE TEMP TABLE _reviews (body VARCHAR, supplier_key VARCHAR, decided_as VARCHAR)")
    if reviews := _read_reviews(inputs):
        connection.executemany("INSERT INTO _reviews VALUES (?, ?, ?)", [[*one, to] for one, to in reviews.items()])
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE _payees AS
        WITH payees AS ({" UNION ALL BY NAME ".join(selects)}),
        spelt AS MATERIALIZED (
            SELECT
                body, supplier_key, name, number, org_id, charity,
                min(payee_class) AS payee_class, min(paid_on) AS first_paid,
                sum(pounds) AS all_pounds, sum(pounds) FILTER (financial_year = ?) AS pounds
            FROM payees GROUP BY ALL
        ),
        spellings AS (
            SELECT body, supplier_key, name, sum(all_pounds) AS all_pounds
            FROM spelt WHERE name IS NOT NULL GROUP BY ALL
        ),
        named AS (
            SELECT body, supplier_key, list(name ORDER BY all_pounds DESC NULLS LAST, name) AS names
            FROM spellings GROUP BY ALL
        ),
        numbered AS (
            SELECT
                body, supplier_key,
                list_sort(list(DISTINCT number) FILTER (number IS NOT NULL)) AS numbers,
                list_sort(list(DISTINCT org_id) FILTER (org_id IS NOT NULL)) AS org_ids,
                list_sort(list(DISTINCT charity) FILTER (charity IS NOT NULL)) AS charities
            FROM spelt WHERE coalesce(number, org_id, charity) IS NOT NULL GROUP BY ALL
        ),
        totals AS (
            SELECT
                body, supplier_key, coalesce(min(payee_class), '') AS payee_class, min(first_paid) AS first_paid,
                coalesce(sum(pounds), 0)::DECIMAL(38, 10) AS pounds
            FROM spelt GROUP BY ALL
        ),
        known AS (
            SELECT
                totals.*, array_to_string(names[:{_SPELLINGS}], '; ') AS names, list_sort(names) AS spellings,
                coalesce(numbers, []) AS numbers, coalesce(org_ids, []) AS org_ids,
                coalesce(charities, []) AS charities, coalesce(own.decided_as, shared.decided_as, '') AS review
            FROM totals
            INNER JOIN named USING (body, supplier_key)
            LEFT JOIN numbered USING (body, supplier_key)
            LEFT JOIN _reviews AS own ON own.body = totals.body AND own.supplier_key = totals.supplier_key
            LEFT JOIN _reviews AS shared ON shared.body IS NULL AND shared.supplier_key = totals.supplier_key
        )
        SELECT *, dense_rank() OVER (ORDER BY {_KNOWN}) AS number FROM known
        """,  # noqa: S608 - names of our own columns
        [inputs.year.financial_year_name],
    )
    connection.execute("DROP TABLE _reviews")
    return True


def _select_payees(view: str, dataset: Dataset) -> str:
    """A SELECT of who is paid in a view of lines. Contracts are no payments: they have no pounds, and no day of one."""
    roles = payee_fields(dataset)
    pays = bool(assets.shown(dataset.name).get("adds_up"))
    column = {role: roles.get(role, "NULL") for role in ("name", "company_number", "charity_number", "organisation_id")}
    return f"""
        SELECT body, supplier_key, payee_class, financial_year, {column["name"]} AS name,
            {column["company_number"]}::VARCHAR AS number, {column["organisation_id"]}::VARCHAR AS org_id,
            {column["charity_number"]}::VARCHAR AS charity,
            {"line_date" if pays else "NULL::DATE"} AS paid_on,
            {dataset.amount[0] if pays else "NULL::DECIMAL(38, 10)"} AS pounds
        FROM {view} WHERE supplier_key IS NOT NULL
    """  # noqa: S608 - names of our own columns


def _read_reviews(inputs: Inputs) -> dict[tuple[str | None, str], str]:
    """What is decided about suppliers, by body (None: for all) and key."""
    return {(one.body, one.subject): one.decided_as for one in reviews_in_force(inputs.reviews, DecisionKind.SUPPLIER)}


def _read_cases(connection: DuckDBPyConnection) -> list[_Case]:
    """The cases in the order of the first body of each, and of key."""
    rows = connection.execute(
        """
        SELECT
            number, supplier_key, any_value(spellings), any_value(numbers), any_value(org_ids), any_value(charities),
            any_value(payee_class), any_value(review), min(first_paid), max(first_paid), sum(pounds)
        FROM _payees GROUP BY number, supplier_key ORDER BY min(body), supplier_key
        """
    ).fetchall()
    return [_make_case(row) for row in rows]


def _make_case(row: Sequence[Any]) -> _Case:
    number, key, names, numbers, org_ids, charities, payee_class, review, first, latest, pounds = row
    published = [*numbers, *(one for one in org_ids if one.upper().startswith(COMPANIES_HOUSE))]
    other = [one for one in org_ids if not one.upper().startswith(COMPANIES_HOUSE) and _ORG_ID.fullmatch(one)]
    other += [f"{_CHARITY}{one}" for one in charities if _CHARITY_NUMBER.fullmatch(one)]
    supplier = Supplier(key, tuple(names), tuple(published), tuple(dict.fromkeys(other)), first, payee_class)
    return _Case(number, supplier, review or None, latest, pounds)


def _split_by_day(connection: DuckDBPyConnection, cases: Sequence[_Case], register: Register) -> list[_Case]:
    """The cases, with those for which the day of the first payment matters divided by that day."""
    divided = {one.number for one in cases if first_payment_matters(one.supplier, register, one.latest)}
    days: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for number, day, pounds in connection.execute(
        "SELECT number, first_paid, sum(pounds) FROM _payees WHERE number IN (SELECT unnest(?)) GROUP BY ALL "
        "ORDER BY ALL",
        [sorted(divided)],
    ).fetchall():
        days[number].append((day, pounds))
    split: list[_Case] = []
    for one in cases:
        if one.number in divided:
            split += (
                replace(one, supplier=replace(one.supplier, first=day), latest=day, pounds=pounds, is_of_day=True)
                for day, pounds in days[one.number]
            )
        else:
            split.append(one)
    return split


# --- who it is --------------------------------------------------------------------------------------------------------


def _identify_all(cases: Sequence[_Case], register: Register | None, companies: pa.Table | None) -> list[Identity]:
    found = [identify(one.supplier, register, one.review, similar=False) for one in cases]
    if companies is not None:
        proposals = _find_similar(cases, found, companies)
        found = [
            proposals.get(one.supplier.key, identity) if identity.outcome is Outcome.UNMATCHED else identity
            for one, identity in zip(cases, found, strict=True)
        ]
    return _propose_numbers_of_others(cases, found)


def _find_similar(cases: Sequence[_Case], found: Sequence[Identity], companies: pa.Table) -> dict[str, Identity]:
    """What similar names propose, by key, for the largest suppliers without a match."""
    pounds: dict[str, Decimal] = defaultdict(Decimal)
    suppliers: dict[str, Supplier] = {}
    for one, identity in zip(cases, found, strict=True):
        if identity.outcome is Outcome.UNMATCHED:
            suppliers.setdefault(one.supplier.key, one.supplier)
            pounds[one.supplier.key] += one.pounds
    searched = [suppliers[key] for key in sorted(pounds, key=lambda key: (-pounds[key], key))[:MOST_SEARCHED]]
    wanted: dict[str, set[str]] = defaultdict(set)
    for supplier in searched:
        for word in first_words(supplier):
            wanted[word] |= keys_of(supplier)
    register = Register(select_similar(companies, wanted))
    return {each.key: identify(replace(each, numbers=(), other_ids=()), register) for each in searched}


def _read_register(companies: pa.Table, suppliers: Sequence[Supplier]) -> Register:
    """The companies that may be one of the suppliers, by number, by name, or by name but for words in brackets."""
    numbers = {parse_company_number(number).number for one in suppliers for number in one.numbers}
    return Register(
        select_companies(
            companies,
            numbers=numbers - {""},
            keys={key for one in suppliers for key in keys_of(one)},
            bare={key for one in suppliers for key in bare_forms(one)},
        )
    )


def _propose_numbers_of_others(cases: Sequence[_Case], found: Sequence[Identity]) -> list[Identity]:
    """Propose, for a supplier without a match, the numbers that other bodies published with the same name."""
    published: dict[str, set[str]] = defaultdict(set)
    for one, identity in zip(cases, found, strict=True):
        if identity.outcome is Outcome.MATCHED and identity.tier is Tier.PUBLISHED:
            published[one.supplier.key].add(identity.org_id)
    return [
        replace(
            identity,
            outcome=Outcome.REVIEW,
            tier=Tier.SIMILAR,
            evidence="another body published a number with the same name",
            proposed=tuple(sorted(published[one.supplier.key])),
        )
        if identity.outcome is Outcome.UNMATCHED and one.supplier.key in published
        else identity
        for one, identity in zip(cases, found, strict=True)
    ]


# --- how far it is right ----------------------------------------------------------------------------------------------


def names_are_right(right: int, checked: int) -> bool:
    """Whether names are matched so surely that a match is a fact: the lower Wilson bound is at least .95."""
    return checked > 0 and wilson(right, checked).lo >= LEAST_PRECISION


def _check_names(cases: Sequence[_Case], found: Sequence[Identity]) -> list[bool | None]:
    """By case, whether the name alone gives what was published or reviewed; None for those that lack either."""
    checks: list[bool | None] = []
    for one, identity in zip(cases, found, strict=True):
        published = identity.org_id if identity.tier is Tier.PUBLISHED else ""
        truth = one.review or (published if published.startswith(COMPANIES_HOUSE) else "")
        checks.append(identity.by_name == truth if truth and identity.by_name else None)
    return checks


def _is_precise(cases: Sequence[_Case], checks: Sequence[bool | None]) -> bool:
    """Whether matches by name are right; a name counts once, and as wrong if it is wrong for any body."""
    by_key: dict[str, bool] = {}
    for one, right in zip(cases, checks, strict=True):
        if right is not None:
            by_key[one.supplier.key] = by_key.get(one.supplier.key, True) and right
    return names_are_right(sum(by_key.values()), len(by_key))


# --- the table --------------------------------------------------------------------------------------------------------

_CASE_TYPES: dict[str, pa.DataType] = {
    "number": pa.int64(),
    "day": pa.date32(),
    "org_id": pa.string(),
    "company_number": pa.string(),
    "tier": pa.string(),
    "evidence": pa.string(),
    "proposed": pa.string(),
    "checked_right": pa.bool_(),
    "outcome": pa.string(),
    "is_sure": pa.bool_(),
    "is_certain": pa.bool_(),
}


def _store_identities(
    connection: DuckDBPyConnection, cases: Sequence[_Case], found: Sequence[Identity], checks: Sequence[bool | None]
) -> None:
    """Make the table `_identified`: who each case is. `is_sure` is a fact whatever is known of names."""
    rows = [
        {
            "number": one.number,
            "day": one.supplier.first if one.is_of_day else None,
            "org_id": identity.org_id or None,
            "company_number": identity.company_number or None,
            "tier": str(identity.tier),
            "evidence": identity.evidence,
            "proposed": " ".join(identity.proposed) or None,
            "checked_right": right,
            "outcome": str(identity.outcome),
            "is_sure": one.review is not None or identity.tier in (Tier.PUBLISHED, Tier.REVIEWED),
            "is_certain": identity.certain,
        }
        for one, identity, right in zip(cases, found, checks, strict=True)
    ]
    connection.register("_rows", pa.Table.from_pylist(rows, pa.schema(_CASE_TYPES)))
    connection.execute("CREATE OR REPLACE TEMP TABLE _identified AS SELECT * FROM _rows")
    connection.unregister("_rows")


_JOINED = """_payees INNER JOIN _identified
    ON _identified.number = _payees.number AND (day IS NULL OR day = first_paid)"""


def _bodies_with_facts(connection: DuckDBPyConnection) -> list[str]:
    """The bodies of whose pounds in scope enough are matched."""
    rows = connection.execute(
        f"""
        SELECT body, coalesce(sum(pounds) FILTER (outcome = ?), 0), sum(pounds)
        FROM {_JOINED} WHERE outcome <> ? AND pounds > 0 GROUP BY body ORDER BY body
        """,  # noqa: S608 - names of our own tables
        [str(Outcome.MATCHED), str(Outcome.NOT_EXPECTED)],
    ).fetchall()
    return [body for body, matched, in_scope in rows if divide(matched, in_scope) >= LEAST_MATCHED]


def _join_identities(connection: DuckDBPyConnection, facts: Sequence[str], *, has_register: bool) -> pa.Table:
    """The table; `facts` are the bodies whose matches by name are facts."""
    table: pa.Table = connection.sql(
        f"""
        SELECT
            body, supplier_key, names, payee_class, org_id, company_number, tier,
            CASE
                WHEN outcome <> $matched THEN outcome
                WHEN is_sure OR (is_certain AND body IN (SELECT unnest($facts::VARCHAR[]))) THEN 'fact'
                ELSE 'candidate'
            END AS status,
            evidence, proposed, checked_right, $has_register AS has_register, first_paid, pounds
        FROM {_JOINED} ORDER BY body, supplier_key
        """,  # noqa: S608 - names of our own tables
        params={"matched": str(Outcome.MATCHED), "facts": list(facts), "has_register": has_register},
    ).to_arrow_table()
    return table.cast(SCHEMA)
