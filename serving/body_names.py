"""Which published bodies the parameters of a request mean: a body can be given by any of its names."""

from __future__ import annotations

from collections.abc import Iterable

from hosting.problems import Problem, printable
from publishers.published_bodies import match_published_body
from serving.index_cache import PublishedIndex
from serving.query import split_list

_LONGEST = 200
"""Characters of a name that are looked at; no body has a longer one."""


def find_body(text: str, index: PublishedIndex, *, status: int = 400) -> str:
    """The slug of the published body that a text names.

    Raises: Problem: none does, or a body that has published nothing; `did_you_mean` has the closest that have.
    """
    published = index.datasets_by_body()
    if text in published:
        return text
    match = match_published_body(text[:_LONGEST], published, index.register())
    if match.body is not None:
        return match.body.slug
    near = [f"{body.slug} ({body.name})" for body in match.suggestions]
    hint = f"did you mean {' or '.join(near)}?" if near else "/bodies lists them"
    raise Problem(
        status,
        "unknown-body",
        f"no body called '{printable(text)}' has published anything: {hint}",
        did_you_mean=[body.slug for body in match.suggestions],
    )


def name_bodies(parameters: Iterable[tuple[str, str]], index: PublishedIndex) -> list[tuple[str, str]]:
    """The parameters of a request with slugs for the names in `body`, a list. Raises: Problem: a name is nobody's."""
    return [(name, _name_list(text, index) if name == "body" and text else text) for name, text in parameters]


def _name_list(text: str, index: PublishedIndex) -> str:
    """The slugs of a list of bodies. A name can have commas, so the whole text is tried first."""
    published = index.datasets_by_body()
    pieces = split_list(text)
    if len(pieces) > 1 and not all(piece in published for piece in pieces):
        match = match_published_body(text[:_LONGEST], published, index.register())
        if match.body is not None:
            return match.body.slug
    return ",".join(find_body(piece, index) if piece else piece for piece in pieces)
