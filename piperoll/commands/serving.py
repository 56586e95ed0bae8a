"""How to serve what is published to programs, and the check to officers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from piperoll import layout
from piperoll.errors import UsageError


def api(  # noqa: PLR0913, PLR0917 - a command has its options
    dest: Annotated[str, typer.Argument(metavar="DEST", help="A folder or s3://bucket/prefix that was published to.")],
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; each has the memory and threads.")] = 1,
    memory: Annotated[int, typer.Option(metavar="MB", min=64, help="For the queries of one process.")] = 1024,
    threads: Annotated[int, typer.Option(min=1, help="For the queries of one process.")] = 2,
    seconds: Annotated[int, typer.Option(min=1, help="A query may take until its first row.")] = 20,
    at_once: Annotated[int, typer.Option(min=1, help="Queries of one process at a time.")] = 4,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where copies of a bucket's files are kept.")
    ] = None,
    cache_size: Annotated[int, typer.Option(metavar="MB", min=64, help="How large they may become.")] = 10240,
) -> None:
    """Answer questions about what is published, over HTTP, and check files for officers.

    It reads the published files where they are and keeps no state: start as many copies as you need behind any
    balancer. / lists what there is, /openapi.json describes it, /check is a page for officers. Stop it with Ctrl+C.

    piperoll api published
    piperoll api s3://bucket/prefix --host 0.0.0.0 --workers 4 --cache /var/cache/piperoll
    """
    from dataclasses import replace

    from publishers import open_store
    from serving.limits import MEGABYTE, Limits
    from serving.server import Options, serve

    if not open_store(dest).exists(layout.INDEX):
        raise UsageError(f"nothing is published in {dest} yet: first type piperoll run --inbox DIR --to {dest}")
    limits = replace(
        Limits(),
        memory_bytes=memory * MEGABYTE,
        threads=threads,
        query_seconds=float(seconds),
        at_once=at_once,
        cache_bytes=cache_size * MEGABYTE,
    )
    typer.echo(f"The API is at http://{host}:{port}/ (stop it with Ctrl+C)")
    serve(Options(dest, str(cache) if cache else None, limits, host, port, workers))
