"""The catalogue in the terms of DCAT 3 and DCAT-AP 3.0.1, as JSON-LD.

One dcat:Dataset for each series that stands, one dcat:DatasetSeries for each dataset and body. Names are URNs that do
not depend on the host; addresses come from the base URL. The types of the vocabulary terms that are used are
written beside them, so that the file can be validated without fetching anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from piperoll.describing import dcat_terms as terms
from piperoll.describing import places
from piperoll.describing.facts import SeriesFacts
from piperoll.describing.frequency import EU_CODES, every
from piperoll.describing.holdings import Holdings
from piperoll.describing.media import media_type, told
from piperoll.describing.overview import Overview
from piperoll.describing.wording import series_title
from piperoll.describing.world import World
from piperoll.model import Body, Dataset, FileEntry, Version, to_json_bytes

CATALOGUE = "urn:piperoll:catalogue"
PUBLISHER = "urn:piperoll:publisher"
CONTACT = "urn:piperoll:publisher:contact"
DISTRIBUTED = (".csv", ".parquet")

Node = dict[str, Any]


@dataclass(frozen=True)
class _Shelf:
    """All that a body publishes of a dataset and that stands, newest first."""

    dataset: Dataset
    body: Body
    listings: tuple[SeriesFacts, ...]
    frequency: str

    @property
    def instants(self) -> list[str]:
        return [version.published for listing in self.listings for version in listing.history.versions]


def dcat(overview: Overview) -> bytes:
    """catalog.jsonld, byte for byte: the catalogue, which leads to one for each body."""
    return to_json_bytes({"@context": terms.CONTEXT, "@graph": list(_root(overview))})


def dcat_of(holdings: Holdings) -> bytes:
    """The catalogue of a body, byte for byte."""
    return to_json_bytes({"@context": terms.CONTEXT, "@graph": list(_nodes(holdings))})


def _root(overview: Overview) -> Iterator[Node]:
    world = overview.world
    published = [line for line in overview.lines if line.latest is not None]
    instants = [line.latest for line in published if line.latest is not None]
    yield _catalogue(world, CATALOGUE, f"{world.publisher_name}: open data of public bodies", instants) | {
        "dcat:catalog": [_body_catalogue(line.body) for line in published],
    }
    yield from _publisher(world)
    yield from terms.typed(set(), set())
    yield {"@id": places.address(world.base_url, places.HOME), "@type": "foaf:Document"}


def _body_catalogue(body: Body) -> str:
    return f"urn:piperoll:catalogue:{body.slug}"


def _nodes(holdings: Holdings) -> Iterator[Node]:
    shelves, world = _shelves(holdings), holdings.world
    instants = [instant for shelf in shelves for instant in shelf.instants]
    name = _body_catalogue(holdings.the_body)
    title = f"{holdings.the_body.name}: open data, published by {world.publisher_name}"
    yield _catalogue(world, name, title, instants) | {
        "dcat:dataset": [places.series_name(listing.series) for shelf in shelves for listing in shelf.listings],
    }
    yield from _publisher(world)
    yield from terms.typed(
        {shelf.frequency for shelf in shelves},
        {media_type(f"{shelf.dataset.name}{ending}") for shelf in shelves for ending in DISTRIBUTED},
    )
    yield from _pages_and_licences(holdings, shelves)
    yield _body(holdings.the_body)
    for shelf in shelves:
        yield _collection(shelf)
        for listing in shelf.listings:
            yield _table(holdings, shelf, listing)


def _shelves(holdings: Holdings) -> list[_Shelf]:
    shelves = []
    for dataset in holdings.datasets:
        group = tuple(one for one in holdings.of_dataset(dataset.name) if one.manifest is not None)
        if group:
            shelves.append(
                _Shelf(dataset, holdings.the_body, group, EU_CODES[every(dataset, holdings.the_body, group)])
            )
    return shelves


def _catalogue(world: World, name: str, title: str, instants: Sequence[str]) -> Node:
    return {
        "@id": name,
        "@type": "dcat:Catalog",
        "dct:title": terms.english(title),
        "dct:description": terms.english(
            "What public bodies spend, contract for, employ and deliver, line by line: checked, versioned, free to use."
        ),
        "dct:publisher": PUBLISHER,
        "dct:language": terms.ENGLISH,
        "dct:spatial": terms.UNITED_KINGDOM,
        "dcat:themeTaxonomy": terms.THEMES,
        "foaf:homepage": places.address(world.base_url, places.HOME),
        "dct:issued": min(instants, default="1970-01-01T00:00:00Z"),
        "dct:modified": max(instants, default="1970-01-01T00:00:00Z"),
    }


def _publisher(world: World) -> Iterator[Node]:
    yield {"@id": PUBLISHER, "@type": ["foaf:Agent", "foaf:Organization"], "foaf:name": world.publisher_name}
    yield {
        "@id": CONTACT,
        "@type": ["vcard:Kind", "vcard:Organization"],
        "vcard:fn": world.publisher_name,
        "vcard:hasURL": places.address(world.base_url, places.HOME),
    }


def _pages_and_licences(holdings: Holdings, shelves: Sequence[_Shelf]) -> Iterator[Node]:
    yield {"@id": places.address(holdings.base_url, places.HOME), "@type": "foaf:Document"}
    for name in sorted({shelf.dataset.name for shelf in shelves}):
        yield {"@id": _schema(holdings, name), "@type": "dct:Standard"}
    licences = {_licence(listing) for shelf in shelves for listing in shelf.listings}
    for path, title in sorted(licences):
        yield {"@id": path, "@type": "dct:LicenseDocument", "dct:title": title, "dct:type": terms.ATTRIBUTION}


def _schema(holdings: Holdings, dataset: str) -> str:
    return places.address(holdings.base_url, places.dataset_page(dataset)) + "#fields"


def _licence(listing: SeriesFacts) -> tuple[str, str]:
    if listing.licence is None:
        raise ValueError(f"{listing.series} stands without a descriptor")
    return places.licence_name(listing.licence), listing.licence.get("title") or listing.licence["name"]


def _body(body: Body) -> Node:
    node: Node = {
        "@id": places.body_name(body.id),
        "@type": ["foaf:Agent", "foaf:Organization"],
        "foaf:name": body.name,
        "dct:identifier": body.id,
    }
    if body.kind in terms.PUBLISHER_TYPES:
        node["dct:type"] = terms.PUBLISHER_TYPES[body.kind]
    return node


def _contact(body: Body) -> Node | str:
    """The body's own contact; ours where we know of none."""
    if body.contact is None:
        return CONTACT
    node: Node = {"@type": ["vcard:Kind", "vcard:Organization"], "vcard:fn": body.name}
    if "@" in body.contact:
        return node | {"vcard:hasEmail": f"mailto:{body.contact}"}
    return node | ({"vcard:hasURL": body.contact} if "://" in body.contact else {"vcard:note": body.contact})


def _spatial(body: Body) -> str | list[str | Node]:
    """The United Kingdom, and the area of a body that is named by a GSS code."""
    if not body.id.startswith("gss:"):
        return terms.UNITED_KINGDOM
    area = f"http://statistics.data.gov.uk/id/statistical-geography/{body.id.removeprefix('gss:')}"
    return [terms.UNITED_KINGDOM, {"@id": area, "@type": "dct:Location"}]


def _collection(shelf: _Shelf) -> Node:
    periods = [listing.series.period for listing in shelf.listings]
    name = places.collection_name(shelf.dataset.name, shelf.body.slug)
    return {
        "@id": name,
        "@type": "dcat:DatasetSeries",
        "dct:identifier": name,
        "dct:title": terms.english(f"{shelf.dataset.title}: {shelf.body.name}"),
        "dct:description": terms.english(shelf.dataset.description),
        "dct:publisher": PUBLISHER,
        "dcat:contactPoint": _contact(shelf.body),
        "dct:accrualPeriodicity": terms.frequency(shelf.frequency),
        "dct:spatial": _spatial(shelf.body),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": min(period.start for period in periods).isoformat(),
            "dcat:endDate": max(period.end for period in periods).isoformat(),
        },
        "dct:issued": min(shelf.instants),
        "dct:modified": max(shelf.instants),
    }


def _table(holdings: Holdings, shelf: _Shelf, listing: SeriesFacts) -> Node:
    series, standing = listing.series, _standing(listing)
    page = places.address(holdings.base_url, places.series_page(series))
    node: Node = {
        "@id": places.series_name(series),
        "@type": "dcat:Dataset",
        "dct:identifier": places.series_name(series),
        "dct:title": terms.english(series_title(shelf.dataset, shelf.body, series)),
        "dct:description": terms.english(shelf.dataset.description),
        "dct:publisher": PUBLISHER,
        "dct:creator": places.body_name(shelf.body.id),
        "dcat:contactPoint": _contact(shelf.body),
        "dcat:inSeries": places.collection_name(series.dataset, series.body),
        "dcat:version": str(standing.version),
        "adms:versionNotes": terms.english(standing.reason),
        "dct:issued": listing.history.versions[0].published,
        "dct:modified": standing.published,
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": series.period.start.isoformat(),
            "dcat:endDate": series.period.end.isoformat(),
        },
        "dct:accrualPeriodicity": terms.frequency(shelf.frequency),
        "dct:spatial": _spatial(shelf.body),
        "dct:language": terms.ENGLISH,
        "dct:accessRights": terms.PUBLIC,
        "dct:conformsTo": _schema(holdings, series.dataset),
        "dcat:theme": terms.GOVERNMENT,
        "dcat:keyword": [terms.english(word) for word in shelf.dataset.descriptor["keywords"]],
        "dcat:landingPage": {"@id": page, "@type": "foaf:Document"},
        "dcat:distribution": _distributions(holdings, listing, standing, page),
    }
    before = _before(shelf, listing)
    return node if before is None else node | {"dcat:prev": places.series_name(before.series)}


def _standing(listing: SeriesFacts) -> Version:
    if listing.history.standing is None:
        raise ValueError(f"{listing.series} has no version that stands")
    return listing.history.standing


def _before(shelf: _Shelf, listing: SeriesFacts) -> SeriesFacts | None:
    """The table of the same part that ended last before this one began."""
    earlier = (
        other
        for other in shelf.listings
        if other.series.part == listing.series.part and other.series.period.end < listing.series.period.start
    )
    return next(earlier, None)


def _distributions(holdings: Holdings, listing: SeriesFacts, standing: Version, page: str) -> list[Node]:
    entries = () if listing.manifest is None else listing.manifest.files
    return [
        _distribution(holdings, listing, standing, entry) | {"dcat:accessURL": page}
        for entry in entries
        if entry.path.endswith(DISTRIBUTED)
    ]


def _distribution(holdings: Holdings, listing: SeriesFacts, standing: Version, entry: FileEntry) -> Node:
    key = places.release_file(listing.series, standing, entry.path)
    ending = PurePosixPath(entry.path).suffix
    media = terms.MEDIA + media_type(entry.path)
    return {
        "@id": f"{places.release_name(listing.series, standing)}/{entry.path}",
        "@type": "dcat:Distribution",
        "dct:identifier": f"{places.release_name(listing.series, standing)}/{entry.path}",
        "dct:title": terms.english(entry.path),
        "dct:description": terms.english(f"{ending[1:].upper()}: {told(entry.path)}"),
        "dcat:downloadURL": places.address(holdings.base_url, key),
        "dcat:mediaType": media,
        "dct:format": terms.FILE_TYPES.get(ending, media),
        "dcat:byteSize": str(entry.bytes),
        "dct:license": _licence(listing)[0],
        "dct:modified": standing.published,
        "dcatap:availability": terms.AVAILABLE,
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": terms.SHA256,
            "spdx:checksumValue": entry.sha256,
        },
    }
