"""A series as schema.org tells it to search engines."""

from __future__ import annotations

from typing import Any

from piperoll import layout
from piperoll.describing import places
from piperoll.describing.holdings import Holdings
from piperoll.describing.media import media_type
from piperoll.describing.wording import series_title
from piperoll.model import Listing, Version


def linked_data(holdings: Holdings, listing: Listing) -> dict[str, Any]:
    """A schema.org Dataset with its downloads, period, licence and publisher."""
    series, standing = listing.series, listing.history.standing
    dataset, body = holdings.dataset(series.dataset), holdings.the_body
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": places.series_name(series),
        "identifier": places.series_name(series),
        "name": series_title(dataset, body, series),
        "description": dataset.description,
        "url": places.address(holdings.base_url, layout.series_page(series)),
        "temporalCoverage": f"{series.period.start}/{series.period.end}",
        "isAccessibleForFree": True,
        "creator": {"@type": "GovernmentOrganization", "name": body.name, "identifier": body.id},
        "publisher": {"@type": "Organization", "name": holdings.publisher_name},
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "name": holdings.publisher_name,
            "url": places.address(holdings.base_url, layout.HOME),
        },
    }
    if standing is None or listing.manifest is None or listing.descriptor is None:
        return document
    fields = listing.descriptor["resources"][0]["schema"]["fields"]
    return document | {
        "version": str(standing.version),
        "dateModified": standing.published,
        "license": places.licence_name(listing.descriptor["licenses"][0]),
        "variableMeasured": [field["title"] for field in fields],
        "distribution": _downloads(holdings, listing, standing),
    }


def _downloads(holdings: Holdings, listing: Listing, standing: Version) -> list[dict[str, Any]]:
    entries = () if listing.manifest is None else listing.manifest.files
    return [
        {
            "@type": "DataDownload",
            "contentUrl": places.address(holdings.base_url, layout.release_file(listing.series, standing, entry.path)),
            "encodingFormat": media_type(entry.path),
            "contentSize": str(entry.bytes),
            "sha256": entry.sha256,
        }
        for entry in entries
        if entry.path.endswith((".csv", ".parquet"))
    ]
