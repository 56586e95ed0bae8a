"""The words for what checking has to say: one small function a code, each with its entry in docs/findings.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from piperoll.checking.places import Place
from piperoll.checking.plausibility import UnmetExpectation
from piperoll.checking.schema import Breach
from piperoll.model import Acts, Dataset, Field, Finding, Period, Severity, Version, plain

NAMED = 5  # so many rows a finding about more of them names

_RULES = {
    "required": "must not be empty",
    "minimum": "must not be less than {bound}",
    "maximum": "must not be more than {bound}",
    "minLength": "must have at least {bound} characters",
    "maxLength": "must not have more than {bound} characters",
    "pattern": "is not in the form wanted",
    "enum": "is not one of the values that we know: {bound}",
}


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule of privacy: its code, how sure it is, and what it says that a cell holds."""

    code: str
    severity: Severity
    holds: str


_NAME = "what looks like a private person's name"
_AREA = (
    "a service area whose payees are often carers, children or their families, and the supplier is not evidently an "
    "organisation"
)
_SUSPECTED = {
    rule.code.removeprefix("privacy-"): rule
    for rule in (
        _Rule("privacy-ni-number", Severity.ERROR, "what looks like a National Insurance number"),
        _Rule("privacy-nhs-number", Severity.ERROR, "what looks like an NHS number"),
        _Rule("privacy-email", Severity.ERROR, "what looks like a person's own e-mail address"),
        _Rule("privacy-phone", Severity.WARNING, "what looks like a telephone number"),
        _Rule("privacy-sort-code", Severity.ERROR, "what looks like a bank's sort code"),
        _Rule("privacy-account-number", Severity.ERROR, "what looks like the number of a bank account"),
        _Rule("privacy-titled-name", Severity.ERROR, _NAME),
        _Rule("privacy-surname-initial", Severity.WARNING, _NAME),
        _Rule("privacy-full-name", Severity.WARNING, _NAME),
        _Rule("privacy-date-of-birth", Severity.WARNING, "what looks like a date of birth"),
        _Rule("privacy-case-reference", Severity.WARNING, "what looks like the reference of somebody's case"),
        _Rule("privacy-service-area", Severity.WARNING, _AREA),
    )
}


def core_missing(dataset: Dataset, group: Sequence[str], place: Place) -> Finding:
    """A table without any of the columns of a core group."""
    titles = " or ".join(_title(dataset, name) for name in group)
    wanted = [name for name in group if name != "@period"]
    known = [heading.heading for heading in dataset.headings if heading.field in wanted][:6]
    looked = f" We looked for headings such as {', '.join(known)}." if known else ""
    return Finding(
        "core-missing",
        Severity.ERROR,
        f"We could not find a column for {titles}.{looked}",
        f"Give the column a heading that says so, such as '{dataset.field(wanted[0]).title}', and send the file again.",
        sheet=place.sheet,
        field=wanted[0],
    )


def core_unreadable(field: Field, place: Place) -> Finding:
    """A cell without which the row cannot be published, and which could not be read."""
    return Finding(
        "core-unreadable",
        Severity.ERROR,
        f"Row {place.row} is held: its {field.title.lower()} cannot be read.",
        f"Correct {place.words} and send the file again. The row is held until then.",
        **place.address,
    )


def column_absent(field: Field, sheet: str | None, *, certain: bool) -> Finding:
    """A column that law or code asks for, and that is not there; told only if the duty may be another's."""
    return Finding(
        "duty-column-absent",
        Severity.WARNING if certain else Severity.INFO,
        f"There is no column for '{field.title}', which is asked for by: {field.source}.",
        "Add the column next time, if the duty is yours.",
        sheet=sheet,
        field=field.name,
    )


def cells_missing(field: Field, place: Place, missing: int, rows: int) -> Finding:
    """A column that has gaps."""
    return Finding(
        "cells-missing",
        Severity.WARNING,
        f"'{field.title}' is empty in {missing:,} of {rows:,} rows ({place.words}).",
        "Fill them in next time. The rows are published as they are.",
        count=missing,
        **place.address,
    )


def breach(said: Breach, field: Field, place: Place, *, holds: bool) -> Finding:
    """A cell that the published schema refuses; `holds` if its row is held for it."""
    if said.kind == "constraint-error":
        rule = _RULES[said.rule or ""].format(bound=(said.bound or "").strip("[]").replace("'", ""))
        finding = Finding("structure-constraint-error", Severity.WARNING, rule, "")
    elif said.kind == "unique-error":
        finding = Finding("structure-unique-error", Severity.WARNING, "stands in an earlier row too, and must not", "")
    else:
        finding = Finding("structure-type-error", Severity.WARNING, f"is not a {field.type} that we can publish", "")
    sent = "the cell" if said.sent is None else f"'{said.sent}'"
    outcome = "The row is held until then." if holds else "Until then the cell is left out of what is published."
    return replace(
        finding,
        severity=Severity.ERROR if holds else Severity.WARNING,
        message=f"In {place.words}, '{field.title}': {sent} {finding.message}.",
        fix=f"Correct {place.words} and send the file again. {outcome}",
        value=said.sent,
        **place.address,
    )


def implausible_cell(said: UnmetExpectation, place: Place) -> Finding:
    """A row that does not meet an expectation."""
    where = place.words[0].upper() + place.words[1:]
    return Finding(said.code, said.severity, f"{where}: {said.message}", said.fix, **place.address)


def implausible_whole(said: UnmetExpectation, place: Place) -> Finding:
    """A table that as a whole does not meet an expectation."""
    observed = f" (we found {said.observed})" if said.observed is not None else ""
    return Finding(said.code, said.severity, f"{said.message}{observed}", said.fix, **place.address)


def suspected(rule: str, place: Place) -> Finding:
    """A row that is held for privacy; the finding has the address and the rule, and never what the cell says."""
    words = _SUSPECTED[rule]
    return Finding(
        words.code,
        words.severity,
        f"{place.words[0].upper()}{place.words[1:]} holds {words.holds}. The row is held.",
        "If it is about a private person, replace the name with REDACTED PERSONAL DATA, take out the other details and "
        "send the file again. If it is a business, tell us so.",
        **place.address,
    )


def name_not_due(field: Field, place: Place, rows: int) -> Finding:
    """Holders of posts who are named though no rule asks for it."""
    return Finding(
        "privacy-name-not-due",
        Severity.WARNING,
        f"'{field.title}' names {rows:,} people whose posts are not among those that are published with a name.",
        "Leave those names out next time. We publish the rows without them.",
        count=rows,
        **place.address,
    )


def redacted(place: Place, rows: int) -> Finding:
    """Names that the body has left out itself."""
    return Finding(
        "names-redacted",
        Severity.INFO,
        f"{rows:,} rows have a redaction in place of a name.",
        "Nothing to do. We leave out what goes with the name, too: references and numbers that would give it away.",
        count=rows,
        acts=Acts.PLATFORM,
        **place.address,
    )


def period_unknown() -> Finding:
    """No period can be told."""
    return Finding(
        "period-unknown",
        Severity.ERROR,
        "We cannot tell which period this file covers: neither its name nor the dates in it say so. The file is held.",
        "Put the month in the file's name, for example 'spend 2026-10.csv', or say the period when you send it.",
    )


def period_from_name(period: Period, name: str) -> Finding:
    """The period stands in a name."""
    return Finding(
        "period-from-name",
        Severity.INFO,
        f"We take the file to cover {period.title}, as the name '{name}' says.",
        "Nothing to do, if that is right.",
        acts=Acts.PLATFORM,
    )


def period_from_dates(period: Period) -> Finding:
    """The period is told from the dates."""
    return Finding(
        "period-from-dates",
        Severity.INFO,
        f"We take the file to cover {period.title}: it is the shortest period that holds nine in ten of its dates.",
        "Nothing to do, if that is right. To be sure, put the period in the file's name.",
        acts=Acts.PLATFORM,
    )


def name_contradicted(period: Period, inside: int, dated: int) -> Finding:
    """The name says one period and the dates another."""
    return Finding(
        "period-name-contradicted",
        Severity.WARNING,
        f"The name says {period.title}, but only {inside:,} of {dated:,} dated rows lie in it. We went by the dates.",
        "Check that you sent the file that you meant to send, and that its name is right.",
    )


def name_ambiguous(periods: Sequence[Period]) -> Finding:
    """The name says several periods."""
    return Finding(
        "period-name-ambiguous",
        Severity.INFO,
        f"The name may mean {' or '.join(period.title for period in periods)}. We went by the dates.",
        "Put one period only in the file's name.",
    )


def dates_outside(period: Period, place: Place, first: Sequence[int], count: int) -> Finding:
    """Rows dated outside the period: the first of them, and how many."""
    named = ", ".join(f"{row}" for row in first[:NAMED])
    return Finding(
        "dates-outside-period",
        Severity.WARNING,
        f"{count:,} rows are dated outside {period.title}: rows {named}{' and others' if count > NAMED else ''}.",
        "Check the dates. The rows are published as they are.",
        count=count,
        **place.address,
    )


def no_rows() -> Finding:
    """A file that has headings and no records."""
    return Finding(
        "no-rows",
        Severity.ERROR,
        "The file has headings but no records, and does not say that there is nothing to report. It is held.",
        "If there was nothing in this period, write 'Nil return' below the headings. Otherwise send the rows.",
    )


def not_data(why: str | None) -> Finding:
    """A file in which there is no table for a dataset of ours."""
    reason = f" ({why.replace('_', ' ')})" if why else ""
    return Finding(
        "not-data",
        Severity.ERROR,
        f"There is no table in this file that we can use{reason}.",
        "Send the table as a CSV or XLSX file, with one row of headings and one record a row.",
    )


def too_much_held(rows: int, of_rows: int, pounds: str, of_pounds: str) -> Finding:
    """More would be held than what remains is worth."""
    return Finding(
        "too-much-held",
        Severity.ERROR,
        f"{rows:,} of {of_rows:,} rows (£{pounds} of £{of_pounds}, signs apart) cannot be published. That is more than "
        "one in ten, so the whole file is held.",
        "Correct what is named as an error and send the file again.",
    )


def more_rows(ours: int, standing: Version) -> Finding:
    """Far more rows than the version that stands."""
    return Finding(
        "more-rows-than-before",
        Severity.WARNING,
        f"This file has {ours:,} rows to publish; version {standing.version}, which stands, has {standing.rows:,}.",
        "Check that nothing is in the file twice.",
    )


def more_pounds(ours: Decimal, theirs: Decimal, standing: Version) -> Finding:
    """Far more pounds than the version that stands."""
    return Finding(
        "more-pounds-than-before",
        Severity.WARNING,
        f"This file adds up to £{plain(ours)} where version {standing.version}, which stands, has £{plain(theirs)}.",
        "Check that nothing is in the file twice, and that the amounts are in pounds and not in pence.",
    )


def _title(dataset: Dataset, name: str) -> str:
    return "a date (or a period that you give with the file)" if name == "@period" else f"'{dataset.field(name).title}'"
