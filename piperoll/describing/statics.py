"""What every page of the catalogue shares: its style, its scripts, and what it lets a browser do."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator

from piperoll import assets, layout

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The Content-Security-Policy of every page: nothing from elsewhere, nothing written into the page runs."""

_FILES = ("style.css", "icon.svg", "scripts/copy.js", "scripts/rows.js", "scripts/search.js")
_VENDORED = ("vendor/parquet.js", "vendor/README.md")


def statics() -> Iterator[tuple[str, bytes]]:
    """The style, the scripts and what others wrote, with their keys; the licences of the last as plain text."""
    folder = assets.folder("catalogue")
    for name in (*_FILES, *_VENDORED):
        yield layout.CATALOGUE + name.replace("README.md", "LICENCES.txt"), (folder / name).read_bytes()


def style() -> str:
    """The one stylesheet."""
    return (assets.folder("catalogue") / "style.css").read_text("utf-8")


def policy_of_one_style(style: str) -> str:
    """The policy of a page that stands alone: this one style, by its hash, and nothing else."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'none'; base-uri 'none'"
