"""Making catalogue/vendor/ again from npm: `python -m tests.tools.bundle` (or `make vendor`)."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from tests.tools.npm import HERE, installed

VENDOR = HERE.parents[1] / "catalogue" / "vendor"
SCRIPT = "parquet.js"
PACKAGES = ("hyparquet", "fzstd")
"""What is in the script: the format, and how to unpack Zstandard (in plain JavaScript: no page may run WebAssembly)."""

_README = """# What others wrote

One script, and nothing else in the catalogue: it reads a Parquet file in place, by parts. `make vendor` makes it again
from npm, where the versions are pinned with their hashes in `tests/tools/package-lock.json`; the tests compare the two
byte for byte. esbuild {esbuild} puts it together from `tests/tools/parquet.mjs`, made small and otherwise as it was.

| file | sha256 | bytes |
|---|---|---|
| `{script}` | `{sha256}` | {bytes} |

It holds:

| package | version | licence |
|---|---|---|
{rows}

{licences}"""


def bundled(modules: Path, to: Path) -> None:
    """Put the script together in the file `to`."""
    shutil.copy(HERE / "parquet.mjs", modules.parent / "parquet.mjs")
    told = ("--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=none", f"--outfile={to}")
    esbuild = modules / "esbuild" / "bin" / "esbuild"
    subprocess.run([str(esbuild), "parquet.mjs", "--log-level=warning", *told], cwd=modules.parent, check=True)


def readme(modules: Path, script: bytes) -> str:
    """What stands beside the script: names, versions, hashes and licences."""
    versions = {name: _package(modules, name) for name in PACKAGES}
    rows = "\n".join(f"| {name} | {told['version']} | {told['license']} |" for name, told in versions.items())
    texts = (f"## {name}\n\n```\n{(modules / name / 'LICENSE').read_text('utf-8').strip()}\n```\n" for name in PACKAGES)
    return _README.format(
        esbuild=_package(modules, "esbuild")["version"],
        script=SCRIPT,
        sha256=hashlib.sha256(script).hexdigest(),
        bytes=len(script),
        rows=rows,
        licences="\n".join(texts),
    )


def _package(modules: Path, name: str) -> dict[str, str]:
    told: dict[str, str] = json.loads((modules / name / "package.json").read_text("utf-8"))
    return told


def main() -> None:
    """Write the script and its README anew."""
    modules = installed()
    VENDOR.mkdir(exist_ok=True)
    bundled(modules, VENDOR / SCRIPT)
    (VENDOR / "README.md").write_text(readme(modules, (VENDOR / SCRIPT).read_bytes()), "utf-8")


if __name__ == "__main__":
    main()
