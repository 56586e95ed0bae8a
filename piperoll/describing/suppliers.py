"""Suppliers: what each body pays to whom, brought together by `supplier_key`.

A body contributes what it pays to the suppliers of a group, those whose names begin with the same three letters. A
group has the contributions of all bodies, and everything about its suppliers is made from it alone. A release therefore
touches only the groups of the suppliers that it names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import islice

import msgspec

from piperoll import layout
from piperoll.describing.year_figures import RowSum, add_sums
from piperoll.model import Body, Series

LEAST_BODIES = 2
"""A supplier that this many bodies pay has a page."""

LEAST_POUNDS = Decimal(25_000)
"""A public body, company or charity that is paid this much has a page, also if only one body pays it."""

MOST_LISTED_MONTHS = 6
"""A supplier is shown whole in the list of its group if the months of all bodies that pay it are at most this many."""

MOST_LISTED_SPELLINGS = 4
"""A supplier with more spellings is not shown whole in a list."""

KNOWN_CLASSES = ("public-body", "charity", "company")
"""Payee classes of organisations. The class of any other name is in doubt: it may be that of a person in business."""

MOST_SERIES = 3
"""Links to rows of a body and year: to its latest tables that name the supplier."""

MOST_CONTRACTS = 50
"""Contracts of one body that are kept of a supplier: those that end last."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract that names a supplier, as a body's latest register lists it; days are ISO 8601."""

    title: str
    reference: str
    value: Decimal | None
    start: str
    end: str
    series: str


@dataclass(frozen=True, slots=True)
class PayeeYear:
    """What a body pays to a supplier in a financial year.

    `months` has the rows and pounds by month ("": not known); `series` counts the rows by series and spelling.
    """

    months: Mapping[str, RowSum] = field(default_factory=dict)
    series: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def total(self) -> RowSum:
        """The rows and pounds of the year."""
        return add_sums(self.months.values())


@dataclass(frozen=True, slots=True)
class Payee:
    """One supplier as one body names it: rows by payee class and by spelling, what was paid by year, and contracts."""

    classes: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)
    years: Mapping[str, PayeeYear] = field(default_factory=dict)
    contracts: tuple[Contract, ...] = ()

    @property
    def total(self) -> RowSum:
        """The rows and pounds of all years."""
        return add_sums(year.total for year in self.years.values())

    def month_sums(self) -> dict[str, RowSum]:
        """The rows and pounds by month, in order; "" is what has no month."""
        return _sum_months(self.years.values())


def _sum_months(years: Iterable[PayeeYear]) -> dict[str, RowSum]:
    found: dict[str, list[RowSum]] = {}
    for year in years:
        for month, one in year.months.items():
            found.setdefault(month, []).append(one)
    return {month: add_sums(found[month]) for month in sorted(found)}


@dataclass(frozen=True, slots=True)
class BodyPayees:
    """What a body contributes to a group of suppliers: its own name, and its payees by `supplier_key`."""

    name: str
    payees: Mapping[str, Payee]


@dataclass(frozen=True)
class Supplier:
    """A supplier of several bodies: what each of them, by slug, pays to it. `names` are the names of those bodies."""

    key: str
    payees: Mapping[str, Payee]
    names: Mapping[str, str]

    @cached_property
    def spellings(self) -> list[tuple[str, int]]:
        """Every spelling with its number of rows, the most common first."""
        counts: Counter[str] = Counter()
        for payee in self.payees.values():
            counts.update(payee.names)
        return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))

    @property
    def title(self) -> str:
        """The most common spelling."""
        return self.spellings[0][0]

    @cached_property
    def payee_class(self) -> str:
        """The class that most rows have, of those that say what the supplier is; `not-known` if none does."""
        counts: Counter[str] = Counter()
        for payee in self.payees.values():
            counts.update({name: rows for name, rows in payee.classes.items() if name in KNOWN_CLASSES})
        return min(counts, key=lambda name: (-counts[name], name), default="not-known")

    @cached_property
    def total(self) -> RowSum:
        """The rows and pounds that all bodies paid."""
        return add_sums(payee.total for payee in self.payees.values())

    @cached_property
    def payers(self) -> list[str]:
        """The slugs of the bodies that pay it, those that pay most first."""
        paid = {slug: payee.total for slug, payee in self.payees.items() if payee.years}
        return sorted(paid, key=lambda slug: (-(paid[slug].amount or Decimal(0)), slug))

    @cached_property
    def years(self) -> list[str]:
        """The financial years with payments, latest first."""
        return sorted({year for payee in self.payees.values() for year in payee.years}, reverse=True)

    def month_sums(self) -> dict[str, RowSum]:
        """The rows and pounds by month, of all bodies, in order; "" is what has no month."""
        return _sum_months(year for payee in self.payees.values() for year in payee.years.values())

    def year_sum(self, year: str) -> RowSum:
        """The rows and pounds of a year, of all bodies."""
        return add_sums(payee.years[year].total for payee in self.payees.values() if year in payee.years)

    @property
    def contracts(self) -> list[tuple[str, Contract]]:
        """The contracts that name it, with the slug of the body, those that end last first."""
        every = [(slug, one) for slug, payee in self.payees.items() for one in payee.contracts]
        return sorted(every, key=lambda entry: (entry[1].end, entry[0], entry[1].reference), reverse=True)

    @property
    def has_page(self) -> bool:
        """True if it has a page: see LEAST_BODIES, LEAST_POUNDS and KNOWN_CLASSES."""
        if len(self.payees) >= LEAST_BODIES:
            return True
        of_size = (self.total.amount or Decimal(0)) >= LEAST_POUNDS or any(
            one.contracts for one in self.payees.values()
        )
        return self.payee_class in KNOWN_CLASSES and of_size

    @property
    def fits_list(self) -> bool:
        """True if its line in the list of its group shows all that a page of its own would.

        It is paid in few months, and no contract names it. Its address then leads to the line. Of the suppliers of the
        real files, four of five are such.
        """
        if len(self.spellings) > MOST_LISTED_SPELLINGS or any(payee.contracts for payee in self.payees.values()):
            return False
        return sum(len(payee.month_sums()) for payee in self.payees.values()) <= MOST_LISTED_MONTHS


@dataclass(frozen=True, slots=True)
class SupplierDigest:
    """A supplier as lists show it: `bodies` counts those that pay it."""

    key: str
    title: str
    payee_class: str
    bodies: int
    rows: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class GroupDigest:
    """A group of suppliers as the index of suppliers shows it: how many have a page, and the largest of them."""

    suppliers: int
    largest: tuple[SupplierDigest, ...]


MOST_LARGEST = 20
"""The largest suppliers of a group that its digest has."""


def encode_payees(body: Body, payees: Mapping[str, Payee]) -> dict[str, str]:
    """Divide the payees of a body by the letters of their groups.

    Each contribution is JSON text: a whole build keeps those of all bodies in memory, where text is small.
    """
    groups: dict[str, dict[str, Payee]] = {}
    for key in sorted(payees):
        groups.setdefault(layout.supplier_letters(key), {})[key] = payees[key]
    return {letters: msgspec.json.encode(BodyPayees(body.name, own)).decode() for letters, own in groups.items()}


def decode_group(members: Mapping[str, str]) -> dict[str, Supplier]:
    """Bring the contributions of all bodies, by slug, together: the suppliers of a group by key."""
    found: dict[str, dict[str, Payee]] = {}
    names: dict[str, str] = {}
    for slug, text in members.items():
        body = msgspec.json.decode(text, type=BodyPayees)
        names[slug] = body.name
        for key, payee in body.payees.items():
            found.setdefault(key, {})[slug] = payee
    return {key: Supplier(key, payees, {slug: names[slug] for slug in payees}) for key, payees in sorted(found.items())}


def digest_supplier(supplier: Supplier) -> SupplierDigest:
    """A supplier as lists show it."""
    rows, amount = supplier.total.rows, supplier.total.amount
    return SupplierDigest(supplier.key, supplier.title, supplier.payee_class, len(supplier.payers), rows, amount)


def digest_suppliers(suppliers: Iterable[Supplier]) -> GroupDigest:
    """Reduce a group to what the index of suppliers needs."""
    listed = [digest_supplier(one) for one in suppliers if one.has_page]
    return GroupDigest(len(listed), tuple(sorted(listed, key=largest_first)[:MOST_LARGEST]))


def largest_first(supplier: SupplierDigest) -> tuple[Decimal, str]:
    """Sort key: the supplier that is paid most comes first."""
    return -(supplier.amount or Decimal(0)), supplier.key


def find_largest(groups: Iterable[GroupDigest], most: int) -> list[SupplierDigest]:
    """The largest suppliers of all groups, at most `most`.

    A group says only its own largest. If all that it says are listed, others of it may be missing, and the list ends
    with the last of them.
    """
    every = list(groups)
    full = [one.largest[-1] for one in every if one.suppliers > len(one.largest)]
    end = min(map(largest_first, full), default=None)
    found = sorted((one for group in every for one in group.largest), key=largest_first)
    return [one for one in found if end is None or largest_first(one) <= end][:most]


def merge_payees(years: Iterable[tuple[str, Mapping[str, Payee]]]) -> dict[str, Payee]:
    """Bring the payees of a body's datasets and years together, given in order of year.

    The contracts of a supplier are those of the latest year with a register.
    """
    found: dict[str, list[Payee]] = {}
    every = list(years)
    latest = max((year for year, payees in every if any(one.contracts for one in payees.values())), default="")
    for year, payees in every:
        for key, payee in payees.items():
            kept = payee.contracts if year == latest else ()
            if payee.years or kept:
                found.setdefault(key, []).append(replace(payee, contracts=kept))
    return {key: _merge(ones) for key, ones in found.items()}


def _merge(ones: list[Payee]) -> Payee:
    if len(ones) == 1:
        return ones[0]
    classes: Counter[str] = Counter()
    names: Counter[str] = Counter()
    years: dict[str, PayeeYear] = {}
    contracts: tuple[Contract, ...] = ()
    for one in ones:
        classes.update(one.classes)
        names.update(one.names)
        years |= one.years
        contracts += one.contracts
    return Payee(dict(sorted(classes.items())), dict(sorted(names.items())), dict(sorted(years.items())), contracts)


def latest_series(year: PayeeYear) -> list[tuple[Series, str, int]]:
    """The latest series of a year that name a supplier, with each spelling and its rows, the most common first."""
    counted = [(Series.parse(series), names) for series, names in year.series.items()]
    counted.sort(key=lambda entry: (-entry[0].period.end.toordinal(), entry[0]))
    spelled = (
        (series, name, names[name]) for series, names in counted for name in sorted(names, key=lambda one: -names[one])
    )
    return list(islice(spelled, MOST_SERIES))
