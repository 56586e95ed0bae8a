"""The descriptors are Data Packages and declare everything that the pipeline needs to know about every field."""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from piperoll import assets
from piperoll.errors import DescriptorError
from piperoll.findings import finding_type
from piperoll.model import Dataset, Level, Origin
from tests.fixtures.published_profiles import read_profile

FIELDS = [(name, field) for name in assets.dataset_names() for field in assets.dataset(name).fields]
FIELD_NAMES = [f"{name}: {field.name}" for name, field in FIELDS]
TYPES = {"string", "number", "integer", "boolean", "date"}
KINDS = {"council", "department", "agency", "nhs", "police", "fire", "other"}
FACTS = {f"body.{word}" for word in ("id", "name")} | {"period.start", "period.end", "part"}
FACTS |= {f"source.{word}" for word in ("name", "sheet", "row", "sha256")}
VOCABULARY = {"constant", "from", "part", "heading_of", "hash_of", "redaction_of"}


def raw_descriptor(name):
    return json.loads((assets.folder("datapackages") / name / "datapackage.json").read_text("utf-8"))


def platform_fields():
    return json.loads((assets.folder("datapackages") / assets.PLATFORM_FIELDS).read_text("utf-8"))


@pytest.fixture
def further_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the toy dataset that PIPEROLL_DATA names, to change and read again with assets.forget_datasets."""
    copy = tmp_path / "data"
    shutil.copytree(Path(__file__).parents[1] / "fixtures" / "toydataset", copy)
    monkeypatch.setenv("PIPEROLL_DATA", str(copy))
    assets.forget_datasets()
    yield copy
    monkeypatch.undo()
    assets.forget_datasets()


def headings(name):
    with (assets.folder("datapackages") / name / "headings.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_four_standards_are_there():
    assert assets.dataset_names() == ("contracts", "roles", "spend", "transactions")


@pytest.mark.real
@pytest.mark.parametrize("name", assets.dataset_names())
@pytest.mark.parametrize("profile", ["datapackage", "dataresource", "tableschema"])
@pytest.mark.parametrize("state", ["as in the repository", "with the platform fields completed"])
def test_a_descriptor_validates_against_the_published_profile(name, profile, state):
    package = raw_descriptor(name) if state == "as in the repository" else assets.dataset(name).descriptor
    (table,) = package["resources"]
    part = {"datapackage": package, "dataresource": table, "tableschema": table["schema"]}[profile]
    validator = Draft7Validator(read_profile(profile))
    assert [error.message for error in validator.iter_errors(part)] == []


@pytest.mark.parametrize("name", assets.dataset_names())
def test_a_dataset_repeats_no_property_of_a_platform_field(name):
    platform = {field["name"]: field for field in platform_fields()["fields"]}
    for field in raw_descriptor(name)["resources"][0]["schema"]["fields"]:
        declared = platform.get(field["name"], {})
        assert [key for key in field if key != "name" and field[key] == declared.get(key)] == []


@pytest.mark.parametrize("name", assets.dataset_names())
def test_a_platform_field_has_the_shared_properties_and_keeps_its_position(name):
    listed = raw_descriptor(name)["resources"][0]["schema"]["fields"]
    completed = assets.dataset(name).descriptor["resources"][0]["schema"]["fields"]
    assert [field["name"] for field in completed] == [field["name"] for field in listed]
    platform = {field["name"]: field for field in platform_fields()["fields"]}
    for before, after in zip(listed, completed, strict=True):
        assert after == {**platform.get(before["name"], {}), **before}


def test_a_dataset_without_a_required_platform_field_is_refused(further_folder: Path) -> None:
    path = further_folder / "datapackages" / "allotments" / "datapackage.json"
    descriptor = json.loads(path.read_text("utf-8"))
    schema = descriptor["resources"][0]["schema"]
    schema["fields"] = [field for field in schema["fields"] if field["name"] not in ("source_row", "body_id")]
    path.write_text(json.dumps(descriptor), "utf-8")
    with pytest.raises(DescriptorError, match="dataset allotments lacks platform fields: body_id, source_row"):
        assets.dataset("allotments")


@pytest.mark.parametrize("name", assets.dataset_names())
def test_a_descriptor_leaves_out_what_the_profile_and_its_prose_disagree_on(name):
    text = json.dumps(assets.dataset(name).descriptor)
    assert "fieldsMatch" not in text
    assert {field.type for field in assets.dataset(name).fields} <= TYPES


@pytest.mark.parametrize("name", assets.dataset_names())
def test_a_schema_has_a_semantic_version_and_no_field_twice(name):
    dataset = assets.dataset(name)
    assert re.fullmatch(r"\d+\.\d+\.\d+", dataset.version)
    names = [field.name for field in dataset.fields]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=FIELD_NAMES)
def test_a_field_says_what_it_is_and_where_it_comes_from(name, field):
    assert field.title
    assert field.description.endswith((".", ")"))
    assert len(field.source) > 5
    assert field.privacy in {None, "name", "dependent", "area", "text"}
    assert field.unit or field.type != "number"
    assert field.origin is Origin.SENT or field.derive is not None


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=FIELD_NAMES)
def test_a_derivation_is_one_that_releasing_knows(name, field):
    known = {other.name for other in assets.dataset(name).fields}
    derive = field.derive or {"constant": ""}
    assert len(VOCABULARY & derive.keys()) == 1
    match derive:
        case {"from": fact}:
            assert fact in FACTS
        case {"hash_of": names}:
            assert set(names) <= known | FACTS
            assert not any(assets.dataset(name).field(part).privacy == "name" for part in set(names) & known)
        case {"heading_of": of, "patterns": patterns, "otherwise": str()}:
            assert of in known
            assert all(re.compile(pattern) and value for pattern, value in patterns)
        case {"redaction_of": of}:
            assert of in known


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=FIELD_NAMES)
def test_what_every_published_row_must_have_is_core_alone_or_derived(name, field):
    required = bool((field.constraints or {}).get("required"))
    alone = (field.name,) in assets.dataset(name).core
    assert not required or alone or field.derive is not None


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=FIELD_NAMES)
def test_what_a_field_can_be_derived_as_is_among_its_values(name, field):
    values = (field.constraints or {}).get("enum")
    derive = field.derive or {}
    said = [derive[word] for word in ("constant", "otherwise") if word in derive]
    said += list(derive.get("part", {}).values()) if isinstance(derive.get("part"), dict) else []
    said += [value for _, value in derive.get("patterns", [])]
    assert values is None or set(said) <= set(values)


@pytest.mark.parametrize("name", assets.dataset_names())
def test_the_core_of_a_dataset_is_what_its_fields_say(name):
    dataset = assets.dataset(name)
    assert {field.name for field in dataset.fields if field.level is Level.CORE} == dataset.core_fields


@pytest.mark.parametrize("name", ["spend", "roles"])
def test_spend_and_roles_have_a_function_which_is_unknown_by_default(name):
    dataset = assets.dataset(name)
    assert dataset.field("function_id").derive == {"constant": "u-unknown"}
    assert dataset.field("function_method").derive == {"constant": "none"}


@pytest.mark.parametrize("name", assets.dataset_names())
def test_nothing_that_must_stay_unpublished_has_a_field(name):
    words = re.compile(r"invoice|sort_code|bank|postcode|address|vat_reg|email|phone")
    assert not [field.name for field in assets.dataset(name).fields if words.search(field.name)]


@pytest.mark.parametrize("name", assets.dataset_names())
def test_every_heading_means_a_field_once(name):
    dataset, rows = assets.dataset(name), headings(name)
    triples = [(row["heading"].casefold(), row["field"], row["part"]) for row in rows]
    assert len(triples) == len(set(triples))
    assert {row["field"] for row in rows} <= {field.name for field in dataset.fields}
    assert {row["part"] for row in rows} <= {"", *(part.name for part in dataset.parts)}


@pytest.mark.parametrize("name", assets.dataset_names())
def test_every_core_field_has_a_heading(name):
    assert assets.dataset(name).core_fields <= {row["field"] for row in headings(name)}


@pytest.mark.parametrize("name", assets.dataset_names())
def test_wide_and_ocds_shapes_lead_to_fields(name):
    dataset = assets.dataset(name)
    known = {field.name for field in dataset.fields}
    for shape in dataset.wide:
        assert {"period", "measure"} <= re.compile(shape["pattern"]).groupindex.keys()
        assert {*shape["measures"].values(), *shape["period"].values()} <= known
    assert dataset.ocds.keys() <= known


@pytest.mark.parametrize("name", assets.dataset_names())
def test_a_duty_says_who_what_when_and_by_which_clause(name):
    dataset = assets.dataset(name)
    for duty in dataset.duties:
        assert set(duty["kinds"]) <= KINDS
        assert duty["part"] in {None, *(part.name for part in dataset.parts)}
        assert duty["every"] in {"month", "quarter", "snapshot"}
        assert ("days" in duty) == (duty["every"] == "snapshot") != ("due" in duty)
        assert len(duty["clause"]) > 20


@pytest.mark.parametrize("name", assets.dataset_names())
def test_a_readme_says_every_column_in_the_words_of_the_descriptor(name):
    text = (assets.folder("datapackages") / name / "README.md").read_text("utf-8")
    for field in assets.dataset(name).fields:
        assert f"| `{field.name}` | {field.description} |" in text


@pytest.mark.parametrize("name", assets.dataset_names())
def test_reading_rules_warn_with_codes_that_are_declared(name: str) -> None:
    for field in assets.dataset(name).fields:
        for warning in field.reading.heading_warnings:
            assert finding_type(warning.finding).acts, field.name


@pytest.mark.parametrize(
    ("reading", "trouble"),
    [
        ({"feilds": {}}, "unknown keys: feilds"),
        ({"fields": {"supplier_naem": {"kind": "name"}}}, "fields that its schema lacks: supplier_naem"),
        ({"fields": {"supplier_name": {"knid": "name"}}}, "field supplier_name: missing or unknown"),
        ({"fields": {"supplier_name": {"code": "supplier_cod"}}}, "fields that its schema lacks: supplier_cod"),
    ],
)
def test_a_mistake_in_reading_json_is_named(reading: dict[str, Any], trouble: str) -> None:
    with pytest.raises(DescriptorError, match=trouble):
        Dataset.from_descriptor(assets.dataset("spend").descriptor, (), reading)


def test_the_reading_rules_are_part_of_the_rules_version(further_folder: Path) -> None:
    before = assets.rules_version("allotments")
    (further_folder / "datapackages" / "allotments" / "reading.json").write_text("{}", "utf-8")
    assets.forget_datasets()
    assert assets.rules_version("allotments") != before


def test_the_platform_fields_are_part_of_the_rules_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = assets.rules_version("spend")
    shutil.copytree(assets.folder("datapackages"), tmp_path / "datapackages")
    shutil.copytree(assets.folder("expectations"), tmp_path / "expectations")
    changed = platform_fields()
    changed["fields"][0]["title"] = "Another title"
    (tmp_path / "datapackages" / assets.PLATFORM_FIELDS).write_text(json.dumps(changed), "utf-8")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(assets, "folder", lambda name: tmp_path / name)
        assets.forget_datasets()
        assert assets.rules_version("spend") != before
    assets.forget_datasets()
