"""The catalogue in DCAT 3 and DCAT-AP 3.0.1, as JSON-LD and Turtle.

The root links to a catalogue for each body. A body's catalogue has a dcat:DatasetSeries for each dataset and links to a
catalogue for each dataset and year in which periods end. That one has a dcat:Dataset for each published series and for
each of its versions. So no file grows with the number of bodies or years, except the root by one node a body.

Names are URNs that do not depend on the host; addresses begin with the base URL. Each file states the types of the
terms it uses from other vocabularies, so that it can be validated without fetching anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from piperoll import layout
from piperoll.describing import urls
from piperoll.describing.context import CatalogueContext, Holdings
from piperoll.describing.dcat import rdf
from piperoll.describing.dcat.posts import list_post_addresses
from piperoll.describing.dcat.rdf import Node, in_english
from piperoll.describing.measures import PublishedMeasure
from piperoll.describing.overview import Overview
from piperoll.describing.series_facts import SeriesFacts
from piperoll.describing.wording import describe_file, series_title
from piperoll.duties import publication_interval
from piperoll.model import Body, Dataset, FileEntry, Series, Status, Version

CATALOGUE = "urn:piperoll:catalogue"
PUBLISHER = "urn:piperoll:publisher"
CONTACT = f"{PUBLISHER}:contact"
FORMS = ("jsonld", "ttl")
MEDIA_TYPES = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet"}
"""The files of a release that are distributions, with their media types."""

_MEASURES_LICENCE = (
    "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    "Open Government Licence v3.0",
)
"""The licence of the figures of measures, as in the descriptor of their table."""

_MEASURED_EACH = rdf.EU_FREQUENCIES["monthly"]
"""How often figures of measures are made: with each month's files."""

_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Collection:
    """The series of one body and dataset that have a current version, newest first; `frequency` is an EU code."""

    context: CatalogueContext
    dataset: Dataset
    body: Body
    series: tuple[SeriesFacts, ...]
    frequency: str

    @property
    def years(self) -> dict[int, list[SeriesFacts]]:
        """The series by the year in which their periods end, latest first."""
        found: dict[int, list[SeriesFacts]] = {}
        for facts in self.series:
            found.setdefault(facts.series.period.end.year, []).append(facts)
        return found

    @property
    def fields_address(self) -> str:
        """The address of the description of the dataset's fields."""
        return urls.address(self.context.base_url, layout.dataset_page(self.dataset.name)) + "#fields"


def render_dcat_root(overview: Overview) -> Iterator[tuple[str, bytes]]:
    """Render the root of the catalogue."""
    yield from _write(_root_nodes(overview), layout.dcat_root)


def render_body_dcat(holdings: Holdings) -> Iterator[tuple[str, bytes]]:
    """Render the catalogue of a body and those of its datasets and years."""
    body, collections = holdings.body, []
    for dataset in holdings.datasets:
        if series := holdings.current_series_of(dataset.name):
            interval = publication_interval(dataset, body, (facts.series for facts in series))
            collections.append(Collection(holdings.context, dataset, body, series, rdf.EU_FREQUENCIES[interval]))
    yield from _write(_body_nodes(holdings, collections), partial(layout.body_dcat, body.slug))
    for collection in collections:
        for year, ending in collection.years.items():
            key = partial(layout.body_dcat, body.slug, dataset=collection.dataset.name, year=year)
            yield from _write(_year_nodes(collection, year, ending), key)


def _write(nodes: Iterable[Node], key: Callable[[str], str]) -> Iterator[tuple[str, bytes]]:
    """Write a graph in each of FORMS; `key` makes the key of a form."""
    graph = list(nodes)
    yield key("jsonld"), rdf.write_json_ld(graph)
    yield key("ttl"), rdf.write_turtle(graph)


# --- catalogues ---------------------------------------------------------------------------------------------------


def _root_nodes(overview: Overview) -> Iterator[Node]:
    context = overview.context
    published = [digest for digest in overview.digests if digest.latest is not None]
    instants = [digest.latest for digest in published if digest.latest is not None]
    title = f"{context.publisher_name}: open data of public bodies"
    yield _catalogue_node(context, CATALOGUE, title, instants) | {
        "dcat:catalog": [_catalogue_urn(digest.body) for digest in published],
        **({"dcat:dataset": [urls.measure_urn(one.id) for one in overview.measures]} if overview.measures else {}),
    }
    if overview.measures:
        yield from _shared_nodes(context, {_MEASURED_EACH}, set(MEDIA_TYPES.values()))
    else:
        yield from _shared_nodes(context)
    yield from _measure_nodes(context, overview.measures)
    for body in (digest.body for digest in published):
        keys = [layout.body_dcat(body.slug, form) for form in FORMS]
        yield _link_node(context, _catalogue_urn(body), body.name, f"What {body.name} publishes.", keys)


def _link_node(context: CatalogueContext, name: str, title: str, description: str, keys: Sequence[str]) -> Node:
    """Describe a catalogue that is in other files, and say where they are."""
    return {
        "@id": name,
        "@type": "dcat:Catalog",
        "dct:title": in_english(title),
        "dct:description": in_english(description),
        "dct:publisher": PUBLISHER,
        "rdfs:seeAlso": [urls.address(context.base_url, key) for key in keys],
    }


def _catalogue_urn(body: Body, dataset: str | None = None, year: int | None = None) -> str:
    """The URN of the catalogue of a body, or of a dataset and year of it."""
    return f"{CATALOGUE}:{body.slug}" + (f":{dataset}:{year}" if dataset else "")


def _body_nodes(holdings: Holdings, collections: Sequence[Collection]) -> Iterator[Node]:
    body, context = holdings.body, holdings.context
    instants = [instant for collection in collections for instant in _published_instants(collection.series)]
    parts = [(collection, year) for collection in collections for year in collection.years]
    title = f"{body.name}: open data, published by {context.publisher_name}"
    yield _catalogue_node(context, _catalogue_urn(body), title, instants) | {
        "dct:creator": urls.body_urn(body.id),
        "dcat:catalog": [_catalogue_urn(body, collection.dataset.name, year) for collection, year in parts],
    }
    yield from _shared_nodes(context, {collection.frequency for collection in collections})
    yield _organisation_node(context, body)
    for collection in collections:
        yield _collection_node(collection)
    for collection, year in parts:
        dataset, name = collection.dataset, _catalogue_urn(body, collection.dataset.name, year)
        keys = [layout.body_dcat(body.slug, form, dataset.name, year) for form in FORMS]
        yield _link_node(context, name, f"{dataset.title}: {body.name}, {year}", dataset.description, keys)


def _year_nodes(collection: Collection, year: int, series: Sequence[SeriesFacts]) -> Iterator[Node]:
    context, dataset, body = collection.context, collection.dataset, collection.body
    name, title = _catalogue_urn(body, dataset.name, year), f"{dataset.title}: {body.name}, {year}"
    released = [(facts, version) for facts in series for version in facts.history.versions]
    yield _catalogue_node(context, name, title, _published_instants(series)) | {
        "dcat:dataset": [
            *(urls.series_urn(facts.series) for facts in series),
            *(urls.release_urn(facts.series, version) for facts, version in released),
        ],
    }
    yield from _shared_nodes(context, {collection.frequency}, set(MEDIA_TYPES.values()))
    yield {"@id": collection.fields_address, "@type": "dct:Standard"}
    for path, title in sorted({_licence(facts) for facts in series}):
        yield {"@id": path, "@type": "dct:LicenseDocument", "dct:title": title, "dct:type": rdf.ATTRIBUTION}
    yield _organisation_node(context, body)
    yield _collection_node(collection)
    for facts in series:
        yield _series_node(collection, facts)
    for facts, version in released:
        yield _version_node(collection, facts, version)


def _catalogue_node(context: CatalogueContext, name: str, title: str, instants: Sequence[str]) -> Node:
    return {
        "@id": name,
        "@type": "dcat:Catalog",
        "dct:title": in_english(title),
        "dct:description": in_english(
            "What public bodies spend, contract for, employ and deliver, line by line: checked, versioned, free to use."
        ),
        "dct:publisher": PUBLISHER,
        "dct:language": rdf.ENGLISH,
        "dct:spatial": rdf.UNITED_KINGDOM,
        "dcat:themeTaxonomy": rdf.THEMES,
        "foaf:homepage": urls.address(context.base_url, layout.HOME),
        "dct:issued": min(instants, default=_EPOCH),
        "dct:modified": max(instants, default=_EPOCH),
    }


def _shared_nodes(
    context: CatalogueContext, frequencies: Set[str] = frozenset(), media_types: Set[str] = frozenset()
) -> Iterator[Node]:
    """The publisher, the first page, and the terms of other vocabularies that the graph uses."""
    home = urls.address(context.base_url, layout.HOME)
    yield {"@id": PUBLISHER, "@type": ["foaf:Agent", "foaf:Organization"], "foaf:name": context.publisher_name}
    yield {
        "@id": CONTACT,
        "@type": ["vcard:Kind", "vcard:Organization"],
        "vcard:fn": context.publisher_name,
        "vcard:hasURL": home,
    }
    yield {"@id": home, "@type": "foaf:Document"}
    yield from rdf.describe_terms(frequencies, media_types)


# --- measures -----------------------------------------------------------------------------------------------------


def _measure_nodes(context: CatalogueContext, measures: Sequence[PublishedMeasure]) -> Iterator[Node]:
    """Each measure as a dataset, with the files of its newest year; and the licence of all of them."""
    for measure in measures:
        yield _measure_node(context, measure)
    if measures:
        path, title = _MEASURES_LICENCE
        yield {"@id": path, "@type": "dct:LicenseDocument", "dct:title": title, "dct:type": rdf.ATTRIBUTION}


def _measure_node(context: CatalogueContext, measure: PublishedMeasure) -> Node:
    about, latest, name = measure.definition, measure.latest, urls.measure_urn(measure.id)
    page = urls.address(context.base_url, layout.measure_page(measure.id))
    versions = [version for year in measure.years for version in year.versions]
    return {
        "@id": name,
        "@type": "dcat:Dataset",
        "dct:identifier": name,
        "dct:title": in_english(about.title),
        "dct:description": in_english(f"{about.question} {about.summary}"),
        "dct:publisher": PUBLISHER,
        "dct:creator": PUBLISHER,
        "dcat:contactPoint": CONTACT,
        "dcat:version": about.version,
        "adms:versionNotes": in_english(latest.current.reason),
        "dct:issued": min(version.published for version in versions),
        "dct:modified": measure.updated,
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": min(year.series.period.start for year in measure.years).isoformat(),
            "dcat:endDate": max(year.series.period.end for year in measure.years).isoformat(),
        },
        "dct:accrualPeriodicity": rdf.frequency(_MEASURED_EACH),
        "dct:spatial": rdf.UNITED_KINGDOM,
        "dct:language": rdf.ENGLISH,
        "dct:accessRights": rdf.PUBLIC,
        "dcat:theme": rdf.GOVERNMENT,
        "dcat:keyword": [in_english(figure.title) for figure in about.headlines],
        "dcat:landingPage": {"@id": page, "@type": "foaf:Document"},
        "dcat:distribution": [
            _distribution_node(context, latest.series, latest.current, entry, _MEASURES_LICENCE[0], page)
            for entry in latest.files
            if PurePosixPath(entry.path).suffix in MEDIA_TYPES
        ],
    }


# --- bodies, series and versions ----------------------------------------------------------------------------------


def _organisation_node(context: CatalogueContext, body: Body) -> Node:
    page = urls.address(context.base_url, layout.body_page(body.slug))
    node: Node = {
        "@id": urls.body_urn(body.id),
        "@type": ["foaf:Agent", "foaf:Organization", "org:Organization", "org:FormalOrganization"],
        "foaf:name": body.name,
        "skos:prefLabel": in_english(body.name),
        "dct:identifier": body.id,
        "org:identifier": [body.id, *body.same_as],
        "foaf:page": {"@id": page, "@type": "foaf:Document"},
    }
    if body.kind in rdf.PUBLISHER_TYPES:
        node["dct:type"] = rdf.PUBLISHER_TYPES[body.kind]
    return node


def _contact(body: Body) -> Node | str:
    """The contact of the body; the publisher's if the body's is not known."""
    if body.contact is None:
        return CONTACT
    node: Node = {"@type": ["vcard:Kind", "vcard:Organization"], "vcard:fn": body.name}
    if "@" in body.contact:
        return node | {"vcard:hasEmail": f"mailto:{body.contact}"}
    return node | ({"vcard:hasURL": body.contact} if "://" in body.contact else {"vcard:note": body.contact})


def _spatial(body: Body) -> str | list[str | Node]:
    """The United Kingdom, and the area of a body that has a GSS code."""
    if not body.id.startswith("gss:"):
        return rdf.UNITED_KINGDOM
    area = f"http://statistics.data.gov.uk/id/statistical-geography/{body.id.removeprefix('gss:')}"
    return [rdf.UNITED_KINGDOM, {"@id": area, "@type": "dct:Location"}]


def _collection_node(collection: Collection) -> Node:
    periods = [facts.series.period for facts in collection.series]
    instants = _published_instants(collection.series)
    name = urls.collection_urn(collection.dataset.name, collection.body.slug)
    return {
        "@id": name,
        "@type": "dcat:DatasetSeries",
        "dct:identifier": name,
        "dct:title": in_english(f"{collection.dataset.title}: {collection.body.name}"),
        "dct:description": in_english(collection.dataset.description),
        "dct:publisher": PUBLISHER,
        "dcat:contactPoint": _contact(collection.body),
        "dct:accrualPeriodicity": rdf.frequency(collection.frequency),
        "dct:spatial": _spatial(collection.body),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": min(period.start for period in periods).isoformat(),
            "dcat:endDate": max(period.end for period in periods).isoformat(),
        },
        "dct:issued": min(instants),
        "dct:modified": max(instants),
    }


def _dataset_node(
    collection: Collection, series: Series, version: Version, name: str, title: str, links: Node, issued: str
) -> Node:
    """Describe what the nodes of a series and of a version share; for a series, `version` is its current version."""
    return {
        "@id": name,
        "@type": "dcat:Dataset",
        "dct:identifier": name,
        "dct:title": in_english(title),
        "dct:description": in_english(collection.dataset.description),
        "dct:publisher": PUBLISHER,
        "dct:creator": urls.body_urn(collection.body.id),
        "dcat:contactPoint": _contact(collection.body),
        **links,
        "adms:versionNotes": in_english(version.reason),
        "dct:issued": issued,
        "dct:modified": version.ended or version.published,
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": series.period.start.isoformat(),
            "dcat:endDate": series.period.end.isoformat(),
        },
    }


def _series_node(collection: Collection, facts: SeriesFacts) -> Node:
    """A series, with the files of its current version."""
    context, body, series = collection.context, collection.body, facts.series
    current = facts.history.current_version
    if current is None:
        raise ValueError(f"{series} has no current version")
    page = urls.address(context.base_url, layout.series_page(series))
    links = {
        "dcat:inSeries": urls.collection_urn(series.dataset, series.body),
        "dcat:version": str(current.version),
        "dcat:hasVersion": [urls.release_urn(series, version) for version in facts.history.versions],
        "dcat:hasCurrentVersion": urls.release_urn(series, current),
    }
    title, issued = series_title(collection.dataset, body, series), facts.history.versions[0].published
    node = _dataset_node(collection, series, current, urls.series_urn(series), title, links, issued) | {
        "dct:accrualPeriodicity": rdf.frequency(collection.frequency),
        "dct:spatial": _spatial(body),
        "dct:language": rdf.ENGLISH,
        "dct:accessRights": rdf.PUBLIC,
        "dct:conformsTo": collection.fields_address,
        "dcat:theme": rdf.GOVERNMENT,
        "dcat:keyword": [in_english(word) for word in collection.dataset.descriptor["keywords"]],
        "dcat:landingPage": {"@id": page, "@type": "foaf:Document"},
        "dcat:distribution": _distributions(context, facts, current, page),
    }
    if facts.posts:
        node["rdfs:seeAlso"] = list_post_addresses(context.base_url, series, facts.posts)
    # the series of the same part that ended last before this one began; the collection is newest first
    for other in collection.series:
        if other.series.part == series.part and other.series.period.end < series.period.start:
            node["dcat:prev"] = urls.series_urn(other.series)
            break
    return node


def _version_node(collection: Collection, facts: SeriesFacts, version: Version) -> Node:
    """A version, with its files unless it was withdrawn or removed."""
    context, body, series = collection.context, collection.body, facts.series
    name = urls.release_urn(series, version)
    page = urls.address(context.base_url, layout.version_page(series, version))
    title = f"{series_title(collection.dataset, body, series)} (version {version.version})"
    links = {"dcat:isVersionOf": urls.series_urn(series), "dcat:version": str(version.version)}
    node = _dataset_node(collection, series, version, name, title, links, version.published) | {
        "dct:spatial": _spatial(body),
        "dcat:keyword": [in_english(word) for word in collection.dataset.descriptor["keywords"]],
        "dcat:theme": rdf.GOVERNMENT,
        "dct:accessRights": rdf.PUBLIC,
        "dcat:landingPage": {"@id": page, "@type": "foaf:Document"},
    }
    if version.supersedes is not None and (before := facts.history.version(version.supersedes)) is not None:
        node["dcat:previousVersion"] = urls.release_urn(series, before)
    if version.status is Status.SUPERSEDED:
        node["dcat:distribution"] = _distributions(context, facts, version, page)
    elif version.status is Status.CURRENT:  # the series describes the same distributions in full
        node["dcat:distribution"] = [one["@id"] for one in _distributions(context, facts, version, page)]
    return node


def _published_instants(series: Iterable[SeriesFacts]) -> list[str]:
    return [version.published for facts in series for version in facts.history.versions]


def _licence(facts: SeriesFacts) -> tuple[str, str]:
    """The address and title of the licence of a series with a current version."""
    if facts.licence is None:
        raise ValueError(f"{facts.series} has a current version without a descriptor")
    return urls.licence_uri(facts.licence), facts.licence.get("title") or facts.licence["name"]


def _distributions(context: CatalogueContext, facts: SeriesFacts, version: Version, page: str) -> list[Node]:
    return [
        _distribution_node(context, facts.series, version, entry, _licence(facts)[0], page)
        for entry in facts.files_of(version)
        if PurePosixPath(entry.path).suffix in MEDIA_TYPES
    ]


def _distribution_node(
    context: CatalogueContext, series: Series, version: Version, entry: FileEntry, licence: str, page: str
) -> Node:
    suffix = PurePosixPath(entry.path).suffix
    media_type = rdf.MEDIA + MEDIA_TYPES[suffix]
    name = f"{urls.release_urn(series, version)}/{entry.path}"
    return {
        "@id": name,
        "@type": "dcat:Distribution",
        "dct:identifier": name,
        "dct:title": in_english(entry.path),
        "dct:description": in_english(f"{suffix[1:].upper()}: {describe_file(entry.path)}"),
        "dcat:downloadURL": urls.address(context.base_url, layout.release_file(series, version, entry.path)),
        "dcat:mediaType": media_type,
        "dct:format": rdf.FILE_TYPES.get(suffix, media_type),
        "dcat:byteSize": str(entry.bytes),
        "dct:license": licence,
        "dct:modified": version.published,
        "dcatap:availability": rdf.AVAILABLE,
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": rdf.SHA256,
            "spdx:checksumValue": entry.sha256,
        },
        "dcat:accessURL": page,
    }
