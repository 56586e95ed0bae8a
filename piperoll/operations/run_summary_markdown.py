"""The summary of a run as Markdown, for the page of the Prefect server.

Files and addresses are named by their hashes, and reasons by their codes: Prefect keeps what it is given, and a name
may have to be purged.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from piperoll.describing.wording import format_count, format_number, format_pounds
from piperoll.model import describe_period
from piperoll.operations.run_summary import (
    Ending,
    FileResult,
    MissedAddress,
    PoundTotals,
    RowTotals,
    RunSummary,
    group_missed,
)

_HEAD = (
    "| sha256 | body | dataset | period | outcome | rows read | published | held | £ read | £ published | £ held |",
    "|---|---|---|---|---|--:|--:|--:|--:|--:|--:|",
)


_LISTED_FILES = 500
"""At most this many files in the table, those first that were not published: the catalogue has a page for each."""
_LISTED_BODIES = 5
_ATTENTION = (Ending.FAILED, Ending.HELD, Ending.REJECTED, Ending.REFUSED)
"""The endings that need someone's attention, the most pressing first."""


def format_headline(summary: RunSummary) -> str:
    """One sentence: how many files ended how, and the pounds. `312 files: 300 published, 12 held; £5 read, …`."""
    endings = ", ".join(f"{count:,} {ending}" for ending in Ending if (count := summary.endings[ending]))
    money = summary.pounds
    pounds = f"{format_pounds(money.read)} read, {format_pounds(money.published)} published"
    text = f"{format_count(len(summary.results), 'file')}: {endings or 'nothing new'}; {pounds}, "
    text += f"{format_pounds(money.held)} held"
    if summary.missed:
        text += f"; {format_count(len(summary.missed), 'address', 'addresses')} without a file"
    return text + ("; the catalogue could not be built" if summary.trouble else "")


def count_summary(summary: RunSummary) -> dict[str, int | str]:
    """Files by ending, rows and pounds, addresses without a file, and problems of the catalogue; pounds as text."""
    counts: dict[str, int | str] = {"files": len(summary.results)}
    counts |= {str(ending).replace(" ", "_"): summary.endings[ending] for ending in Ending}
    counts |= {f"rows_{name}": getattr(summary.rows, name) for name in ("read", "published", "held")}
    counts |= {f"pounds_{name}": str(getattr(summary.pounds, name)) for name in ("read", "published", "held")}
    return counts | {"addresses_without_a_file": len(summary.missed), "without_catalogue": int(bool(summary.trouble))}


def format_markdown(summary: RunSummary) -> str:
    """Lead with the outcome and what needs attention; then a table of the files, and what was not collected and why."""
    lines = [f"**{_cell(format_headline(summary))}**", "", *_attention(summary), *_HEAD]
    pressing = {ending: number for number, ending in enumerate(_ATTENTION)}
    files = sorted(summary.results, key=lambda one: pressing.get(one.ending, len(pressing)))
    for result in files[:_LISTED_FILES]:
        dataset = f"{result.dataset} ({result.part})" if result.part else result.dataset
        words = (result.sha256[:12], result.body, dataset, describe_period(result.period), result.brief)
        lines.append(f"| {' | '.join(map(_cell, words))} | {_figures(result.rows, result.pounds)} |")
    lines.append(f"| **{len(summary.results)} files** | | | | | {_figures(summary.rows, summary.pounds)} |")
    if len(files) > _LISTED_FILES:
        lines += ["", f"{len(files) - _LISTED_FILES:,} more files are not listed here; the totals include them."]
    if summary.missed:
        lines += [line for group in group_missed(summary.missed) for line in _missed(*group)]
    if summary.left_out:
        reasons = Counter(one.why for one in summary.left_out)
        lines += ["", "Left out of the inbox:", "", *(f"- {count:,}: {_cell(why)}" for why, count in reasons.items())]
    return "\n".join(lines) + "\n"


def _attention(summary: RunSummary) -> list[str]:
    """What failed, is held or rejected, by reason: files, pounds and bodies."""
    groups: dict[tuple[int, str], list[FileResult]] = {}
    for result in summary.results:
        if result.ending in _ATTENTION:
            groups.setdefault((_ATTENTION.index(result.ending), result.kind or ""), []).append(result)
    lines = ["The catalogue could not be built.", ""] if summary.trouble else []
    if not groups:
        return lines
    lines += ["| needs attention | because | files | £ held | bodies |", "|---|---|--:|--:|---|"]
    for (ending, kind), results in sorted(groups.items()):
        bodies = sorted({one.body for one in results})
        names = ", ".join(bodies[:_LISTED_BODIES])
        names += f" and {len(bodies) - _LISTED_BODIES:,} more" if len(bodies) > _LISTED_BODIES else ""
        held = format_pounds(sum((one.pounds.held for one in results), Decimal(0)))
        lines.append(f"| {_ATTENTION[ending]} | {_cell(kind)} | {len(results):,} | {held} | {_cell(names)} |")
    return [*lines, ""]


def _missed(title: str, advice: str, missed: Sequence[MissedAddress]) -> Iterator[str]:
    """A line for each address of a kind: whose it is, the folder of its log in the store, and since when it fails."""
    yield from ("", f"{title}: {len(missed):,}. {_cell(advice)}", "")
    for miss in missed[:_LISTED_FILES]:
        digest = hashlib.sha256(miss.address.encode()).hexdigest()[:20]
        line = f"- {_cell(miss.body)} {_cell(miss.dataset)}, fetches/{digest}/: {_cell(miss.kind)}. {miss.history}"
        yield line.rstrip(". ") + "."
    if len(missed) > _LISTED_FILES:
        yield f"- and {len(missed) - _LISTED_FILES:,} more."


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
