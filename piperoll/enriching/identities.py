"""Which company a supplier is: pure functions of what bodies published, a register of companies and reviews.

The first of these tiers that finds a company decides, and is stored with it:

1. a number that the body published,
2. the name of one company that traded when the body paid (`normal_form`: brackets and places count),
3. a previous name of one company,
4. a number that someone reviewed, if the tiers above find none or another,
5. a similar name, which is only proposed for review.

A company that fails a guard is proposed for review too: it was incorporated after the first payment or dissolved before
it, is dormant or has no business (SIC 98, 99), or is a partnership where the name says company. docs/suppliers.md has
the measurements.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache

from piperoll.enriching.company_numbers import COMPANIES_HOUSE, NumberForm, parse_company_number
from piperoll.enriching.payees import PayeeClass
from piperoll.enriching.supplier_names import company_form, normal_form, without_form
from piperoll.model import NO_COMPANY
from piperoll.people.names import fold_text

SIMILAR = 92
"""The least similarity (0 to 100) of a name that is proposed for review. It is not calibrated: it decides nothing."""

MOST_PROPOSED = 5
"""Companies proposed for one supplier."""

_AFTER_DISSOLUTION = timedelta(days=90)
"""How long after its end a company may still be paid."""

_PARTNERSHIP = re.compile(r"\bL\.? ?L\.? ?P\b|\bL\.? ?P\b|\bPARTNERSHIP\b")
_CHARITY = re.compile(r"\bS?CIO\b|\bCHARITABLE\b")
_PARTNERSHIPS = frozenset(("OC", "SO", "NC", "LP", "SL", "NL"))
_CHARITIES = frozenset(("CE", "CS"))
_ABROAD = re.compile(r"\b(?:INC|INCORPORATED|LLC|GMBH|AG|BV|NV|SA|SAS|SARL|SRL|SPA|PTY|PTE|OY|APS|KFT)\b")
"""The forms of companies abroad, which Companies House does not register."""

_TRADES_AS = re.compile(r"\s+(?:T\s?/\s?AS?|TRADING AS|C\s?/\s?O)\s+")
_IN_BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]?")
_WORD = re.compile(r"[^\W_]+")
_NO_BUSINESS = ("98", "99")
"""The first digits of SIC codes of households, dormant companies and bodies abroad."""


class Tier(StrEnum):
    """How a supplier's company was found."""

    PUBLISHED = "1-published"
    NAME = "2-name"
    PREVIOUS_NAME = "3-previous-name"
    REVIEWED = "4-reviewed"
    SIMILAR = "5-similar"
    NONE = "none"


class Outcome(StrEnum):
    """What is known of a supplier: its company, companies to review, that none is expected, or nothing."""

    MATCHED = "matched"
    REVIEW = "review"
    NOT_EXPECTED = "no-company-expected"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class PreviousName:
    """A name that a company had until a day; None if the register does not state it."""

    name: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """A company of the register; dates are None if it does not state them."""

    number: str
    name: str
    incorporated: date | None = None
    dissolved: date | None = None
    sic: tuple[str, ...] = ()
    dormant: bool = False
    previous_names: tuple[PreviousName, ...] = ()

    @property
    def kind(self) -> str:
        """`partnership`, `charity` (an incorporated organisation) or `company`, by the letters of its number."""
        letters = self.number[:2]
        return "partnership" if letters in _PARTNERSHIPS else "charity" if letters in _CHARITIES else "company"

    def traded(self, on: date | None) -> bool:
        """Whether it existed on a day, or ended at most 90 days before; True if the day is not known."""
        if on is None:
            return True
        started = self.incorporated is None or self.incorporated <= on
        return started and (self.dissolved is None or on <= self.dissolved + _AFTER_DISSOLUTION)


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier of one body: its key, its spellings, and the numbers that the body published with it.

    `other_ids` are identifiers of other registers than Companies House's (`GB-CHC-202918`). `first` is the day of the
    first payment.
    """

    key: str
    names: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    other_ids: tuple[str, ...] = ()
    first: date | None = None
    payee_class: str = PayeeClass.NOT_KNOWN


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a supplier is said to be, by which tier, and why in plain words.

    `org_id` is empty unless the outcome is `MATCHED`; `proposed` are identifiers to review. `certain` is False for a
    match that is never more than a candidate, as of a name without the form of a company. `by_name` is what the tiers
    of names say, whatever a tier before them says, so that they can be checked against published numbers.
    """

    outcome: Outcome
    tier: Tier = Tier.NONE
    org_id: str = ""
    evidence: str = ""
    proposed: tuple[str, ...] = ()
    certain: bool = True
    by_name: str = ""

    @property
    def company_number(self) -> str:
        """The number at Companies House; empty if it is not matched to a company there."""
        return self.org_id.removeprefix(COMPANIES_HOUSE) if self.org_id.startswith(COMPANIES_HOUSE) else ""


_Index = dict[str, dict[str, Company]]


class Register:
    """Companies, looked up by number, by name, by previous name and by names that are alike."""

    def __init__(self, companies: Iterable[Company]) -> None:
        self.by_number: dict[str, Company] = {}
        self.by_name: _Index = defaultdict(dict)
        self.by_previous: _Index = defaultdict(dict)
        self._by_bare: _Index = defaultdict(dict)
        for company in sorted(companies, key=lambda one: one.number):
            self.by_number[company.number] = company
            _add(self.by_name, normal_form(company.name), company)
            _add(self._by_bare, _bare_form(company.name), company)
            for previous in company.previous_names:
                _add(self.by_previous, normal_form(previous.name), company)
                _add(self._by_bare, _bare_form(previous.name), company)

    def differ_in_brackets(self, names: Iterable[str]) -> list[Company]:
        """The companies with one of these names but for the words in brackets."""
        found = (self._by_bare.get(bare, {}) for name in names if (bare := _bare_form(name)))
        numbered = {number: company for each in found for number, company in each.items()}
        return [numbered[number] for number in sorted(numbered)]

    def similar(self, names: Iterable[str]) -> list[Company]:
        """The companies whose name begins with the same word and is at least `SIMILAR`, the most similar first."""
        scores: dict[str, float] = {}
        for name in names:
            first, words = _sorted_words(name)
            for number, other in self._words_by_first.get(first or "", ()):
                scores[number] = max(_similarity(words, other), scores.get(number, 0.0))
        ranked = sorted((-score, number) for number, score in scores.items() if score >= SIMILAR)
        return [self.by_number[number] for _, number in ranked]

    @cached_property
    def _words_by_first(self) -> dict[str, list[tuple[str, str]]]:
        """The number and the sorted words of each company, by the first word of its name."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for company in self.by_number.values():
            first, words = _sorted_words(company.name)
            found[first or ""].append((company.number, words))
        return found


def identify(
    supplier: Supplier, register: Register | None, reviewed: str | None = None, *, similar: bool = True
) -> Identity:
    """Say which company a supplier is. Without a `register` only published and reviewed numbers count.

    `reviewed` is what a review that is in force decided: an identifier, or `NO_COMPANY`. Without `similar`, similar
    names are not searched for, which takes by far the most time.
    """
    by_name = _expect_none(supplier) or (_match_name(supplier, register) if register else Identity(Outcome.UNMATCHED))
    found = _match_published(supplier, register) or by_name
    if found.outcome is Outcome.UNMATCHED:
        found = _propose_similar(supplier, register, similar=similar)
    certain_name = by_name.org_id if by_name.certain else ""
    found = _apply_review(found, reviewed)
    return replace(found, by_name=certain_name) if certain_name else found


def first_payment_matters(supplier: Supplier, register: Register, latest: date | None) -> bool:
    """Whether `identify` may say something else if the first payment was later than `supplier.first`, until `latest`.

    It does not for most suppliers: their companies traded on either day, and changed no name between them.
    """
    earliest = supplier.first
    if earliest is None or latest is None or earliest == latest:
        return False
    numbers = {parse_company_number(number).number for number in supplier.numbers}
    companies = [register.by_number[number] for number in numbers if number in register.by_number]
    for key in keys_of(supplier):
        companies += (*register.by_name.get(key, {}).values(), *register.by_previous.get(key, {}).values())
    ends = (previous.until for company in companies for previous in company.previous_names)
    return not all(company.traded(earliest) and company.traded(latest) for company in companies) or any(
        until is not None and earliest < until <= latest for until in ends
    )


def _apply_review(found: Identity, reviewed: str | None) -> Identity:
    if reviewed is None:
        return found
    if reviewed == NO_COMPANY:
        return Identity(Outcome.NOT_EXPECTED, Tier.REVIEWED, evidence="reviewed: in no register")
    if found.org_id == reviewed:
        return replace(found, evidence=f"{found.evidence}; reviewed", certain=True)
    return Identity(Outcome.MATCHED, Tier.REVIEWED, reviewed, "reviewed")


# --- tier 1 -----------------------------------------------------------------------------------------------------------


def _match_published(supplier: Supplier, register: Register | None) -> Identity | None:
    """What the numbers that the body published say; None if they are no numbers of a company or organisation."""
    parsed = [parse_company_number(number) for number in supplier.numbers]
    numbers = sorted({one.number for one in parsed if one.number})
    if not numbers:
        other = sorted(set(supplier.other_ids))
        if len(other) == 1:
            return Identity(Outcome.MATCHED, Tier.PUBLISHED, other[0], "identifier published by the body")
        if not other:
            return None
        return Identity(Outcome.REVIEW, Tier.PUBLISHED, "", "several identifiers published", tuple(other))
    proposed = tuple(f"{COMPANIES_HOUSE}{number}" for number in numbers)
    if len(numbers) > 1:
        return Identity(Outcome.REVIEW, Tier.PUBLISHED, "", f"{len(numbers)} numbers published by the body", proposed)
    company = register.by_number.get(numbers[0]) if register else None
    doubt = _doubt_of_number({one.form for one in parsed if one.number}, company, supplier)
    if doubt:
        return Identity(Outcome.REVIEW, Tier.PUBLISHED, "", doubt, proposed)
    known = "" if register is None else "; in the register" if company else "; not in the register"
    return Identity(Outcome.MATCHED, Tier.PUBLISHED, proposed[0], f"number published by the body{known}")


def _doubt_of_number(forms: set[NumberForm], company: Company | None, supplier: Supplier) -> str:
    """Why a published number is not taken as it is; empty if it is."""
    if company is not None and (failed := _failed_guard(company, supplier, by_number=True)):
        return failed
    agrees = company is not None and not keys_of(supplier).isdisjoint(_keys_of_company(company))
    if NumberForm.WHOLE in forms or agrees:
        return ""
    if company is not None:
        return "the number lost leading zeros, and the register has another name for it"
    return "" if NumberForm.PADDED in forms else "a number of six digits or fewer, which no register names"


# --- tiers 2 and 3 ----------------------------------------------------------------------------------------------------


def _match_name(supplier: Supplier, register: Register) -> Identity:
    """What the supplier's name says: its company, companies to review, or nothing."""
    failed: dict[str, str] = {}
    for tier, index, said in (
        (Tier.NAME, register.by_name, "same name in the register"),
        (Tier.PREVIOUS_NAME, register.by_previous, "previous name in the register"),
    ):
        found = {number: one for key in keys_of(supplier) for number, one in index.get(key, {}).items()}
        guards = {number: _failed_guard(company, supplier) for number, company in found.items()}
        passed = sorted(number for number, guard in guards.items() if not guard)
        if len(passed) > 1:
            proposed = tuple(f"{COMPANIES_HOUSE}{number}" for number in passed[:MOST_PROPOSED])
            return Identity(Outcome.REVIEW, tier, "", f"{len(passed)} companies have this name", proposed)
        if passed and (other := _had_the_name(supplier, register, passed[0])):
            proposed = (f"{COMPANIES_HOUSE}{passed[0]}", f"{COMPANIES_HOUSE}{other}")
            return Identity(Outcome.REVIEW, tier, "", "another company had this name before", proposed)
        if passed:
            certain = any(map(_find_form, supplier.names))
            why = said if certain else f"{said}, but the name has no form of a company"
            return Identity(Outcome.MATCHED, tier, f"{COMPANIES_HOUSE}{passed[0]}", why, certain=certain)
        failed |= guards
    if failed:
        proposed = tuple(f"{COMPANIES_HOUSE}{number}" for number in sorted(failed)[:MOST_PROPOSED])
        return Identity(Outcome.REVIEW, Tier.NAME, "", failed[min(failed)], proposed)
    return Identity(Outcome.UNMATCHED)


def _had_the_name(supplier: Supplier, register: Register, number: str) -> str:
    """The number of another company that may have had the supplier's name when it was first paid; else empty."""
    keys = keys_of(supplier)
    for company in (company for key in sorted(keys) for company in register.by_previous.get(key, {}).values()):
        named = [one for one in company.previous_names if normal_form(one.name) in keys]
        current = any(one.until is None or supplier.first is None or one.until > supplier.first for one in named)
        if company.number != number and current and company.traded(supplier.first):
            return company.number
    return ""


def _failed_guard(company: Company, supplier: Supplier, *, by_number: bool = False) -> str:
    """Why a company is not taken for the supplier without a review; empty if it is."""
    if not company.traded(supplier.first):
        if company.incorporated is not None and supplier.first and company.incorporated > supplier.first:
            return f"incorporated on {company.incorporated}, after the first payment on {supplier.first}"
        return f"dissolved on {company.dissolved}, before the first payment on {supplier.first}"
    if company.dormant or any(code.startswith(_NO_BUSINESS) for code in company.sic):
        return "dormant, or without a business of its own"
    if not by_number and _kind_by_name(supplier) not in (None, company.kind):
        return "one is a company and the other a partnership or charity"
    return ""


def _kind_by_name(supplier: Supplier) -> str | None:
    """The kind of company (`Company.kind`) by the form in the supplier's name; None without a form."""
    forms = [form for name in supplier.names if (form := _find_form(name))]
    if not forms:
        return None
    if any(_CHARITY.search(form) for form in forms):
        return "charity"
    return "partnership" if any(_PARTNERSHIP.search(form) for form in forms) else "company"


# --- no tier ----------------------------------------------------------------------------------------------------------


def _expect_none(supplier: Supplier) -> Identity | None:
    """That no company is expected: of a person, a public body without a company's form, or a company abroad."""
    forms = [form for name in supplier.names if (form := _find_form(name))]
    if supplier.payee_class == PayeeClass.PERSON_OR_REDACTED:
        return Identity(Outcome.NOT_EXPECTED, evidence="individual")
    if forms and all(_ABROAD.search(form.replace(".", "")) for form in forms):
        return Identity(Outcome.NOT_EXPECTED, evidence="company abroad")
    if supplier.payee_class == PayeeClass.PUBLIC_BODY and not forms:
        return Identity(Outcome.NOT_EXPECTED, evidence="public body, school or parish")
    return None


def _propose_similar(supplier: Supplier, register: Register | None, *, similar: bool) -> Identity:
    """Companies whose name is alike, for review only."""
    if register is None:
        return Identity(Outcome.UNMATCHED, evidence="no number published, and no register to look the name up in")
    names = [*supplier.names, *_legal_names(supplier)]
    for said, companies in (
        ("the words in brackets differ", register.differ_in_brackets(names)),
        ("a similar name", register.similar(names) if similar else []),
    ):
        if companies:
            proposed = tuple(f"{COMPANIES_HOUSE}{one.number}" for one in companies[:MOST_PROPOSED])
            return Identity(Outcome.REVIEW, Tier.SIMILAR, "", said, proposed)
    return Identity(Outcome.UNMATCHED, evidence="not in the register")


# --- names ------------------------------------------------------------------------------------------------------------


def _legal_names(supplier: Supplier) -> list[str]:
    """What stands before "T/A" in the supplier's names, where that has the form of a company."""
    return [part for name in supplier.names if (part := _legal_name(name))]


@lru_cache(maxsize=1 << 16)
def _legal_name(name: str) -> str:
    folded = fold_text(name)
    part = _TRADES_AS.split(folded, maxsplit=1)[0]
    return part if part != folded and company_form().search(part) else ""


@lru_cache(maxsize=1 << 16)
def _find_form(name: str) -> str:
    """The form of a company in a name, with what parts it from the name; empty if there is none."""
    form = company_form().search(fold_text(name))
    return form[0] if form else ""


def keys_of(supplier: Supplier) -> set[str]:
    """The normal forms of a supplier's name, and of the company's name before "T/A"."""
    return {supplier.key, *(key for name in _legal_names(supplier) if (key := normal_form(name)))}


def bare_forms(supplier: Supplier) -> set[str]:
    """The normal forms of a supplier's names without what is in brackets."""
    return {bare for name in (*supplier.names, *_legal_names(supplier)) if (bare := _bare_form(name))}


def first_words(supplier: Supplier) -> set[str]:
    """The first words of a supplier's names, by which similar names are found."""
    return {word for name in (*supplier.names, *_legal_names(supplier)) if (word := _sorted_words(name)[0])}


def _keys_of_company(company: Company) -> set[str]:
    names = (company.name, *(previous.name for previous in company.previous_names))
    return {key for name in names if (key := normal_form(name))}


@lru_cache(maxsize=1 << 16)
def _bare_form(name: str) -> str | None:
    """The normal form of a name without what is in brackets or after "T/A"."""
    return normal_form(_IN_BRACKETS.sub(" ", _TRADES_AS.split(fold_text(name), maxsplit=1)[0]))


@lru_cache(maxsize=1 << 16)
def _sorted_words(name: str) -> tuple[str | None, str]:
    """The first word of a name without "the" and the form of a company, and all its words in order of the alphabet."""
    words = _WORD.findall(without_form(fold_text(name)))
    return (words[0] if words else None), " ".join(sorted(words))


def _similarity(one: str, other: str) -> float:
    """How alike two texts are, 0 to 100: twice the length of their longest common subsequence by that of both."""
    longest = len(one) + len(other)
    if not longest or 2 * min(len(one), len(other)) * 100 < SIMILAR * longest:
        return 0.0
    masks: dict[str, int] = defaultdict(int)
    for index, letter in enumerate(one):
        masks[letter] |= 1 << index
    full = (1 << len(one)) - 1
    state = full
    for letter in other:
        both = state & masks[letter]
        state = ((state + both) | (state - both)) & full
    return 200 * (len(one) - state.bit_count()) / longest


def _add(index: _Index, key: str | None, company: Company) -> None:
    if key is not None:
        index[key][company.number] = company
