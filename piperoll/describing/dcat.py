"""The catalogue in the terms of DCAT 3 and DCAT-AP 3.0.1, as JSON-LD and Turtle.

The root leads to a catalogue for each body. That one has a dcat:DatasetSeries for each dataset, and leads to a
catalogue for each dataset and year in which periods end, with one dcat:Dataset for each series that stands and one for
each of its versions. So none grows with what other bodies publish, nor with the years.

Names are URNs that do not depend on the host; addresses come from the base URL. The types of the vocabulary terms that
are used are written beside them, so that each file can be validated without fetching anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from functools import partial

from piperoll import layout
from piperoll.describing import dcat_terms as terms
from piperoll.describing import places
from piperoll.describing.dcat_releases import (
    CONTACT,
    DISTRIBUTED,
    PUBLISHER,
    Shelf,
    body_node,
    collection,
    instants_of,
    licence,
    release_node,
    schema,
    table,
)
from piperoll.describing.facts import SeriesFacts
from piperoll.describing.holdings import Holdings
from piperoll.describing.lines import BodyLine
from piperoll.describing.media import media_type
from piperoll.describing.overview import Overview
from piperoll.describing.rdf import Node, json_ld, turtle
from piperoll.describing.world import World
from piperoll.duties import publication_interval
from piperoll.model import Body

CATALOGUE = "urn:piperoll:catalogue"
FORMS = ("jsonld", "ttl")
_EPOCH = "1970-01-01T00:00:00Z"


def dcat(overview: Overview) -> Iterator[tuple[str, bytes]]:
    """The root of the catalogue, in both forms."""
    yield from _both(layout.dcat_root, list(_root(overview)))


def dcat_of(holdings: Holdings) -> Iterator[tuple[str, bytes]]:
    """The catalogue of a body and those of its datasets and years, each in both forms."""
    slug, shelves = holdings.the_body.slug, _shelves(holdings)
    yield from _both(partial(layout.body_dcat, slug), list(_of_body(holdings, shelves)))
    for shelf in shelves:
        for year, listings in shelf.years.items():
            nodes = list(_of_year(holdings, shelf, year, listings))
            place = partial(layout.body_dcat, slug, dataset=shelf.dataset.name, year=year)
            yield from _both(place, nodes)


def _both(place: Callable[[str], str], nodes: list[Node]) -> Iterator[tuple[str, bytes]]:
    yield place("jsonld"), json_ld(nodes)
    yield place("ttl"), turtle(nodes)


def _root(overview: Overview) -> Iterator[Node]:
    world = overview.world
    published = [line for line in overview.lines if line.latest is not None]
    instants = [line.latest for line in published if line.latest is not None]
    yield _catalogue(world, CATALOGUE, f"{world.publisher_name}: open data of public bodies", instants) | {
        "dcat:catalog": [_named(line.body) for line in published],
    }
    yield from _surroundings(world)
    for line in published:
        yield _leading_to(world, line)


def _leading_to(world: World, line: BodyLine) -> Node:
    slug = line.body.slug
    return {
        "@id": _named(line.body),
        "@type": "dcat:Catalog",
        "dct:title": terms.english(line.body.name),
        "dct:description": terms.english(f"What {line.body.name} publishes."),
        "dct:publisher": PUBLISHER,
        "rdfs:seeAlso": [places.address(world.base_url, layout.body_dcat(slug, form)) for form in FORMS],
    }


def _named(body: Body, dataset: str | None = None, year: int | None = None) -> str:
    """The name of the catalogue of a body, or of a dataset and year of it."""
    return f"{CATALOGUE}:{body.slug}" + (f":{dataset}:{year}" if dataset else "")


def _of_body(holdings: Holdings, shelves: Sequence[Shelf]) -> Iterator[Node]:
    body, world = holdings.the_body, holdings.world
    instants = [instant for shelf in shelves for instant in shelf.instants]
    parts = [(shelf, year) for shelf in shelves for year in shelf.years]
    yield _catalogue(world, _named(body), f"{body.name}: open data, published by {world.publisher_name}", instants) | {
        "dct:creator": places.body_name(body.id),
        "dcat:catalog": [_named(body, shelf.dataset.name, year) for shelf, year in parts],
    }
    yield from _surroundings(world, {shelf.frequency for shelf in shelves})
    yield body_node(world, body)
    for shelf in shelves:
        yield collection(shelf)
    for shelf, year in parts:
        name = shelf.dataset.name
        keys = [layout.body_dcat(body.slug, form, name, year) for form in FORMS]
        yield {
            "@id": _named(body, name, year),
            "@type": "dcat:Catalog",
            "dct:title": terms.english(f"{shelf.dataset.title}: {body.name}, {year}"),
            "dct:description": terms.english(shelf.dataset.description),
            "dct:publisher": PUBLISHER,
            "rdfs:seeAlso": [places.address(world.base_url, key) for key in keys],
        }


def _of_year(holdings: Holdings, shelf: Shelf, year: int, listings: Sequence[SeriesFacts]) -> Iterator[Node]:
    world, name = holdings.world, _named(shelf.body, shelf.dataset.name, year)
    title = f"{shelf.dataset.title}: {shelf.body.name}, {year}"
    released = [(facts, version) for facts in listings for version in facts.history.versions]
    yield _catalogue(world, name, title, instants_of(listings)) | {
        "dcat:dataset": [
            *(places.series_name(facts.series) for facts in listings),
            *(places.release_name(facts.series, version) for facts, version in released),
        ],
    }
    media = {media_type(f"{shelf.dataset.name}{ending}") for ending in DISTRIBUTED}
    yield from _surroundings(world, {shelf.frequency}, media)
    yield {"@id": schema(world, shelf.dataset.name), "@type": "dct:Standard"}
    for path, title in sorted({licence(facts) for facts in listings}):
        yield {"@id": path, "@type": "dct:LicenseDocument", "dct:title": title, "dct:type": terms.ATTRIBUTION}
    yield body_node(world, shelf.body)
    yield collection(shelf)
    for facts in listings:
        yield table(world, shelf, facts)
    for facts, version in released:
        yield release_node(world, shelf, facts, version)


def _shelves(holdings: Holdings) -> list[Shelf]:
    shelves = []
    for dataset in holdings.datasets:
        group = tuple(one for one in holdings.of_dataset(dataset.name) if one.manifest is not None)
        if group:
            frequency = terms.EU_FREQUENCIES[
                publication_interval(dataset, holdings.the_body, (one.series for one in group))
            ]
            shelves.append(Shelf(dataset, holdings.the_body, group, frequency))
    return shelves


def _surroundings(world: World, frequencies: Set[str] = frozenset(), media: Set[str] = frozenset()) -> Iterator[Node]:
    """Who publishes, the first page, and the terms of other lists that are named."""
    home = places.address(world.base_url, layout.HOME)
    yield {"@id": PUBLISHER, "@type": ["foaf:Agent", "foaf:Organization"], "foaf:name": world.publisher_name}
    yield {
        "@id": CONTACT,
        "@type": ["vcard:Kind", "vcard:Organization"],
        "vcard:fn": world.publisher_name,
        "vcard:hasURL": home,
    }
    yield {"@id": home, "@type": "foaf:Document"}
    yield from terms.typed(frequencies, media)


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
        "foaf:homepage": places.address(world.base_url, layout.HOME),
        "dct:issued": min(instants, default=_EPOCH),
        "dct:modified": max(instants, default=_EPOCH),
    }
