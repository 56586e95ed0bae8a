"""The summary of a run as Markdown, for the page of the Prefect server.

Files and addresses are named by their hashes, and reasons by their codes: Prefect keeps what it is given, and a name
may have to be purged.
"""

from __future__ import annotations

import hashlib
from collections import Counter

from piperoll.describing.wording import format_count, format_number, format_pounds
from piperoll.model import describe_period
from piperoll.operations.run_summary import MissedAddress, PoundTotals, RowTotals, RunSummary

_HEAD = (
    "| sha256 | body | dataset | period | outcome | rows read | published | held | £ read | £ published | £ held |",
    "|---|---|---|---|---|--:|--:|--:|--:|--:|--:|",
)


def format_markdown(summary: RunSummary) -> str:
    """Make a table with one row for each file and the totals, then list or count what was not collected and why."""
    lines = [*_HEAD]
    for result in summary.results:
        dataset = f"{result.dataset} ({result.part})" if result.part else result.dataset
        words = (result.sha256[:12], result.body, dataset, describe_period(result.period), result.brief)
        lines.append(f"| {' | '.join(map(_cell, words))} | {_figures(result.rows, result.pounds)} |")
    lines.append(f"| **{len(summary.results)} files** | | | | | {_figures(summary.rows, summary.pounds)} |")
    if summary.missed:
        lines += ["", "Not collected:", "", *(_missed(miss) for miss in summary.missed)]
    if summary.left_out:
        reasons = Counter(one.why for one in summary.left_out)
        lines += ["", "Left out of the inbox:", "", *(f"- {count:,}: {_cell(why)}" for why, count in reasons.items())]
    return "\n".join(lines) + "\n"


def _missed(miss: MissedAddress) -> str:
    """A line for an address, with the folder of its log in the store."""
    digest = hashlib.sha256(miss.address.encode()).hexdigest()[:20]
    return f"- {_cell(miss.body)} {_cell(miss.dataset)}, fetches/{digest}/: {_cell(miss.kind)}"


def _figures(rows: RowTotals, money: PoundTotals) -> str:
    counts = (format_number(count) for count in (rows.read, rows.published, rows.held))
    pounds = [format_pounds(amount) for amount in (money.read, money.published, money.held)]
    if money.held_unreadable:
        pounds[-1] += f" and {format_count(money.held_unreadable, 'row')} whose amount cannot be read"
    return " | ".join((*counts, *pounds))


def _cell(text: str) -> str:
    """Escape text so that it stays in its cell and is not read as markup."""
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\|<>[]*_`" else sign for sign in flat)
