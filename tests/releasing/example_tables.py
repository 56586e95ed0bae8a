"""Tables as reading hands them over, and the reports that go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from piperoll import assets
from piperoll.model import (
    AmountTotals,
    Body,
    Dataset,
    Disposition,
    Packed,
    Period,
    Report,
    RowCounts,
    Series,
    TableReport,
    Verdict,
    What,
)
from piperoll.reading import ReadTable
from piperoll.releasing import SourceFile, pack_release

ANYTOWN = Body(id="XI-PIPEROLL-anytown", slug="anytown", name="Anytown Council", kind="council", contact="a@b.example")
SOURCE = SourceFile("ab" * 32, "Payments October.csv")
Line = Mapping[str, str | int | None]


def table(lines: Sequence[Line], columns: Sequence[str], *, sheet: str | None = None, step: int = 3) -> ReadTable:
    """A table whose lines have `row` and canonical cells, in batches of `step` lines."""
    schema = pa.schema([("row", pa.int64()), ("line", pa.int64()), *((name, pa.string()) for name in columns)])
    whole = [{"row": number, "line": number, **line} for number, line in enumerate(lines, start=2)]
    batches = [pa.RecordBatch.from_pylist(whole[at : at + step], schema=schema) for at in range(0, len(whole), step)]
    return ReadTable(
        sheet=sheet,
        header_row=1,
        header_line=1,
        columns={name: name.replace("_", " ").capitalize() for name in columns},
        column_letters={name: chr(65 + place) for place, name in enumerate(columns)},
        rows=len({line["row"] for line in whole}),
        excluded_rows=(),
        unreadable={},
        stored=tuple(batches),
    )


def table_report(read: ReadTable, amount: str | None, held: Mapping[int, frozenset[str]]) -> TableReport:
    """What checking says of a table of which some rows are held."""
    lines = [line for batch in read.batches() for line in batch.to_pylist()]
    rows = {line["row"] for line in lines}
    totals = None
    if amount and amount in read.columns:
        pounds = [(line["row"] in held, Decimal(line[amount])) for line in lines if line[amount]]
        accepted = sum((value for is_held, value in pounds if not is_held), Decimal(0))
        kept = sum((value for is_held, value in pounds if is_held), Decimal(0))
        totals = AmountTotals(amount, accepted + kept, accepted, kept, 0, 0)
    return TableReport(
        sheet=read.sheet,
        header_row=1,
        header_line=1,
        columns=read.columns,
        column_letters=read.column_letters,
        rows=RowCounts(len(rows), len(rows - set(held)), len(set(held)), {}),
        amount=totals,
        date=None,
    )


def report(dataset: Dataset, series: Series, tables: Sequence[TableReport]) -> Report:
    return Report(
        file=SOURCE.name,
        sha256=SOURCE.sha256,
        bytes=1,
        dataset=dataset.name,
        format="csv",
        encoding="utf-8",
        what=What.DATA if tables else What.NIL_RETURN,
        verdict=Verdict.ACCEPTED if tables else Verdict.NIL,
        period=str(series.period),
        part=series.part,
        tables=tuple(tables),
        findings=(),
    )


@dataclass(frozen=True)
class Pack:
    """Packs tables of a dataset as the flow does, into a new folder each time."""

    root: Path
    made: list[Path] = field(default_factory=list)

    def __call__(
        self,
        tables: Sequence[ReadTable],
        *,
        dataset: str = "spend",
        part: str | None = None,
        period: str = "2026-10",
        disposition: Disposition | None = None,
        said: Report | None = None,
        source: SourceFile = SOURCE,
        folder: Path | None = None,
    ) -> Packed:
        standard = assets.dataset(dataset)
        what = disposition or Disposition()
        series = Series(dataset, ANYTOWN.slug, Period.parse(period), part)
        amount = next(iter(standard.amount), None)
        reports = [table_report(one, amount, what.held.get(number, {})) for number, one in enumerate(tables)]
        place = folder or self.root / f"release-{len(self.made)}"
        self.made.append(place)
        return pack_release(
            standard,
            ANYTOWN,
            series,
            tables,
            said or report(standard, series, reports),
            what,
            source=source,
            rules_version="1.0.0+test",
            folder=place,
        )


OCTOBER: tuple[Line, ...] = (
    {"payment_date": "2026-10-01", "supplier_name": "Acme Ltd", "net_amount": "1250.00", "supplier_local_id": "S1"},
    {"payment_date": "2026-10-02", "supplier_name": 'Smith, Jones & "Co"', "net_amount": "-0.005"},
    {"payment_date": "2026-10-02", "supplier_name": "=SUM(A1)", "net_amount": "7", "purpose": "two\r\nlines"},
    {"payment_date": None, "supplier_name": "Café Zoë £", "net_amount": "100.1", "is_grant": "true"},
    {"payment_date": "2026-10-05", "supplier_name": "Name withheld", "net_amount": "20", "supplier_local_id": "S9"},
    {"payment_date": "2026-10-01", "supplier_name": "Acme Ltd", "net_amount": "1250.00", "supplier_local_id": "S1"},
    {"payment_date": "2026-10-09", "supplier_name": "A. Carer", "net_amount": "33.33"},
)
COLUMNS = ("payment_date", "supplier_name", "supplier_local_id", "net_amount", "purpose", "is_grant")
