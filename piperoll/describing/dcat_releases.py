"""What a body publishes in the terms of DCAT and of the organization ontology: itself, its tables, their versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from piperoll import layout
from piperoll.describing import dcat_terms as terms
from piperoll.describing import places
from piperoll.describing.facts import SeriesFacts
from piperoll.describing.media import media_type, told
from piperoll.describing.posts import addresses
from piperoll.describing.rdf import Node
from piperoll.describing.wording import series_title
from piperoll.describing.world import World
from piperoll.model import Body, Dataset, FileEntry, Series, Status, Version

PUBLISHER = "urn:piperoll:publisher"
CONTACT = f"{PUBLISHER}:contact"
DISTRIBUTED = (".csv", ".parquet")


@dataclass(frozen=True)
class Shelf:
    """All that a body publishes of a dataset and that stands, newest first."""

    dataset: Dataset
    body: Body
    listings: tuple[SeriesFacts, ...]
    frequency: str

    @property
    def instants(self) -> list[str]:
        """When each version of them was published."""
        return instants_of(self.listings)

    @property
    def years(self) -> dict[int, list[SeriesFacts]]:
        """The series by the year in which their periods end, the latest first."""
        found: dict[int, list[SeriesFacts]] = {}
        for facts in self.listings:
            found.setdefault(facts.series.period.end.year, []).append(facts)
        return found


def instants_of(listings: Iterable[SeriesFacts]) -> list[str]:
    """When each version of these series was published."""
    return [version.published for facts in listings for version in facts.history.versions]


def schema(world: World, dataset: str) -> str:
    """Where the fields of a dataset are described."""
    return places.address(world.base_url, layout.dataset_page(dataset)) + "#fields"


def licence(listing: SeriesFacts) -> tuple[str, str]:
    """The address and the title of the licence of a series that stands."""
    if listing.licence is None:
        raise ValueError(f"{listing.series} stands without a descriptor")
    return places.licence_name(listing.licence), listing.licence.get("title") or listing.licence["name"]


def body_node(world: World, body: Body) -> Node:
    """The body, as an organisation of the W3C's ontology."""
    node: Node = {
        "@id": places.body_name(body.id),
        "@type": ["foaf:Agent", "foaf:Organization", "org:Organization", "org:FormalOrganization"],
        "foaf:name": body.name,
        "skos:prefLabel": terms.english(body.name),
        "dct:identifier": body.id,
        "org:identifier": [body.id, *body.same_as],
        "foaf:page": {"@id": places.address(world.base_url, layout.body_page(body.slug)), "@type": "foaf:Document"},
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


def collection(shelf: Shelf) -> Node:
    """All that a body publishes of a dataset."""
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


def table(world: World, shelf: Shelf, listing: SeriesFacts) -> Node:
    """A series that stands, with the files of its current version."""
    series, standing = listing.series, _standing(listing)
    page = places.address(world.base_url, layout.series_page(series))
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
        "dcat:hasVersion": [places.release_name(series, version) for version in listing.history.versions],
        "dcat:hasCurrentVersion": places.release_name(series, standing),
        "adms:versionNotes": terms.english(standing.reason),
        "dct:issued": listing.history.versions[0].published,
        "dct:modified": standing.published,
        "dct:temporal": _temporal(series),
        "dct:accrualPeriodicity": terms.frequency(shelf.frequency),
        "dct:spatial": _spatial(shelf.body),
        "dct:language": terms.ENGLISH,
        "dct:accessRights": terms.PUBLIC,
        "dct:conformsTo": schema(world, series.dataset),
        "dcat:theme": terms.GOVERNMENT,
        "dcat:keyword": [terms.english(word) for word in shelf.dataset.descriptor["keywords"]],
        "dcat:landingPage": {"@id": page, "@type": "foaf:Document"},
        "dcat:distribution": _distributions(world, listing, standing, page),
    }
    if listing.posts:
        node["rdfs:seeAlso"] = addresses(world.base_url, series, listing.posts)
    before = _before(shelf, listing)
    return node if before is None else node | {"dcat:prev": places.series_name(before.series)}


def release_node(world: World, shelf: Shelf, facts: SeriesFacts, version: Version) -> Node:
    """One version, with its files as long as they are offered."""
    series, name = facts.series, places.release_name(facts.series, version)
    page = places.address(world.base_url, layout.version_page(series, version))
    node: Node = {
        "@id": name,
        "@type": "dcat:Dataset",
        "dct:identifier": name,
        "dct:title": terms.english(f"{series_title(shelf.dataset, shelf.body, series)} (version {version.version})"),
        "dct:description": terms.english(shelf.dataset.description),
        "dct:publisher": PUBLISHER,
        "dct:creator": places.body_name(shelf.body.id),
        "dcat:contactPoint": _contact(shelf.body),
        "dcat:isVersionOf": places.series_name(series),
        "dcat:version": str(version.version),
        "adms:versionNotes": terms.english(version.reason),
        "dct:issued": version.published,
        "dct:modified": version.ended or version.published,
        "dct:temporal": _temporal(series),
        "dct:spatial": _spatial(shelf.body),
        "dcat:keyword": [terms.english(word) for word in shelf.dataset.descriptor["keywords"]],
        "dcat:theme": terms.GOVERNMENT,
        "dct:accessRights": terms.PUBLIC,
        "dcat:landingPage": {"@id": page, "@type": "foaf:Document"},
    }
    if version.supersedes is not None and (before := facts.history.version(version.supersedes)) is not None:
        node["dcat:previousVersion"] = places.release_name(series, before)
    if version.status is Status.SUPERSEDED:
        node["dcat:distribution"] = _distributions(world, facts, version, page)
    elif version.status is Status.CURRENT:  # the series has them, too
        node["dcat:distribution"] = [f"{name}/{entry.path}" for entry in _distributed(facts, version)]
    return node


def _temporal(series: Series) -> Node:
    return {
        "@type": "dct:PeriodOfTime",
        "dcat:startDate": series.period.start.isoformat(),
        "dcat:endDate": series.period.end.isoformat(),
    }


def _standing(listing: SeriesFacts) -> Version:
    if listing.history.standing is None:
        raise ValueError(f"{listing.series} has no version that stands")
    return listing.history.standing


def _before(shelf: Shelf, listing: SeriesFacts) -> SeriesFacts | None:
    """The table of the same part that ended last before this one began."""
    earlier = (
        other
        for other in shelf.listings
        if other.series.part == listing.series.part and other.series.period.end < listing.series.period.start
    )
    return next(earlier, None)


def _distributions(world: World, facts: SeriesFacts, version: Version, page: str) -> list[Node]:
    return [
        _distribution(world, facts, version, entry) | {"dcat:accessURL": page} for entry in _distributed(facts, version)
    ]


def _distributed(facts: SeriesFacts, version: Version) -> list[FileEntry]:
    return [entry for entry in facts.files_of(version) if entry.path.endswith(DISTRIBUTED)]


def _distribution(world: World, listing: SeriesFacts, standing: Version, entry: FileEntry) -> Node:
    key = layout.release_file(listing.series, standing, entry.path)
    ending = PurePosixPath(entry.path).suffix
    media = terms.MEDIA + media_type(entry.path)
    return {
        "@id": f"{places.release_name(listing.series, standing)}/{entry.path}",
        "@type": "dcat:Distribution",
        "dct:identifier": f"{places.release_name(listing.series, standing)}/{entry.path}",
        "dct:title": terms.english(entry.path),
        "dct:description": terms.english(f"{ending[1:].upper()}: {told(entry.path)}"),
        "dcat:downloadURL": places.address(world.base_url, key),
        "dcat:mediaType": media,
        "dct:format": terms.FILE_TYPES.get(ending, media),
        "dcat:byteSize": str(entry.bytes),
        "dct:license": licence(listing)[0],
        "dct:modified": standing.published,
        "dcatap:availability": terms.AVAILABLE,
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": terms.SHA256,
            "spdx:checksumValue": entry.sha256,
        },
    }
