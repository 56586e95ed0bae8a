"""What is published, as documents: datasets, bodies, series and their histories."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from piperoll import assets, layout
from piperoll.errors import NotThere, UsageError
from piperoll.model import Dataset, History, Period, Series, Status, Version
from serving.fields import known_fields
from serving.index_cache import Shelf
from serving.problems import Problem, shown, unknown, unprocessable
from serving.terms import OPERATORS

T = TypeVar("T")

SERIES_ON_A_PAGE = 1_000


def home() -> dict[str, Any]:
    """What there is, and where."""
    return {
        "title": "Piperoll: what public bodies spend, contract for, employ and deliver, line by line",
        "links": {
            "datasets": "/datasets",
            "bodies": "/bodies",
            "series": "/series",
            "rows": "/rows/{dataset}",
            "check": "/check",
            "openapi": "/openapi.json",
            "health": "/health",
        },
        "example": "/rows/spend?within=2026-27&group_by=supplier_name&sum=net_amount&sort=-sum_net_amount&limit=10",
    }


def datasets(shelf: Shelf) -> dict[str, Any]:
    """Every dataset that we know, with how many bodies it is published of."""
    there = shelf.datasets()
    return {
        "datasets": [
            {
                "dataset": one.name,
                "title": one.title,
                "description": one.description,
                "version": one.version,
                "bodies": len(there.get(one.name, ())),
                "links": {"about": f"/datasets/{one.name}", "rows": f"/rows/{one.name}"},
            }
            for one in assets.datasets()
        ]
    }


def dataset(about: Dataset, shelf: Shelf) -> dict[str, Any]:
    """A dataset with its fields: what each means, its type, and what can be asked of it."""
    return {
        "dataset": about.name,
        "title": about.title,
        "description": about.description,
        "version": about.version,
        "parts": [{"part": part.name, "title": part.title} for part in about.parts],
        "fields": [
            {
                "name": one.name,
                "type": one.type,
                "title": one.title,
                "description": one.description,
                "unit": one.unit,
                "operators": list(OPERATORS[one.type]),
            }
            for one in known_fields(about).values()
        ],
        "bodies": list(shelf.datasets().get(about.name, ())),
    }


def bodies(shelf: Shelf) -> dict[str, Any]:
    """Every body of which something is published, by its short name."""
    return {"bodies": [{"body": slug, "datasets": names} for slug, names in sorted(_by_body(shelf).items())]}


def body(slug: str, shelf: Shelf) -> dict[str, Any]:
    """One body: its name and identifier as its releases have them, and what is published of it.

    Raises: Problem: nothing is.
    """
    by_body = _by_body(shelf)
    if slug not in by_body:
        raise unknown("body", slug, sorted(by_body), status=404, see="/bodies lists them")
    published = {name: shelf.entries(name, [slug]) for name in by_body[slug]}
    return {
        "body": slug,
        "id": None,
        "name": None,
        "kind": None,
        **_said_of(shelf, published),
        "datasets": [
            {"dataset": name, "series": [_entry(series, entry) for series, entry in entries.items()]}
            for name, entries in published.items()
        ],
    }


def series(
    shelf: Shelf, names: Iterable[str], body: str | None, period: str | None, after: str | None
) -> dict[str, Any]:
    """The series of datasets, or of a body or a period in them, in order; a page of them."""
    behind = None if after is None else _named("after", after, Series.parse)
    about = None if period is None else _named("period", period, Period.parse)
    found: list[dict[str, Any]] = []
    for name in names:
        for one, entry in shelf.entries(name, [body] if body else ()).items():
            if about in (None, one.period) and (behind is None or one > behind):
                found.append(_entry(one, entry))
            if len(found) > SERIES_ON_A_PAGE:
                return {"series": found[:-1], "next": found[-2]["series"]}
    return {"series": found, "next": None}


def _named(parameter: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except UsageError as error:
        raise unprocessable(
            parameter, f"{parameter} cannot be '{shown(text)}': leave it out, or follow `next`"
        ) from error


def history(text: str, shelf: Shelf) -> History:
    """The history of a series by its name. Raises: Problem: there is none."""
    try:
        wanted = Series.parse(text)
    except UsageError as error:
        raise Problem(404, "unknown-series", f"'{shown(text)}' is no series: write dataset/body/period") from error
    if wanted.dataset not in assets.dataset_names():
        raise unknown("dataset", wanted.dataset, assets.dataset_names(), status=404, see="/datasets lists them")
    found = shelf.history(wanted)
    if found is None or not found.versions:
        near = [str(one) for one in shelf.entries(wanted.dataset, [wanted.body])]
        raise unknown("series", text, near, status=404, see="/series lists them")
    return found


def history_document(found: History, shelf: Shelf) -> dict[str, Any]:
    """A history as versions.json has it, and with each version that may be had the keys of its files."""
    document: dict[str, Any] = json.loads(found.to_bytes())
    for version, entry in zip(found.versions, document["versions"], strict=True):
        entry["files"] = _files(found.series, version, shelf)
    series = found.series
    rows = f"/rows/{series.dataset}?body={series.body}&period={series.period}&part={series.part or 'none'}"
    return document | {"links": {"rows": rows}}


def version_of(found: History, number: int) -> Version:
    """A version that may be had. Raises: Problem: there is none of this number, or it was taken back."""
    version = found.version(number)
    if version is None:
        numbers = ", ".join(str(one.version) for one in found.versions)
        raise Problem(404, "unknown-version", f"{found.series} has no version {number}: there are {numbers}")
    if version.status in (Status.WITHDRAWN, Status.PURGED):
        raise Problem(410, "taken-back", f"version {number} of {found.series} was {version.status}: {version.because}")
    return version


def _files(series: Series, version: Version, shelf: Shelf) -> list[dict[str, Any]]:
    if version.status in (Status.WITHDRAWN, Status.PURGED):
        return []
    try:
        manifest = shelf.manifest(series, version)
    except NotThere:
        return []  # purged since the pointer was read
    place = layout.version_folder(series, version)
    return [{"key": place + one.path, "bytes": one.bytes, "sha256": one.sha256} for one in manifest.files]


def _by_body(shelf: Shelf) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, slugs in shelf.datasets().items():
        for slug in slugs:
            found.setdefault(slug, []).append(name)
    return found


def _said_of(shelf: Shelf, published: dict[str, dict[Series, Any]]) -> dict[str, Any]:
    """What the latest release says of its body."""
    for entries in published.values():
        for history in shelf.histories(dict(reversed(entries.items()))):
            if history.standing is not None:
                told = shelf.descriptor(history.series, history.standing)["x_piperoll"]["body"]
                return {name: told.get(name) for name in ("id", "name", "kind")}
    return {}


def _entry(series: Series, entry: dict[str, Any]) -> dict[str, Any]:
    told = {"series": str(series), "dataset": series.dataset, "body": series.body, "period": str(series.period)}
    known = {name: entry.get(name) for name in ("current", "versions", "published", "rows", "amount_gbp")}
    return told | {"part": series.part} | known | {"links": {"history": f"/series/{series}"}}
