from __future__ import annotations

import copy
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.errors import ConservationError, DescriptorError
from piperoll.model import Dataset, Field, Level, Origin
from piperoll.releasing.columns import PublishedColumn, scale_for
from piperoll.releasing.deriving import LineIdentifiers
from tests.releasing.golden_release import golden, mini

HERE = Path(__file__).parent


def field(kind: str, unit: str | None = None) -> Field:
    return Field("f", kind, "F", "d", Level.WANTED, Origin.SENT, "tests", unit)


def cells(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


def with_rule(name: str, rule: object) -> Dataset:
    document = copy.deepcopy(json.loads((HERE / "mini.json").read_text("utf-8")))
    fields = document["resources"][0]["schema"]["fields"]
    next(one for one in fields if one["name"] == name)["x_derive"] = rule
    return Dataset.from_descriptor(document, ())


@pytest.mark.parametrize(
    "rule",
    [{"from": "body.colour"}, {"sum_of": ["amount"]}, {}, {"heading_of": "amount"}],
)
def test_a_derivation_that_is_not_in_the_vocabulary_is_refused(tmp_path: Path, rule: object) -> None:
    with pytest.raises(DescriptorError):
        golden(tmp_path, dataset=with_rule("card", rule))


@pytest.mark.parametrize("name", ["colour", "line_id", "body.colour"])
def test_a_hash_of_something_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DescriptorError):
        golden(tmp_path, dataset=with_rule("line_id", {"hash_of": [name]}))


def test_a_sent_column_with_the_name_of_a_derived_field_is_not_used_for_it(tmp_path: Path) -> None:
    document = json.loads((HERE / "mini.json").read_text("utf-8"))
    scheme = next(one for one in document["resources"][0]["schema"]["fields"] if one["name"] == "scheme")
    scheme["x_origin"] = "derived"
    made = golden(tmp_path, dataset=Dataset.from_descriptor(document, ()))
    assert b",net," not in (made.folder / "mini.csv").read_bytes()


def test_a_type_that_we_do_not_publish_is_refused(tmp_path: Path) -> None:
    document = json.loads((HERE / "mini.json").read_text("utf-8"))
    document["resources"][0]["schema"]["fields"][1]["type"] = "geopoint"
    with pytest.raises(DescriptorError, match="geopoint"):
        golden(tmp_path, dataset=Dataset.from_descriptor(document, ()))


def test_the_mini_dataset_is_one() -> None:
    assert mini().core_fields == {"amount", "when"}


def test_occurrences_count_over_all_batches() -> None:
    counter = LineIdentifiers()
    batches = ["a", "b"], ["c"], ["a", "a", "d"], ["b", "a"]
    numbered = [counter.number(batch, pa.array(batch)).to_pylist() for batch in batches]
    assert numbered == [["a-1", "b-1"], ["c-1"], ["a-2", "a-3", "d-1"], ["b-2", "a-4"]]


@given(st.lists(st.decimals(-(10**17), 10**17, allow_nan=False, places=None) | st.none(), max_size=20))
def test_an_amount_keeps_its_exact_value_in_csv_and_parquet(values: list) -> None:
    sent = [None if value is None else f"{value:f}" for value in values]
    places = max((len(text.partition(".")[2]) for text in sent if text), default=0)
    if places > 18:
        sent = [text and text.partition(".")[0] for text in sent]
    column = PublishedColumn(field("number", "GBP"), scale_for([cells(*sent)]))
    spelled = column.spelled(cells(*sent))
    typed = column.typed(spelled).to_pylist()
    for was, text, value in zip(sent, spelled.to_pylist(), typed, strict=True):
        if was is None:
            assert (text, value) == (None, None)
        else:
            assert "E" not in text
            assert not text.startswith("-0.00") or float(text) != 0
            assert len(text.partition(".")[2]) >= 2
            assert value == pa.scalar(was).cast(pa.decimal128(38, 18)).as_py()
            assert column.spelled(cells(text)).to_pylist() == [text]


@pytest.mark.parametrize(
    ("kind", "unit", "sent", "spelt"),
    [
        ("number", "GBP", "1250", "1250.00"),
        ("number", "GBP", "-0", "0.00"),
        ("number", "GBP", "0.0000000001", "0.0000000001"),
        ("number", "GBP", "1.2300000", "1.23"),
        ("number", "FTE", "0.50", "0.5"),
        ("number", None, "100", "100"),
        ("integer", None, "12.00", "12"),
        ("boolean", None, "true", "true"),
        ("date", None, "2026-02-28", "2026-02-28"),
        ("string", None, "007", "007"),
        ("string", None, "", None),
    ],
)
def test_one_spelling_for_each_value(kind: str, unit: str | None, sent: str, spelt: str | None) -> None:
    column = (
        PublishedColumn(field(kind, unit), scale_for([cells(sent)]))
        if kind == "number"
        else PublishedColumn(field(kind, unit))
    )
    assert column.spelled(cells(sent)).to_pylist() == [spelt]


@pytest.mark.parametrize(("kind", "sent"), [("number", "1,250"), ("integer", "1.5"), ("date", "31/02/2026")])
def test_a_cell_that_is_not_canonical_stops_the_release(kind: str, sent: str) -> None:
    with pytest.raises(ConservationError):
        PublishedColumn(field(kind)).spelled(cells(sent))


def test_sub_penny_amounts_share_one_type_with_whole_pence() -> None:
    assert scale_for([cells("1250.00", None, "3.125")]) == scale_for([]) == 4
    assert scale_for([cells("0.12345")]) == 10
    with pytest.raises(ConservationError):
        scale_for([cells("0." + "1" * 40)])
