"""Spell a name one way, whatever was typed: case, accents, apostrophes, spaces, titles, prefixes and numbers.

`fold_text` folds characters only. `fold_name` also removes what stands around a person's name, so that two cells that
name the same person compare equal.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

TITLES = frozenset(
    (
        *("MR", "MRS", "MS", "MISS", "MX", "MASTER", "DR", "DOCTOR", "PROF", "PROFESSOR", "REV", "REVD", "REVEREND"),
        *("SIR", "DAME", "LORD", "LADY", "CLLR", "COUNCILLOR", "MESSRS"),
    )
)
"""Words before a name that say that it is a person's."""

_TITLE_WORDS = "(?:" + "|".join(sorted(TITLES, key=len, reverse=True)) + ")"
_TITLE = rf"{_TITLE_WORDS}(?:\.\s*|\s+)"
_COUPLE = r"(?:(?:&|\+|/|AND)\s*)"
_LEADING_TITLES = re.compile(rf"^(?:THE\s+)?(?:{_TITLE}{_COUPLE}?)+(?=\S)")
_TRAILING_TITLES = re.compile(rf"(?:[\s,]+\(?{_TITLE_WORDS}\.?\)?(?:\s*{_COUPLE}{_TITLE_WORDS}\.?)?)+$")
_REPRESENTATIVES = (
    r"(?:ESTATE|EXECUTORS?|EXORS?|EXECS?|EXECUTRIX|ADMINISTRATORS?|ADMIN|PERSONAL REPRESENTATIVES?|PERS(?:ONAL)? REPS?"
    r"|PRS?|TRUSTEES?|REPRESENTATIVES?|REPS?|BENEFICIAR(?:Y|IES)|FAMILY|NEXT OF KIN|APPOINTEE|DEPUTY|PARENTS?"
    r"|GUARDIANS?|CARERS?)"
)
_PREFIX = re.compile(
    r"^(?:(?:C/O|FAO|ATTN|PAYEE|CLIENT|REFUND(?: TO)?|PAYMENT TO)\b[\s:.-]+|RE:\s*)?"
    rf"(?:(?:THE\s+)?(?:{_REPRESENTATIVES}(?:\s+(?:OF|FOR|TO)(?:\s+THE)?|\s*:)\s+"
    r"(?:(?:ESTATE\s+OF|LATE)\s+(?:THE\s+)?(?:LATE\s+)?)?)|THE\s+LATE\s+|LATE\s+)?"
)
_SUFFIX = re.compile(
    r"[\s,;-]*(?:\(\s*(?:THE\s+)?(?:DEC(?:EASED|'?D)?\.?|LATE|EXECUTORS?|EXORS?|ESTATE|JNR|SNR|JR|SR|PERSONAL)\s*\)"
    r"|\b(?:DECEASED|DEC'?D|DEC\.|EXECUTORS?|EXORS?|(?:THE )?EST(?:ATE)? OF|JNR|SNR|JR|SR|ESQ|ESQUIRE"
    r"|OBE|MBE|CBE|PHD|JP|GBP|EUR|USD)\b\.?|'?S ESTATE\b)\s*$"
)
_NUMBER_AFTER = re.compile(
    r"[\s,;:/(\[#_-]+(?:(?:REF|NO|NR|ID|A/C|ACC|ACCT|ACCOUNT|INV|INVOICE|SUPPLIER|VENDOR|PAYEE)[\s.:#]*)*"
    r"#?[A-Z]{0,3}[\d/_.-]*\d[\d/_.-]*[)\]]?\s*$"
)
_NUMBER_BEFORE = re.compile(r"^[(\[#]*[A-Z]{0,2}\d[\d/_.-]*[)\]]?[\s,;:/_-]+")
_GATEWAY = re.compile(r"^(?:PAYPAL|SUMUP|ZETTLE|IZETTLE|IZ|SQ|SP|STRIPE|WORLDPAY|CRV|GOCARDLESS|EB|TST|DNH)\s?[*_]+\s*")
_INNER_TITLES = re.compile(rf"(\s(?:&|AND)\s+)(?:{_TITLE})+(?=\S)")
_LETTERS = (
    "ß:SS ẞ:SS ø:O Ø:O ł:L Ł:L đ:D Đ:D ð:D Ð:D æ:AE Æ:AE œ:OE Œ:OE þ:TH Þ:TH ə:E Ə:E ħ:H Ħ:H ŋ:NG Ŋ:NG ɛ:E Ɛ:E "
    "ɔ:O Ɔ:O ɓ:B Ɓ:B ɗ:D Ɗ:D ƙ:K Ƙ:K ƴ:Y Ƴ:Y ŀ:L \u0131:I"
)
"""Letters that Unicode does not decompose."""
_SPELT_OUT = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u02bb\u02b9\u02bd\u2032\u0060\u00b4\uff07\u05f3\ua78c", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
        **dict(pair.split(":") for pair in _LETTERS.split()),
    }
)
_CONTROLS = dict.fromkeys((*range(9), *range(14, 28), 127))
_INVISIBLE = frozenset(("Cf", "Cc", "Mn", "Me", "Cn", "Co", "Cs"))
_LOOKALIKES = str.maketrans(
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "ABESIJKMHOPCTYXABEZHIKMNOPTYX",
)
"""Capitals of Cyrillic and Greek that look like Latin ones; a text with both scripts is read as Latin."""
_HAS_LATIN = re.compile(r"[A-Z]")
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters by category that are drawn as nothing."""


def fold_text(text: str) -> str:
    """Fold characters: capitals, no accents, straight apostrophes and hyphens, single spaces, nothing invisible.

    Other scripts keep their letters. Folding twice changes nothing.
    """
    if text.isascii():
        if text.isprintable() and "`" not in text:
            return " ".join(text.upper().split())
        return " ".join(text.upper().replace("`", "'").translate(_CONTROLS).split())
    folded = unicodedata.normalize("NFKD", text.translate(_SPELT_OUT)).upper().translate(_SPELT_OUT)
    kept = []
    for character in unicodedata.normalize("NFKD", folded):
        if character.isspace():
            kept.append(" ")
        elif unicodedata.category(character) not in _INVISIBLE and character not in _FILLERS:
            kept.append(character)
    folded = " ".join("".join(kept).split())
    return folded.translate(_LOOKALIKES) if _HAS_LATIN.search(folded) else folded


@lru_cache(maxsize=65536)
def fold_name(text: str) -> str:
    """Spell the name of a person or firm as names are compared: `fold_text`, without what stands around the name.

    Removed are payment gateways ("PAYPAL *"), titles and couples ("Mr & Mrs"), what is said of an estate or a
    representative ("Executors of", "(deceased)"), and numbers before or after. What would leave nothing is kept.
    """
    folded = fold_text(text)
    previous = ""
    while folded != previous:
        previous = folded
        for pattern in (_GATEWAY, _PREFIX, _NUMBER_BEFORE, _NUMBER_AFTER, _SUFFIX, _LEADING_TITLES, _TRAILING_TITLES):
            folded = pattern.sub("", folded, count=1).strip(" ,;:-*/") or folded
        folded = _INNER_TITLES.sub(r"\1", folded)
    return folded
