"""What is published, as JSON: datasets, bodies, series, their histories, and differences between versions."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.datastructures import QueryParams

from hosting.problems import Problem, bad_parameter, printable, unknown_name
from piperoll import assets, layout
from piperoll.errors import NotThere, UnknownDataset, UsageError
from piperoll.model import Dataset, Effect, History, Period, Series, Version, format_decimal
from piperoll.releasing import compare_versions
from piperoll.scratch import scratch_folder
from publishers import fetch_version
from serving import documents
from serving.body_names import find_body
from serving.index_cache import PublishedIndex
from serving.query import OPERATORS, single_value
from serving.row_query import query_fields
from serving.version_selection import TAKEN_BACK

T = TypeVar("T")

SERIES_PER_PAGE = 1_000
"""Series in one document of `/series`; `next` leads to the others."""

_DIFF_ROWS = 400_000
"""The most rows of both versions together; comparing them takes some seconds and a few hundred megabytes."""

_DIFF_ROWS_IN_JSON = 1_000
"""The most rows of a comparison as JSON; the CSV has all."""


@dataclass(frozen=True, slots=True)
class SiteLinks:
    """Links to the pages of the catalogue, which is served below `base`; no links if `base` is None."""

    base: str | None = None

    def to(self, key: str) -> dict[str, str]:
        """The link `page` to the page under a key of the store; empty without a base."""
        return {} if self.base is None else {"page": f"{self.base}{quote(key)}"}


def home(site: SiteLinks) -> documents.HomeDocument:
    """The links of the API, with an example of a query."""
    dataset = next((one for one in assets.datasets() if one.amount), assets.datasets()[0])
    example = f"/rows/{dataset.name}?group_by=body&count=true"
    if dataset.amount:
        example += f"&sum={dataset.amount[0]}&sort=-sum_{dataset.amount[0]}"
    return {
        "title": "Piperoll: what public bodies spend, contract for, employ and deliver, line by line",
        "links": {
            "datasets": "/datasets",
            "bodies": "/bodies",
            "series": "/series",
            "rows": "/rows/{dataset}",
            "measures": "/measures",
            "check": "/check",
            "openapi": "/openapi.json",
            "health": "/health",
            **({} if site.base is None else {"catalogue": f"{site.base}{layout.HOME}"}),
        },
        "example": example,
    }


def health(index: PublishedIndex) -> documents.HealthDocument:
    """The number of datasets in the store. Raises: StoreError: the store does not answer."""
    return {"status": "ok", "datasets": len(index.datasets())}


def list_datasets(index: PublishedIndex, site: SiteLinks) -> documents.DatasetsDocument:
    """Every dataset, with the number of bodies that have published it."""
    published = index.datasets()
    return {
        "datasets": [
            {
                "dataset": dataset.name,
                "title": dataset.title,
                "description": dataset.description,
                "version": dataset.version,
                "bodies": len(published.get(dataset.name, ())),
                "links": _dataset_links(dataset.name, site),
            }
            for dataset in assets.datasets()
        ]
    }


def _dataset_links(name: str, site: SiteLinks) -> dict[str, str]:
    return {"about": f"/datasets/{name}", "rows": f"/rows/{name}", **site.to(layout.dataset_page(name))}


def find_dataset(name: str) -> Dataset:
    """The dataset with this name. Raises: Problem: 404 if there is none."""
    try:
        return assets.dataset(name)
    except UnknownDataset as error:
        raise unknown_name("dataset", name, assets.dataset_names(), status=404, see="/datasets lists them") from error


def describe_dataset(name: str, index: PublishedIndex, site: SiteLinks) -> documents.DatasetDocument:
    """A dataset with its fields: the meaning, type and operators of each. Raises: Problem: 404."""
    dataset = find_dataset(name)
    return {
        "dataset": dataset.name,
        "title": dataset.title,
        "description": dataset.description,
        "version": dataset.version,
        "parts": [{"part": part.name, "title": part.title} for part in dataset.parts],
        "fields": [
            {
                "name": field.name,
                "type": field.type,
                "title": field.title,
                "description": field.description,
                "unit": field.unit,
                "operators": list(OPERATORS[field.type]),
            }
            for field in query_fields(dataset).values()
        ],
        "bodies": list(index.datasets().get(dataset.name, ())),
        "links": _dataset_links(dataset.name, site),
    }


def list_bodies(index: PublishedIndex, site: SiteLinks) -> documents.BodiesDocument:
    """Every body that has published something, by its slug."""
    return {
        "bodies": [
            {
                "body": slug,
                "id": body.id,
                "name": body.name,
                "short_name": body.short_name,
                "kind": body.kind,
                "provisional": body.provisional,
                "region": body.region,
                "area_code": body.area_code,
                "datasets": names,
                "links": _body_links(slug, site),
            }
            for slug, names in index.datasets_by_body().items()
            for body in [index.register().at_slug(slug)]
        ]
    }


def _body_links(slug: str, site: SiteLinks) -> dict[str, str]:
    return {"about": f"/bodies/{slug}", **site.to(layout.body_page(slug))}


def describe_body(slug: str, index: PublishedIndex, site: SiteLinks) -> documents.BodyDocument:
    """A body, with its name and identifier from its latest release, and its series. `slug` can be another name.

    Raises: Problem: 404.
    """
    slug, by_body = find_body(slug, index, status=404), index.datasets_by_body()
    body = index.register().at_slug(slug)
    published = {name: index.entries(name, [slug]) for name in by_body[slug]}
    identity = _latest_identity(index, published)
    return {
        "body": slug,
        "id": identity.get("id"),
        "name": identity.get("name"),
        "kind": identity.get("kind"),
        "provisional": body.provisional,
        "short_name": body.short_name,
        "former_names": list(body.former_names),
        "aliases": list(body.aliases),
        "region": body.region,
        "area_code": body.area_code,
        "datasets": [
            {"dataset": name, "series": [_describe_series(series, entry, site) for series, entry in entries.items()]}
            for name, entries in published.items()
        ],
        "links": _body_links(slug, site),
    }


def _latest_identity(index: PublishedIndex, published: dict[str, dict[Series, Any]]) -> dict[str, Any]:
    """The identifier, name and kind of a body, from its latest release; empty if it has no current one."""
    for entries in published.values():
        for history in index.histories(dict(reversed(entries.items()))):
            if history.current_version is not None:
                descriptor = index.descriptor(history.series, history.current_version)
                return dict(descriptor["x_piperoll"]["body"])
    return {}


def list_series(parameters: QueryParams, index: PublishedIndex, site: SiteLinks) -> documents.SeriesListDocument:
    """A page of the series, filtered by the parameters of a request. Raises: Problem: a parameter is not valid."""
    given: dict[str, str] = {}
    for name in parameters:
        if name not in ("dataset", "body", "period", "after"):
            raise unknown_name(
                "parameter", name, ("dataset", "body", "period", "after"), see="use dataset, body, period or after"
            )
        given[name] = single_value(name, parameters.getlist(name))
    names = [find_dataset(given["dataset"]).name] if given.get("dataset") else list(assets.dataset_names())
    bodies = [find_body(given["body"], index)] if given.get("body") else []
    period = _parse("period", given["period"], Period.parse) if "period" in given else None
    after = _parse("after", given["after"], Series.parse) if "after" in given else None
    found: list[documents.SeriesSummary] = []
    for name in names:
        for series, entry in index.entries(name, bodies).items():
            if period in (None, series.period) and (after is None or series > after):
                found.append(_describe_series(series, entry, site))
            if len(found) > SERIES_PER_PAGE:
                return {"series": found[:-1], "next": found[-2]["series"]}
    return {"series": found, "next": None}


def _parse(parameter: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except UsageError as error:
        raise bad_parameter(
            parameter, f"'{printable(text)}' is not a valid value of {parameter}: leave it out, or follow `next`"
        ) from error


def _describe_series(series: Series, entry: dict[str, Any], site: SiteLinks) -> documents.SeriesSummary:
    return {
        "series": str(series),
        "dataset": series.dataset,
        "body": series.body,
        "period": str(series.period),
        "part": series.part,
        "current": entry.get("current"),
        "versions": entry.get("versions", 0),
        "published": entry.get("published"),
        "rows": entry.get("rows"),
        "amount_gbp": entry.get("amount_gbp"),
        "links": {"history": f"/series/{series}", **site.to(layout.series_page(series))},
    }


def find_history(text: str, index: PublishedIndex) -> History:
    """The history of a series by its name. Raises: Problem: 404."""
    try:
        series = Series.parse(text)
    except UsageError as error:
        raise Problem(
            404, "unknown-series", f"'{printable(text)}' is not the name of a series: use dataset/body/period"
        ) from error
    find_dataset(series.dataset)
    history = index.history(series)
    if history is None and series.body not in index.datasets_by_body():
        series = replace(series, body=find_body(series.body, index, status=404))
        history = index.history(series)
    if history is None or not history.versions:
        near = [str(one) for one in index.entries(series.dataset, [series.body])]
        raise unknown_name("series", text, near, status=404, see="/series lists them")
    return history


def describe_history(text: str, index: PublishedIndex, site: SiteLinks) -> documents.HistoryDocument:
    """The history of a series, as in versions.json, with the files of each version that is available.

    Raises: Problem: 404.
    """
    history = find_history(text, index)
    series = history.series
    document: documents.HistoryDocument = json.loads(history.to_bytes())
    for version, entry in zip(history.versions, document["versions"], strict=True):
        entry["files"] = _list_files(series, version, index)
    rows = f"/rows/{series.dataset}?body={series.body}&period={series.period}&part={series.part or 'none'}"
    rows += "&overlapping=keep"  # all lines of the table, also those that another table counts
    document["links"] = {"rows": rows, **site.to(layout.series_page(series))}
    return document


def _list_files(series: Series, version: Version, index: PublishedIndex) -> list[documents.FileDescription]:
    if version.status in TAKEN_BACK:
        return []
    try:
        manifest = index.manifest(series, version)
    except NotThere:
        return []  # purged since the pointer was read
    prefix = layout.version_folder(series, version)
    return [{"key": prefix + one.path, "bytes": one.bytes, "sha256": one.sha256} for one in manifest.files]


def diff_versions(
    index: PublishedIndex, history: History, before: int, after: int
) -> tuple[documents.DiffDocument, bytes]:
    """The differences between two versions as JSON, and as the CSV that `piperoll diff` writes.

    Raises: Problem: 404 or 410 if a version is not available, 400 if the versions are too large.
    """
    versions = [_find_version(history, number) for number in (before, after)]
    if sum(version.rows for version in versions) > _DIFF_ROWS:
        raise Problem(
            400,
            "too-much",
            f"these versions are too large to compare here: run piperoll diff {history.series} {before} {after}",
        )
    with scratch_folder("diff") as scratch:
        folders = {
            version.version: fetch_version(index.store, history.series, version, scratch / str(version.version))
            for version in versions
        }
        changes = scratch / "changes.csv"
        found = compare_versions(assets.dataset(history.series.dataset), folders[before], folders[after], changes)
        content = changes.read_bytes()
    rows = list(csv.DictReader(content.decode().splitlines(keepends=True)))
    document: documents.DiffDocument = {
        "series": str(history.series),
        "before": before,
        "after": after,
        "added": _describe_effect(found.added),
        "removed": _describe_effect(found.removed),
        "changed": _describe_effect(found.changed),
        "fields": dict(found.fields),
        "rows": rows[:_DIFF_ROWS_IN_JSON],
        "rows_count": len(rows),
    }
    return document, content


def _find_version(history: History, number: int) -> Version:
    version = history.version(number)
    if version is None:
        numbers = ", ".join(str(one.version) for one in history.versions)
        raise Problem(404, "unknown-version", f"{history.series} has no version {number}: it has {numbers}")
    if version.status in TAKEN_BACK:
        raise Problem(
            410, "taken-back", f"version {number} of {history.series} was {version.status}: {version.because}"
        )
    return version


def _describe_effect(effect: Effect) -> documents.EffectDescription:
    return {"rows": effect.rows, "amount_gbp": None if effect.amount_gbp is None else format_decimal(effect.amount_gbp)}
