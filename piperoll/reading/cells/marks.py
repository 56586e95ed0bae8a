"""Words and marks in cells that are not values: for nothing, for errors, for a nil return and for totals."""

from __future__ import annotations

import re

_NOTHING = frozenset(
    ["", "-", "--", "---", "–", "—", "#", ".", "n/a", "#n/a", "n\\a", "n.a.", "not applicable", "null", "[x]", "[z]"]
)
_NOTHING_TYPED = _NOTHING | {"na", "nil", "none", "nan", "n/k", "n/d", "nd", "not known", "unknown"}
"""Marks that mean no value in a column of dates, numbers or truth values."""

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
    r"|.{1,100}\bnil returns?"
    r"|(?:return|submission|status|spend|payments|transactions)\s?[:=]\s?(?:nil|none|zero)"
    r"|(?:n/a|not applicable) (?:this|in|for|during)\b.*",
    re.I,
)
_NOT_NIL = re.compile(
    r"\b(?:below|under|less than|includ|exclud|shown|listed|individuals|named|redact|withheld|without|vat)"
    r"|\b(?:please|if|enter|should|must|complete|submit|required|example|e\.g|instead)\b",
    re.I,
)
"""Words that show a note about some payments, not a statement that there were none."""


def means_nothing(text: str, *, typed: bool) -> bool:
    """Whether a tidy cell means that there is no value; `typed` for columns of dates, numbers and truth values.

    In a column of text `None` and `NA` can be meant as words, so they are values. `£-`, which is how accounting formats
    show zero or nothing, is no amount.
    """
    if typed:
        return text.casefold().removeprefix("£").strip() in _NOTHING_TYPED
    return text.casefold() in _NOTHING


def is_error(text: str) -> bool:
    """Whether a tidy cell is a spreadsheet error: #REF!, #VALUE!, or a number too wide to be shown (####)."""
    return text.startswith(("#", "Err:")) and bool(_ERROR.match(text))


def says_nil(text: str) -> bool:
    """Whether a tidy cell says that there was nothing to report: "Nil", "no transactions this month"."""
    words = text.rstrip(" .!-:;\"')*]").lstrip(" -\"'(*[")
    return len(text) <= 200 and _NIL.fullmatch(words) is not None and not _NOT_NIL.search(words)


TOTAL = "total"
"""The word in every cell that marks a row as a total, in any case."""

_OF = (
    r"for|of|to|in|as at|this|the|all|spend|spending|expenditure|payments?|paid|amounts?|value|net|gross"
    r"|excl?\w*|incl?\w*|vat|carried|month|year|period|page|report|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|q[1-4]|[£\d(\[:=–-]"
)
_LABEL = re.compile(
    rf"(?:(?:grand|sub|overall|report|page|final|running|cumulative|sum|net|gross)[\s\-]*)*totals?\W*"
    rf"(?:\s+(?:{_OF})(?![a-z]).{{0,40}}|[:=(\-–].{{0,40}})?\W*",
    re.I,
)
_CARRIED = re.compile(r"(?:balance |totals? )?(?:(?:carried|brought)[ -](?:forward|down)|[cb]/[fd])\W*", re.I)
_ALONE = re.compile(r"(?:(?:grand|sub|overall|report)[\s\-]*)?totals?\W*", re.I)
_WHOLE = re.compile(
    _ALONE.pattern + r"|england|scotland|wales|northern ireland|great britain|united kingdom"
    r"|all (?:authorities|bodies|councils|departments|regions|classes|services|suppliers)",
    re.I,
)
_FIRM = re.compile(r"\b(?:ltd|limited|plc|llp|inc|cic)\b", re.I)


def is_label(word: str) -> bool:
    """Whether a tidy cell is the label of a total and not a name; `Total Gas & Power` is a supplier."""
    return bool(_LABEL.fullmatch(word) or _CARRIED.fullmatch(word)) and not _FIRM.search(word)


def is_carried(word: str) -> bool:
    """Whether a tidy cell says that a sum is carried over from, or to, another page."""
    return bool(_CARRIED.fullmatch(word))


def names_whole(word: str) -> bool:
    """Whether a tidy cell names the sum of all others: a total, or the country or group that includes the rest."""
    return bool(_WHOLE.fullmatch(word))


def is_total(word: str) -> bool:
    """Whether a tidy cell says `Total`, `Grand total` or the like and nothing else."""
    return bool(_ALONE.fullmatch(word))
