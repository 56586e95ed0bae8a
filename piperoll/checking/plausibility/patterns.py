r"""Regular expressions over many texts: RE2 where it is proven to say what Python's `re` says, `re` itself elsewhere.

The proof is by fragment. Of the expressions it takes only those whose every part means the same to both engines when
the text is printable ASCII: `\d`, `\s`, `\w`, `\b`, `$` and the folding of case part ways beyond that (Unicode
digits, line ends, the long s). So each text that is not printable ASCII is put to `re`, and all of them where the
expression is outside the fragment: look-around, references back, possessive and other things that RE2 has not.
"""

from __future__ import annotations

import re
import warnings
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.plausibility.columns import Mask, Text
from piperoll.checking.plausibility.suite import NotCompiled

_ESCAPED = re.compile(r"\\.", re.DOTALL)
_ESCAPES = re.compile(r"\\(?![dDsSwWbB]|[^A-Za-z0-9])")
"""An escape that is not of the fragment: a reference, a code point, an end of the text."""
_UNLIKE = re.compile(r"\(\?(?![:=!<P]|i\))|\(\?[=!<]|\(\?P[=>]|\{,|\[:|\[\^?\]|[*+?}]\+|[-&|~]{2}")
"""What the two read differently or only one of them has: groups with flags or looking around, `{,3}`, `[:alpha:]`,
a class that opens with its own bracket, possessive repeats, and what Python may one day take for operations on sets."""


def found_in(text: Text, pattern: str) -> Mask:
    """In which of the distinct texts `re.search` finds `pattern`.

    Raises: NotCompiled: it is no regular expression.
    """
    sought = compiled(pattern)
    if not portable(pattern):
        return _sought_one_by_one(text.distinct, sought)
    found: Mask = pc.match_substring_regex(text.distinct, pattern).to_numpy(zero_copy_only=False)
    if len(text.unusual):
        found = found.copy()
        found[text.unusual] = _sought_one_by_one(text.distinct.take(text.unusual), sought)
    return found


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The expression as Python reads it. Raises: NotCompiled: it is none, or Python warns of how it is written."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile(pattern)
    except (re.error, TypeError, FutureWarning, DeprecationWarning) as error:
        raise NotCompiled(f"{pattern!r}: {error}") from error


@cache
def portable(pattern: str) -> bool:
    """Whether RE2 finds `pattern` in printable ASCII exactly where `re` does."""
    if _ESCAPES.search(pattern) or _UNLIKE.search(_ESCAPED.sub("_", pattern)):
        return False
    if compiled(pattern).flags & re.IGNORECASE and not pattern.isascii():
        return False
    try:
        pc.match_substring_regex(pa.array([""], pa.string()), pattern)
    except pa.ArrowInvalid:
        return False
    return True


def _sought_one_by_one(texts: pa.StringArray, sought: re.Pattern[str]) -> Mask:
    return np.fromiter((sought.search(text or "") is not None for text in texts.to_pylist()), np.bool_, len(texts))
