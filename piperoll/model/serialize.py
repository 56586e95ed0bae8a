"""Convert dataclasses to JSON documents and back: one mechanism for every file and report that Piperoll writes.

A document has the dataclass's fields as keys, in the order in which the class declares them. Text stands for what JSON
has no type for: `1250.00` for a Decimal, `2026-10-31` for a date, `spend/anytown/2026-10` for a Series.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from piperoll.model.period import Period
from piperoll.model.series import Series

ModelT = TypeVar("ModelT")

_PLAIN = frozenset((str, int, float, bool, type(None)))
"""The types of values that JSON has."""


def to_document(value: Any) -> Any:
    """Convert a dataclass, or a collection of them, to the dicts, lists and plain values that JSON can hold.

    A field whose metadata say `omit_if_empty` has no key if it is empty. Properties that the class names in
    `DERIVED_KEYS` follow its fields.
    """
    if type(value) in _PLAIN:  # most values are, and a report has hundreds
        return value
    if isinstance(value, (Decimal, date, Period, Series)):
        return format_decimal(value) if isinstance(value, Decimal) else str(value)
    if hasattr(value, "__dataclass_fields__"):
        kind: Any = type(value)
        keys = ((name, getattr(value, name), omitted) for name, omitted in _list_keys(kind))
        return {name: to_document(item) for name, item, omitted in keys if item or not omitted}
    if isinstance(value, Mapping):
        return {key: to_document(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_document(item) for item in value]
    return value


@cache
def _list_keys(kind: Any) -> tuple[tuple[str, bool], ...]:
    """The keys of a dataclass in a document, and whether each is omitted if it is empty."""
    own = {field.name: bool(field.metadata.get("omit_if_empty")) for field in fields(kind)}
    derived: Iterable[str] = getattr(kind, "DERIVED_KEYS", ())
    return tuple((own | dict.fromkeys(derived, False)).items())


def from_document(kind: type[ModelT], document: Mapping[str, Any], **values: Any) -> ModelT:
    """Make a dataclass `kind` from a document that `to_document` wrote.

    A key that is absent gets the field's default and a key that the class lacks is ignored, so that older and newer
    versions of Piperoll read each other's files. `values` replace those of the document: give a Series or Period here,
    parsed, because msgspec would expect an object in their place.

    Raises: ValueError: a value is missing or has the wrong type; the message names the key.
    """
    import msgspec  # noqa: PLC0415 - `piperoll check` writes reports and reads none: this saves it 10 ms

    return msgspec.convert({**document, **values}, kind)


def to_json_bytes(document: Mapping[str, Any] | Iterable[Any]) -> bytes:
    """Encode a document as stored records are: UTF-8, two spaces, keys in the order given, a final newline."""
    if "msgspec" in sys.modules:  # three times as fast as `indent`, which is Python; not worth the 10 ms of its import
        import msgspec  # noqa: PLC0415

        try:
            return msgspec.json.format(json.dumps(document, ensure_ascii=False).encode(), indent=2) + b"\n"
        except msgspec.DecodeError:  # a number that JSON does not have, such as NaN
            pass
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def to_compact_json_bytes(document: Mapping[str, Any] | Iterable[Any]) -> bytes:
    """Encode a document that is large or one of many: UTF-8, no spaces, keys in the order given, a final newline.

    Indentation was more than a third of reports, descriptors and the figures of suppliers.
    """
    return (json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def printable_name(name: str) -> str:
    r"""The name of a file as text that can be written anywhere: bytes that are not UTF-8 become `\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def format_decimal(amount: Decimal) -> str:
    """Format an amount with digits and a point only: at least two places, never an exponent (1250.00, -0.005)."""
    amount = amount + Decimal(0)  # turns a negative zero into zero
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent > -2:
        return f"{amount:.2f}"
    whole, _, places = f"{amount:f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
