"""The command `classify`: what a body's spending is for, by function."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from piperoll import assets

if TYPE_CHECKING:
    from piperoll.operations.classify import ClassifiedFile
    from piperoll.operations.reclassify import Moved

_UNKNOWN_SHOWN = 10
"""Groups of lines without a function that are printed; --out has every line."""


def classify(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A file of spending.", show_default=False)
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="A name that piperoll datasets lists; default: recognised.")
    ] = None,
    body: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The body that spent it; what its mission is can change what counts."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="LINES.csv", help="Write every line with its function and the rule.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
    store: Annotated[
        str | None,
        typer.Option(metavar="DEST", help="Instead of a file: what today's rules would change in this store."),
    ] = None,
) -> None:
    """Show how much of a file's spending is front line, overhead, not counted, or not known.

    The rules are in datapackages/functions, and docs/functions.md explains them. They read the unit, the service and
    the purpose of a line. To correct a line, add a column "Function" to the file with one of the identifiers below:
    what you declare is never changed.

    piperoll classify "Payments over 500 October 2026.xlsx"
    piperoll classify payments.csv --out lines.csv
    piperoll classify payments.csv --body "Anytown Council" --json

    With --store, it shows the pounds that will move between functions and sides, by body and year, when the
    consolidated files of the store are made again by the rules of this version. Nothing is written but --out.

    piperoll classify --store /srv/open-data --out moved.csv
    """
    from piperoll import api, terminal
    from piperoll.checking.check_file import FileToCheck
    from piperoll.errors import UsageError
    from piperoll.model import Body
    from piperoll.operations.classify import classify_file
    from piperoll.reading import OnDisk

    if store is not None and file is None:
        _compare_store(store, out, as_json)
        return
    if file is None or store is not None:
        raise UsageError("give either a file or --store")
    api.require_readable(file)
    sender = (assets.register().recognise(body) or Body.provisional_for(body)) if body else None
    classified = classify_file(FileToCheck(OnDisk(file), file.name, dataset, body=sender))
    if out is not None:
        _write_lines(classified, out)
    if as_json:
        json.dump(_to_json(classified), sys.stdout, ensure_ascii=False, indent=2)
        typer.echo()
        return
    _show(classified, terminal.console(), out)


def _compare_store(address: str, out: Path | None, as_json: bool) -> None:
    from piperoll import terminal
    from piperoll.enriching.functions import load_rules
    from piperoll.operations.reclassify import find_moved
    from publishers import open_reader

    moved = list(find_moved(open_reader(address)))
    if out is not None:
        _write_moved(moved, out)
    if as_json:
        document = {"rules_version": load_rules().version, "moved": [_moved_cells(one) for one in moved]}
        json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
        typer.echo()
        return
    console = terminal.console()
    if not moved:
        console.print("Nothing would change: the rules find what the consolidated files say.")
        return
    _show_moved(moved, console)
    if out is not None:
        console.print(f"Every change of a function is in {terminal.clean(str(out))}.")


def _show_moved(moved: Sequence[Moved], console: Any) -> None:
    from piperoll import terminal
    from piperoll.describing.wording import format_number, format_pounds

    sums: dict[tuple[str, ...], tuple[int, Decimal]] = {}
    for one in moved:
        if one.changes_side:
            key = (one.body, one.year, one.dataset, one.unit, _SIDE_TITLES[one.side_before], _SIDE_TITLES[one.side])
            lines, amount = sums.get(key, (0, Decimal(0)))
            sums[key] = lines + one.lines, amount + one.amount
    rows = [
        (
            *key[:3],
            f"{key[4]} to {key[5].lower()}",
            format_number(lines),
            format_pounds(amount) if key[3] == "GBP" else f"{amount:,.1f} FTE",
        )
        for key, (lines, amount) in sorted(sums.items())
    ]
    if rows:
        terminal.print_grid(
            console, ("Body", "Year", "Dataset", "Moves", "Lines", "Amount"), rows, right=frozenset((4, 5))
        )
    else:
        console.print("No line would change sides.")
    within = sum(one.lines for one in moved if not one.changes_side)
    console.print(f"{format_number(within)} more would change within a side, or be contested or no longer be so.")


def _moved_cells(one: Moved) -> dict[str, Any]:
    from dataclasses import asdict

    from piperoll.model import format_decimal

    return asdict(one) | {"amount": format_decimal(one.amount)}


def _write_moved(moved: Sequence[Moved], path: Path) -> None:
    from dataclasses import fields

    from piperoll.operations.reclassify import Moved

    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Moved)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(_moved_cells(one) for one in moved)


_SIDE_TITLES = {"O": "Front line", "I": "Overhead", "X": "Not counted", "U": "Not known"}


def _show(classified: ClassifiedFile, console: Any, out: Path | None) -> None:
    from piperoll import terminal
    from piperoll.describing.wording import format_number, format_pounds
    from piperoll.enriching.functions import load_rules

    rules = load_rules()
    totals = classified.totals_by_function()
    lines = []
    for side, total in classified.totals_by_side().items():
        if total.lines:
            lines.append(
                (
                    _SIDE_TITLES[side],
                    "",
                    format_number(total.lines),
                    format_pounds(total.amount),
                    _contested(total.contested),
                )
            )
        for name, function in rules.functions.items():
            if function.side is side and name in totals and side != "U":
                one = totals[name]
                lines.append(
                    (
                        f"  {function.label}",
                        name,
                        format_number(one.lines),
                        format_pounds(one.amount),
                        _contested(one.contested),
                    )
                )
    terminal.print_grid(
        console, ("What it is for", "Function", "Lines", "Amount", "of it contested"), lines, right=frozenset((2, 3, 4))
    )
    if unknown := classified.largest_unknown(_UNKNOWN_SHOWN):
        console.print(f"\nThe largest amounts without a function ({', '.join(classified.fields)}):")
        terminal.print_grid(
            console,
            ("Amount", "Lines", "Texts"),
            [
                (
                    format_pounds(total.amount),
                    format_number(total.lines),
                    " · ".join(filter(None, texts)) or "(no text)",
                )
                for texts, total in unknown
            ],
            right=frozenset((0, 1)),
        )
    console.print('\nTo correct a line, add a column "Function" with one of these identifiers to the file.')
    console.print("Contested: experts disagree on which side it belongs, or the text speaks for both.")
    if out is None:
        console.print("Every line with its rule: --out lines.csv")
    else:
        console.print(f"Every line with its rule is in {terminal.clean(str(out))}.")


def _contested(amount: Any) -> str:
    from piperoll.describing.wording import format_pounds

    return format_pounds(amount) if amount else ""


def _to_json(classified: ClassifiedFile) -> dict[str, Any]:
    from piperoll.enriching.functions import load_rules
    from piperoll.model import format_decimal

    def entry(total: Any) -> dict[str, Any]:
        return {
            "lines": total.lines,
            "amount": format_decimal(total.amount),
            "contested_amount": format_decimal(total.contested),
        }

    return {
        "file": classified.report.file,
        "dataset": classified.dataset.name,
        "rules_version": load_rules().version,
        "sides": {side.value: entry(total) for side, total in classified.totals_by_side().items()},
        "functions": {name: entry(total) for name, total in classified.totals_by_function().items()},
    }


def _write_lines(classified: ClassifiedFile, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(
            ["sheet", "row", "amount", *classified.fields, "function_id", "side", "contested", "method", "rules"]
        )
        for line in classified.lines:
            found = line.classification
            function = found.function
            writer.writerow(
                [
                    line.sheet or "",
                    line.row,
                    "" if line.amount is None else line.amount,
                    *line.texts,
                    function.id,
                    function.side.value,
                    "yes" if found.contested else "no",
                    found.method,
                    " ".join(found.rules),
                ]
            )
