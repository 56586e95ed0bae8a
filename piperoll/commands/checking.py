"""Commands for someone who has a file to publish: `check`, `template`, `datasets`, `explain` and `sample`."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll import assets
from piperoll.errors import UsageError
from piperoll.model import to_document

if TYPE_CHECKING:
    from piperoll.operations.marked_copy import CorrectedCopy

NOT_PUBLISHED = 1
"""The exit status of `check` if a file is held or rejected."""

_SHOW_PROGRESS_BYTES = 2_000_000
"""Files from this size take more than about a second, so that `check` shows its progress."""


def check(  # noqa: PLR0913, PLR0917 - one parameter for each option
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="One or more files.", show_default=False)],
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="A name that piperoll datasets lists; default: recognised.")
    ] = None,
    period: Annotated[
        str | None, typer.Option(metavar="PERIOD", help="2026-10, 2026-Q4, 2026-27 or a day; default: recognised.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one document for each file.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="OUT.html", help="Write the report as a web page.")] = None,
    held: Annotated[
        bool, typer.Option("--held", help="List every value that is held for privacy, with all its rows.")
    ] = False,
    marked: Annotated[
        Path | None,
        typer.Option(metavar="OUT.xlsx", help="Write your file back with the findings marked in their cells."),
    ] = None,
    corrected: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Write your file back with the safe corrections made, and list them."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Do not check whether figures are plausible.")] = False,
    engine: Annotated[
        str,
        typer.Option(
            metavar="ENGINE", help="compiled, or reference: Frictionless and Great Expectations, much slower."
        ),
    ] = "compiled",
    mappings: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="What the body's headings mean: mappings/<body> of a store.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Compare with what is published in a folder or s3://….")
    ] = None,
    body: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The body that sends it: its name or short name; required with --against."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="The kind of body, which decides its legal duties: council, department, agency, nhs, police, fire or "
            "other; default: that of --body, or recognised.",
        ),
    ] = None,
) -> None:
    """Check a file before you publish it. The report says what to fix in which cell.

    Nothing is stored or sent anywhere. The exit status is 0 if every file is accepted (or is a nil return), 1 if one is
    held or rejected, and 2 if the check could not be done.

    piperoll check "Payments over 500 October 2026.xlsx"
    piperoll check contracts.csv --dataset contracts --html report.html
    piperoll check *.csv --json > reports.jsonl
    piperoll check "October 2026.csv" --held
    piperoll check "October 2026.xlsx" --marked marked.xlsx
    piperoll check "October 2026.csv" --corrected corrected.csv
    piperoll check "October 2026.csv" --kind council
    piperoll check "October 2026.csv" --against published --body "Anytown Council"
    """
    from piperoll import api

    for option, given in (("--html", html), ("--marked", marked), ("--corrected", corrected)):
        if given and len(files) > 1:
            raise UsageError(f"{option} is for one file: name one file, or use --json for several")
    if against and (marked or corrected):
        raise UsageError("--marked and --corrected are about the file alone: leave out --against, or give --mappings")
    for path in files:
        api.require_readable(path)
    reports = []
    for number, path in enumerate(files):
        with _show_progress(path, number + 1, len(files)) as progress:
            report = api.check(
                path,
                dataset=dataset,
                period=period,
                quick=quick,
                engine=engine,
                mappings=mappings,
                against=against,
                body=body,
                kind=kind,
                progress=progress,
            )
        reports.append(report)
        if as_json:
            text = json.dumps(to_document(report), ensure_ascii=False, indent=2 if len(files) == 1 else None)
            sys.stdout.buffer.write(f"{text}\n".encode())  # UTF-8 whatever the terminal's encoding
            sys.stdout.buffer.flush()
        elif html is None:
            from piperoll import terminal  # rich, which --json does not need

            out = terminal.console()
            if number:
                out.print()
            out.print(terminal.report_view(report, quick=quick, held=held))
    if html:
        from piperoll import terminal
        from piperoll.describing.pages.rendering import render_report_page

        _write(html, render_report_page(reports[0]).encode())
        verdict = str(reports[0].verdict).replace("_", " ")
        typer.echo(f"{terminal.clean(reports[0].file)}: {verdict}. The report is in {html}.", err=True)
    if marked:
        copy = api.marked_copy(
            files[0], dataset=dataset, period=period, quick=quick, mappings=mappings, body=body, kind=kind
        )
        _write(marked, copy)
        typer.echo(f"Your file with the findings marked in their cells is {marked}.", err=True)
    if corrected:
        better = api.corrected_copy(
            files[0], dataset=dataset, period=period, quick=quick, mappings=mappings, body=body, kind=kind
        )
        _write_corrected(corrected, better)
    raise typer.Exit(0 if all(report.verdict.publishes for report in reports) else NOT_PUBLISHED)


def _write_corrected(path: Path, copy: CorrectedCopy) -> None:
    """Write a corrected copy; the changes of a text file go into a file of their own."""
    from piperoll.operations.marked_copy import write_changes

    if path.suffix.lower() != copy.extension:
        better = path.with_suffix(copy.extension)
        raise UsageError(f"the corrected copy is a {copy.extension} file: write --corrected {better}")
    _write(path, copy.content)
    where = "listed in its last sheet"
    if copy.extension == ".csv":
        listed = path.with_suffix(".changes.csv")
        text = io.StringIO(newline="")
        write_changes(copy.changes, text)
        _write(listed, text.getvalue().encode("utf-8-sig"))
        where = f"listed in {listed}"
    count = f"{len(copy.changes):,} change{'' if len(copy.changes) == 1 else 's'}"
    typer.echo(f"{path} is your file with {count}, {where}. Look at them, then check the copy.", err=True)


def template(
    dataset: Annotated[str, typer.Argument(help="A name that piperoll datasets lists.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .csv or .xlsx file to write; default: print CSV.")
    ] = None,
) -> None:
    """Write a blank form for a dataset. It has every column that the dataset can have.

    piperoll template spend --out spend.xlsx
    piperoll template contracts > contracts.csv
    """
    from piperoll import releasing

    about, _ = assets.find_dataset(dataset)
    makers = {".csv": releasing.make_template_csv, ".xlsx": releasing.make_template_xlsx}
    suffix = out.suffix.lower() if out else ".csv"
    if suffix not in makers:
        raise UsageError(f"{out} is neither .csv nor .xlsx: use a name that ends in one of them")
    content = makers[suffix](about)
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        _write(out, content)
        typer.echo(f"A blank form for {about.title} is in {out}.")


def datasets() -> None:
    """List the datasets, with their parts and other names."""
    from piperoll import terminal

    rows = []
    for about in assets.datasets():
        parts = ", ".join(part.name for part in about.parts)
        rows.append((about.name, about.version, about.title, parts or "-", ", ".join(about.aliases) or "-"))
    terminal.print_grid(terminal.console(), ("Name", "Version", "What it is", "Parts", "Also called"), rows)


def explain(
    code: Annotated[str, typer.Argument(help="A code from a report, for example amount-unreadable.")],
) -> None:
    """Explain a finding. You see what its code means, who needs to act, and what to do.

    piperoll explain amount-unreadable
    """
    from piperoll.commands.findings_page import explain_findings

    entries = {each: text for topic in explain_findings().values() for each, text in topic.items()}
    if code not in entries:
        near = get_close_matches(code, entries, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else "docs/findings.md lists them all"
        raise UsageError(f"there is no finding '{code}': {hint}")
    typer.echo(f"{code}\n\n{entries[code]}")


def sample(
    to: Annotated[Path, typer.Option(metavar="DIR", help="A new or empty folder.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
) -> None:
    """Write sample files of fictional bodies. They have the faults of real files.

    piperoll sample --to sample
    piperoll run --inbox sample/2026-08 --to published --bodies sample/bodies.csv
    """
    from piperoll.sample import MONTHS, write_sample

    written = write_sample(to, seed)
    typer.echo(f"{len(written) - 1} files of fictional bodies are in {to}, one inbox a month: {', '.join(MONTHS)}.")


@contextmanager
def _show_progress(path: Path, number: int, files: int) -> Iterator[Callable[[str], None]]:
    """A function that shows what is being done with a large file, if someone is watching a terminal."""
    if path.stat().st_size < _SHOW_PROGRESS_BYTES or not sys.stderr.isatty():
        yield lambda _: None
        return
    from piperoll import terminal

    position = f" ({number} of {files})" if files > 1 else ""
    with terminal.working() as show:
        yield lambda action: show(f"{action} {path.name}{position}")


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): choose another path") from error
