"""Commands that serve what is published: `site` (the catalogue) and `api`."""

from __future__ import annotations

import signal
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from piperoll import layout
from piperoll.errors import UsageError
from piperoll.settings import Settings

Published = Annotated[str, typer.Argument(metavar="DEST", help="The folder or s3://bucket/prefix to serve.")]


def site(
    dest: Published,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 chooses a free port.")] = 8000,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in your browser.")] = True,
) -> None:
    """Serve the published catalogue on this computer, and open it.

    Only public files are served (catalogue/, data/ and reports/), never the files as received. If the catalogue was
    built for localhost, its feeds and examples show the host and port that you use. Stop it with Ctrl+C.

    piperoll site published
    piperoll site build/demo --port 8080 --no-browser
    """
    from publishers import open_store, serve_site

    store = open_store(dest)
    if not store.exists(layout.HOME):
        raise _nothing_published(dest)
    try:
        server = serve_site(store, host, port)
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be used ({error.strerror}): use another --port, or 0") from error
    signal.signal(signal.SIGINT, signal.default_int_handler)  # see `piperoll.cli.main`
    with server:
        typer.echo(f"The catalogue is at {server.address} (stop it with Ctrl+C)")
        if browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("Stopped.")


def api(  # noqa: PLR0913, PLR0917 - one parameter for each option
    dest: Published,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes. The limits below are for each.")] = 1,
    memory: Annotated[int, typer.Option(metavar="MB", min=64, help="Memory for queries.")] = 1024,
    threads: Annotated[int, typer.Option(min=1, help="Threads for queries.")] = 2,
    seconds: Annotated[int, typer.Option(min=1, help="The most time until the first row of an answer.")] = 20,
    at_once: Annotated[int, typer.Option(min=1, help="Concurrent queries.")] = 4,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder for copies of a bucket's files; default: temporary.")
    ] = None,
    cache_size: Annotated[int, typer.Option(metavar="MB", min=64, help="The most space for the copies.")] = 10240,
    site: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the catalogue is served; default: PIPEROLL_BASE_URL.")
    ] = None,
) -> None:
    """Serve an HTTP API over published data. It also has a page to check files with.

    The API reads the published files and keeps no state: run as many copies as you need behind a load balancer. Its
    address lists the links, /openapi.json describes it, and /check is the page. Stop it with Ctrl+C.

    piperoll api published
    piperoll api s3://bucket/prefix --host 0.0.0.0 --workers 4 --cache /var/cache/piperoll
    """
    from hosting.limits import MEGABYTE, ApiLimits
    from hosting.server_process import require_free_port
    from publishers import open_store
    from serving.app import ServerOptions, run_server

    if not open_store(dest).exists(layout.INDEX):
        raise _nothing_published(dest)
    limits = ApiLimits(
        memory_bytes=memory * MEGABYTE,
        threads=threads,
        query_seconds=float(seconds),
        at_once=at_once,
        cache_bytes=cache_size * MEGABYTE,
    )
    require_free_port(host, port)
    typer.echo(f"The API is at http://{host}:{port}/ (stop it with Ctrl+C)")
    pages = (site or Settings.from_environment().base_url).rstrip("/") + "/"
    run_server(ServerOptions(dest, str(cache) if cache else None, limits, host, port, workers, pages))


def _nothing_published(dest: str) -> UsageError:
    return UsageError(f"nothing is published in {dest} yet: run piperoll run --inbox DIR --to {dest}")
