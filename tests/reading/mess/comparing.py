"""Compare what was read with the truth: equal, or reported by a finding that names the mess, or wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from piperoll.model import EXCLUSIONS, Dataset, Finding, Severity, What
from piperoll.reading import Reading, ReadTable

from .drafts import RAW, REGISTRY, UNREADABLE, Draft, Meanings
from .writers import Written

EQUAL, TOLD, MISTOLD, SILENT = "equal", "told", "mistold", "silent"
"""Told: each difference has a warning or error that names a mess of the file. Mistold: there are only others."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was read otherwise than it is."""

    what: str
    field: str | None = None
    row: int | None = None
    read: object = None
    true: object = None


def differences(draft: Draft, file: Written, reading: Reading) -> list[Difference]:
    """Everything that was read otherwise than it is."""
    if reading.what is not What.DATA:
        return [Difference("what", read=f"{reading.what}: {reading.why}", true="data")]
    if reading.dataset is None or reading.dataset.name != draft.dataset:
        return [Difference("dataset", read=reading.dataset and reading.dataset.name, true=draft.dataset)]
    found = [*_records(draft, file, reading), *_exclusions(draft, file, reading), *_headings(draft, file, reading)]
    codes = {finding.code for finding in reading.findings}
    must = draft.must if draft.sheet.heading >= 0 else ()  # without headings that is told, and what they said is lost
    return found + [Difference("untold", true=" or ".join(sorted(one))) for one in must if not one & codes]


def _lines(tables: Sequence[ReadTable]) -> Iterator[tuple[str | None, ReadTable, dict[str, object]]]:
    for table in tables:
        for batch in table.batches():
            columns = batch.to_pydict()
            for index in range(batch.num_rows):
                yield table.sheet, table, {name: cells[index] for name, cells in columns.items()}


def _records(draft: Draft, file: Written, reading: Reading) -> Iterator[Difference]:
    true = {(address.sheet, address.row): (address, line) for address, line in file.lines if line.kind == "record"}
    read = [((sheet, int(str(line["row"]))), table, line) for sheet, table, line in _lines(reading.tables)]
    for key in true.keys() - {key for key, _, _ in read}:
        yield Difference("record lost", row=key[1], true=true[key][1].cells)
    for key, table, line in read:
        if key not in true:
            yield Difference("record made up", row=key[1], read=line)
            continue
        address, sent = true[key]
        if line["line"] != address.line:
            yield Difference("line", row=key[1], read=line["line"], true=address.line)
        yield from _cells(draft, key[1], table, line, sent.means)
    if len(read) > len({key for key, _, _ in read}):
        yield Difference("record read twice")


def _cells(
    draft: Draft, row: int, table: ReadTable, line: dict[str, object], means: dict[str, Meanings]
) -> Iterator[Difference]:
    for name in table.columns:
        if name not in means and line[name] is not None:
            yield Difference("field made up", name, row, table.columns[name])
    for name, true in means.items():
        if name not in table.columns:
            yield Difference("field lost", name, row)
            continue
        value = UNREADABLE if row in table.unreadable.get(name, ()) else line[name]
        if not any(_same(value, each) for each in true):
            yield Difference("cell", name, row, value, true[0])


_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z")


def _same(read: object, true: str | None) -> bool:
    if read is None or true is None or UNREADABLE in (read, true):
        return read == true
    text = str(read)
    if _NUMBER.match(text) and _NUMBER.match(true) and "." in text + true:
        return Decimal(text) == Decimal(true)
    return text == true or _squeezed(text) == _squeezed(true)


def _squeezed(text: str) -> str:
    return _SPACE.sub(" ", text.replace(RAW, "").replace("\0", "")).strip(" \u200b")


def _exclusions(draft: Draft, file: Written, reading: Reading) -> Iterator[Difference]:
    true = {(a.sheet, a.row): line for a, line in file.lines if line.kind in EXCLUSIONS}
    read = {(table.sheet, each.row): each for table in reading.tables for each in table.excluded_rows}
    free = {(a.sheet, a.row) for a, line in file.lines if line.kind in ("free", "heading")}
    blank = not draft.is_text
    for key, line in true.items():
        kind = read[key].kind if key in read else None
        if kind != line.kind and not (line.kind == "blank" and blank):
            yield Difference("excluded", row=key[1], read=kind, true=line.kind)
        elif line.amount is not None and read[key].amount != line.amount:
            yield Difference("excluded amount", row=key[1], read=read[key].amount, true=line.amount)
    for key, each in read.items():
        if key not in true and key not in free and not (each.kind == "blank" and blank):
            yield Difference("excluded wrongly", row=key[1], read=each.kind)


def _headings(draft: Draft, file: Written, reading: Reading) -> Iterator[Difference]:
    table = reading.tables[0]
    if table.header_row != file.heading:
        yield Difference("heading row", read=table.header_row, true=file.heading)
    if draft.format == "json" or draft.sheet.heading < 0:
        return
    for name, letter in table.column_letters.items():
        if name in draft.sheet.columns and letter != _letter(draft.sheet.columns.index(name)):
            yield Difference("letter", name, read=letter, true=_letter(draft.sheet.columns.index(name)))


def _letter(column: int) -> str:
    return _letter(column // 26 - 1) + chr(65 + column % 26) if column >= 26 else chr(65 + column)


_OF_ONE_ROW = frozenset(["row-too-long", "quotes-broken", "amount-unreadable", "number-unreadable", "date-unreadable"])


def outcome(found: Sequence[Difference], messes: Sequence[str], findings: Sequence[Finding]) -> str:
    """Whether differences are reported: each by a warning or error of a code that names one of the messes."""
    if not found:
        return EQUAL
    loud = [each for each in findings if each.severity is not Severity.INFO]
    names = frozenset(code for name in messes for code in REGISTRY[name].names)
    naming = [each for each in loud if each.code in names]
    if all(any(_about(finding, each) for finding in naming) for each in found):
        return TOLD
    return MISTOLD if all(any(_about(finding, each) for finding in loud) for each in found) else SILENT


def _about(finding: Finding, difference: Difference) -> bool:
    """Whether a finding may be about a difference: of the same field, and of the same row if it is about one."""
    if difference.what == "untold":
        return False
    if finding.field and difference.field and finding.field != difference.field and finding.code != "row-too-long":
        return False
    one = finding.code in _OF_ONE_ROW and finding.count == 1 and finding.row is not None
    return not one or difference.row is None or difference.row == finding.row


def dataset_of(name: str, datasets: Sequence[Dataset]) -> Dataset:
    """The dataset called so."""
    return next(each for each in datasets if each.name == name)
