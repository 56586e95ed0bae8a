"""How to begin: a sample to try everything with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sample(
    to: Annotated[Path, typer.Option(metavar="DIR", help="A new or empty folder.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
) -> None:
    """Write a made-up sample: 12 bodies that do not exist, 3 months, 4 datasets, and the mess of real files.

    piperoll sample --to sample
    piperoll run --inbox sample/2026-08 --to published --bodies sample/bodies.csv
    """
    from piperoll.sample import MONTHS, write_sample

    written = write_sample(to, seed)
    typer.echo(f"{len(written) - 1} files of 12 made-up bodies are in {to}, one inbox a month: {', '.join(MONTHS)}.")
