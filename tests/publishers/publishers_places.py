"""Small releases to publish, and a reader who sees that what is published is whole."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

from piperoll.model import History, Manifest, Packed, Period, Series, file_entry, to_json_bytes
from publishers import Store, history_of

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
    """Read a series as a stranger would, and see that all that its pointer names is there and whole."""
    history, _ = history_of(store, series)
    assert [version.version for version in history.versions] == list(range(1, len(history.versions) + 1))
    assert [version.supersedes for version in history.versions] == [None, *range(1, len(history.versions))][
        : len(history.versions)
    ]
    statuses = [str(version.status) for version in history.versions]
    assert statuses == ["superseded"] * (len(statuses) - 1) + ["current"] * min(1, len(statuses))
    for version in history.versions:
        content = store.read(f"{series.prefix}{version.path}/manifest.json").content
        assert hashlib.sha256(content).hexdigest() == version.manifest_sha256
        for entry in Manifest.from_bytes(content).files:
            held = store.read(f"{series.prefix}{version.path}/{entry.path}").content
            assert (len(held), hashlib.sha256(held).hexdigest()) == (entry.bytes, entry.sha256)
    return history
