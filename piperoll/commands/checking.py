"""What a body's officer comes to do: check a file, get a form, look up a word."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll.errors import UsageError

if TYPE_CHECKING:
    from piperoll.model import Report

_LARGE = 2_000_000
"""Bytes of a file of which a person notices that it takes a while."""

NOT_AS_IT_IS = 1
"""The exit status when a file is held or rejected."""


def check(  # noqa: PLR0913, PLR0917 - a command has its options
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="One file or several.", show_default=False)],
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="spend, contracts, roles, …; told if left out.")
    ] = None,
    period: Annotated[str | None, typer.Option(metavar="PERIOD", help="2026-10, 2026-Q4, 2026-27 or a day.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one document a file.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="OUT.html", help="Write the report as a page.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out whether figures are plausible.")] = False,
    engine: Annotated[
        str, typer.Option(metavar="ENGINE", help="reference: all rules in Frictionless and Great Expectations, slowly.")
    ] = "compiled",
    mappings: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="What is remembered of the body's headings: mappings/<body>.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="PLACE", help="A folder or s3://… : compare with what is published there.")
    ] = None,
    body: Annotated[str | None, typer.Option(metavar="NAME", help="With --against: whose file it is.")] = None,
) -> None:
    """Say whether a file will do, and what to fix in which cell.

    Nothing is stored or sent anywhere. The exit status is 0 when the file is accepted (or is a nil return), 1 when it
    is held or rejected, and 2 when we could not do what you asked.

    piperoll check "Payments over 500 October 2026.xlsx"
    piperoll check contracts.csv --dataset contracts --html report.html
    piperoll check *.csv --json > reports.jsonl
    piperoll check "October 2026.csv" --against published --body "Anytown Council"
    """
    from piperoll import api

    if html and len(files) > 1:
        raise UsageError("--html writes the report of one file: name one file, or use --json for several")
    for path in files:
        api.require_readable(path)
    reports = []
    for number, path in enumerate(files):
        with _waiting(path, number + 1, len(files)) as progress:
            report = api.check(
                path,
                dataset=dataset,
                period=period,
                quick=quick,
                engine=engine,
                mappings=mappings,
                against=against,
                body=body,
                progress=progress,
            )
        reports.append(report)
        if as_json:
            _print_json(report, pretty=len(files) == 1)
        elif html is None:
            _print_view(report, quick=quick, first=number == 0)
    if html:
        _write_page(html, reports[0])
    raise typer.Exit(0 if all(report.verdict.publishes for report in reports) else NOT_AS_IT_IS)


def template(
    dataset: Annotated[str, typer.Argument(help="The dataset, as piperoll datasets lists them.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .csv or .xlsx to write; else CSV is printed.")
    ] = None,
) -> None:
    """Write a blank form for a dataset, with every column it can have.

    piperoll template spend --out spend.xlsx
    piperoll template contracts > contracts.csv
    """
    from piperoll import assets, releasing

    about, _ = assets.find_dataset(dataset)
    forms = {".csv": releasing.template_csv, ".xlsx": releasing.template_xlsx}
    form = forms.get(out.suffix.lower() if out else ".csv")
    if form is None:
        raise UsageError(f"{out} is neither .csv nor .xlsx: name a file that ends in one of them")
    content = form(about)
    if out is None:
        sys.stdout.buffer.write(content)
        return
    _write(out, content)
    typer.echo(f"A blank form for {about.title} is in {out}.")


def datasets() -> None:
    """List the datasets, with their version and what they hold."""
    from piperoll import assets, terminal

    rows = []
    for about in assets.datasets():
        parts = ", ".join(part.name for part in about.parts)
        rows.append((about.name, about.version, about.title, parts or "-", ", ".join(about.aliases) or "-"))
    terminal.console().print(terminal.grid(("Name", "Version", "What it is", "Parts", "Also called"), rows))


def explain(
    code: Annotated[str, typer.Argument(help="A code from a report, for example amount-unreadable.")],
) -> None:
    """Say what a finding's code means, who acts on it and what to do.

    piperoll explain amount-unreadable
    """
    entries = dict(re.findall(r"^### (\S+)\n+(.+?)(?=^##|\Z)", _findings_page(), re.MULTILINE | re.DOTALL))
    if code not in entries:
        near = [each for each in entries if set(code.split("-")) & set(each.split("-"))]
        raise UsageError(f"no finding is called '{code}'" + (f": did you mean {', '.join(near[:5])}?" if near else ""))
    typer.echo(f"{code}\n\n{entries[code].strip()}")


@contextmanager
def _waiting(path: Path, number: int, files: int) -> Iterator[Callable[[str], None]]:
    """To be told what is being done with a file: a person at a terminal sees it, if it may take long."""
    if path.stat().st_size < _LARGE or not sys.stderr.isatty():
        yield lambda _: None
        return
    from piperoll import terminal

    which = f" ({number} of {files})" if files > 1 else ""
    with terminal.working() as say:
        yield lambda doing: say(f"{doing} {path.name}{which}")


def _findings_page() -> str:
    from piperoll import assets

    return (assets.folder("docs") / "findings.md").read_text("utf-8")


def _print_json(report: Report, *, pretty: bool) -> None:
    from piperoll.model import to_document

    text = json.dumps(to_document(report), ensure_ascii=False, indent=2 if pretty else None)
    sys.stdout.buffer.write(f"{text}\n".encode())
    sys.stdout.buffer.flush()


def _print_view(report: Report, *, quick: bool, first: bool) -> None:
    from piperoll import terminal

    out = terminal.console()
    if not first:
        out.print()
    out.print(terminal.report_view(report, quick=quick))


def _write_page(path: Path, report: Report) -> None:
    from piperoll.describing import render_report_page

    _write(path, render_report_page(report).encode())
    typer.echo(f"{report.file}: {str(report.verdict).replace('_', ' ')}. The report is in {path}.", err=True)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): name another place") from error
