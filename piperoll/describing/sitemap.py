"""Sitemaps for search engines: one for each body, one for the other pages, their index, and robots.txt.

A sitemap may only list addresses in its own folder or below, so all of them are in `catalogue/`. The pages of versions
and reports are left out; the pages of series and bodies link to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from piperoll import layout
from piperoll.describing import urls
from piperoll.describing.context import CatalogueContext, Holdings
from piperoll.describing.overview import Overview

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def render_body_sitemap(holdings: Holdings) -> tuple[str, bytes]:
    """Render the sitemap of a body: its page and those of its series, each with the instant of its last change."""
    changed = {
        layout.series_page(facts.series): max(one.ended or one.published for one in facts.history.versions)
        for facts in holdings.series
    }
    page = (layout.body_page(holdings.body.slug), max(changed.values(), default=None))
    profile = (layout.profile_page(holdings.body.slug), None)
    content = _write(holdings.context, "urlset", "url", [page, profile, *changed.items()])
    return layout.sitemap(holdings.body.slug), content


def render_sitemaps(overview: Overview) -> Iterator[tuple[str, bytes]]:
    """Render the sitemap of the pages about all bodies, the index of sitemaps, and robots.txt."""
    context = overview.context
    pages = [layout.HOME, layout.bodies_page(1), layout.DOWNLOAD_ALL]
    pages += [layout.dataset_page(dataset.name) for dataset in overview.datasets]
    pages += [layout.MEASURES_PAGE, layout.QUESTIONS]
    measures = [(layout.measure_page(measure.id), measure.updated) for measure in overview.measures]
    shared = _write(context, "urlset", "url", [*((page, overview.latest) for page in pages), *measures])
    yield layout.sitemap(None), shared
    parts = [(layout.sitemap(None), overview.latest)]
    parts += [(layout.sitemap(digest.body.slug), digest.latest) for digest in overview.digests]
    yield layout.SITEMAP, _write(context, "sitemapindex", "sitemap", parts)
    address = urls.address(context.base_url, layout.SITEMAP)
    yield layout.ROBOTS, f"User-agent: *\nDisallow:\nSitemap: {address}\n".encode()


def _write(context: CatalogueContext, kind: str, entry: str, pages: Iterable[tuple[str, str | None]]) -> bytes:
    root = etree.Element(f"{{{_NAMESPACE}}}{kind}", nsmap={None: _NAMESPACE})  # type: ignore[dict-item]
    for key, changed in pages:
        element = etree.SubElement(root, f"{{{_NAMESPACE}}}{entry}")
        etree.SubElement(element, f"{{{_NAMESPACE}}}loc").text = urls.address(context.base_url, key)
        if changed is not None:
            etree.SubElement(element, f"{{{_NAMESPACE}}}lastmod").text = changed
    etree.indent(root)
    content: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"
