"""Measure the speed and memory of reading: `python -m bench.reading [--rows N] [--sheet-rows N] [--real FOLDER]`.

Generated spend data, the same on every run, is written to a temporary folder. Each file is read in a process of its
own, then by csv.reader (the CSV) or calamine (the workbook) for comparison. With --real, the median and the largest
file of a folder of real files are read too.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import xlsxwriter

HEADINGS = (
    "Dept Family", "Entity", "Date of payment", "Expense Type", "Expense area", "Supplier", "Supplier No.",
    "Transaction Number", "Amount (£)", "Description", "Supplier Postcode", "Supplier Type",
)  # fmt: skip
NAMES = ("Ashdown", "Brindle", "Corran", "Dunmore", "Eastry", "Farley", "Holt", "Iver", "Kelling", "Lusby")
KINDS = ("Ltd", "Limited", "Services PLC", "LLP", "Consulting", "Care Group")
SUPPLIERS = ["Total Gas & Power", *(f"{name} {kind}" for name in NAMES for kind in KINDS)]
AREAS = ["Adults, health and care", "Children's services", "Highways", "Estates", "Digital", "Waste & recycling"]

_MEASURE = """
import json, resource, sys, time
{setup}
content = open(sys.argv[1], "rb").read()
start, busy = time.perf_counter(), time.process_time()
rows = {work}
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({{
    "rows": rows, "wall": time.perf_counter() - start,
    "cpu": time.process_time() - busy + used[1].ru_utime + used[1].ru_stime,
    "peak": used[0].ru_maxrss, "child": used[1].ru_maxrss,
}}))
"""
READ = _MEASURE.format(
    setup="from piperoll import assets; from piperoll.reading import read; datasets = assets.datasets()",
    work="sum(table.rows for table in read(content, sys.argv[1], datasets).tables)",
)
CSV_READER = _MEASURE.format(
    setup="import csv, io",
    work='sum(1 for _ in csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline="")))',
)
CALAMINE = _MEASURE.format(
    setup="import io; from python_calamine import CalamineWorkbook",
    work="len(CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python())",
)


@dataclass(frozen=True)
class ReadCost:
    """The cost of one process: wall-clock and CPU seconds, and the peak memory of it and of its child in MB."""

    rows: int
    wall: float
    cpu: float
    peak: int
    child: int

    def __str__(self) -> str:
        text = f"{self.rows:>9,} rows {self.wall:7.2f} s {self.cpu:7.2f} s CPU {self.peak:>6,} MB"
        return f"{text}, {self.child:,} MB in its child" if self.child else text


def measure(script: str, path: Path) -> ReadCost:
    process = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    found = json.loads(process.stdout)
    return ReadCost(found["rows"], found["wall"], found["cpu"], found["peak"] // 1024, found["child"] // 1024)


def spend(rows: int) -> Iterator[list[str]]:
    """Yield a preamble, headings, records (with commas, negative amounts, blanks, days before months) and a total."""
    yield ["Payments over £500", *[""] * 11]
    yield [""] * 12
    yield list(HEADINGS)
    generator = random.Random(1086)
    first = date(2026, 4, 1)
    pennies = 0
    for number in range(rows):
        amount = generator.randrange(-50_000, 9_000_000)
        pennies += amount
        day = first + timedelta(days=generator.randrange(365))
        index = generator.randrange(len(SUPPLIERS))
        yield [
            "Borough of Wessing", "Wessing", day.strftime("%d/%m/%Y"), generator.choice(AREAS), generator.choice(AREAS),
            SUPPLIERS[index], f"{100_000 + index}", f"PAY{number:08d}", pounds(amount),
            f"Invoice {generator.randrange(10**6)} for {generator.choice(AREAS).lower()}" if number % 7 else "",
            f"WX{index % 20} {index % 9}AB", "" if number % 3 else "SME",
        ]  # fmt: skip
    yield ["Total", *[""] * 7, pounds(pennies), "", "", ""]


def pounds(pennies: int) -> str:
    return f"{'-' if pennies < 0 else ''}£{abs(pennies) // 100:,}.{abs(pennies) % 100:02d}"


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(spend(rows))


def write_xlsx(path: Path, rows: int) -> None:
    """Write the same rows with typed dates and amounts, as a finance system exports them."""
    workbook = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet, dated = workbook.add_worksheet("Spend"), workbook.add_format({"num_format": "dd/mm/yyyy"})
    for index, cells in enumerate(spend(rows)):
        for column, cell in enumerate(cells):
            if column == 2 and cell[:2].isdigit():
                day, month, year = map(int, cell.split("/"))
                sheet.write_datetime(index, column, date(year, month, day), dated)
            elif column == 8 and index > 2 and index % 2:
                sheet.write_number(index, column, float(cell.replace(",", "").replace("£", "")))
            else:
                sheet.write_string(index, column, cell) if cell else sheet.write_blank(index, column, None, dated)
    workbook.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sheet-rows", type=int, default=100_000)
    parser.add_argument("--real", type=Path)
    arguments = parser.parse_args()
    if arguments.real:
        kinds = (".csv", ".xls", ".xlsx", ".ods")
        files = [path for path in arguments.real.rglob("*.*") if path.suffix in kinds]
        files.sort(key=lambda path: path.stat().st_size)
        for name, path in (("median", files[len(files) // 2]), ("largest", files[-1])):
            print(f"{name} real file, {path.stat().st_size:,} bytes\n  piperoll    {measure(READ, path)}")
    with TemporaryDirectory() as folder:
        for path, rows, write, peer, script in (
            (Path(folder, "spend.csv"), arguments.rows, write_csv, "csv.reader", CSV_READER),
            (Path(folder, "spend.xlsx"), arguments.sheet_rows, write_xlsx, "calamine", CALAMINE),
        ):
            if rows:
                write(path, rows)
                print(f"{path.name} of {rows:,} rows x 12 columns, {path.stat().st_size:,} bytes")
                print(f"  piperoll    {measure(READ, path)}\n  {peer:<11} {measure(script, path)}")


if __name__ == "__main__":
    main()
