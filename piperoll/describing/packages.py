"""What is published as Data Packages 2.0: one for each body and dataset, and one that lists them all.

A package of a body and dataset has the CSV of every series that stands as a resource, with size and hash. The one of
all has a table for each dataset: the bodies, how much of each stands, and where its package is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from piperoll import layout
from piperoll.describing import places
from piperoll.describing.facts import SeriesFacts
from piperoll.describing.holdings import Holdings
from piperoll.describing.overview import Overview
from piperoll.describing.wording import series_title
from piperoll.model import Dataset, to_json_bytes

_PROFILES = "https://datapackage.org/profiles/2.0/"
_FIELDS = (
    ("body", "string", "The body's slug"),
    ("id", "string", "The body's identifier in a public register"),
    ("name", "string", "The body's name"),
    ("tables", "integer", "How many tables stand"),
    ("newest", "string", "The newest period"),
    ("published", "datetime", "When the last of them was released"),
    ("package", "string", "The address of the Data Package of all of them"),
)


def packages_of(holdings: Holdings) -> Iterator[tuple[str, bytes]]:
    """The packages of a body."""
    for dataset in holdings.datasets:
        standing = [facts for facts in holdings.of_dataset(dataset.name) if facts.manifest is not None]
        if standing:
            package = _package(holdings, dataset, standing)
            yield layout.body_package(holdings.the_body.slug, dataset.name), to_json_bytes(package)


def _package(holdings: Holdings, dataset: Dataset, standing: list[SeriesFacts]) -> dict[str, Any]:
    body = holdings.the_body
    return {
        "$schema": f"{_PROFILES}datapackage.json",
        "name": f"{dataset.name}-{body.slug}",
        "id": places.collection_name(dataset.name, body.slug),
        "title": f"{dataset.title}: {body.name}",
        "description": dataset.description,
        "homepage": places.address(holdings.base_url, layout.body_page(body.slug)),
        "keywords": dataset.descriptor["keywords"],
        "licenses": _licences(standing),
        "contributors": [
            {"title": body.name, "roles": ["creator"]},
            {"title": holdings.publisher_name, "roles": ["publisher"]},
        ],
        "resources": [_resource(holdings, dataset, facts) for facts in standing],
    }


def _licences(standing: list[SeriesFacts]) -> list[dict[str, str]]:
    found = {facts.licence["name"]: dict(facts.licence) for facts in standing if facts.licence is not None}
    return [found[name] for name in sorted(found)]


def _resource(holdings: Holdings, dataset: Dataset, facts: SeriesFacts) -> dict[str, Any]:
    series, version = facts.series, facts.history.standing
    if version is None or facts.manifest is None:
        raise ValueError(f"{series} has no version that stands")
    name = f"{dataset.name}.csv"
    (entry,) = [entry for entry in facts.manifest.files if entry.path == name]
    resource = {
        "$schema": f"{_PROFILES}dataresource.json",
        "name": str(series).rpartition("/")[2].lower(),
        "type": "table",
        "title": series_title(dataset, holdings.the_body, series),
        "path": places.address(holdings.base_url, layout.release_file(series, version, name)),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": entry.bytes,
        "hash": f"sha256:{entry.sha256}",
        "x_version": version.version,
        "x_package": places.address(holdings.base_url, layout.release_file(series, version, "datapackage.json")),
    }
    if facts.manifest.dataset_version == dataset.version:
        resource["schema"] = places.address(holdings.base_url, layout.dataset_schema(dataset.name))
    return resource


def packages(overview: Overview) -> Iterator[tuple[str, bytes]]:
    """The schema of each dataset, the tables of packages, and the package that has these tables."""
    for dataset in overview.datasets:
        yield layout.dataset_schema(dataset.name), to_json_bytes(dataset.descriptor["resources"][0]["schema"])
        yield layout.packages_table(dataset.name), _table(overview, dataset)
    world = overview.world
    whole = {
        "$schema": f"{_PROFILES}datapackage.json",
        "name": "catalogue",
        "id": "urn:piperoll:catalogue",
        "title": f"{world.publisher_name}: open data of public bodies",
        "homepage": places.address(world.base_url, layout.HOME),
        "resources": [_listing(overview, dataset) for dataset in overview.datasets],
    }
    yield layout.PACKAGE, to_json_bytes(whole)


def _listing(overview: Overview, dataset: Dataset) -> dict[str, Any]:
    return {
        "$schema": f"{_PROFILES}dataresource.json",
        "name": f"packages-{dataset.name}",
        "type": "table",
        "title": f"{dataset.title}: the package of each body",
        "path": layout.packages_table(dataset.name).removeprefix(layout.CATALOGUE),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": [{"name": name, "type": kind, "title": title} for name, kind, title in _FIELDS]},
        "x_schema": places.address(overview.world.base_url, layout.dataset_schema(dataset.name)),
    }


def _table(overview: Overview, dataset: Dataset) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(name for name, _, _ in _FIELDS)
    for line in overview.of_dataset(dataset.name):
        shelf, body = line.shelves[dataset.name], line.body
        if shelf.tables:
            package = places.address(overview.world.base_url, layout.body_package(body.slug, dataset.name))
            writer.writerow([body.slug, body.id, body.name, shelf.tables, shelf.newest, shelf.published, package])
    return text.getvalue().encode()
