"""The posts of a published structure as linked data, in the W3C organization ontology, without the holders' names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from piperoll import layout
from piperoll.describing import urls
from piperoll.describing.dcat import rdf
from piperoll.model import Body, Series

POSTS_PER_FILE = 500
"""Posts in one file: about 150 kB."""


def render_posts(body: Body, series: Series, posts: Sequence[Sequence[str]]) -> Iterator[tuple[str, bytes]]:
    """Render the posts of a series as JSON-LD and Turtle files, with their keys."""
    known = {post[0] for post in posts}
    for start in range(0, len(posts), POSTS_PER_FILE):
        nodes = list(_post_nodes(body, series, posts[start : start + POSTS_PER_FILE], known))
        number = start // POSTS_PER_FILE + 1
        yield layout.posts_file(series, number, "jsonld"), rdf.write_json_ld(nodes)
        yield layout.posts_file(series, number, "ttl"), rdf.write_turtle(nodes)


def list_post_addresses(base_url: str, series: Series, count: int) -> list[str]:
    """Return the addresses of the files that hold `count` posts of a series."""
    numbers = range(1, -(-count // POSTS_PER_FILE) + 1)
    keys = [layout.posts_file(series, number, form) for number in numbers for form in ("jsonld", "ttl")]
    return [urls.address(base_url, key) for key in keys]


def _post_nodes(body: Body, series: Series, posts: Sequence[Sequence[str]], known: set[str]) -> Iterator[rdf.Node]:
    organisation = urls.body_urn(body.id)

    def urn(kind: str, name: str) -> str:
        return f"urn:piperoll:{kind}:{series}/{quote(name, safe='')}"

    yield {
        "@id": organisation,
        "@type": ["org:Organization", "org:FormalOrganization"],
        "skos:prefLabel": rdf.in_english(body.name),
        "org:identifier": body.id,
    }
    for unit in sorted({unit for _, _, unit, _ in posts if unit}):
        yield {
            "@id": urn("unit", unit),
            "@type": ["org:Organization", "org:OrganizationalUnit"],
            "skos:prefLabel": rdf.in_english(unit),
            "org:unitOf": organisation,
        }
    for name, title, unit, reports_to in posts:
        node: rdf.Node = {
            "@id": urn("post", name),
            "@type": "org:Post",
            "dct:identifier": name,
            "org:postIn": urn("unit", unit) if unit else organisation,
        }
        if title:
            node["org:role"] = {"@type": "org:Role", "skos:prefLabel": rdf.in_english(title)}
        if reports_to in known and reports_to != name:
            node["org:reportsTo"] = urn("post", reports_to)
        yield node
