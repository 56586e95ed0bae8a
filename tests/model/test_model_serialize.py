"""Model classes as JSON documents: keys in the order of the class, and the same object when read back."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from piperoll.model import Acts, Finding, Period, Series, Severity, from_document, to_document, to_json_bytes


@dataclass(frozen=True, slots=True)
class Inner:
    amount: Decimal | None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outer:
    series: Series
    day: date
    inner: dict[str, Inner]


OUTER = Outer(
    Series("spend", "anytown", Period.parse("2026-10")),
    date(2026, 10, 31),
    {"b": Inner(Decimal("1E+3"), ("x",)), "a": Inner(None)},
)


def test_what_json_has_no_type_for_is_written_as_text() -> None:
    assert json.dumps(to_document(OUTER)) == (
        '{"series": "spend/anytown/2026-10", "day": "2026-10-31", '
        '"inner": {"b": {"amount": "1000.00", "names": ["x"]}, "a": {"amount": null, "names": []}}}'
    )


def test_a_document_reads_back_as_the_object_that_it_was_made_from() -> None:
    document = json.loads(json.dumps(to_document(OUTER)))
    assert from_document(Outer, document, series=Series.parse(document["series"])) == OUTER


def test_a_document_of_another_version_may_lack_defaults_and_have_more_keys() -> None:
    document = {"code": "x", "severity": "info", "message": "m", "fix": "f", "added_later": 1}
    assert from_document(Finding, document) == Finding("x", Severity.INFO, "m", "f", Acts.BODY)


@pytest.mark.parametrize("document", [{}, {"code": 1}, {"code": "x", "severity": "grave", "message": "", "fix": ""}])
def test_a_document_that_is_incomplete_or_of_wrong_types_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"missing|Expected|Invalid"):
        from_document(Finding, document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": {}, "b": [], "c": [[], {}, None, True, -0.0, 1e300, 10**30]},
        {'"\\/': ["\x00\x1f\x7f\u2028", "é😀", " : , { [ "], "nested": {"deeper": [{"one": 1, "two": [2]}]}},
        {"no number": float("nan")},
        [{"first": "1250.00"}, "text"],
    ],
)
def test_a_document_has_the_same_bytes_whether_msgspec_is_loaded_or_not(
    document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert msgspec.__name__ in sys.modules
    loaded = to_json_bytes(document)
    monkeypatch.delitem(sys.modules, "msgspec")
    assert loaded == to_json_bytes(document)
    assert json.loads(loaded) == document or "NaN" in loaded.decode()
