"""Commands for those who look after a deployment: settings."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def settings(as_json: AsJson = False) -> None:
    """Print every setting that is in force and where it comes from. Secrets are not shown.

    piperoll settings
    piperoll --config /etc/piperoll/piperoll.toml settings --json
    """
    from piperoll.settings import SECRETS, Settings, read_settings

    given = read_settings()
    listed: dict[str, dict[str, Any]] = {}
    for one in fields(Settings):
        value, source = given.get(one.name, (one.default, "default"))
        listed[one.name] = {"value": ("(set)" if value else "") if one.name in SECRETS else value, "from": source}
    if as_json:
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    width = max(map(len, listed))
    for name, one in listed.items():
        typer.echo(f"{name:{width}}  {one['value']}  ({one['from']})")
