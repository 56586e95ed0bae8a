"""For search engines: a sitemap for each body and one of the other pages, their index, and robots.txt.

A sitemap may only name what stands beside it or below, so all stand in `catalogue/`. Pages of single versions and of
reports are left out: those of their series and bodies lead to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from piperoll import layout
from piperoll.describing import places
from piperoll.describing.holdings import Holdings
from piperoll.describing.overview import Overview
from piperoll.describing.world import World

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def sitemap_of(holdings: Holdings) -> tuple[str, bytes]:
    """The sitemap of a body: its page and those of its series, each with the instant of its last change."""
    body = holdings.the_body
    series = [
        (
            layout.series_page(facts.series),
            max(version.ended or version.published for version in facts.history.versions),
        )
        for facts in holdings.listings
    ]
    instants = [instant for _, instant in series]
    return layout.sitemap(body.slug), _urls(holdings.world, [(layout.body_page(body.slug), _last(instants)), *series])


def sitemaps(overview: Overview) -> Iterator[tuple[str, bytes]]:
    """The sitemap of the pages that tell of all bodies, the index of sitemaps, and robots.txt."""
    world = overview.world
    pages = [layout.HOME, *(layout.dataset_page(dataset.name) for dataset in overview.datasets)]
    yield layout.sitemap(None), _urls(world, [(page, overview.latest) for page in pages])
    parts = [(layout.sitemap(None), overview.latest)]
    parts += [(layout.sitemap(line.body.slug), line.latest) for line in overview.lines]
    yield layout.SITEMAP, _document(world, "sitemapindex", "sitemap", parts)
    address = places.address(world.base_url, layout.SITEMAP)
    yield layout.ROBOTS, f"User-agent: *\nDisallow:\nSitemap: {address}\n".encode()


def _last(instants: Iterable[str]) -> str | None:
    return max(instants, default=None)


def _urls(world: World, pages: Iterable[tuple[str, str | None]]) -> bytes:
    return _document(world, "urlset", "url", pages)


def _document(world: World, kind: str, entry: str, pages: Iterable[tuple[str, str | None]]) -> bytes:
    root = etree.Element(f"{{{_NAMESPACE}}}{kind}", nsmap={None: _NAMESPACE})  # type: ignore[dict-item]
    for key, changed in pages:
        element = etree.SubElement(root, f"{{{_NAMESPACE}}}{entry}")
        etree.SubElement(element, f"{{{_NAMESPACE}}}loc").text = places.address(world.base_url, key)
        if changed is not None:
            etree.SubElement(element, f"{{{_NAMESPACE}}}lastmod").text = changed
    etree.indent(root)
    content: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"
