"""How to look at what is published."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll import layout
from piperoll.errors import UsageError

if TYPE_CHECKING:
    from publishers.site import Site


def site(
    dest: Annotated[str, typer.Argument(metavar="DEST", help="A folder or s3://bucket/prefix that was published to.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes one that is free.")] = 8000,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in your browser.")] = True,
) -> None:
    """Serve the published catalogue on this machine, and open it.

    Only what is published is served (catalogue/, data/, reports/): never the archive of files as received. Stop it with
    Ctrl+C.

    piperoll site published
    piperoll site build/demo --port 8080 --no-browser
    """
    with _server(dest, port) as server:
        typer.echo(f"The catalogue is at {server.address} (stop it with Ctrl+C)")
        if browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("Stopped.")


def _server(dest: str, port: int) -> Site:
    from publishers import open_store, serve_site

    store = open_store(dest)
    if not store.exists(layout.HOME):
        raise UsageError(f"nothing is published in {dest} yet: first type piperoll run --inbox DIR --to {dest}")
    try:
        return serve_site(store, port=port)
    except OSError as error:
        raise UsageError(f"port {port} cannot be used ({error.strerror}): name another with --port, or 0") from error
