"""The derived table `supplier_identities`: which company each supplier of each body is, and how far that is fact.

Names are matched only as far as they prove right: where a body publishes a number, or someone reviewed a supplier, what
its name alone would have said is compared. Matches by name are facts if the lower bound of the share that is right is
at least `LEAST_PRECISION` and enough of the body's pounds are matched; else they are candidates.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from piperoll import assets
from piperoll.enriching.annotate import payee_fields
from piperoll.enriching.identities import (
    COMPANIES_HOUSE,
    Identity,
    Outcome,
    Register,
    Supplier,
    Tier,
    bare_forms,
    first_words,
    identify,
    keys_of,
    parse_company_number,
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

Reviews = Mapping[tuple[str | None, str], str]

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
    "pounds": pa.decimal128(38, 4),
}
SCHEMA = pa.schema(_TYPES)
"""`status` is fact, candidate, review, no-company-expected or unmatched; `proposed` are identifiers to review, with
spaces between them; `checked_right` is whether the name alone gives the number that was published or reviewed, empty if
there is none to compare; `pounds` are those of the year measured."""


@dataclass(frozen=True, slots=True)
class _Paid:
    """A supplier of a body, and the pounds that it was paid in the year measured."""

    body: str
    supplier: Supplier
    pounds: Decimal


def supplier_identities(inputs: Inputs) -> pa.Table:
    """The identity of each supplier of each body, for the year of `inputs`, in order of body and key."""
    paid = _read_suppliers(inputs)
    reviews = _read_reviews(inputs)
    companies = inputs.outside("companies")
    found = _identify_all(paid, companies, reviews)
    checks = _check_names(paid, found, reviews)
    facts = _bodies_with_facts(paid, found) if _is_precise(checks) else frozenset()
    rows = [
        {
            "body": one.body,
            "supplier_key": one.supplier.key,
            "names": "; ".join(one.supplier.names[:_SPELLINGS]),
            "payee_class": one.supplier.payee_class,
            "org_id": identity.org_id or None,
            "company_number": identity.company_number or None,
            "tier": str(identity.tier),
            "status": _status(
                identity, is_reviewed=_review_of(one, reviews) is not None, is_fact_by_name=one.body in facts
            ),
            "evidence": identity.evidence,
            "proposed": " ".join(identity.proposed) or None,
            "checked_right": checks.get((one.body, one.supplier.key)),
            "has_register": companies is not None,
            "first_paid": one.supplier.first,
            "pounds": one.pounds,
        }
        for one, identity in zip(paid, found, strict=True)
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


# --- what is known ----------------------------------------------------------------------------------------------------


def _read_suppliers(inputs: Inputs) -> list[_Paid]:
    """Every supplier with a key in the lines, of spending and contracts; people and placeholders have none."""
    selects = [_select_payees(name, one.dataset) for name, one in inputs.lines.items() if payee_fields(one.dataset)]
    if not selects:
        return []
    year = inputs.year.financial_year_name
    rows = inputs.connection.execute(
        f"""
        WITH payees AS ({" UNION ALL BY NAME ".join(selects)}),
        spelt AS (
            SELECT body, supplier_key, name, sum(pounds) AS spelt_pounds FROM payees GROUP BY ALL
        ),
        named AS (
            SELECT body, supplier_key, list(name ORDER BY spelt_pounds DESC NULLS LAST, name) AS names
            FROM spelt WHERE name IS NOT NULL GROUP BY ALL
        ),
        numbered AS (
            SELECT
                body, supplier_key, min(payee_class) AS payee_class, min(paid_on) AS first_paid,
                list_sort(list(DISTINCT number) FILTER (number IS NOT NULL)) AS numbers,
                list_sort(list(DISTINCT org_id) FILTER (org_id IS NOT NULL)) AS org_ids,
                list_sort(list(DISTINCT charity) FILTER (charity IS NOT NULL)) AS charities,
                coalesce(sum(pounds) FILTER (financial_year = ?), 0)::DECIMAL(38, 4) AS pounds
            FROM payees GROUP BY ALL
        )
        SELECT body, supplier_key, names, numbers, org_ids, charities, first_paid, payee_class, pounds
        FROM numbered INNER JOIN named USING (body, supplier_key)
        ORDER BY body, supplier_key
        """,  # noqa: S608 - names of our own columns
        [year],
    ).fetchall()
    return [_make_paid(row) for row in rows]


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
            {dataset.amount[0] if pays else "NULL::DECIMAL(38, 4)"} AS pounds
        FROM {view} WHERE supplier_key IS NOT NULL
    """  # noqa: S608 - names of our own columns


def _make_paid(row: Sequence[Any]) -> _Paid:
    body, key, names, numbers, org_ids, charities, first, payee_class, pounds = row
    published = [*(numbers or ()), *(one for one in org_ids or () if one.upper().startswith(COMPANIES_HOUSE))]
    other = [one for one in org_ids or () if not one.upper().startswith(COMPANIES_HOUSE) and _ORG_ID.fullmatch(one)]
    other += [f"{_CHARITY}{one}" for one in charities or () if _CHARITY_NUMBER.fullmatch(one)]
    payee = payee_class or ""
    return _Paid(body, Supplier(key, tuple(names), tuple(published), tuple(dict.fromkeys(other)), first, payee), pounds)


def _read_reviews(inputs: Inputs) -> dict[tuple[str | None, str], str]:
    """What is decided about suppliers, by body (None: for all) and key."""
    return {(one.body, one.subject): one.decided_as for one in reviews_in_force(inputs.reviews, DecisionKind.SUPPLIER)}


def _review_of(paid: _Paid, reviews: Reviews) -> str | None:
    return reviews.get((paid.body, paid.supplier.key)) or reviews.get((None, paid.supplier.key))


# --- who it is --------------------------------------------------------------------------------------------------------


def _identify_all(paid: Sequence[_Paid], companies: pa.Table | None, reviews: Reviews) -> list[Identity]:
    register = None if companies is None else _read_register(companies, [one.supplier for one in paid])
    found = [identify(one.supplier, register, _review_of(one, reviews), similar=False) for one in paid]
    if companies is not None:
        proposals = _find_similar(paid, found, companies)
        found = [
            proposals.get(one.supplier.key, identity) if identity.outcome is Outcome.UNMATCHED else identity
            for one, identity in zip(paid, found, strict=True)
        ]
    return _propose_numbers_of_others(paid, found)


def _find_similar(paid: Sequence[_Paid], found: Sequence[Identity], companies: pa.Table) -> dict[str, Identity]:
    """What similar names propose, by key, for the largest suppliers without a match."""
    pounds: dict[str, Decimal] = defaultdict(Decimal)
    suppliers: dict[str, Supplier] = {}
    for one, identity in zip(paid, found, strict=True):
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


def _propose_numbers_of_others(paid: Sequence[_Paid], found: Sequence[Identity]) -> list[Identity]:
    """Propose, for a supplier without a match, the numbers that other bodies published with the same name."""
    published: dict[str, set[str]] = defaultdict(set)
    for one, identity in zip(paid, found, strict=True):
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
        for one, identity in zip(paid, found, strict=True)
    ]


# --- how far it is right ----------------------------------------------------------------------------------------------


def names_are_right(right: int, checked: int) -> bool:
    """Whether names are matched so surely that a match is a fact: the lower Wilson bound is at least .95."""
    return checked > 0 and wilson(right, checked).lo >= LEAST_PRECISION


def _check_names(paid: Sequence[_Paid], found: Sequence[Identity], reviews: Reviews) -> dict[tuple[str, str], bool]:
    """By body and key, whether the name alone gives what was published or reviewed; without those that lack either."""
    checks = {}
    for one, identity in zip(paid, found, strict=True):
        reviewed = _review_of(one, reviews)
        published = identity.org_id if identity.tier is Tier.PUBLISHED else ""
        truth = reviewed or (published if published.startswith(COMPANIES_HOUSE) else "")
        if truth and identity.by_name:
            checks[one.body, one.supplier.key] = identity.by_name == truth
    return checks


def _is_precise(checks: Mapping[tuple[str, str], bool]) -> bool:
    """Whether matches by name are right; a name counts once, and as wrong if it is wrong for any body."""
    by_key: dict[str, bool] = {}
    for (_, key), right in checks.items():
        by_key[key] = by_key.get(key, True) and right
    return names_are_right(sum(by_key.values()), len(by_key))


def _bodies_with_facts(paid: Iterable[_Paid], found: Iterable[Identity]) -> frozenset[str]:
    """The bodies of whose pounds in scope enough are matched."""
    matched, in_scope = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for one, identity in zip(paid, found, strict=True):
        if identity.outcome is not Outcome.NOT_EXPECTED and one.pounds > 0:
            in_scope[one.body] += one.pounds
            matched[one.body] += one.pounds if identity.outcome is Outcome.MATCHED else 0
    return frozenset(body for body, pounds in in_scope.items() if divide(matched[body], pounds) >= LEAST_MATCHED)


def _status(identity: Identity, *, is_reviewed: bool, is_fact_by_name: bool) -> str:
    if identity.outcome is not Outcome.MATCHED:
        return str(identity.outcome)
    sure = is_reviewed or identity.tier in (Tier.PUBLISHED, Tier.REVIEWED) or (identity.certain and is_fact_by_name)
    return "fact" if sure else "candidate"
