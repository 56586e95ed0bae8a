"""DCAT read by rdflib and validated by pyshacl against the published shapes of DCAT-AP 3.0.1."""

from pathlib import Path

import pyshacl
import pytest
import rdflib
from describing_world import BASE_URL, BODIES, LISTINGS, built
from rdflib import DCTERMS, RDF, SH, URIRef

from piperoll.model import Register

SHAPES = Path(__file__).parents[3] / "shared" / "specs" / "dcat-ap-3.0.1"
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")  # rdflib's own knows DCAT 2 only
SPDX = rdflib.Namespace("http://spdx.org/rdf/terms#")
# rdflib's own JSON-LD parser uses what rdflib deprecates
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

OCTOBER = URIRef("urn:piperoll:series:spend/anytown/2026-10")

# What DCAT-AP recommends and we leave out, with the reason (docs/catalogue.md)
EXPLAINED = {
    "http://purl.org/dc/terms/license",  # of the catalogue itself: its publisher's to choose
    "http://purl.org/dc/terms/type",  # of an agent that is neither a local nor a national authority
    "http://www.w3.org/ns/dcat#bbox",  # places are named by identifiers that their own registers locate
    "http://www.w3.org/ns/dcat#centroid",
}


def graph(content: bytes) -> rdflib.Graph:
    return rdflib.Graph().parse(data=content, format="json-ld")


@pytest.fixture(scope="module")
def dcat() -> rdflib.Graph:
    return graph(dict(built())["catalog.jsonld"])


def shapes() -> rdflib.Graph:
    """The published shapes, without five references in ranges.ttl to property shapes that no file defines."""
    found = rdflib.Graph()
    for name in ("dcat-ap-SHACL.ttl", "ranges.ttl", "shapes_recommended.ttl"):
        found.parse(SHAPES / name)
    dangling = [
        triple for triple in found.triples((None, SH.property, None)) if (triple[2], SH.path, None) not in found
    ]
    assert len(dangling) == 5
    for triple in dangling:
        found.remove(triple)
    return found


def test_the_shapes_of_dcat_ap_find_nothing_wrong(dcat: rdflib.Graph) -> None:
    conforms, results, text = pyshacl.validate(dcat, shacl_graph=shapes(), allow_warnings=True)
    assert conforms, text
    paths = {str(results.value(result, SH.resultPath)) for result in results.subjects(RDF.type, SH.ValidationResult)}
    assert paths == EXPLAINED


def test_the_shapes_do_find_what_is_wrong(dcat: rdflib.Graph) -> None:
    broken = rdflib.Graph() + dcat
    broken.remove((OCTOBER, DCTERMS.title, None))
    conforms, _, _ = pyshacl.validate(broken, shacl_graph=shapes(), allow_warnings=True)
    assert not conforms


def test_every_table_that_stands_is_a_dataset_in_the_series_of_its_body(dcat: rdflib.Graph) -> None:
    standing = [listing.series for listing in LISTINGS if listing.manifest is not None]
    names = {URIRef(f"urn:piperoll:series:{series}") for series in standing}
    assert set(dcat.subjects(RDF.type, DCAT.Dataset)) == names
    assert set(dcat.objects(URIRef("urn:piperoll:catalogue"), DCAT.dataset)) == names
    collections = {URIRef(f"urn:piperoll:collection:{series.dataset}/{series.body}") for series in standing}
    assert set(dcat.subjects(RDF.type, DCAT.DatasetSeries)) == collections
    assert set(dcat.objects(None, DCAT.inSeries)) == collections


def test_a_distribution_says_where_how_big_and_which_hash(dcat: rdflib.Graph) -> None:
    found = {str(dcat.value(place, DCTERMS.title)): place for place in dcat.objects(OCTOBER, DCAT.distribution)}
    assert set(found) == {"spend.csv", "spend.parquet"}
    csv = found["spend.csv"]
    listing = next(one for one in LISTINGS if str(one.series) == "spend/anytown/2026-10")
    assert listing.manifest is not None
    assert listing.history.standing is not None
    entry = listing.manifest.files[0]
    address = f"{BASE_URL}data/spend/anytown/2026-10/{listing.history.standing.path}/spend.csv"
    assert dcat.value(csv, DCAT.downloadURL) == URIRef(address)
    size, checksum = dcat.value(csv, DCAT.byteSize), dcat.value(csv, SPDX.checksum)
    assert size is not None
    assert size.toPython() == entry.bytes  # type: ignore[attr-defined]
    assert str(dcat.value(checksum, SPDX.checksumValue)) == entry.sha256
    assert dcat.value(csv, DCAT.mediaType) == URIRef("https://www.iana.org/assignments/media-types/text/csv")


def test_time_version_and_frequency_are_told(dcat: rdflib.Graph) -> None:
    time = dcat.value(OCTOBER, DCTERMS.temporal)
    assert [str(dcat.value(time, bound)) for bound in (DCAT.startDate, DCAT.endDate)] == ["2026-10-01", "2026-10-31"]
    assert str(dcat.value(OCTOBER, DCAT.version)) == "2"
    assert str(dcat.value(OCTOBER, DCTERMS.accrualPeriodicity)).endswith("/QUARTERLY")
    assert dcat.value(OCTOBER, DCAT.prev) == URIRef("urn:piperoll:series:spend/anytown/2026-09")
    bridges = URIRef("urn:piperoll:series:spend/bridges/2026-10")
    assert str(dcat.value(bridges, DCTERMS.accrualPeriodicity)).endswith("/MONTHLY")
    roles = URIRef("urn:piperoll:series:roles/bridges/2026-09-30--senior")
    assert str(dcat.value(roles, DCTERMS.accrualPeriodicity)).endswith("/ANNUAL_2")


def test_names_do_not_depend_on_the_host(dcat: rdflib.Graph) -> None:
    elsewhere = graph(dict(built(base_url="http://localhost:8000/"))["catalog.jsonld"])
    for kind in (DCAT.Catalog, DCAT.Dataset, DCAT.DatasetSeries, DCAT.Distribution):
        assert set(dcat.subjects(RDF.type, kind)) == set(elsewhere.subjects(RDF.type, kind))
    addresses = [str(place) for place in elsewhere.objects(None, DCAT.downloadURL)]
    assert addresses
    assert all(address.startswith("http://localhost:8000/data/") for address in addresses)


def test_an_empty_catalogue_is_a_catalogue() -> None:
    empty = graph(dict(built([], register=Register(BODIES), submissions=()))["catalog.jsonld"])
    conforms, _, text = pyshacl.validate(empty, shacl_graph=shapes(), allow_warnings=True)
    assert conforms, text
