"""Generate spend data of any size: a file as a body sends it, and the same rows in a tidy file for other tools.

DuckDB makes each row from hashes of its number, so the same call gives the same bytes and ten million rows take
seconds. `bad` rows of each thousand have one wrong cell: an amount in words, a day that does not exist, no supplier, a
payment in 1926, or an impossibly large amount.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

HEADINGS = (
    "Department Family", "Entity", "Date of Payment", "Expense Type", "Expense Area", "Supplier", "Supplier No.",
    "Transaction Number", "Amount (£)", "Purpose", "Supplier Postcode", "Supplier Type",
)  # fmt: skip
FIELDS = (
    "department_family", "body_name", "payment_date", "expense_type", "expense_area", "supplier_name",
    "supplier_local_id", "transaction_number", "net_amount", "purpose", "postcode", "supplier_type",
)  # fmt: skip

_ROWS = """
CREATE TABLE words AS SELECT
  ['Ashdown','Brindle','Corran','Dunmore','Eastry','Farley','Holt','Iver','Kelling','Lusby','Marden','Norley','Ockley',
   'Penhill','Quarley','Rudge','Selby Vale','Tarrant','Upwey','Wroxham'] AS first,
  ['Building','Care','Catering','Cleaning','Civil Engineering','Energy','Facilities','Fostering','Highways','Housing',
   'Legal','Logistics','Print','Recycling','Software','Training'] AS second,
  ['Ltd','Limited','PLC','LLP','Group Ltd','Services Limited','Partners LLP','CIC'] AS third,
  ['Adults, health and care','Children''s services','Highways','Estates','Digital','Waste & recycling'] AS areas,
  ['Agency staff','Repairs','Licences','Consultancy','Grants to bodies','Utilities','Equipment','Rent'] AS types;
CREATE MACRO pick(list, number) AS list[(1 + number % len(list))::INT];
CREATE TABLE made AS SELECT
  i, hash(i) AS a, hash(i + 1000000007) AS b, hash(i + 2000000011) AS c,
  CASE WHEN hash(i + 3000000019) % 1000 < $bad THEN (hash(i + 4000000007) % 5)::INT ELSE -1 END AS wrong
FROM range($rows) t(i);
CREATE VIEW filled AS SELECT
  i, wrong, (a % 9050000)::BIGINT - 50000 AS pennies, DATE '2026-04-01' + (b % 365)::INT AS day, (c % 2560)::INT AS s,
  pick(types, b // 512) AS type, pick(areas, c // 4096) AS area,
  CASE WHEN i % 7 = 0 THEN '' ELSE 'Invoice ' || (a // 16777216) % 1000000 || ' for ' || lower(pick(areas, a)) END
    AS text,
  first, second, third
FROM made, words;
CREATE VIEW tidy AS SELECT
  i, 'Borough of Wessing' AS department_family, 'Wessing' AS body_name,
  CASE wrong WHEN 1 THEN '31/02/2026' WHEN 3 THEN strftime(day - INTERVAL 100 YEAR, $days) ELSE strftime(day, $days) END
    AS payment_date,
  type AS expense_type, area AS expense_area,
  CASE wrong WHEN 2 THEN '' ELSE pick(first, s) || ' ' || pick(second, s // 20) || ' ' || pick(third, s // 320) END
    AS supplier_name,
  (100000 + s)::VARCHAR AS supplier_local_id, 'PAY' || lpad(i::VARCHAR, 8, '0') AS transaction_number,
  CASE wrong WHEN 0 THEN 'see invoice' WHEN 4 THEN {huge} ELSE {amount} END AS net_amount,
  text AS purpose, 'WX' || s % 20 || ' ' || s % 9 || 'AB' AS postcode, CASE WHEN i % 3 = 0 THEN 'SME' ELSE '' END
    AS supplier_type
FROM filled;
"""
_SENT = "CASE WHEN pennies < 0 THEN '-' ELSE '' END || '£' || format('{:,}', abs(pennies) // 100) || '.' || pence"
_PENCE = "lpad((abs(pennies) % 100)::VARCHAR, 2, '0')"


@dataclass(frozen=True)
class SpendFiles:
    """One table in two files: `sent` as a body sends it, and `tidy` with the field names and formats of the dataset."""

    sent: Path
    tidy: Path


def spend_files(folder: Path, rows: int, bad: int) -> SpendFiles:
    """The paths of a table, which `write_spend` writes."""
    return SpendFiles(folder / f"spend-{rows}-{bad}.csv", folder / f"tidy-{rows}-{bad}.csv")


def write_spend(folder: Path, rows: int, bad: int = 0, *, tidy: bool = True) -> SpendFiles:
    """Write `rows` records, of which `bad` in each thousand have an error."""
    files = spend_files(folder, rows, bad)
    body = folder / "body.csv"
    sent = _SENT.replace("pence", _PENCE)
    _copy(rows, bad, "%d/%m/%Y", "'£99,999,999,999.99'", sent, body, header=False)
    with files.sent.open("w", encoding="utf-8", newline="") as out:
        out.write("Payments over £500" + "," * 11 + "\n" + "," * 11 + "\n" + ",".join(HEADINGS) + "\n")
    with files.sent.open("ab") as out, body.open("rb") as lines:
        shutil.copyfileobj(lines, out, 2**22)
    body.unlink()
    if tidy:
        plain = f"CASE WHEN pennies < 0 THEN '-' ELSE '' END || abs(pennies) // 100 || '.' || {_PENCE}"
        _copy(rows, bad, "%Y-%m-%d", "'99999999999.99'", plain, files.tidy, header=True)
    return files


def _copy(rows: int, bad: int, days: str, huge: str, amount: str, to: Path, *, header: bool) -> None:
    import duckdb  # noqa: PLC0415 - only the process that writes needs it

    with duckdb.connect() as database:
        database.execute("SET enable_progress_bar = false")
        script = _ROWS.replace("{huge}", huge).replace("{amount}", amount).replace("$days", f"'{days}'")
        for statement in script.replace("$rows", str(rows)).replace("$bad", str(bad)).split(";\n"):
            if statement.strip():
                database.execute(statement)
        columns = ", ".join(FIELDS)
        database.execute(f"COPY (SELECT {columns} FROM tidy ORDER BY i) TO '{to}' (HEADER {header}, QUOTE '\"')")
