"""Words that only pages use: who must act on what waits, problems of the page to check a file, cells and fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from piperoll import assets
from piperoll.describing.wording import format_count, format_day, format_pounds
from piperoll.model import Acts, ReturnKind, Statement, describe_period


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """How a list of files that wait for one party is called, and what happens to them next."""

    title: str
    next: str


WAITS_FOR = {
    Acts.BODY: WaitsFor("Files that wait for their sender", "The body must correct these files, or confirm them."),
    Acts.PLATFORM: WaitsFor(
        "Files that wait for us",
        "We have a question about each of these files. The body need not do anything: when we have answered, the next "
        "run examines the file again.",
    ),
}

_PROBLEMS = {
    "too-large": (
        "The file is too large",
        (
            "Delete blank rows and sheets that are not part of the table.",
            "Send the table in parts, for example by month.",
        ),
    ),
    "too-heavy": (
        "The file is too much for this page",
        (
            "Delete blank rows and sheets that are not part of the table.",
            "Send the table in parts, for example by month.",
        ),
    ),
    "too-slow-to-send": (
        "The file did not arrive",
        ("Check your connection.", "Try again, if you can from a faster one, or with a smaller file."),
    ),
    "too-many-at-once": ("We are checking other files", ("Wait a minute, and try again.",)),
    "no-room": ("We cannot check files now", ("Try again later.", "Tell the operator if it happens again.")),
    "store": ("We cannot check files now", ("Try again later.", "Tell the operator if it happens again.")),
    "no-file": ("No file was chosen", ("Choose your file, then select 'Check the file'.",)),
    "bad-parameter": ("Something in the form is not right", ("Correct it, or leave the field empty, and try again.",)),
    "unknown-kind": (
        "Something in the form is not right",
        ("Choose a kind of body from the list, or leave it empty.",),
    ),
    "unknown-template": ("There is no such blank form", ("Choose one on the page to check a file.",)),
}
"""For each kind of problem of the page to check a file: its heading, and what to do."""

_OTHER_PROBLEM = ("We could not check the file", ("Try again.", "Tell the operator if it happens again."))


def describe_problem(kind: str) -> tuple[str, tuple[str, ...]]:
    """Return the heading of a problem of the page to check a file, and what to do."""
    return _PROBLEMS.get(kind, _OTHER_PROBLEM)


def format_cell(cell: str, unit: str | None) -> str:
    """Format a published number as text for a table of rows: £1,250.00, 1,207, 0.75; an empty cell stays empty."""
    if not cell:
        return cell
    figure = Decimal(cell)
    if unit == "GBP":
        return format_pounds(figure)
    whole, point, decimals = cell.lstrip("-").partition(".")
    return f"{'-' if figure < 0 else ''}{int(whole or 0):,}{point}{decimals}"


def format_share(count: int, whole: int) -> str:
    """Say how many rows of a table have something: every row; 12 of 40 rows (30 %); 1 of 900 rows (under 1 %)."""
    if count == whole:
        return "every row" if whole != 1 else "the one row"
    percent = 100 * count // whole
    words = f"{percent} %" if percent else "under 1 %"
    return f"{count:,} of {format_count(whole, 'row')} ({words})"


def describe_source(source: str) -> str:
    """Say where a field comes from, without the address of a document of ours."""
    return re.sub(r" \(docs/[^)]*\)", "", source)


def shorten(text: str | None, most: int = 240) -> str:
    """Cut a text at a word; a text of at most `most` letters, and None, stay as they are (None is empty)."""
    if text is None or len(text) <= most:
        return text or ""
    return text[:most].rpartition(" ")[0].rstrip(" ,;:.") + " …"


def describe_statement(statement: Statement) -> str:
    """What a body says of a return that it does not send, in a sentence."""
    period = describe_period(statement.period)
    listed = assets.return_reasons().get(statement.kind, ())
    why = next((one["text"] for one in listed if one["code"] == statement.reason), statement.reason)
    if statement.kind is ReturnKind.EXEMPT:
        return f"The body says that it is exempt for {period}: {why} ({statement.clause})."
    by = format_day(statement.expected or "")
    return f"The body says that {period} will be late: {why}. It expects to send it by {by}."
