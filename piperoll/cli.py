"""The command line: `piperoll`. Each command stands in `piperoll.commands`."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable
from typing import Annotated

import typer

from piperoll import __version__
from piperoll.commands import (
    checking,
    consuming,
    duties,
    keeping,
    mappings,
    operating,
    serving,
    starting,
    validating,
)
from piperoll.errors import PiperollError

OURS = 2
"""The exit status when the fault is ours or the operator's; 1 means that a file was held or rejected."""

HELP = """Collect, check and publish what public bodies spend, contract for, employ and deliver.

\b
Will my file do?              piperoll check "Payments October 2026.xlsx"
An empty form to fill in:     piperoll template spend --out spend.xlsx
Publish a folder of files:    piperoll run --inbox inbox --to published
Look at what is published:    piperoll site published
Try it with made-up bodies:   piperoll sample --to sample

Every command has its own --help, with examples.
"""


def _taught(command: Callable[..., None]) -> str:
    """A command's docstring as its help: the examples, which begin with `piperoll`, keep their lines."""
    return re.sub(r"\n\n(?=piperoll )", "\n\n\b\n", inspect.cleandoc(command.__doc__ or ""))


app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    checking.check,
    validating.validate,
    checking.template,
    checking.datasets,
    checking.explain,
    operating.run,
    operating.release,
    operating.replay,
    operating.serve,
    duties.due,
    serving.site,
    serving.api,
    consuming.get,
    consuming.history,
    consuming.diff,
    consuming.trace,
    consuming.verify,
    keeping.withdraw,
    keeping.purge,
    keeping.sweep,
    starting.sample,
):
    app.command(help=_taught(command))(command)
mapping = typer.Typer(
    help="See which heading of a body means which field, and answer what is asked.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for subcommand in (mappings.show, mappings.questions, mappings.answer):
    mapping.command(help=_taught(subcommand))(subcommand)
app.add_typer(mapping, name="mapping")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"piperoll {__version__}")
        raise typer.Exit


@app.callback(help=HELP)
def start(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version.")] = False,
) -> None:
    """Where every command begins."""


def main() -> None:
    """Run the command that was typed, and leave with its exit status.

    A fault that has a name is one plain line; any other is told in full, because then we have to mend something.
    """
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without a £ still gets its report
    try:
        app()
    except PiperollError as error:
        typer.echo(f"piperoll: {error}", err=True)
        sys.exit(OURS)
    except Exception:  # noqa: BLE001 - told in full; without this Python would exit 1, which means "held or rejected"
        traceback.print_exc()
        sys.exit(OURS)
