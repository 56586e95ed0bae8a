"""Small releases to publish, and a reader who sees that what is published is whole."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

from piperoll import layout
from piperoll.model import FileEntry, History, Manifest, Packed, Period, Series, Status, file_entry, to_json_bytes
from publishers import Store, read_history

SERIES = Series("spend", "anytown", Period.parse("2026-10"))
NOW = "2026-11-02T09:00:00Z"


def packed(
    folder: Path,
    rows: int,
    *,
    pounds: str | None = None,
    series: Series = SERIES,
    note: str = "",
    source: str = "ab" * 32,
) -> Packed:
    """A small release of `rows` lines, as releasing leaves it in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"line-{number},{number}.00" for number in range(rows)]
    (folder / f"{series.dataset}.csv").write_bytes("\r\n".join(["line_id,net_amount", *lines, ""]).encode())
    (folder / f"{series.dataset}.parquet").write_bytes(b"PAR1 " + note.encode())
    (folder / "datapackage.json").write_bytes(to_json_bytes({"id": str(series), "note": note}))
    (folder / "report.json").write_bytes(to_json_bytes({"rows": rows}))
    names = ("datapackage.json", f"{series.dataset}.csv", f"{series.dataset}.parquet", "report.json")
    entries = tuple(file_entry(folder, name) for name in names)
    manifest = Manifest(
        series=series,
        files=entries,
        rows=rows,
        amount_gbp=Decimal(pounds) if pounds else Decimal(sum(range(rows))),
        rows_sha256=hashlib.sha256(f"{rows} {pounds}".encode()).hexdigest(),
        sources=(source,),
        dataset_version="1.0.0",
        rules_version="1.0.0+test",
    )
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(folder, manifest)


def read_series(store: Store, series: Series = SERIES) -> History:
    """Read a series as a stranger would: nothing taken back, the last version current, and all of it whole."""
    history = whole(store, series)
    assert [version.supersedes for version in history.versions] == [None, *range(1, len(history.versions))][
        : len(history.versions)
    ]
    statuses = [str(version.status) for version in history.versions]
    assert statuses == ["superseded"] * (len(statuses) - 1) + ["current"] * min(1, len(statuses))
    return history


def whole(store: Store, series: Series) -> History:
    """Read all that a pointer names, but for what was purged, and see that it is there byte for byte; the history."""
    history, _ = read_history(store, series)
    assert [version.version for version in history.versions] == list(range(1, len(history.versions) + 1))
    current = [version.version for version in history.versions if version.status is Status.CURRENT]
    assert current == ([] if history.current is None else [history.current])
    for version in history.versions:
        if version.changes and version.changes.file:
            assert _is_there(store, layout.series_folder(series), version.changes.file)
        if version.status is not Status.PURGED:
            content = store.read(layout.release_file(series, version, "manifest.json")).content
            assert hashlib.sha256(content).hexdigest() == version.manifest_sha256
            assert all(
                _is_there(store, layout.version_folder(series, version), one)
                for one in Manifest.from_bytes(content).files
            )
    return history


def _is_there(store: Store, place: str, entry: FileEntry) -> bool:
    held = store.read(place + entry.path).content
    return (len(held), hashlib.sha256(held).hexdigest()) == (entry.bytes, entry.sha256)
