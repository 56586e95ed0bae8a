"""What goes wrong in a sample on purpose: files that hold no data, or data that has been sent before."""

from __future__ import annotations

from collections.abc import Sequence

from piperoll.model import Period
from piperoll.sample.layout import Layout
from piperoll.sample.rows import Row

ERROR_PAGE = b"""<!DOCTYPE html>
<html lang="en"><head><title>Page not found</title></head>
<body><h1>Sorry, we cannot find that page</h1><p>The page may have moved when we changed our website.</p></body></html>
"""


def template(layout: Layout, period: Period) -> bytes:
    """The headings and nothing below them: the body sent the form and not the figures."""
    return layout.render([], period)


def nil(layout: Layout, period: Period) -> bytes:
    """A nil return: the headings, and a line that says that there was nothing to report."""
    text = layout.render([], period).decode(layout.encoding)
    return (text + f"Nil return - no payments over the threshold in {period.title}{layout.newline}").encode(
        layout.encoding
    )


def halved(rows: Sequence[Row]) -> list[Row]:
    """Every second record: what is left when an export was cut short."""
    return list(rows[::2])
