"""The command line, `piperoll`. The commands are in `piperoll.commands`."""

from __future__ import annotations

import inspect
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from piperoll import __version__, logs
from piperoll.child_limits import memory_limit
from piperoll.commands import (
    access,
    chasing,
    checking,
    classifying,
    consuming,
    decisions,
    duties,
    maintaining,
    mappings,
    measuring,
    operating,
    serving,
    validating,
)
from piperoll.errors import UsageError, describe_error, is_bug
from piperoll.settings import CONFIG_VARIABLE, read_settings

_LEAST_MEMORY = 512 << 20
"""Bytes of address space below which libraries in C hang or end the process without a word."""

_MORE_MEMORY = 2 << 30
"""The same for the commands that use Arrow's, Pandas' and DuckDB's threads together, each with an arena of its own."""

_SERVER_MEMORY = 3 << 30
"""The same for servers, which have a stack and an arena for each of their threads."""

_LIGHT = {"datasets", "explain", "template", "settings", "sample"}
_HEAVY = {"run", "release", "replay", "serve", "measure", "withdraw", "purge", "restore", "verify"}
_SERVERS = {"api", "portal"}

FAILED = 2
"""The exit status if a command could not do what was asked; 1 means that a file was held or rejected."""

_BROKEN_PIPE = 128 + signal.SIGPIPE
"""The exit status if the reader of a pipe closes it early, as in `piperoll list DEST | head`: 141, as in a shell."""

HELP = """Collect, check and publish what public bodies spend, contract for, employ and deliver.

\b
Check a file:                 piperoll check "Payments October 2026.xlsx"
Get a blank form:             piperoll template spend --out spend.xlsx
Publish a folder of files:    piperoll run --inbox inbox --to published
See what is published:        piperoll site published
Try it with sample files:     piperoll sample --to sample

Every command has its own --help, with examples.
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
mapping = typer.Typer(
    help="See what the headings of a body mean, and answer questions about them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

decide = typer.Typer(
    help="""Decide about held values, about who suppliers are and about pairs of contracts.

\b
piperoll decide business "Jane Example" --body anytown --to published --because "A sole trader"
piperoll decide supplier "Rook (Wales) Ltd" 1234567 --to published --because "On its invoices"
piperoll decide list --to published
piperoll decide take-back 3fa9c2d17b60 --to published --because "A private person after all"

The next piperoll run applies what was decided about values, from the files as they were received. What was decided
about suppliers and contracts counts when measures are next made.
""",
    no_args_is_help=True,
    rich_markup_mode=None,
)


access_group = typer.Typer(
    help="Say who may use the portal: people, groups, e-mail domains, and keys of machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _add_command(group: typer.Typer, command: Callable[..., None], name: str | None = None) -> None:
    """Add a command whose help is its docstring. Its examples, which begin with `piperoll`, keep their lines."""
    text = inspect.cleandoc(command.__doc__ or "")
    group.command(name, help=re.sub(r"\n\n(?=piperoll )", "\n\n\b\n", text))(command)


for command in (
    checking.check,
    validating.validate,
    checking.template,
    checking.datasets,
    checking.explain,
    classifying.classify,
    operating.run,
    operating.release,
    operating.replay,
    operating.serve,
    measuring.measure,
    duties.due,
    chasing.chase,
    serving.site,
    serving.api,
    access.portal,
    consuming.get,
    consuming.history,
    consuming.diff,
    consuming.trace,
    consuming.verify,
    decisions.reply,
    operating.withdraw,
    operating.purge,
    operating.sweep,
    maintaining.settings,
    maintaining.upgrade,
    maintaining.backup,
    maintaining.restore,
    maintaining.stats,
    maintaining.health,
    checking.sample,
):
    _add_command(app, command)
_add_command(app, consuming.list_published, "list")
_add_command(app, decisions.queue, "decisions")
for subcommand in (mappings.show, mappings.questions, mappings.answer):
    _add_command(mapping, subcommand)
_add_command(decide, decisions.business)
_add_command(decide, decisions.public_role)
_add_command(decide, decisions.person)
_add_command(decide, decisions.supplier)
_add_command(decide, decisions.pair)
_add_command(decide, decisions.answer)
_add_command(decide, decisions.take_back)
_add_command(decide, decisions.list_decisions, "list")
_add_command(access_group, access.grant)
_add_command(access_group, access.list_access, "list")
_add_command(access_group, access.revoke)
app.add_typer(access_group, name="access")
app.add_typer(mapping, name="mapping")
app.add_typer(decide, name="decide")


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"piperoll {__version__}")
        raise typer.Exit


@app.callback(help=HELP)
def start(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file with settings (piperoll.toml); default: PIPEROLL_CONFIG."),
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="json: one JSON object a line on standard error.")
    ] = None,
) -> None:
    """Set what every command and every process that it starts reads from the environment."""
    if named := str(config or os.environ.get(CONFIG_VARIABLE, "")):
        os.environ[CONFIG_VARIABLE] = str(Path(named).absolute())
    if log_format is not None:
        os.environ["PIPEROLL_LOG_FORMAT"] = log_format
    if {CONFIG_VARIABLE, "PIPEROLL_LOG_FORMAT"} & {*os.environ}:
        logs.configure_logs(read_settings().get("log_format", (logs.TEXT, ""))[0])
    _require_memory(context.invoked_subcommand or "")


def _require_memory(command: str) -> None:
    """Raise UsageError if the address space is limited (`ulimit -v`) to less than a command needs."""
    limit = memory_limit()
    if limit is None or command in _LIGHT:
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # it reserves memory for each core
    needed = _SERVER_MEMORY if command in _SERVERS else _MORE_MEMORY if command in _HEAVY else _LEAST_MEMORY
    if limit < needed:
        raise UsageError(
            f"the memory of this process is limited to {limit >> 20:,} MB (ulimit -v), and piperoll {command} needs "
            f"{needed >> 20:,} MB: raise the limit"
        )


def _run_app() -> None:
    """Run the command that was typed. Raises: SystemExit, with its status."""
    status: int | str | None = 0
    try:
        app()
    except SystemExit as ended:
        # Click and Rich exit with 1, which means "held or rejected", where they cannot print
        status = _BROKEN_PIPE if isinstance(ended.__context__, BrokenPipeError) else ended.code
    try:
        sys.stdout.flush()  # at its exit Python would tell of the pipe
    except BrokenPipeError:
        status = _BROKEN_PIPE
    if status == _BROKEN_PIPE:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(status)


def main() -> None:
    """Run the command that was typed, and exit with its status.

    An error that we expect is printed on one line, and so is one of the machine: a full disk, too little memory. Any
    other is a bug, and is printed with its traceback.
    """
    # so that temporary folders are deleted, and the exit status of a check is never that of a file that was held
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(operating.TERMINATED))
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a job in the background of a shell ignores it
        signal.signal(signal.SIGINT, lambda *_: sys.exit(operating.INTERRUPTED))
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # for a terminal whose encoding has no £
    try:
        _run_app()
    except Exception as error:  # noqa: BLE001 - Python would exit with 1, which means "held or rejected"
        if logs.is_json():
            logs.log_error(error)
        elif not is_bug(error):
            typer.echo(f"piperoll: {describe_error(error)}", err=True)
        else:
            traceback.print_exc()
        sys.exit(FAILED)
