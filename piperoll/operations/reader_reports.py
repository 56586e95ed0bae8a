"""What readers report about published tables: taken, shown to the body, and answered beside the table.

A report is kept without anything about the reader. Its text is private until the body has answered; then both are
published with the table, if neither names a person.
"""

from __future__ import annotations

import publishers
from piperoll.checking.privacy.personal_data import personal_rules
from piperoll.checking.privacy.public_texts import names_person
from piperoll.errors import UsageError
from piperoll.model import ReaderAnswer, ReaderConcern, ReaderReport, Series

LONGEST_REPORT = 1000
LONGEST_ANSWER = 1000
"""Characters; a longer text is refused."""

MOST_OPEN = 200
"""Reports of one body that wait for an answer. Further ones are refused, so that nobody can fill the store."""


def report_table(
    store: publishers.Store, series: Series, concern: str, text: str, *, moment: str, line: str | None = None
) -> ReaderReport:
    """Keep what a reader says about the current version of a table.

    Raises: UsageError: nothing is published there, the text is empty or too long, or too many reports are open.
    """
    text = _check_text(text, LONGEST_REPORT, "what you found")
    if concern not in set(ReaderConcern):
        raise UsageError("say what your report is about: wrong, missing, unclear or personal")
    current = publishers.read_history(store, series)[0].current_version
    if current is None:
        raise UsageError("this table is not published: check its address")
    if sum(1 for _ in list_open_reports(store, series.body)) >= MOST_OPEN:
        raise UsageError("this body has many reports to answer: try again later, or write to the body itself")
    line = (line or "").strip()[:100] or None
    report = ReaderReport(series, current.version, ReaderConcern(concern), text, moment, line)
    return publishers.record_reader_report(store, report)


def list_open_reports(store: publishers.Store, body: str | None = None) -> list[ReaderReport]:
    """The reports on tables of a body, or of all bodies, that nobody has answered; the oldest first."""
    reports = list(publishers.list_reader_reports(store, body))
    answered = {
        (series, answer.id)
        for series in {report.series for report in reports}
        for answer in publishers.read_reader_answers(store, series)
    }
    unanswered = [report for report in reports if (report.series, report.id) not in answered]
    return sorted(unanswered, key=lambda report: (report.reported, report.id))


def answer_report(
    store: publishers.Store, body: str, identifier: str, answer: str, *, by: str, moment: str, quote: bool = True
) -> ReaderAnswer:
    """Publish a body's answer to a report on one of its tables; `quote` publishes what the reader wrote, too.

    A report that is about personal data, or that may name a person, is never quoted.
    Raises: UsageError: there is no such report, or the answer is empty, too long or may name a person.
    """
    reports = publishers.list_reader_reports(store, body)
    report = next((one for one in reports if one.id == identifier), None)
    if report is None:
        raise UsageError("there is no such report on a table of this body")
    answer = check_answer(answer)
    quoted = quote and report.concern is not ReaderConcern.PERSONAL and not names_somebody(report.text)
    published = ReaderAnswer(
        report.id, report.version, report.concern, report.text if quoted else None, report.reported, answer, moment
    )
    publishers.publish_reader_answer(store, report.series, published, by=by)
    return published


def check_answer(text: str) -> str:
    """An answer on one line. Raises: UsageError: it cannot be published."""
    text = _check_text(text, LONGEST_ANSWER, "the answer")
    if names_somebody(text):
        raise UsageError("the answer is published, and may name a person: leave the name out, and sign with a role")
    return text


def names_somebody(text: str) -> bool:
    """Whether a text may name a person or hold personal data, so that it is not published."""
    return bool(personal_rules(text)) or names_person(text, in_sentence=True)


def _check_text(text: str, longest: int, what: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise UsageError(f"write {what}")
    if len(text) > longest:
        raise UsageError(f"{what} has {len(text):,} characters, and {longest:,} are the most: shorten it")
    if not text.isprintable():
        raise UsageError(f"{what} has characters that cannot be printed: type it again")
    return text
