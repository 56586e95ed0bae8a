"""Which published body a person means by a name: by its slug, identifier, name, short name, former name or alias."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from piperoll import assets, layout
from piperoll.errors import UsageError
from piperoll.model import Body, BodyMatch, Register, resolve_body, suggest_bodies
from publishers.stores.protocol import StoreReader, read_json


def list_published_bodies(store: StoreReader) -> tuple[str, ...]:
    """The slugs of the bodies that have published something, in alphabetical order."""
    datasets = read_json(store, layout.INDEX).get("datasets", {})
    return tuple(sorted({body for bodies in datasets.values() for body in bodies}))


def find_published_body(store: StoreReader, text: str) -> str:
    """The slug of the published body that a text names. Raises: UsageError: none does; the message suggests some."""
    published = list_published_bodies(store)
    if text in published:
        return text
    match = match_published_body(text, published, read_register(store))
    if match.body is not None:
        return match.body.slug
    near = " or ".join(f"'{body.name}' ({body.slug})" for body in match.suggestions)
    hint = f"did you mean {near}?" if near else "piperoll list lists the bodies that have"
    raise UsageError(f"no body called '{text}' has published anything: {hint}")


def match_published_body(text: str, published: Collection[str], register: Register) -> BodyMatch:
    """The published body that a text names, or the published bodies that come closest.

    Those are the bodies before and after the one that is named, if that has published nothing, and bodies with names
    like the text.
    """
    match = resolve_body(text, register, published)
    if match.body is not None and match.body.slug in published:
        return match
    bodies = [register.at_slug(slug) for slug in published]
    related: list[Body] = []
    if (named := match.body) is not None:
        related = [body for body in bodies if named.slug in body.successor or body.slug in named.successor]
    near = suggest_bodies(text, Register(()), (body for body in bodies if body not in related))
    return BodyMatch(None, (*related, *near)[:3])


def read_register(store: StoreReader) -> Register:
    """The register of bodies, with those of the catalogue of a store, which can be an operator's own."""
    return register_from(read_json(store, layout.BODIES_LIST))


def register_from(document: Mapping[str, Any]) -> Register:
    """The register of bodies, with those of a document in the form of `catalogue/bodies.json`."""
    bodies = [Body.from_document(entry) for entry in document.get("bodies", ())]
    return assets.register().with_bodies(bodies)
