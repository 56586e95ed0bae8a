"""What one unit cost: quantities, units and specifications of contracts, only where they are certain.

A price needs a quantity and a unit. Where a contract has no fields for them, its title may say both ("8 x 7.5t Food
Waste Vehicles"); whatever the title or description leaves open makes the contract lack a price, with the reason.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import pyarrow as pa

from piperoll.measuring.contract_pairs import Words, read_words
from piperoll.measuring.inputs import Inputs

_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip

_COUNT = re.compile(
    r"(?P<vague>\b(?:up to|approx(?:imately)?\.?|circa|around|about|over|minimum of|maximum of) )?"
    r"(?<![\w.])(?P<count>\d{1,6}|"
    + "|".join(_NUMBERS)
    + r") ?(?:x|no\.?|nr\.?) (?P<rest>[^;,&+.(]*(?:\.\d[^;,&+.(]*)*)",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"(?<![\w.])\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)? ?"
    r"(?:kg|t|tonnes?|tons?|g|mm|cm|m|m2|m²|l|litres?|ltr|ml|kw|kwh|w|v|gb|tb|in|inch(?:es)?|seat(?:er)?s?|a[0-5])?\b",
    re.IGNORECASE,
)
_SHARED = re.compile(r"\b(?:\w+) for [A-Z][\w ]+?, (?:\w+) for [A-Z]|on behalf of|\bjoint(?:ly)?\b|\bsplit between\b")
_WORD = re.compile(r"[a-z]{2,}")
_PACK = re.compile(
    r"(?:pack|box|case|carton|bag|set|roll|bundle)s?(?: of)?[ (]*(\d+)\)?$"
    r"|(?:per )?(\d+)(?: ?(?:pack|pk|each|units?|items?))?$"
)

_UNITS: dict[str, tuple[str, Decimal]] = {
    **dict.fromkeys(
        (
            "each",
            "ea",
            "unit",
            "units",
            "item",
            "items",
            "number",
            "no",
            "nr",
            "piece",
            "pieces",
            "1",
            "vehicle",
            "vehicles",
        ),
        ("each", Decimal(1)),
    ),
    **dict.fromkeys(("kg", "kilogram", "kilograms", "kilo", "kilos"), ("kg", Decimal(1))),
    **dict.fromkeys(("g", "gram", "grams"), ("kg", Decimal("0.001"))),
    **dict.fromkeys(("t", "tonne", "tonnes", "metric ton"), ("kg", Decimal(1000))),
    **dict.fromkeys(("l", "litre", "litres", "ltr"), ("l", Decimal(1))),
    **dict.fromkeys(("ml", "millilitre", "millilitres"), ("l", Decimal("0.001"))),
    **dict.fromkeys(("m", "metre", "metres"), ("m", Decimal(1))),
    **dict.fromkeys(("km", "kilometre", "kilometres"), ("m", Decimal(1000))),
    **dict.fromkeys(("m2", "m²", "square metre", "square metres", "sqm", "sq m"), ("m2", Decimal(1))),
    **dict.fromkeys(("h", "hr", "hour", "hours"), ("h", Decimal(1))),
    **dict.fromkeys(("kwh", "kw.h", "kilowatt hour", "kilowatt hours"), ("kWh", Decimal(1))),
    **dict.fromkeys(("mwh",), ("kWh", Decimal(1000))),
}
"""The standard unit of each unit, and how many of it one is. A ton and a day have no certain size and are not here."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """How many of what a contract buys; `lacks` says what is not certain, and is empty if all is."""

    count: Decimal | None = None
    unit: str = ""
    specification: str = ""
    lacks: str = ""


def convert_unit(unit: str) -> tuple[str, Decimal] | None:
    """The standard unit of a unit, and how many of it one is (a pack of 100 is 100 `each`); None if not certain."""
    plain = " ".join(unit.lower().replace("per ", "").split())
    if plain in _UNITS:
        return _UNITS[plain]
    if found := _PACK.search(plain):
        size = int(found[1] or found[2])
        return ("each", Decimal(size)) if size else None
    return None


def read_quantity(title: str, description: str, words: Words) -> Quantity:
    """Read quantity and specification from the texts of a contract that has no fields for them."""
    title, description = html.unescape(title), html.unescape(description)
    found, told = list(_COUNT.finditer(title)), list(_COUNT.finditer(description))
    if not found:
        return Quantity(lacks="quantity and unit")
    specification = _specification(found[0]["rest"], words)
    detail = _specification(told[0]["rest"], words) if told else specification
    if _SHARED.search(description) or _SHARED.search(title):
        lacks = "a price of its own: one joint purchase for several bodies has one price"
    elif len(found) > 1 or len(told) > 1:
        lacks = "one specification: several are bought together"
    elif any(one["vague"] for one in (*found, *told)):
        lacks = "a certain quantity: the text gives a limit or an estimate"
    elif told and _count(told[0]["count"]) != _count(found[0]["count"]):
        lacks = f"a certain quantity: the title says {found[0]['count']} and the description {told[0]['count']}"
    elif _sizes(specification) and _sizes(detail) not in ((), _sizes(specification)):
        lacks = "one specification: title and description give different sizes"
    elif not _sizes(specification) and not _sizes(detail):
        lacks = "a specification: no size or model is stated"
    else:
        certain = specification if _sizes(specification) else detail
        return Quantity(Decimal(_count(found[0]["count"])), "each", certain)
    return Quantity(lacks=lacks)


def _count(text: str) -> int:
    return _NUMBERS.get(text.lower()) or int(text)


def _specification(text: str, words: Words) -> str:
    """Sizes first, then the words that say what it is, each once, in order."""
    sizes = ["".join(size.lower().split()) for size in _SIZE.findall(text)]
    empty = {*words.stop_words, *words.procurement_words}
    rest = [_stem(word) for word in _WORD.findall(_SIZE.sub(" ", text).lower()) if word not in empty]
    return " ".join([*sorted(set(sizes)), *sorted(set(rest))])


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _sizes(specification: str) -> tuple[str, ...]:
    return tuple(token for token in specification.split() if token[0].isdigit())


# --- the derived table ------------------------------------------------------------------------------------------------

_CONTRACTS = """
SELECT
    body,
    coalesce(nullif(trim(contract_ref), ''), nullif(trim(ocid), ''), line_id) AS item,
    trim(title) AS title, coalesce(description, '') AS description,
    coalesce(nullif(trim(category_code), ''), '') AS category,
    CASE WHEN coalesce(current_value, original_value) > 1 AND coalesce(current_value, original_value) < 999999999
        THEN coalesce(current_value, original_value) END AS value,
    quantity, coalesce(trim(unit), '') AS unit, unit_price,
    coalesce(award_date, date_signed, start_date, notice_published, release_date) AS day,
    regexp_matches(lower(concat_ws(' ', contract_type)), 'framework|dynamic') AS is_ceiling
FROM contracts
WHERE nullif(trim(title), '') IS NOT NULL
ORDER BY body, item, series, source_row
"""

_TYPES: Mapping[str, pa.DataType] = {
    "body": pa.string(),
    "item": pa.string(),
    "title": pa.string(),
    "day": pa.date32(),
    "specification": pa.string(),
    "unit": pa.string(),
    "quantity": pa.decimal128(38, 4),
    "price": pa.decimal128(38, 4),
    "lacks": pa.string(),
    "stated": pa.bool_(),
}
_COLUMNS = pa.schema(_TYPES)


def make_unit_prices(inputs: Inputs) -> pa.Table:
    """The table `unit_prices`: for each contract its price for one standard unit, or what it lacks for that.

    `stated` is true if the body sent quantity and unit or price, and false if they were read in the title.
    """
    words = read_words()
    rows = []
    for row in inputs.connection.execute(_CONTRACTS).fetchall():
        body, item, title, description, category, value, quantity, unit, unit_price, day, is_ceiling = row
        stated = quantity is not None or unit_price is not None
        if stated:
            found = _stated_quantity(title, category, quantity, unit, words)
        else:
            found = read_quantity(title, description, words)
        price, lacks = _price(found, value, unit, unit_price, is_ceiling=is_ceiling)
        rows.append(
            {
                "body": body,
                "item": item,
                "title": title,
                "day": day,
                "specification": found.specification,
                "unit": found.unit,
                "quantity": found.count,
                "price": price,
                "lacks": lacks,
                "stated": stated,
            }
        )
    return pa.Table.from_pylist(rows, _COLUMNS)


def _stated_quantity(title: str, category: str, quantity: Decimal | None, unit: str, words: Words) -> Quantity:
    """The quantity in a standard unit, of what the category and the title say."""
    converted = convert_unit(unit) if unit else None
    specification = f"{category[:8]} {_specification(title, words)}".strip()
    if converted is None:
        lacks = f"a unit that can be converted: it says '{unit}'" if unit else "unit"
        return Quantity(quantity, unit, specification, lacks)
    if quantity is None or quantity <= 0:
        return Quantity(None, converted[0], specification, "quantity")
    return Quantity(quantity * converted[1], converted[0], specification)


def _price(
    found: Quantity, value: Decimal | None, unit: str, unit_price: Decimal | None, *, is_ceiling: bool
) -> tuple[Decimal | None, str]:
    """The price of one standard unit, and what is lacking for one."""
    if found.lacks or found.count is None:
        return None, found.lacks
    if unit_price is not None and unit_price > 0:
        converted = convert_unit(unit)
        return _four_places(unit_price / (converted[1] if converted else 1)), ""
    if value is None:
        return None, "value"
    if is_ceiling:
        return None, "value: that of a framework is a ceiling"
    return _four_places(value / found.count), ""


def _four_places(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
