"""Nothing personal gets out: names in any spelling and place of a file, searched in everything that is public."""

from __future__ import annotations

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from piperoll.errors import UsageError
from piperoll.operations.release import require_reason
from piperoll.operations.run_request import RunRequest
from piperoll.people.names import fold_text
from piperoll.people.private_people import person_rule
from publishers import Store, open_store
from tests.operations.inbox import plain_run, put

PUBLIC = ("data/", "reports/", "catalogue/")
GIVEN = (
    *("Jane", "Mohammed", "Olumide", "Agnieszka", "Priya", "Siobhan", "Kwame", "Fatima", "Svetlana", "Ioan", "Yuki"),
    *("Usha", "Chidi", "Zsofia", "Wei", "Maria", "Hans", "Aylin", "Tomasz", "Ngozi"),
)
SYLLABLES = ("vel", "mor", "ath", "quin", "dov", "ris", "tal", "bek", "orn", "zel", "kav", "lud", "pem", "wex", "hul")
SPELLINGS = (
    *("{given} {family}", "{family}, {given}", "{FAMILY} {GIVEN}", "mrs {given_} {family_}", "{given_} {family_}"),
    *("Mr and Mrs {family}", "Estate of {given} {family}", "{given}  {family} 12345", "Dr {given} {family}"),
    *("{given}\u00a0{accented}", "Refund to {given} {family}", "W/E 13.10.13 {GIVEN} {FAMILY}", "c/o {given} {family}"),
)
COLUMNS = {
    "Payment Date": "05/10/2026", "Supplier Name": "Acorn Roofing Ltd", "Amount": "650.00",
    "Transaction Number": "T{n:05}",
    "Expense Type": "Supplies", "Expense Area": "Estates", "Purpose": "Roof repairs", "Contract Reference": "C-{n}",
    "Project Code": "P{n}", "Supplier Type": "Company", "Entity": "Anytown Council",
}  # fmt: skip
PLACES = [name for name in COLUMNS if name not in ("Payment Date", "Amount")]


def families() -> Iterator[str]:
    """Made-up family names, no two alike."""
    for parts in itertools.product(SYLLABLES, repeat=4):
        yield "".join(parts).title()


def spell(spelling: str, given: str, family: str) -> str:
    return spelling.format(
        given=given, family=family, GIVEN=given.upper(), FAMILY=family.upper(), given_=given.lower(),
        family_=family.lower(), accented=family.replace("e", "é").replace("o", "ó").replace("a", "à"),
    )  # fmt: skip


def row(number: int, **cells: str) -> list[str]:
    return [cells.get(name, cell.format(n=number)) for name, cell in COLUMNS.items()]


def spend(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([list(COLUMNS), *rows])
    return text.getvalue().encode()


def public_words(store: Store) -> set[str]:
    """Every word of everything public, folded. The Parquet of a table has the words of its CSV."""
    words: set[str] = set()
    for prefix in PUBLIC:
        for key in store.keys(prefix):
            if not key.endswith(".parquet"):
                text = store.read(key).content.decode("utf-8", "replace")
                words.update(re.findall(r"[^\W\d_]+", fold_text(f"{key} {text}")))
    return words


@pytest.fixture
def order(tmp_path: Path) -> RunRequest:
    return RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")


@pytest.mark.soak
def test_a_name_that_is_held_in_its_plain_form_is_public_in_no_spelling_and_place(
    order: RunRequest, tmp_path: Path, *, long: bool
) -> None:
    """Each generated name stands once as a supplier, and once more in another spelling and place of the file."""
    cases = itertools.cycle(itertools.product(PLACES, SPELLINGS))
    chosen = list(zip(families(), itertools.cycle(GIVEN), cases, range(10_000 if long else 300), strict=False))
    rows = [row(number) for number in range(len(chosen))]
    for family, given, (place, spelling), number in chosen:
        rows.append(row(10_000 + number, **{"Supplier Name": f"{given} {family}"}))
        rows.append(row(30_000 + number, **{place: spell(spelling, given, family)}))
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(rows))
    (result,) = plain_run(order).results
    assert result.rows.published
    public = public_words(open_store(order.to))
    assert "ACORN" in public
    held = [(one, given, case) for one, given, case, _ in chosen if person_rule(f"{given} {one}")]
    assert len(held) > 0.9 * len(chosen)
    assert not [(f"{given} {family}", *case) for family, given, case in held if family.upper() in public]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("spelling", ["Mrs {given} {family}", "mrs {family_}", "Miss {FAMILY}", "Mr and Mrs {family}"])
def test_a_titled_name_is_held_in_every_column(order: RunRequest, tmp_path: Path, place: str, spelling: str) -> None:
    """Columns that are shifted against their headings put suppliers' names into transaction numbers."""
    rows = [row(number) for number in range(12)] + [row(99, **{place: spell(spelling, "Jane", "Velmorathi")})]
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(rows))
    (result,) = plain_run(order, catalogued=False).results
    assert result.rows.published >= 12
    assert "VELMORATHI" not in public_words(open_store(order.to))


def test_a_person_in_the_names_of_file_sheet_and_archive_member_is_public_nowhere(
    order: RunRequest, tmp_path: Path
) -> None:
    files = {
        "spend October 2026 Jane Velmorathi.csv": spend([row(number) for number in range(5)]),
        "refund to mrs dovrisquin September 2026.csv": spend([row(7, **{"Payment Date": "05/09/2026"})]),
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("Fatima Talbekorn August 2026.csv", spend([row(8, **{"Payment Date": "05/08/2026"})]))
        packed.writestr("notes about Olumide Zelkavlud.txt", "nothing")
    files["August 2026.zip"] = archive.getvalue()
    for name, content in files.items():
        put(tmp_path / "inbox", f"spend/anytown/{name}", content)
    assert len(plain_run(order).results) == 3
    public = public_words(open_store(order.to))
    assert not {"VELMORATHI", "DOVRISQUIN", "TALBEKORN", "ZELKAVLUD"} & public
    assert "WITHHELD" in public
    assert "ACORN" in public


def test_the_text_about_a_person_is_left_out_and_the_payment_published(order: RunRequest, tmp_path: Path) -> None:
    """The row keeps its money and its supplier, and loses the identifiers that could lead to the person."""
    rows = [row(number) for number in range(9)]
    rows.append(row(50, **{"Purpose": "W/E 13.10.13 Jane Velmorathi", "Supplier Name": "Anytown Staff Agency Ltd"}))
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(rows))
    (result,) = plain_run(order, catalogued=False).results
    assert (result.rows.published, result.rows.held) == (10, 0)
    store = open_store(order.to)
    (table,) = (key for key in store.keys("data/") if key.endswith("spend.csv"))
    lines = list(csv.DictReader(store.read(table).content.decode().splitlines()))
    (line,) = (line for line in lines if line["supplier_name"] == "Anytown Staff Agency Ltd")
    assert (line["purpose"], line["net_amount"], line["contract_ref"]) == ("REDACTED PERSONAL DATA", "650.00", "")


@pytest.mark.parametrize("reason", ["Mrs Velmorathi complained", "Jane Smith asked for it", "jane.doe@example.org"])
def test_a_reason_that_names_a_person_is_refused_because_it_is_published(reason: str) -> None:
    with pytest.raises(UsageError, match="name a person"):
        require_reason(reason)


def test_a_plain_reason_is_kept() -> None:
    assert require_reason(" The council confirmed the figures ") == "The council confirmed the figures"
