"""Terms in a heading that say which kind of amount or date it is.

Net or gross, invoice or payment, actual or forecast.
"""

from __future__ import annotations

import re

_GROSS = re.compile(
    r"\bgross\b|\binc(?:l\w*)?\.?\s*(?:of\s+)?vat\b|\bwith vat\b|\bvat inc|\bplus vat\b|\+\s*vat\b",
    re.I,
)
_NET = re.compile(
    r"\bnet\b|\bex(?:c|cl|clud\w*|cluding)?\.?\s*(?:of\s+)?vat\b|\bwithout vat\b|\bless vat\b|\bvat ex"
    r"|\bbefore vat\b",
    re.I,
)
_VAT = re.compile(r"\bvat\b", re.I)

_MONEY = re.compile(r"\b(?:amounts?|payments?|paid|value|cost|price|spend|spent|pounds|gbp)\b|£", re.I)
_OTHER = re.compile(r"\b(?:no|number|ref\w*|ids?|run|codes?|terms|types?|methods?|periods?|years?|days?)\b", re.I)

_SENSES = {
    "invoice": re.compile(r"\binv(?:oice[ds]?)?\b", re.I),
    "order": re.compile(r"\border(?:ed|s)?\b|\bp\.?o\b", re.I),
    "expected": re.compile(r"\bforecast|\bbudget|\bestimat|\bexpected\b|\bplanned\b|\bcommit(?:ted|ment)", re.I),
    "so far": re.compile(r"\bcumulative\b|\bytd\b|\byear to date\b|\bto date\b|\bbalance\b|\boutstanding\b", re.I),
    "record": re.compile(r"\bcreated?\b|\bmodified\b|\bupdated?\b|\bpublished\b|\bentered\b|\bentry\b|\binput\b", re.I),
    "due": re.compile(r"\bdue\b", re.I),
    "year": re.compile(r"\bannual\b|\bper (?:year|annum)\b|\byearly\b|\bp\.?a\b", re.I),
}
"""Terms that change what an amount or a date is, whatever else the heading says."""


def vat_basis(heading: str) -> str:
    """Return what a heading says about VAT.

    `gross`, `net`, `vat` (the figures are the tax itself) or an empty string.
    """
    if _NET.search(heading):
        return "net"
    if _GROSS.search(heading):
        return "gross"
    return "vat" if _VAT.search(heading) else ""


def names_money(heading: str) -> bool:
    """Return whether a heading says that its column holds amounts of money, even if not which."""
    return bool(_MONEY.search(heading)) and not _OTHER.search(heading)


def is_gross(heading: str) -> bool:
    """Return whether a heading says that its amounts include VAT."""
    return vat_basis(heading) == "gross"


def terms_in(heading: str) -> frozenset[str]:
    """Return the terms in a heading that change its meaning.

    `net` is left out because the standards ask for net amounts.
    """
    said = {name for name, pattern in _SENSES.items() if pattern.search(heading.replace("_", " "))}
    return frozenset(said | ({vat_basis(heading)} - {"", "net"}))
