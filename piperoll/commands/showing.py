"""How to look at what is published."""

from __future__ import annotations

from typing import Annotated

import typer


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
    import publishers

    publishers.site(publishers.open_store(dest), port=port, browser=browser)
