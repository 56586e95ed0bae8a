"""DCAT read by rdflib and validated by pyshacl against the published shapes of DCAT-AP 3.0.1."""

from typing import Any

import pyshacl
import pytest
import rdflib
from rdflib import DCTERMS, ORG, RDF, RDFS, SH, SKOS, URIRef
from rdflib.compare import isomorphic

from piperoll.model import Register
from tests.describing.example_world import BASE_URL, BODIES, LISTINGS, built
from tests.fixtures.published_profiles import DCAT_SHAPES

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
    "http://www.w3.org/ns/dcat#distribution",  # of a version that was withdrawn, or whose files nobody told us
    "None",  # a dataset or a service of a catalogue that leads to catalogues
}


def graph(content: bytes, form: str = "json-ld") -> rdflib.Graph:
    return rdflib.Graph().parse(data=content, format=form)


def documents(**more: Any) -> dict[str, bytes]:
    """The catalogues by key: the root, those of bodies, those of datasets and years."""
    return {key: content for key, content in built(**more) if key.endswith((".jsonld", ".ttl"))}


def together(found: dict[str, bytes]) -> rdflib.Graph:
    """All of them as one graph, as if every link had been followed."""
    whole = rdflib.Graph()
    for key, content in found.items():
        if key.endswith(".ttl"):
            whole.parse(data=content, format="turtle")
    return whole


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return documents()


@pytest.fixture(scope="module")
def dcat(files: dict[str, bytes]) -> rdflib.Graph:
    return together(files)


def test_turtle_and_json_ld_have_the_same_triples(files: dict[str, bytes]) -> None:
    pairs = [(key, f"{key.removesuffix('.jsonld')}.ttl") for key in files if key.endswith(".jsonld")]
    assert len(pairs) == len(files) / 2 == 1 + 6 + 6
    for json_ld, turtle in pairs:
        assert isomorphic(graph(files[json_ld]), graph(files[turtle], "turtle")), turtle


def test_each_catalogue_links_to_the_next(files: dict[str, bytes]) -> None:
    seen, ahead = set(), ["catalog.ttl"]
    while ahead:
        key = ahead.pop()
        seen.add(key)
        found = graph(files[key], "turtle")
        (own,) = set(found.subjects(DCAT.catalog)) or {None}
        for inner in found.objects(own, DCAT.catalog) if own else ():
            assert (inner, RDF.type, DCAT.Catalog) in found
            addresses = sorted(str(address) for address in found.objects(inner, RDFS.seeAlso))
            assert len(addresses) == 2
            ahead.append(addresses[1].removeprefix(f"{BASE_URL}catalogue/"))
    published = {listing.series.body for listing in LISTINGS}
    expected = {
        key
        for key in files
        if key.endswith(".ttl") and (key == "catalog.ttl" or key.split("/")[1].split(".")[0] in published)
    }
    assert seen == expected


@pytest.mark.real
@pytest.mark.parametrize("key", ["catalog", "bodies/anytown", "bodies/st-swithin", "bodies/bridges/roles-2026"])
def test_each_file_is_valid_by_itself(files: dict[str, bytes], key: str) -> None:
    conforms, _, text = pyshacl.validate(
        graph(files[f"{key}.ttl"], "turtle"), shacl_graph=shapes(), allow_warnings=True
    )
    assert conforms, text


def test_a_version_has_its_predecessor_and_the_hashes_of_its_files(dcat: rdflib.Graph) -> None:
    first, second = (URIRef(f"urn:piperoll:release:spend/anytown/2026-10/v{number}") for number in (1, 2))
    assert set(dcat.objects(OCTOBER, DCAT.hasVersion)) == {first, second}
    assert dcat.value(OCTOBER, DCAT.hasCurrentVersion) == second
    assert dcat.value(second, DCAT.previousVersion) == first
    assert dcat.value(first, DCAT.isVersionOf) == OCTOBER
    files = set(dcat.objects(second, DCAT.distribution))
    assert files == set(dcat.objects(OCTOBER, DCAT.distribution))
    assert all(dcat.value(one, SPDX.checksum) is not None for one in files)


def test_a_body_is_an_organisation(dcat: rdflib.Graph) -> None:
    body = URIRef("urn:piperoll:body:gss:E06000998")
    assert (body, RDF.type, ORG.FormalOrganization) in dcat
    assert {str(one) for one in dcat.objects(body, ORG.identifier)} == {"gss:E06000998", "GB-LAE-BRW"}
    assert str(dcat.value(body, SKOS.prefLabel)) == "Brackwater Council"


def shapes() -> rdflib.Graph:
    """The published shapes, without five references in ranges.ttl to property shapes that no file defines."""
    found = rdflib.Graph()
    for name in ("dcat-ap-SHACL.ttl", "ranges.ttl", "shapes_recommended.ttl"):
        found.parse(DCAT_SHAPES / name)
    dangling = [
        triple for triple in found.triples((None, SH.property, None)) if (triple[2], SH.path, None) not in found
    ]
    assert len(dangling) == 5
    for triple in dangling:
        found.remove(triple)
    return found


@pytest.mark.real
def test_the_shapes_of_dcat_ap_find_nothing_wrong(dcat: rdflib.Graph) -> None:
    conforms, results, text = pyshacl.validate(dcat, shacl_graph=shapes(), allow_warnings=True)
    assert conforms, text
    paths = {str(results.value(result, SH.resultPath)) for result in results.subjects(RDF.type, SH.ValidationResult)}
    assert paths == EXPLAINED


@pytest.mark.real
def test_the_shapes_report_what_is_wrong(dcat: rdflib.Graph) -> None:
    broken = rdflib.Graph() + dcat
    broken.remove((OCTOBER, DCTERMS.title, None))
    conforms, _, _ = pyshacl.validate(broken, shacl_graph=shapes(), allow_warnings=True)
    assert not conforms


def test_every_current_table_is_a_dataset_in_the_series_of_its_body(dcat: rdflib.Graph) -> None:
    standing = [listing.series for listing in LISTINGS if listing.manifest is not None]
    names = {URIRef(f"urn:piperoll:series:{series}") for series in standing}
    versions = set(dcat.objects(None, DCAT.hasVersion))
    assert set(dcat.subjects(RDF.type, DCAT.Dataset)) == names | versions
    assert set(dcat.objects(None, DCAT.dataset)) == names | versions
    collections = {URIRef(f"urn:piperoll:collection:{series.dataset}/{series.body}") for series in standing}
    assert set(dcat.subjects(RDF.type, DCAT.DatasetSeries)) == collections
    assert set(dcat.objects(None, DCAT.inSeries)) == collections


def test_a_distribution_has_its_address_size_and_hash(dcat: rdflib.Graph) -> None:
    found = {str(dcat.value(place, DCTERMS.title)): place for place in dcat.objects(OCTOBER, DCAT.distribution)}
    assert set(found) == {"spend.csv", "spend.parquet"}
    csv = found["spend.csv"]
    listing = next(one for one in LISTINGS if str(one.series) == "spend/anytown/2026-10")
    assert listing.manifest is not None
    assert listing.history.current_version is not None
    entry = listing.manifest.files[0]
    address = f"{BASE_URL}data/spend/anytown/2026-10/{listing.history.current_version.path}/spend.csv"
    assert dcat.value(csv, DCAT.downloadURL) == URIRef(address)
    size, checksum = dcat.value(csv, DCAT.byteSize), dcat.value(csv, SPDX.checksum)
    assert size is not None
    assert size.toPython() == entry.bytes  # type: ignore[attr-defined]
    assert str(dcat.value(checksum, SPDX.checksumValue)) == entry.sha256
    assert dcat.value(csv, DCAT.mediaType) == URIRef("https://www.iana.org/assignments/media-types/text/csv")


def test_period_version_and_frequency_are_stated(dcat: rdflib.Graph) -> None:
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
    elsewhere = together(documents(base_url="http://localhost:8000/"))
    for kind in (DCAT.Catalog, DCAT.Dataset, DCAT.DatasetSeries, DCAT.Distribution):
        assert set(dcat.subjects(RDF.type, kind)) == set(elsewhere.subjects(RDF.type, kind))
    addresses = [str(place) for place in elsewhere.objects(None, DCAT.downloadURL)]
    assert addresses
    assert all(address.startswith("http://localhost:8000/data/") for address in addresses)


@pytest.mark.real
def test_an_empty_catalogue_is_a_catalogue() -> None:
    empty = together(documents(listings=[], register=Register(BODIES), submissions=()))
    conforms, _, text = pyshacl.validate(empty, shacl_graph=shapes(), allow_warnings=True)
    assert conforms, text
