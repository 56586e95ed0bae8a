"""What the page of a release shows beyond its history: charts, the rows to ask, how to load it and how to cite it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from piperoll import assets, layout
from piperoll.describing import places
from piperoll.describing.drawing import Drawing, drawing
from piperoll.describing.holdings import Holdings
from piperoll.describing.loading import citation, ways
from piperoll.describing.summaries import summary_of
from piperoll.describing.views import preview, released_fields
from piperoll.model import FileEntry, Listing, Version


def extras(holdings: Holdings, listing: Listing) -> dict[str, Any]:
    """What the template of a series takes beyond the history; nothing of it where no version stands."""
    standing, manifest = listing.history.standing, listing.manifest
    if standing is None or manifest is None:
        return {"charts_drawn": [], "told_rows": None, "ways": [], "citation": ""}
    return {
        "charts_drawn": charts_drawn(holdings, listing),
        "told_rows": told_rows(listing, standing, manifest.files) if manifest.rows else None,
        "ways": ways(holdings, listing.series, standing, manifest.files),
        "citation": citation(holdings, listing.series, standing),
    }


def charts_drawn(holdings: Holdings, listing: Listing) -> list[Drawing]:
    """The charts of the version that stands; those of a single bar say nothing that a figure does not."""
    dataset = holdings.dataset(listing.series.dataset)
    known = {field.name for field in dataset.fields}
    charts = [chart for chart in summary_of(listing).charts if {chart.by, chart.of or chart.by} <= known]
    return [drawing(chart, dataset) for chart in charts if len(chart.bars) > 1]


def told_rows(listing: Listing, standing: Version, files: Sequence[FileEntry]) -> dict[str, Any] | None:
    """What `rows.js` has to know: where the Parquet and its reader are, how large it is, its columns, those shown."""
    entry = next((entry for entry in files if entry.path.endswith(".parquet")), None)
    if entry is None:
        return None
    here = layout.series_page(listing.series)
    return {
        "name": str(listing.series).replace("/", "-"),
        "parquet": places.link(layout.release_file(listing.series, standing, entry.path), here),
        "bytes": entry.bytes,
        "reader": _from_scripts(layout.READER),
        "search": assets.shown(listing.series.dataset)["search"],
        "shown": list(preview(listing).names),
        "columns": [_column(field) for field in released_fields(listing)],
    }


def _column(field: Mapping[str, Any]) -> dict[str, str]:
    return {"name": field["name"], "title": field["title"], "type": field["type"], "unit": field.get("x_unit") or ""}


def _from_scripts(key: str) -> str:
    """The way to a script from another: so the word `import` takes it."""
    return places.link(key, layout.script("rows"))
