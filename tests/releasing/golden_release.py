"""Packs a small release into the folder named on the command line and prints its manifest: a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from piperoll.model import Dataset, Disposition, Packed, Period, Series  # noqa: E402
from piperoll.releasing import pack_release  # noqa: E402
from tests.releasing.example_tables import ANYTOWN, SOURCE, report, table, table_report  # noqa: E402

LINES = (
    {"when": "2026-10-01", "who": "Zoë & Söhne", "who_id": "17", "amount": "12.5", "pieces": "3", "urgent": "false"},
    {"when": "2026-10-02", "who": "Redacted", "who_id": "18", "amount": "-0.005", "share": "0.1250", "scheme": "net"},
    {"when": "2026-10-01", "who": 'Say "when"', "who_id": None, "amount": "12.50"},
    {"when": None, "who": "Held Person", "who_id": "19", "amount": "1000000000000.01"},
)
COLUMNS = ("when", "who", "who_id", "amount", "share", "pieces", "urgent", "scheme")


def mini() -> Dataset:
    return Dataset.from_descriptor(json.loads((HERE / "mini.json").read_text("utf-8")), ())


def golden(folder: Path, *, dataset: Dataset | None = None) -> Packed:
    standard = dataset or mini()
    series = Series("mini", ANYTOWN.slug, Period.parse("2026-Q4"), "card")
    what = Disposition(held={0: {5: frozenset({"privacy-name"})}}, redacted={0: {3: "commercial"}})
    read = table(LINES, COLUMNS)
    said = report(standard, series, [table_report(read, "amount", what.held[0])])
    return pack_release(
        standard, ANYTOWN, series, [read], said, what, source=SOURCE, rules_version="t+1", folder=folder
    )


if __name__ == "__main__":
    sys.stdout.write(golden(Path(sys.argv[1])).manifest.to_bytes().decode())
