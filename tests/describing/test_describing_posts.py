"""The posts of a published structure in the organization ontology."""

from __future__ import annotations

import io
import json

import pyarrow.csv as pa_csv
import pytest
import rdflib
from rdflib import ORG, RDF, SKOS, URIRef
from rdflib.compare import isomorphic

from piperoll import assets
from piperoll.describing.dcat.posts import render_posts
from piperoll.describing.release_summary import extract_posts
from piperoll.model import Period, Series
from tests.describing.example_world import BODIES

# rdflib's own JSON-LD parser uses what rdflib deprecates
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
SERIES = Series("roles", "bridges", Period.parse("2026-09-30"), "senior")
DECLARED = assets.shown("roles")["posts"]
ROWS = pa_csv.read_csv(
    io.BytesIO(b'''post_id,holder_name,job_title,org_unit,reports_to
1,Jane Carer,Permanent Secretary,"Office ""A""",XX
2,Max Holder,Director,Tunnels,1
2,Max Holder,Director,Tunnels,1
,A. Clerk,Clerk,Tunnels,2
3/4,,Deputy <b>,,3/4
''')
)


def posts() -> list[list[str]]:
    return extract_posts(DECLARED, ROWS)


def test_a_row_with_an_id_is_a_post_listed_once() -> None:
    assert [post[0] for post in posts()] == ["1", "2", "3/4"]
    assert extract_posts(None, ROWS) == []


def test_the_first_of_several_rows_about_a_post_tells_its_title() -> None:
    """A release with two rows about one post showed the title of the last one, where it had shown the first."""
    shared = b"post_id,job_title\n1,Director\n1,Director (job share)\n"
    assert extract_posts(DECLARED, pa_csv.read_csv(io.BytesIO(shared))) == [["1", "Director", "", ""]]


def test_the_holders_of_posts_are_not_named() -> None:
    written = b"".join(content for _, content in render_posts(BODIES[3], SERIES, posts()))
    assert not [name for name in ("Jane", "Carer", "Max", "Clerk") if name.encode() in written]


def test_posts_are_in_units_and_report_to_existing_posts() -> None:
    files = dict(render_posts(BODIES[3], SERIES, posts()))
    assert sorted(files) == [f"catalogue/series/{SERIES}/posts-1.{form}" for form in ("jsonld", "ttl")]
    found = rdflib.Graph().parse(data=files[f"catalogue/series/{SERIES}/posts-1.ttl"], format="turtle")
    first, second, third = (URIRef(f"urn:piperoll:post:{SERIES}/{name}") for name in ("1", "2", "3%2F4"))
    assert set(found.subjects(RDF.type, ORG.Post)) == {first, second, third}
    assert found.value(second, ORG.reportsTo) == first
    assert found.value(first, ORG.reportsTo) is None
    assert found.value(third, ORG.reportsTo) is None
    body = URIRef("urn:piperoll:body:GB-GOVUK-department_of_bridges")
    assert found.value(third, ORG.postIn) == body
    unit = found.value(first, ORG.postIn)
    assert str(found.value(unit, SKOS.prefLabel)) == 'Office "A"'
    assert found.value(unit, ORG.unitOf) == body
    assert str(found.value(found.value(third, ORG.role), SKOS.prefLabel)) == "Deputy <b>"


def test_the_posts_in_json_ld_and_turtle_are_the_same() -> None:
    json_ld, turtle = (content for _, content in render_posts(BODIES[3], SERIES, posts()))
    assert json.loads(json_ld)["@graph"]
    graphs = [rdflib.Graph().parse(data=json_ld, format="json-ld"), rdflib.Graph().parse(data=turtle, format="turtle")]
    assert isomorphic(*graphs)


def test_many_posts_are_divided_into_small_files() -> None:
    many = [[str(one), f"Head of matter {one}", f"Unit {one % 40}", str(one // 7)] for one in range(1_200)]
    files = dict(render_posts(BODIES[3], SERIES, many))
    assert len(files) == 6
    assert max(map(len, files.values())) < 200_000
