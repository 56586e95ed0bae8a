"""Who is paid: the class of a payee by its name and by its published identifiers."""

import csv
import re

import pyarrow as pa
import pytest

from piperoll import assets
from piperoll.enriching import PayeeClass, annotate, annotations_version, class_of_name
from piperoll.enriching.supplier_names import list_path, read_list
from piperoll.people.names import fold_text

BY_NAME = {
    "public-body": """
        Anytown Borough Council; ANYTOWN MBC; London Borough of Anytown; Anyshire County Council (G)
        ANYTOWN TOWN COUNCIL
        Anytown Hospitals NHS Foundation Trust; NORTH ANYSHIRE PCT; NHS Anytown CCG
        Anyshire Ambulance Service NHS Trust
        Office of the Police & Crime Commissioner for Anyshire (G); Anyshire Constabulary
        Anyshire Fire & Rescue Service
        Anytown Primary School; Anytown Academy Trust Ltd; Weather Research Council; ANYTOWN MAGISTRATES COURT
        HM Treasury; hm treasury; Department for Education; DEPT FOR EDUCATION; The Home Office; HMRC; HMP Anytown
        ANYTOWN MBC 1 (G); Home Office - Cash Management; United Nations Weather Programme; Ministry of Rain, Ruritania
        Anyshire Waste Disposal Authority; Anyshire Combined Authority; Greater Anytown Passenger Transport Executive
    """,
    "company": """
        Quillfeather Ltd; QUILLFEATHER LIMITED; Quillfeather (Wales) plc; Rook & Daw LLP; Quillfeather CIC; Rook GmbH
        Police Supplies Services Ltd; Council Furniture Services Ltd; Hospital Linen Services Ltd
        Academy Driving Services Ltd; Home Office Furniture Ltd; Leeds Ltd; Trafford Limited; SERCO; Capita (Leeds)
    """,
    "charity": """
        Anytown Hospice; Age UK Anytown; Anytown Council for Voluntary Service; University of Anytown
        Anytown Citizens Advice
        Quillfeather Charitable Trust; Anytown Hospice Ltd; Quillfeather CIO; Anytown Wildlife Trust
        4th Anytown Scout Group
    """,
    "person-or-redacted": """
        REDACTED PERSONAL DATA; Mrs Hortensia Blackwood; J A Smith; Foster carers; Private individual
        Jane Doe C/O Rook LLP; Name withheld
    """,
    "not-known": """
        Quillfeather; Rook & Daw Services; Various; Sundry suppliers
        Home Office Furniture; Monitor Screens; N/A; Anyshire Police Federation; Rainbow Nurseries
    """,
}


def _names() -> list[tuple[str, str]]:
    cells = [(name.strip(), found) for found, text in BY_NAME.items() for name in re.split(r"[;\n]", text)]
    return [(name, found) for name, found in cells if name]


@pytest.mark.parametrize(("name", "found"), _names())
def test_the_class_of_a_name(name, found):
    assert class_of_name(name) == found


def _example(row: dict[str, str]) -> str:
    return row["example"]


@pytest.mark.parametrize("row", read_list("patterns.csv", "class", "pattern", "example"), ids=_example)
def test_the_example_of_a_pattern_has_its_class(row):
    assert re.search(row["pattern"], fold_text(row["example"]))
    assert class_of_name(row["example"]) == row["class"]


@pytest.mark.parametrize("row", read_list("placeholders.csv", "pattern", "example"), ids=_example)
def test_the_example_of_a_placeholder_is_one(row):
    assert re.fullmatch(row["pattern"], row["example"], re.IGNORECASE)


def _batch(**columns: list[str | None]) -> pa.RecordBatch:
    return pa.record_batch({name: pa.array(values, pa.string()) for name, values in columns.items()})


def test_every_line_of_a_batch_is_annotated():
    batch = _batch(
        supplier_name=["Quillfeather Ltd", "QUILLFEATHER LIMITED", "REDACTED PERSONAL DATA", None, "Anytown MBC", None],
        redaction=["none", "none", "personal", "personal", "none", "none"],
    )
    keys, classes = annotate(assets.dataset("spend"), batch)
    assert keys.to_pylist() == ["quillfeather", "quillfeather", None, None, "anytownmbc", None]
    assert classes.to_pylist() == [
        *("company", "company", "person-or-redacted", "person-or-redacted", "public-body", "not-known"),
    ]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"supplier_company_number": "01234567"}, "company"),
        ({"supplier_company_number": "0"}, "not-known"),
        ({"supplier_company_number": "N/A"}, "not-known"),
        ({"supplier_charity_number": "1234567"}, "charity"),
        ({"supplier_charity_number": "1234567", "supplier_company_number": "01234567"}, "charity"),
        ({"supplier_org_id": "GB-COH-01234567"}, "company"),
        ({"supplier_org_id": "GB-CHC-1234567"}, "charity"),
        ({"supplier_org_id": "GB-LAE-ANY"}, "public-body"),
        ({"supplier_type": "Public sector"}, "public-body"),
        ({"supplier_type": "voluntary"}, "charity"),
        ({"supplier_type": "Large"}, "not-known"),
    ],
)
def test_published_identifiers_decide_where_the_name_does_not(cells, found):
    batch = _batch(supplier_name=["Quillfeather"], **{name: [value] for name, value in cells.items()})
    assert annotate(assets.dataset("spend"), batch)[1].to_pylist() == [found]


def test_a_public_body_and_a_person_stay_so_beside_a_number():
    batch = _batch(supplier_name=["Anytown MBC", "J A Smith"], supplier_company_number=["01234567", "01234567"])
    assert annotate(assets.dataset("spend"), batch)[1].to_pylist() == ["public-body", "person-or-redacted"]


def test_a_slice_of_a_batch_is_annotated_like_the_whole():
    names = ["Quillfeather Ltd", "Anytown MBC", None, "Rook & Daw LLP"]
    whole = annotate(assets.dataset("spend"), _batch(supplier_name=names))
    part = annotate(assets.dataset("spend"), _batch(supplier_name=names).slice(1, 2))
    assert [column.to_pylist() for column in part] == [column.slice(1, 2).to_pylist() for column in whole]


def test_a_dataset_without_a_payee_gets_empty_columns():
    keys, classes = annotate(assets.dataset("roles"), _batch(post_title=["Clerk", "Baker"]))
    assert keys.to_pylist() == classes.to_pylist() == [None, None]
    assert keys.type == classes.type == pa.string()


def test_the_fields_of_the_payee_are_fields_of_the_dataset():
    for dataset in assets.datasets():
        declared = assets.shown(dataset.name).get("payee", {})
        assert set(declared.values()) <= {field.name for field in dataset.fields}


def test_lists_hold_known_classes_only():
    classes = {str(each) for each in PayeeClass}
    for path in sorted(list_path("payees.csv").parent.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert {row["class"] for row in rows if "class" in row} <= classes, path.name


def test_the_version_of_the_annotations_names_rules_and_lists():
    assert re.fullmatch(r"\d+\+[0-9a-f]{12}", annotations_version())
