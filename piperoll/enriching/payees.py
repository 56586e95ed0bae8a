"""What kind of payee a name or a published identifier shows: a public body, a company, a charity, or a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, lru_cache

from piperoll import assets
from piperoll.enriching.supplier_names import company_form, names_person, normal_form, placeholder_class, read_list
from piperoll.people.names import fold_text
from piperoll.people.private_people import redaction_kind

_IN_BRACKETS_LAST = re.compile(r"\s*[(\[][^()\[\]]*[)\]]?\s*$")
_CODE_LAST = re.compile(r"[\s-]+[A-Z]{0,4}\d[A-Z\d]*$")
_ACRONYM = re.compile(r"[A-Z]+")
_LETTERS = re.compile(r"[^A-Z]")
_SHORT = 5
"""An alias of so few letters is an abbreviation that firms have too: only payees.csv says that it means a body."""


class PayeeClass(StrEnum):
    """Who is paid. Public bodies include schools and academies, governments abroad and international organisations."""

    PUBLIC_BODY = "public-body"
    COMPANY = "company"
    CHARITY = "charity"
    PERSON_OR_REDACTED = "person-or-redacted"
    NOT_KNOWN = "not-known"


@lru_cache(maxsize=1 << 17)
def class_of_name(name: str | None) -> PayeeClass:
    """The class that a payee's name shows; `not-known` for a name without a word that decides it.

    Names that are listed come first: bodies of the register by any of their names, and payees.csv. Then come redactions
    and what looks like a private person's name, charities by their words, the form of a company, and the kinds of
    bodies that are public by law.
    """
    if not name:
        return PayeeClass.NOT_KNOWN
    if redaction_kind(name):
        return PayeeClass.PERSON_OR_REDACTED
    if placeholder := placeholder_class(name):
        return PayeeClass(placeholder)
    if known := _known_class(name):
        return known
    if names_person(name):
        return PayeeClass.PERSON_OR_REDACTED
    return _class_by_words(fold_text(name))


def _known_class(name: str) -> PayeeClass | None:
    """The class of a listed payee; None for any other name.

    A name with the form of a company is a listed body only if that has the form too: "Anytown Ltd" is not Anytown.
    """
    with_form, without = _known_payees()
    has_form = company_form().search(fold_text(name)) is not None
    for key in _keys_of(name):
        found = with_form.get(key) or (None if has_form else without.get(key))
        if found is not None:
            return found
    return None


def _class_by_words(folded: str) -> PayeeClass:
    """The class that the words of a folded name show: the first of patterns.csv that matches, or a company's form."""
    form = company_form().search(folded)
    for pattern, unless, despite_form, found in _patterns():
        if (despite_form or not form) and pattern.search(folded) and not (unless and unless.search(folded)):
            return found
    if form is None:
        return PayeeClass.NOT_KNOWN
    return PayeeClass.CHARITY if "".join(_ACRONYM.findall(form[0])) in _charity_forms() else PayeeClass.COMPANY


@cache
def _charity_forms() -> frozenset[str]:
    rows = read_list("forms.csv", "form", "where", "class")
    return frozenset(row["form"] for row in rows if row["class"] == "charity")


def _keys_of(name: str) -> Iterator[str]:
    """The normal forms to look a name up by: as it is, then without brackets and codes after it."""
    text = fold_text(name)
    while text:
        if key := normal_form(text):
            yield key
        shorter = _IN_BRACKETS_LAST.sub("", text)
        text = shorter if shorter != text else _CODE_LAST.sub("", text) if _CODE_LAST.search(text) else ""


@cache
def _known_payees() -> tuple[dict[str, PayeeClass], dict[str, PayeeClass]]:
    """Listed payees by normal form: those that names with a company's form may be, and those that only others may be.

    The bodies of the register and the rows of payees.csv, which take precedence.
    """
    with_form: dict[str, PayeeClass] = {}
    without: dict[str, PayeeClass] = {}
    listed = [
        (name, PayeeClass.PUBLIC_BODY)
        for body in assets.register()
        for name in (body.name, body.slug, body.short_name or "", *body.former_names, *body.aliases)
        if len(_LETTERS.sub("", fold_text(name))) > _SHORT
    ]
    listed += [(row["name"], PayeeClass(row["class"])) for row in read_list("payees.csv", "name", "class")]
    for name, found in listed:
        key = normal_form(name)
        if key is not None and (found is PayeeClass.COMPANY or company_form().search(fold_text(name))):
            with_form[key] = found
        if key is not None:
            without[key] = found
    return with_form, without


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], re.Pattern[str] | None, bool, PayeeClass], ...]:
    return tuple(
        (
            re.compile(row["pattern"]),
            re.compile(row["unless"]) if row["unless"] else None,
            row["despite_form"] == "yes",
            PayeeClass(row["class"]),
        )
        for row in read_list("patterns.csv", "class", "pattern", "unless", "despite_form", "example")
    )
