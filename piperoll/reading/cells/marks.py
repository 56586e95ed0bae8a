"""What cells say that hold no value: marks for nothing, spreadsheet errors, words for a nil return."""

from __future__ import annotations

import re

_NOTHING = frozenset(
    ["", "-", "--", "---", "–", "—", "#", ".", "n/a", "#n/a", "n\\a", "n.a.", "not applicable", "null", "[x]", "[z]"]
)
_NOTHING_TYPED = _NOTHING | {"na", "nil", "none", "nan", "n/k", "n/d", "nd", "not known", "unknown"}
"""Marks that mean nothing under a heading for dates, numbers or truth values."""

_ERROR = re.compile(r"#(?:REF|VALUE|DIV/0|NAME\?|NUM|NULL|SPILL|CALC|GETTING_DATA)[!?]?|Err:\d+|#+\Z", re.I)
_WHAT = (
    r"(?:(?:such|qualifying|relevant|reportable|applicable|eligible|further|new|other|gpc|card|purchase|procurement|credit"
    r"|corporate|contract|supplier|spending) )*"
    r"(?:returns?|data|spend(?:ing)?|expenditure|transactions?|payments?|purchases|invoices|contracts?|entries|records?"
    r"|items|lines|rows)"
)
_WHO = r"(?:(?:there|we|it|the [a-z]+)(?:'ve)? )?"
_DID = r"(?:(?:was|were|is|are|has|have|had|made|incurred|recorded)(?: been| made| had)? )?"
_NIL = re.compile(
    r"(?:nil|none|zero|nothing)(?: (?:this|in|for|during|to (?:report|publish|declare|disclose)|spent|paid)\b.*)?"
    rf"|{_WHO}{_DID}(?:no|nil|zero|0)[ -]{_WHAT}\b.*"
    r"|.{1,100}\bnil returns?",
    re.I,
)
_NOT_NIL = re.compile(
    r"\b(?:below|under|less than|includ|exclud|shown|listed|individuals|named|redact|withheld|without|vat)", re.I
)
"""What tells a note about some payments from the word that there were none."""


def means_nothing(text: str, *, typed: bool) -> bool:
    """Whether a tidy cell stands for no value; `typed` for columns of dates, numbers and truth values.

    In a column of text `None` and `NA` may be somebody's words, so they stay. A pound sign before nothing (`£-`, as
    accountants' formats show it) is no amount.
    """
    if typed:
        return text.casefold().removeprefix("£").strip() in _NOTHING_TYPED
    return text.casefold() in _NOTHING


def is_error(text: str) -> bool:
    """Whether a tidy cell holds a spreadsheet's error: #REF!, #VALUE!, a cell too narrow to show (####)."""
    return text.startswith(("#", "Err:")) and bool(_ERROR.match(text))


def says_nil(text: str) -> bool:
    """Whether a tidy cell says that there was nothing to report: "Nil", "no transactions this month"."""
    said = text.rstrip(" .!-:;\"')*")
    return len(text) <= 200 and _NIL.fullmatch(said) is not None and not _NOT_NIL.search(said)
