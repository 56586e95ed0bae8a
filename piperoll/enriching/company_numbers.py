"""Company numbers as bodies publish them, and as the register of companies writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

COMPANIES_HOUSE = "GB-COH-"
"""The beginning of an identifier of org-id.guide for a company number."""

_NOISE = re.compile(r"[\s.\-/]+")
_PERSONAL = re.compile(r"[A-Z]{2}\d{6}[A-D]")
_LETTERS_FIRST = re.compile(
    r"(AC|CE|CS|ES|FC|FE|GE|GN|GS|IC|IP|LP|NA|NC|NF|NI|NL|NO|NP|NR|NV|NZ|OC|OE|PC|RC|RS|SA|SC|SE|SF|SG|SI|SL|SO|SP|SR"
    r"|SZ|ZC)(\d{1,6})"
)
"""The letters before six digits that Companies House uses: SC is Scotland, NI Northern Ireland, OC a partnership."""

_SOCIETY = re.compile(r"(?:IP|SP|NP)\d{5}R|(?:IP|SP|NP)\d{4}RS|R\d{7}")
"""Registered societies, and the old numbers of Northern Ireland."""


class NumberForm(StrEnum):
    """How a published company number is written.

    `SHORT` has five or six digits. With leading zeros it may be the number of another company, so it counts only if the
    name agrees. `PERSONAL` has the form of a National Insurance number.
    """

    WHOLE = "whole"
    PADDED = "padded"
    SHORT = "short"
    PERSONAL = "personal"
    NOT_A_NUMBER = "not-a-number"


@dataclass(frozen=True, slots=True)
class CompanyNumber:
    """A published company number: its form, and the number in eight characters ("" if it is none)."""

    form: NumberForm
    number: str = ""

    @property
    def org_id(self) -> str:
        """The number as an identifier of org-id.guide, `GB-COH-01234567`; empty without a number."""
        return f"{COMPANIES_HOUSE}{self.number}" if self.number else ""


def parse_company_number(text: str | None) -> CompanyNumber:
    """Read a company number as bodies write it: `2345678`, `SC 1234`, `GB-COH-01234567`.

    A number of nine digits is rejected: it is a VAT or charity number.
    """
    upper = (text or "").strip().upper().removeprefix(COMPANIES_HOUSE)
    if re.fullmatch(r"\d+\.0+", upper):  # a spreadsheet's number
        upper = upper.partition(".")[0]
    plain = _NOISE.sub("", upper)
    if _PERSONAL.fullmatch(plain):
        return CompanyNumber(NumberForm.PERSONAL)
    if lettered := _LETTERS_FIRST.fullmatch(plain):
        letters, digits = lettered.groups()
        form = NumberForm.WHOLE if len(digits) == 6 else NumberForm.PADDED
        return CompanyNumber(form, f"{letters}{digits:0>6}") if int(digits) else CompanyNumber(NumberForm.NOT_A_NUMBER)
    if _SOCIETY.fullmatch(plain):
        return CompanyNumber(NumberForm.WHOLE, plain)
    forms = {5: NumberForm.SHORT, 6: NumberForm.SHORT, 7: NumberForm.PADDED, 8: NumberForm.WHOLE}
    if not (plain.isascii() and plain.isdigit()) or len(plain) not in forms or not int(plain):
        return CompanyNumber(NumberForm.NOT_A_NUMBER)
    short = len(plain.lstrip("0")) < 7 and len(plain) < 8
    return CompanyNumber(NumberForm.SHORT if short else forms[len(plain)], f"{plain:0>8}")
