"""What cells say that hold no value: marks for nothing, spreadsheet errors, words for a nil return."""

from __future__ import annotations

import re

_NOTHING = frozenset(
    ["", "-", "--", "---", "–", "—", "#", ".", "n/a", "#n/a", "n\\a", "n.a.", "not applicable", "null", "[x]", "[z]"]
)
_NOTHING_TYPED = _NOTHING | {"na", "nil", "none", "nan", "n/k", "n/d", "nd", "not known", "unknown"}
"""Marks that mean nothing under a heading for dates, numbers or truth values."""

_ERROR = re.compile(r"#(?:REF|VALUE|DIV/0|NAME\?|NUM|NULL|SPILL|CALC|GETTING_DATA)[!?]?|Err:\d+|#+\Z", re.I)
_NIL = re.compile(
    r"(?:nil|none"
    r"|no (?:returns?|data|spend(?:ing)?|expenditure|transactions?|payments?|purchases|entries|records?|items)\b.*"
    r"|nil[ -](?:returns?|spend|transactions?|payments?|expenditure)\b.*"
    r"|(?:there (?:was|were|is|are|has been|have been) )(?:no|nil)\b.*"
    r"|nothing (?:to report|spent|to declare)\b.*)\W*\Z",
    re.I,
)


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
    return bool(_NIL.match(text)) and len(text) <= 200
