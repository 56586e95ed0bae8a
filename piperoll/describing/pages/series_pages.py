"""The page of a series and those of its versions: the table, its files, charts, rows, fields and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piperoll import assets, layout
from piperoll.describing import urls
from piperoll.describing.charts import draw_chart
from piperoll.describing.context import Holdings
from piperoll.describing.pages.rendering import render_page
from piperoll.describing.release_summary import read_summary
from piperoll.describing.wording import download_order, format_day, part_title, series_title
from piperoll.duties import duty_rules, publication_interval
from piperoll.model import FileEntry, Listing, Report, Series, Status, Version, from_document

_MEDIA_TYPES = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet"}


def series_page(holdings: Holdings, listing: Listing) -> tuple[str, bytes]:
    """Render the page of a series: its current table, how far to trust it, its files, fields and versions."""
    series, current, manifest = listing.series, listing.history.current_version, listing.manifest
    dataset, body = holdings.dataset(series.dataset), holdings.body
    title = series_title(dataset, body, series)
    report = None if listing.report is None else from_document(Report, listing.report)
    preview = _preview_rows(listing)
    summary = read_summary(listing)
    values: dict[str, Any] = {"charts_drawn": [], "rows_settings": None, "examples": [], "citation": "", "query": ""}
    if current is not None and manifest is not None:
        known = {field.name for field in dataset.fields}
        charts = [one for one in summary.charts if {one.by, one.of or one.by} <= known]
        address = urls.address(holdings.base_url, layout.version_page(series, current))
        values = {
            # a chart of one bar would say no more than a figure
            "charts_drawn": [draw_chart(one, dataset) for one in charts if len(one.bars) > 1],
            "rows_settings": _rows_settings(listing, current, preview) if manifest.rows else None,
            "query": urls.api_rows(holdings.api_url, series) if holdings.api_url else "",
            "examples": _loading_examples(holdings, series, current, manifest.files),
            "citation": f"{title}. Version {current.version}, {format_day(current.published)}. "
            f"{holdings.publisher_name}. {urls.release_urn(series, current)}. {address}",
        }
    return render_page(
        holdings,
        layout.series_page(series),
        "series.html",
        listing=listing,
        series=series,
        title=title,
        dataset=dataset,
        body=body,
        part=part_title(dataset, series.part),
        current=current,
        report=report,
        fields=_released_fields(listing),
        filled=summary.filled if manifest is not None and manifest.rows else None,
        preview=preview,
        downloads=sorted(
            () if manifest is None else manifest.files, key=lambda entry: (download_order(entry.path), entry.path)
        ),
        by_law=bool(duty_rules(dataset, body)),
        held=0 if report is None else sum(table.rows.held for table in report.tables),
        overlapping=holdings.overlapping(series),
        interval=publication_interval(dataset, body, (facts.series for facts in holdings.series)),
        linked_data=_linked_data(holdings, listing),
        **values,
    )


def version_page(holdings: Holdings, listing: Listing, version: Version) -> tuple[str, bytes]:
    """Render the page of one version: when and why it was published, what it changed, and its files."""
    series, manifest = listing.series, listing.manifest
    dataset, body = holdings.dataset(series.dataset), holdings.body
    if manifest is not None and version.version == listing.history.current:
        files = [entry.path for entry in manifest.files] + ["manifest.json"]
    else:  # the manifest of an earlier version is not read, but every version has these files
        names = (f"{series.dataset}.csv", f"{series.dataset}.parquet", "datapackage.json", "report.json")
        files = [*names, "manifest.json"]
    differing = None if version.changes is None else version.changes.file
    return render_page(
        holdings,
        layout.version_page(series, version),
        "version.html",
        listing=listing,
        series=series,
        title=series_title(dataset, body, series),
        dataset=dataset,
        body=body,
        version=version,
        before=None if version.supersedes is None else listing.history.version(version.supersedes),
        files=files,
        titles={field.name: field.title for field in dataset.fields},
        changes_file=None if differing is None else layout.series_folder(series) + differing.path,
        served=version.status in (Status.CURRENT, Status.SUPERSEDED),
        report_pages={
            submission.sha256: layout.submission_page(submission)
            for submission, outcome in holdings.submissions
            if outcome is not None and submission.dataset == series.dataset
        },
    )


# --- rows ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowsPreview:
    """The first rows of a table: the columns that the body sent first, then those that we derived.

    Before them come the columns that catalogue.json names as `first`. Columns that are empty are left out, and derived
    columns with the same value in every row. `titles` are the headings by name, `figures` the columns of numbers with
    their units ("" if they have none).
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int
    titles: Mapping[str, str]
    figures: Mapping[str, str]


def _preview_rows(listing: Listing) -> RowsPreview:
    names, *rows = listing.first_rows or ((),)
    fields = {field["name"]: field for field in _released_fields(listing)}
    kept = []
    for index, name in enumerate(names):
        cells = {row[index] for row in rows}
        repeats = "x_derive" in fields[name] and len(rows) > 1 and len(cells) == 1
        if cells not in (set(), {""}) and not repeats:
            kept.append(index)
    first = assets.shown(listing.series.dataset)["first"]

    def place(index: int) -> tuple[int, bool]:
        name = names[index]
        return first.index(name) if name in first else len(first), fields[name]["x_origin"] == "derived"

    kept.sort(key=place)
    return RowsPreview(
        names=tuple(names[index] for index in kept),
        rows=tuple(tuple(row[index] for index in kept) for row in rows),
        left_out=len(names) - len(kept),
        titles={name: fields[name]["title"] for name in names},
        figures={
            name: fields[name].get("x_unit") or "" for name in names if fields[name]["type"] in ("number", "integer")
        },
    )


def _released_fields(listing: Listing) -> Sequence[Mapping[str, Any]]:
    """The fields of the current version, as its own datapackage.json describes them."""
    if listing.descriptor is None:
        return ()
    fields: Sequence[Mapping[str, Any]] = listing.descriptor["resources"][0]["schema"]["fields"]
    return fields


def _rows_settings(listing: Listing, current: Version, preview: RowsPreview) -> dict[str, Any] | None:
    """What `rows.js` needs: the Parquet file and its reader, the columns, and those that are shown."""
    files = () if listing.manifest is None else listing.manifest.files
    entry = next((entry for entry in files if entry.path.endswith(".parquet")), None)
    if entry is None:
        return None
    parquet = layout.release_file(listing.series, current, entry.path)
    columns = [field["name"] for field in _released_fields(listing)]
    return {
        "name": layout.download_name(listing.series, current, "rows.csv"),
        "sums": [name for name in assets.dataset(listing.series.dataset).amount if name in columns],
        "parquet": urls.link(parquet, layout.series_page(listing.series)),
        "bytes": entry.bytes,
        "reader": urls.link(layout.READER, layout.script("rows")),  # `import` resolves it against the script
        "search": assets.shown(listing.series.dataset)["search"],
        "shown": list(preview.names),
        "columns": [
            {"name": field["name"], "title": field["title"]}
            | ({} if field["type"] == "string" else {"type": field["type"]})
            | ({"unit": field["x_unit"]} if field.get("x_unit") else {})
            for field in _released_fields(listing)
        ],
    }


# --- loading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadingExample:
    """How to load a table in one program: the code to copy, and `steps` for a person to follow."""

    name: str
    title: str
    code: str
    steps: str = ""


def _loading_examples(
    holdings: Holdings, series: Series, version: Version, files: Sequence[FileEntry]
) -> list[LoadingExample]:
    addresses = {
        entry.path.rpartition(".")[2]: urls.address(holdings.base_url, layout.release_file(series, version, entry.path))
        for entry in files
    }
    parquet, csv, name = addresses["parquet"], addresses["csv"], series.dataset
    part = f" --part {series.part}" if series.part else ""
    return [
        LoadingExample(
            "excel",
            "Excel",
            csv,
            "Choose Data, then From Web, and paste this address. Dates and amounts arrive as dates and numbers.",
        ),
        LoadingExample(
            "pandas",
            "Python with pandas",
            f'import pandas as pd\n\n{name} = pd.read_parquet("{parquet}", dtype_backend="pyarrow")\n'
            f'dates = {name}.select_dtypes("date32[pyarrow]").columns\n'
            f"{name}[dates] = {name}[dates].apply(pd.to_datetime)",
            "Amounts are exact decimals. For describe(), nlargest() and plots, use .astype(float).",
        ),
        LoadingExample("r", "R", f'library(arrow)\n\n{name} <- read_parquet("{parquet}")'),
        LoadingExample(
            "duckdb",
            "DuckDB",
            f"SELECT *\nFROM read_parquet('{parquet}')\nLIMIT 20;",
            "Outside a browser, DuckDB reads only the parts of the file that a query needs.",
        ),
        LoadingExample(
            "command",
            "In a terminal",
            f"piperoll get {name} --from {holdings.base_url} \\\n  --body {series.body} --period {series.period}{part} "
            f"--version-number {version.version} -o {name}.parquet",
        ),
    ]


def _linked_data(holdings: Holdings, listing: Listing) -> dict[str, Any]:
    """The series as a schema.org Dataset, for search engines."""
    series, current = listing.series, listing.history.current_version
    dataset, body = holdings.dataset(series.dataset), holdings.body
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": urls.series_urn(series),
        "identifier": urls.series_urn(series),
        "name": series_title(dataset, body, series),
        "description": dataset.description,
        "url": urls.address(holdings.base_url, layout.series_page(series)),
        "temporalCoverage": f"{series.period.start}/{series.period.end}",
        "isAccessibleForFree": True,
        "creator": {"@type": "GovernmentOrganization", "name": body.name, "identifier": body.id},
        "publisher": {"@type": "Organization", "name": holdings.publisher_name},
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "name": holdings.publisher_name,
            "url": urls.address(holdings.base_url, layout.HOME),
        },
    }
    if current is None or listing.manifest is None or listing.descriptor is None:
        return document
    return document | {
        "version": str(current.version),
        "dateModified": current.published,
        "license": urls.licence_uri(listing.descriptor["licenses"][0]),
        "variableMeasured": [field["title"] for field in _released_fields(listing)],
        "distribution": [
            {
                "@type": "DataDownload",
                "contentUrl": urls.address(holdings.base_url, layout.release_file(series, current, entry.path)),
                "encodingFormat": media_type,
                "contentSize": str(entry.bytes),
                "sha256": entry.sha256,
            }
            for entry in listing.manifest.files
            for suffix, media_type in _MEDIA_TYPES.items()
            if entry.path.endswith(suffix)
        ],
    }
