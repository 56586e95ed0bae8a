"""Small hand-made files with the whole outcome of checking them (`small_files/README.md` describes the cases)."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from piperoll.checking.check_file import FileToCheck, examine_file
from piperoll.checking.examine import Examination
from piperoll.checking.totals import exact_sum
from piperoll.model import DecidedAs, Finding, HeldValue, PrivacyDecision, Report, format_decimal

FOLDER = Path(__file__).with_name("small_files")
_GIVEN = {"file", "text", "encoding", "sheets", "options", "decisions"}
ASKED = {"duties", "kind", "held_values", "decided"}
_OUTCOME = {"verdict", "dataset", "period", "rows", "amount", "findings"} | ASKED
_ALWAYS = _OUTCOME - ASKED
_TOPICS = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.toml"))}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{topic}-{name}") for topic, cases in _TOPICS.items() for name, case in cases.items()],
)
def test_a_small_file_has_the_whole_outcome_that_is_written_down(case: Mapping[str, Any]) -> None:
    assert case.keys() <= _GIVEN | _OUTCOME
    actual = outcome(case)
    compared = _ALWAYS | case.keys()
    expected = {key: case[key] for key in case.keys() & _OUTCOME}
    assert {key: actual[key] for key in actual.keys() & compared} == expected, f"the outcome is\n{as_toml(actual)}"


def outcome(case: Mapping[str, Any]) -> dict[str, Any]:
    """What checking the file of a case gives, in the terms of the cases."""
    file = FileToCheck(_content(case), case["file"], **case.get("options", {}))
    return _describe(examine_file(file, decisions=[_decision(*one) for one in enumerate(case.get("decisions", ()))]))


def _decision(number: int, given: Mapping[str, Any]) -> PrivacyDecision:
    moment = f"2026-11-01T09:00:{number:02}Z"
    return PrivacyDecision(
        id=given["value"],
        value=given["value"],
        decided_as=DecidedAs(given["as"]),
        because="By telephone",
        by="An officer",
        decided=moment,
        body="anytown",
        area=given.get("area", False),
    )


def _content(case: Mapping[str, Any]) -> bytes:
    if "text" in case:
        return str(case["text"]).encode(case.get("encoding", "utf-8"))
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in case["sheets"].items():
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(row, column, cell, day)
                else:
                    sheet.write(row, column, cell)
    book.close()
    return buffer.getvalue()


def _describe(examination: Examination) -> dict[str, Any]:
    report, disposition = examination.report, examination.disposition
    counts = [table.rows for table in report.tables]
    described: dict[str, Any] = {
        "verdict": str(report.verdict),
        "dataset": report.dataset,
        "period": report.period,
        "rows": {
            "read": sum(rows.read for rows in counts),
            "published": sum(rows.accepted for rows in counts) if report.verdict.publishes else 0,
            "held": sum(rows.held for rows in counts),
            "redacted": sum(map(len, disposition.redacted.values())),
        },
        "amount": _amount(report),
        "findings": [_finding(each) for each in report.findings if not _is_about_duties(each)],
        "kind": {"kind": report.kind, "source": report.kind_source} if report.kind else None,
        "duties": [_finding(each) for each in report.findings if _is_about_duties(each)],
        "held_values": [_held_value(each) for each in report.held_values],
        "decided": dict(report.decided),
    }
    return {key: value for key, value in described.items() if value is not None}


def _held_value(held: HeldValue) -> dict[str, Any]:
    has = {"value": held.value, "field": held.field, "sheet": held.sheet, "rules": held.rules, "rows": held.rows}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in has.items() if value is not None}


def _is_about_duties(finding: Finding) -> bool:
    return finding.code.startswith(("duty-", "duties-", "kind-"))


def _amount(report: Report) -> dict[str, str] | None:
    amounts = [table.amount for table in report.tables if table.amount]

    def total(parts: Sequence[Decimal]) -> str:
        return format_decimal(exact_sum(parts))

    if not amounts:
        return None
    return {
        "field": amounts[0].field,
        "read": total([each.read for each in amounts]),
        "published": total([each.accepted for each in amounts] if report.verdict.publishes else []),
        "held": total([each.held for each in amounts]),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    has: dict[str, Any] = {"code": finding.code, "severity": str(finding.severity)}
    for name in ("sheet", "row", "column", "field"):
        if (value := getattr(finding, name)) is not None:
            has[name] = value
    if finding.rows:
        has["rows"] = list(finding.rows)
    if finding.count != 1:
        has["count"] = finding.count
    return has


def as_toml(described: Mapping[str, Any]) -> str:
    """The outcome as it would be written in a case: a JSON value is a TOML value too, but for objects."""

    def value(of: Any) -> str:
        if isinstance(of, dict):
            return "{ " + ", ".join(f"{_key(key)} = {value(each)}" for key, each in of.items()) + " }"
        return json.dumps(of, ensure_ascii=False)

    def lines() -> Iterator[str]:
        for key, of in described.items():
            if not isinstance(of, list):
                yield f"{key} = {value(of)}"
        for key in (key for key, of in described.items() if isinstance(of, list)):
            yield f"{key} = ["
            for finding in described[key]:
                yield f"    {value(finding)},"
            yield "]"

    return "\n".join(lines())


def _key(key: str) -> str:
    return key if key.isidentifier() else json.dumps(key, ensure_ascii=False)
