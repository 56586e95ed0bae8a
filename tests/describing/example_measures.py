"""Made-up measures: definitions, rows, and a store that publishes them as the engine does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from piperoll.model import Manifest, Packed, Period, Series, file_entry
from publishers import Decision, FolderStore, publish_release

DECIMAL = pa.decimal128(38, 6)
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("figure_id", "measure", "method_version", "body", "body_name")),
        *((name, pa.date32()) for name in ("period_start", "period_end")),
        *((name, pa.string()) for name in ("perimeter", "figure", "item", "item_label")),
        *((name, DECIMAL) for name in ("value", "lo", "hi")),
        ("unit", pa.string()),
        ("n", pa.int64()),
        *((name, DECIMAL) for name in ("coverage", "inferred_share")),
        *((name, pa.string()) for name in ("status", "reason")),
        ("peers", pa.int64()),
        ("peer_kind", pa.string()),
        *((name, DECIMAL) for name in ("peer_median", "peer_q1", "peer_q3")),
        *((name, pa.int64()) for name in ("rank_best", "rank_worst")),
        ("outlier", pa.bool_()),
        *((name, pa.string()) for name in ("inputs", "reply")),
    ]
)
"""The long table of measures."""

VALUE_INDEX = """
id = "public-value-index"
version = "1.1.0"
title = "Public Value Index"
question = "How much of the money reaches the front line?"
summary = "The share of spending that serves people directly. It says where money goes, not whether it works."
method = \"\"\"Each line is put on one of two sides by what it is for.

What is not known widens the bounds.\"\"\"
period = "year"
perimeter = "the body itself"
datasets = ["spend", "roles"]
comparators = "kind"
owner = "The example platform"
sources = ["An example"]
[coverage]
minimum = "0.6"
of = "Pounds of spending whose purpose is known"
[[figures]]
id = "pvi-total"
title = "Spending and posts"
unit = "share"
headline = true
high_is = "good"
[[figures]]
id = "front-line"
title = "Front line"
unit = "gbp"
[[figures]]
id = "by-function"
title = "Spending by function"
unit = "gbp"
[[changes]]
version = "1.0.0"
date = "2026-01-05"
what = "First version."
[[changes]]
version = "1.1.0"
date = "2026-11-29"
what = "Contested lines widen the bounds."
"""
CONTRACTS = """
id = "contracts"
version = "1.0.0"
title = "Contracts"
question = "Which contracts end soon?"
summary = "Contracts by the day on which they end."
method = "The day of the newest register is the day that counts."
period = "year"
perimeter = "the body itself"
datasets = ["contracts"]
comparators = "none"
owner = "The example platform"
sources = ["An example"]
[[figures]]
id = "ends-12"
title = "Contracts that end within 12 months"
unit = "count"
headline = true
[[figures]]
id = "ends-6-list"
title = "Days until the contract ends"
unit = "days"
[[changes]]
version = "1.0.0"
date = "2026-11-29"
what = "First version."
"""
SHAPE = """
id = "organisation-shape"
version = "1.0.0"
title = "Shape of the organisation"
question = "How many people work at each level?"
summary = "The share of the posts at each level."
method = "Grades are put into levels."
period = "snapshot"
perimeter = "the body itself"
datasets = ["roles"]
comparators = "kind"
owner = "The example platform"
sources = ["An example"]
[[figures]]
id = "share"
title = "Share of posts by level"
unit = "share"
headline = true
[[figures]]
id = "not-reported"
title = "Share of posts on no level"
unit = "share"
[[changes]]
version = "1.0.0"
date = "2026-11-29"
what = "First version."
"""

COVERAGE = """
id = "coverage"
version = "1.0.0"
title = "Coverage"
question = "How much of what this body should publish is here?"
summary = "Months and pounds that are published."
method = "Months are counted."
period = "year"
perimeter = "the body itself"
datasets = ["spend"]
comparators = "kind"
owner = "The example platform"
sources = ["An example"]
[[figures]]
id = "months"
title = "Months with lines"
unit = "count"
headline = true
[[figures]]
id = "published"
title = "Published"
unit = "gbp"
[[changes]]
version = "1.0.0"
date = "2026-11-29"
what = "First version."
"""

INPUTS = {
    "shared": [{"what": "functions", "sha256": "a" * 64}],
    "bodies": {"ashby-borough": {"sha256": "c" * 64, "inputs": [{"what": "spend 2026-27", "sha256": "b" * 64}]}},
}
"""What each year was made from."""


def identify(measure: str, body: str, year: str, figure: str, item: str = "") -> str:
    """The identifier of a figure."""
    return hashlib.sha256(f"{measure}|{body}|{year}|{figure}|{item}".encode()).hexdigest()[:16]


def row(measure: str, body: str, figure: str, year: str = "2026-27", **more: Any) -> dict[str, Any]:
    """A row of the long table."""
    period = Period.parse(year)
    values: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    values |= dict.fromkeys(("item", "item_label", "reason", "reply", "inputs", "peer_kind"), "")
    values |= {"measure": measure, "method_version": "1.1.0", "body": body, "figure": figure, "status": "shown"}
    values |= {"body_name": body.replace("-", " ").title(), "unit": "share", "outlier": False, "n": 10}
    values |= {"period_start": period.start, "period_end": period.end, "perimeter": "the body itself"}
    values |= more
    values["figure_id"] = identify(measure, body, year, figure, values["item"])
    return values


def publish_measure(
    store: FolderStore, definition: str, year: str, rows: Iterable[Mapping[str, Any]], now: str = "2026-11-29T05:00:00Z"
) -> None:
    """Publish the rows of one year of a measure as its next version."""
    name = next(line for line in definition.splitlines() if line.startswith("id = ")).split('"')[1]
    table = pa.Table.from_pylist(
        [{key: _typed(key, value) for key, value in one.items()} for one in rows], schema=SCHEMA
    )
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pq.write_table(table, folder / "measures.parquet")
        pa_csv.write_csv(table, folder / "measures.csv", pa_csv.WriteOptions(quoting_style="needed"))
        files = {"measure.toml": definition, "query.sql": "SELECT 1\n"}
        (folder / "definition.json").write_text(json.dumps({"files": files}), "utf-8")
        (folder / "inputs.json").write_text(json.dumps(INPUTS), "utf-8")
        (folder / "datapackage.json").write_text("{}", "utf-8")
        paths = sorted(path.name for path in folder.iterdir())
        manifest = Manifest(
            series=Series("measures", name, Period.parse(year)),
            dataset_version="1.0.0",
            rules_version="1.0.0",
            rows=table.num_rows,
            amount_gbp=None,
            rows_sha256=hashlib.sha256((folder / "measures.csv").read_bytes()).hexdigest(),
            sources=(),
            files=tuple(file_entry(folder, path) for path in paths),
        )
        (folder / "manifest.json").write_bytes(manifest.to_bytes())
        publish_release(store, Packed(folder, manifest), reason="Measured", now=now, decision=Decision.RESTATE)


def _typed(name: str, value: Any) -> Any:
    if value is None or SCHEMA.field(name).type != DECIMAL:
        return value
    return pa.scalar(str(value)).cast(DECIMAL).as_py()


def index_rows(bodies: Iterable[str], year: str = "2026-27") -> list[dict[str, Any]]:
    """Rows of the index for these bodies: the second is withheld, the third has a reply, and each has functions."""
    found = []
    slugs = list(bodies)
    for number, body in enumerate(slugs):
        value = 0.50 + number % 9 * 0.05
        peers = {"peers": len(slugs), "peer_kind": "council"}
        if len(slugs) >= 8:
            peers |= {
                "peer_median": 0.7,
                "peer_q1": 0.6,
                "peer_q3": 0.8,
                "rank_best": 1 + number,
                "rank_worst": len(slugs),
            }  # type: ignore[dict-item]
        shown = {"value": f"{value:.6f}", "lo": f"{value - 0.1:.6f}", "hi": f"{value + 0.06:.6f}", "coverage": "0.912"}
        if number == 1:
            shown = {"coverage": "0.415", "status": "withheld"}
            shown["reason"] = "The purpose of 41.5 % of the pounds is known, and 60 % are needed."
        if number == 2:
            shown |= {"reply": "We booked a grant twice, and have put it right.", "status": "indicative",
                      "reason": "The bounds are 16 points apart."}  # fmt: skip
        found.append(row("public-value-index", body, "pvi-total", year, **peers, **shown))
        found.append(row("public-value-index", body, "front-line", year, unit="gbp", value=f"{1000 * (number + 1)}.25"))
        for item, label in (("01", "Adult social care"), ("02", "Waste <and> recycling"), ("03", "Roads & bridges")):
            amount = int(item) * 100 + number
            found.append(
                row(
                    "public-value-index",
                    body,
                    "by-function",
                    year,
                    unit="gbp",
                    item=item,
                    item_label=label,
                    value=f"{amount}.50",
                    lo=f"{amount - 10}.50",
                    hi=f"{amount + 20}.50",
                )
            )
    return found


def publish_examples(store: FolderStore, bodies: Iterable[str]) -> None:
    """Publish three made-up measures of these bodies: an index of two years, contracts that end, and a shape."""
    slugs = list(bodies)
    publish_measure(store, VALUE_INDEX, "2025-26", index_rows(slugs, "2025-26"))
    publish_measure(store, VALUE_INDEX, "2026-27", index_rows(slugs))
    contracts = [row("contracts", slugs[0], "ends-12", unit="count", value=20, peer_kind="")]
    contracts += [
        row("contracts", slugs[0], "ends-6-list", unit="days", value=200 - number, hi=400, lo=200 - number,
            item=f"C-{number:02}", item_label=f"Contract {number}, Example Ltd, 1 March 2027, £1,000.00")
        for number in range(20)
    ]  # fmt: skip
    publish_measure(store, CONTRACTS, "2026-27", contracts)
    shape = [
        row("organisation-shape", slugs[0], "share", item=item, item_label=label, value=value)
        for item, label, value in (
            ("level-1", "Front", "0.65"),
            ("level-2", "Middle", "0.3"),
            ("level-5", "Top level", "0.05"),
        )
    ]
    shape.append(row("organisation-shape", slugs[0], "not-reported", value="0.08"))
    publish_measure(store, SHAPE, "2026-27", shape)


ON = date(2026, 11, 29)


def publish_coverage(store: FolderStore) -> None:
    """Publish a made-up measure of coverage, of two bodies and two years."""
    for year in ("2025-26", "2026-27"):
        rows = []
        for number, body in enumerate(("anytown", "brackwater")):
            peers = {"unit": "count", "peer_kind": "council"}
            withheld = {"status": "withheld", "reason": "Nothing was published."}
            rows.append(row("coverage", body, "months", year, **peers, **({"value": 12} if not number else withheld)))
            rows += [
                row(
                    "coverage",
                    body,
                    "published",
                    year,
                    unit="gbp",
                    peer_kind="council",
                    item=item,
                    item_label=item.title(),
                    value=f"{number + 1}00.50",
                    lo=f"{number + 1}00.50",
                    hi=f"{number + 2}00.50",
                )
                for item in ("contracts", "spend")
            ]
        publish_measure(store, COVERAGE, year, rows)
