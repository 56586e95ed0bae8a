"""Data Packages 2.0: one for each body and dataset, and one that lists them all.

The package of a body and dataset has the CSV of every current series as a resource, with size and hash. The package of
the catalogue has a table for each dataset: the bodies, how much each publishes, and the address of its package.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from piperoll import layout
from piperoll.describing import urls
from piperoll.describing.context import Holdings
from piperoll.describing.overview import Overview
from piperoll.describing.series_facts import SeriesFacts
from piperoll.describing.wording import series_title
from piperoll.model import Dataset, to_compact_json_bytes

_PROFILES = "https://datapackage.org/profiles/2.0/"
_COLUMNS = (
    ("body", "string", "The body's slug"),
    ("id", "string", "The body's identifier in a public register"),
    ("name", "string", "The body's name"),
    ("tables", "integer", "How many tables are published"),
    ("newest", "string", "The newest period"),
    ("published", "datetime", "When the last of them was released"),
    ("package", "string", "The address of the Data Package of all of them"),
)


def render_body_packages(holdings: Holdings) -> Iterator[tuple[str, bytes]]:
    """Render the packages of a body."""
    body = holdings.body
    for dataset in holdings.datasets:
        series = holdings.current_series_of(dataset.name)
        if not series:
            continue
        licences = {facts.licence["name"]: dict(facts.licence) for facts in series if facts.licence is not None}
        package = {
            "$schema": f"{_PROFILES}datapackage.json",
            "name": f"{dataset.name}-{body.slug}",
            "id": urls.collection_urn(dataset.name, body.slug),
            "title": f"{dataset.title}: {body.name}",
            "description": dataset.description,
            "homepage": urls.address(holdings.base_url, layout.body_page(body.slug)),
            "keywords": dataset.descriptor["keywords"],
            "licenses": [licences[name] for name in sorted(licences)],
            "contributors": [
                {"title": body.name, "roles": ["creator"]},
                {"title": holdings.publisher_name, "roles": ["publisher"]},
            ],
            "resources": [_series_resource(holdings, dataset, facts) for facts in series],
        }
        yield layout.body_package(body.slug, dataset.name), to_compact_json_bytes(package)


def _series_resource(holdings: Holdings, dataset: Dataset, facts: SeriesFacts) -> dict[str, Any]:
    series, version = facts.series, facts.history.current_version
    if version is None or facts.manifest is None:
        raise ValueError(f"{series} has no current version")
    name = f"{dataset.name}.csv"
    (entry,) = [entry for entry in facts.manifest.files if entry.path == name]
    package = layout.release_file(series, version, "datapackage.json")
    resource = {
        "$schema": f"{_PROFILES}dataresource.json",
        "name": str(series).rpartition("/")[2].lower(),
        "type": "table",
        "title": series_title(dataset, holdings.body, series),
        "path": urls.address(holdings.base_url, layout.release_file(series, version, name)),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": entry.bytes,
        "hash": f"sha256:{entry.sha256}",
        "x_version": version.version,
        "x_package": urls.address(holdings.base_url, package),
    }
    if facts.manifest.dataset_version == dataset.version:
        resource["schema"] = urls.address(holdings.base_url, layout.dataset_schema(dataset.name))
    return resource


def render_packages(overview: Overview) -> Iterator[tuple[str, bytes]]:
    """Render the schema of each dataset, the tables of packages, and the package of these tables."""
    for dataset in overview.datasets:
        yield layout.dataset_schema(dataset.name), to_compact_json_bytes(dataset.descriptor["resources"][0]["schema"])
        table = io.StringIO(newline="")
        writer = csv.writer(table)
        writer.writerow(name for name, _, _ in _COLUMNS)
        for digest in overview.publishing(dataset.name):
            one, body = digest.datasets[dataset.name], digest.body
            if one.tables:
                address = urls.address(overview.base_url, layout.body_package(body.slug, dataset.name))
                writer.writerow([body.slug, body.id, body.name, one.tables, one.newest, one.published, address])
        yield layout.packages_table(dataset.name), table.getvalue().encode()
    package = {
        "$schema": f"{_PROFILES}datapackage.json",
        "name": "catalogue",
        "id": "urn:piperoll:catalogue",
        "title": f"{overview.publisher_name}: open data of public bodies",
        "homepage": urls.address(overview.base_url, layout.HOME),
        "resources": [_table_resource(overview, dataset) for dataset in overview.datasets],
    }
    yield layout.PACKAGE, to_compact_json_bytes(package)


def _table_resource(overview: Overview, dataset: Dataset) -> dict[str, Any]:
    return {
        "$schema": f"{_PROFILES}dataresource.json",
        "name": f"packages-{dataset.name}",
        "type": "table",
        "title": f"{dataset.title}: the package of each body",
        "path": layout.packages_table(dataset.name).removeprefix(layout.CATALOGUE),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": [{"name": name, "type": kind, "title": title} for name, kind, title in _COLUMNS]},
        "x_schema": urls.address(overview.base_url, layout.dataset_schema(dataset.name)),
    }
