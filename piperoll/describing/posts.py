"""The posts of a published structure in the terms of the W3C's organization ontology: no names of who holds them.

`posts` in a dataset's catalogue.json says which field is which: `id`, and as far as there are such, `title`, `unit` and
`reports_to` (the id of another post). A row without an id is no post.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from piperoll import layout
from piperoll.describing import dcat_terms as terms
from piperoll.describing import places
from piperoll.describing.rdf import Node, json_ld, turtle
from piperoll.model import Body, Series

_A_FILE = 500
"""Posts of a file: some 150 kB."""

_TOLD = ("title", "unit", "reports_to")


def posts_in(declared: Mapping[str, str] | None, rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """The posts in the rows of a CSV, header first, each once: its id, title, unit and whom it reports to."""
    if declared is None:
        return []
    stream = iter(rows)
    header = list(next(stream, ()))
    found: dict[str, list[str]] = {}
    for row in stream:
        told = dict(zip(header, row, strict=True))
        name = told.get(declared["id"], "")
        if name:
            found.setdefault(name, [name, *(told.get(declared.get(one, ""), "") for one in _TOLD)])
    return list(found.values())


def posts_files(body: Body, series: Series, posts: Sequence[Sequence[str]]) -> Iterator[tuple[str, bytes]]:
    """The posts of a series in both forms, five hundred a file."""
    known = {post[0] for post in posts}
    for start in range(0, len(posts), _A_FILE):
        nodes = list(_nodes(body, series, posts[start : start + _A_FILE], known))
        number = start // _A_FILE + 1
        yield layout.posts_file(series, number, "jsonld"), json_ld(nodes)
        yield layout.posts_file(series, number, "ttl"), turtle(nodes)


def _nodes(body: Body, series: Series, posts: Sequence[Sequence[str]], known: set[str]) -> Iterator[Node]:
    organisation = places.body_name(body.id)
    yield {
        "@id": organisation,
        "@type": ["org:Organization", "org:FormalOrganization"],
        "skos:prefLabel": terms.english(body.name),
        "org:identifier": body.id,
    }
    for unit in sorted({unit for _, _, unit, _ in posts if unit}):
        yield {
            "@id": _name("unit", series, unit),
            "@type": ["org:Organization", "org:OrganizationalUnit"],
            "skos:prefLabel": terms.english(unit),
            "org:unitOf": organisation,
        }
    for name, title, unit, reports_to in posts:
        node: Node = {
            "@id": _name("post", series, name),
            "@type": "org:Post",
            "dct:identifier": name,
            "org:postIn": _name("unit", series, unit) if unit else organisation,
        }
        if title:
            node["org:role"] = {"@type": "org:Role", "skos:prefLabel": terms.english(title)}
        if reports_to in known and reports_to != name:
            node["org:reportsTo"] = _name("post", series, reports_to)
        yield node


def _name(kind: str, series: Series, name: str) -> str:
    return f"urn:piperoll:{kind}:{series}/{quote(name, safe='')}"


def addresses(base_url: str, series: Series, count: int) -> list[str]:
    """Where so many posts of a series stand."""
    numbers = range(1, -(-count // _A_FILE) + 1)
    return [
        places.address(base_url, layout.posts_file(series, one, form)) for one in numbers for form in ("jsonld", "ttl")
    ]


def posts_of(summary: Mapping[str, Any] | None) -> list[list[str]]:
    """The posts that are kept with what the rows of a release add up to."""
    found: list[list[str]] = (summary or {}).get("posts", [])
    return found
