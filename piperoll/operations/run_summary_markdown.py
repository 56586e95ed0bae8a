"""The summary of a run as Markdown, for the page of the Prefect server."""

from __future__ import annotations

from piperoll.checking.privacy.public_texts import public_file_name
from piperoll.describing.wording import format_number, format_pounds
from piperoll.operations.run_summary import PoundTotals, RowTotals, RunSummary

_HEAD = (
    "| file | body | dataset | period | outcome | rows read | published | held | £ read | £ published | £ held |",
    "|---|---|---|---|---|--:|--:|--:|--:|--:|--:|",
)


def format_markdown(summary: RunSummary) -> str:
    """Make a table with one row for each file and the totals, then list what was not collected and why."""
    lines = [*_HEAD]
    for result in summary.results:
        dataset = f"{result.dataset} ({result.part})" if result.part else result.dataset
        words = (public_file_name(result.file), result.body, dataset, result.period or "not known", result.outcome)
        lines.append(f"| {' | '.join(map(_cell, words))} | {_figures(result.rows, result.pounds)} |")
    lines.append(f"| **{len(summary.results)} files** | | | | | {_figures(summary.rows, summary.pounds)} |")
    if summary.missed:
        lines += ["", "Not collected:", "", *(f"- {_cell(miss.address)}: {_cell(miss.why)}" for miss in summary.missed)]
    if summary.left_out:
        lines += ["", "Left out:", "", *(f"- {_cell(one.path)}: {_cell(one.why)}" for one in summary.left_out)]
    return "\n".join(lines) + "\n"


def _figures(rows: RowTotals, money: PoundTotals) -> str:
    counts = (format_number(count) for count in (rows.read, rows.published, rows.held))
    return " | ".join((*counts, *(format_pounds(amount) for amount in (money.read, money.published, money.held))))


def _cell(text: str) -> str:
    """Escape text so that it stays in its cell and is not read as markup."""
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\|<>[]*_`" else sign for sign in flat)
