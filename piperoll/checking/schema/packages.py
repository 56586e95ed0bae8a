"""A Data Package, resource by resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from piperoll.checking.engine import CheckEngine
from piperoll.checking.schema import reference
from piperoll.checking.schema.errors import Error
from piperoll.checking.schema.raw_tables import Told
from piperoll.checking.schema.validating import validated

_PLAIN = {"name", "type", "path", "scheme", "format", "mediatype", "encoding", "schema", "dialect", "hash", "bytes"}
_WORDS = {"$schema", "title", "description", "profile", "licenses", "sources", "homepage"}


def validate_package(path: Path, *, engine: CheckEngine = CheckEngine.COMPILED) -> Iterator[tuple[str | None, Error]]:
    """Every error of every resource of a datapackage.json, with the resource's name (None: of the package itself).

    Raises: DescriptorError: Frictionless fails on it.
    """
    package = reference.package(path)
    yield from ((None, error) for error in package.errors)
    others = {name: told for name, each in package.resources.items() if (told := _told(each, package))}
    for name in package.resources:
        if name in others and engine == CheckEngine.COMPILED:
            errors = validated(others[name], others, engine, partial(package.resource_errors, name))
        else:
            errors = package.resource_errors(name)
        yield from ((name, error) for error in errors)


def _told(resource: Mapping[str, Any], package: reference.Package) -> Told | None:
    """The resource as a file with a schema; None where it is something else, or says what we do not know."""
    known = all(name in _PLAIN | _WORDS or name.startswith("x_") for name in resource)
    path, dialect = resource.get("path"), resource.get("dialect", {})
    plain = isinstance(path, str) and isinstance(resource.get("schema"), dict) and isinstance(dialect, dict)
    if not known or not plain or resource.get("scheme", "file") != "file" or "://" in str(path):
        return None
    return Told(
        path=package.folder / str(path),
        schema=resource["schema"],
        dialect=dialect,
        encoding=resource.get("encoding"),
        format=resource.get("format"),
        profile=package.profile or resource.get("$schema"),
        size=resource.get("bytes"),
        hash=resource.get("hash"),
    )
