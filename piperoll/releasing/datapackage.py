"""The `datapackage.json` of a release (Data Package 2.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from piperoll.model import Body, Dataset, FileEntry, Series
from piperoll.releasing.deriving import SourceFile

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"

_LICENCES = {
    "OGL-UK-3.0": (
        "Open Government Licence v3.0",
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    ),
    "OGL-UK-2.0": (
        "Open Government Licence v2.0",
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/2/",
    ),
    "CC-BY-4.0": ("Creative Commons Attribution 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "CC0-1.0": ("Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
}
"""Title and address of each licence, by its Open Definition identifier."""

DIALECT = {"header": True, "delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True}


def describe_release(
    dataset: Dataset,
    body: Body,
    series: Series,
    source: SourceFile,
    rules_version: str,
    table: FileEntry,
    rows_sha256: str,
) -> dict[str, Any]:
    """Make the descriptor of a release; it does not depend on where the release is served.

    `version` is the semantic version of the schema, with the first 12 digits of `rows_sha256` as its build: which
    schema, and which rows. There is no `created`, since a release does not depend on the clock: versions.json has the
    time.
    """
    contact = {} if body.contact is None else {"email" if "@" in body.contact else "path": body.contact}
    part = next((f", {part.title}" for part in dataset.parts if part.name == series.part), "")
    return {
        "$schema": PROFILE,
        "id": str(series),
        "name": str(series).lower().replace("/", "-"),
        "title": f"{dataset.title}: {body.name}, {series.period.title}{part}",
        "description": dataset.description,
        "version": f"{dataset.version}+{rows_sha256[:12]}",
        "licenses": [licence(body.licence)],
        "contributors": [{"title": body.name, "roles": ["publisher"]} | contact],
        "sources": [source_entry(source)],
        "resources": [_describe_table(dataset, table)],
        "x_piperoll": {
            "series": str(series),
            "dataset": dataset.name,
            "dataset_title": dataset.title,
            "dataset_version": dataset.version,
            "rules_version": rules_version,
            "body": {"id": body.id, "slug": body.slug, "name": body.name, "kind": body.kind},
            "body_provisional": body.provisional,
            "period": {
                "name": str(series.period),
                "title": series.period.title,
                "start": series.period.start.isoformat(),
                "end": series.period.end.isoformat(),
            },
            "part": series.part,
            "rows_sha256": rows_sha256,
        },
    }


def licence(identifier: str) -> dict[str, str]:
    """A licence by its Open Definition identifier; one that we do not know has only its name."""
    if identifier not in _LICENCES:
        return {"name": identifier}
    title, path = _LICENCES[identifier]
    return {"name": identifier, "title": title, "path": path}


def source_entry(source: SourceFile) -> dict[str, str]:
    """The submission as a source, with the sha256 under which the archive keeps it."""
    return {"title": source.name, "version": f"sha256:{source.sha256}"}


def with_sources(descriptor: Mapping[str, Any], sources: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The descriptor with other sources."""
    return {**descriptor, "sources": [dict(source) for source in sources]}


def with_table(descriptor: Mapping[str, Any], table: FileEntry, rows_sha256: str) -> dict[str, Any]:
    """The descriptor for another table with the same columns."""
    resource = descriptor["resources"][0] | {"bytes": table.bytes, "hash": f"sha256:{table.sha256}"}
    ours = descriptor["x_piperoll"]
    return {
        **descriptor,
        "version": f"{ours['dataset_version']}+{rows_sha256[:12]}",
        "resources": [resource],
        "x_piperoll": ours | {"rows_sha256": rows_sha256},
    }


def _describe_table(dataset: Dataset, table: FileEntry) -> dict[str, Any]:
    declared = dataset.descriptor["resources"][0]
    return {
        "name": dataset.name,
        "type": "table",
        "path": table.path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": table.bytes,
        "hash": f"sha256:{table.sha256}",
        "dialect": DIALECT,
        "schema": {**declared["schema"], "fields": [_describe_field(one) for one in declared["schema"]["fields"]]},
    }


def _describe_field(field: Mapping[str, Any]) -> dict[str, Any]:
    """A field with the constraints that a release keeps, even where we accepted a value with a warning.

    Of fields that bodies send, a release keeps `required` alone; the other constraints of the standard (a list of
    values, a pattern, a bound) move to `x_asked`. Fields that we derive keep all their constraints.
    """
    asked = {name: value for name, value in field.get("constraints", {}).items() if name != "required"}
    if field["x_origin"] == "derived" or not asked:
        return dict(field)
    kept = {name: value for name, value in field["constraints"].items() if name == "required"}
    bare = {name: value for name, value in field.items() if name != "constraints"}
    return bare | ({"constraints": kept} if kept else {}) | {"x_asked": asked}
