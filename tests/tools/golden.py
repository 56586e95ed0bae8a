"""The golden cases: files as a body sends them, with the reports and releases that come of them, byte for byte; JSON is
laid out in lines, so that a difference can be read.

Each folder `tests/fixtures/golden/<dataset>/<case>/` holds `input/` with one file and what the commands make of
it: `check.json` (`piperoll check --json`), `public-report.json` and, if the file is published, `release/`. The Parquet
file is left out of `release/`: its hash is in the manifest.

`make golden` writes them again after a change that is meant; read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"
PIPEROLL = Path(sys.executable).with_name("piperoll")


def cases() -> list[str]:
    """Every case as `<dataset>/<case>`."""
    return sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in GOLDEN.glob("*/*/input"))


def expected_files(case: str) -> dict[str, bytes]:
    """The committed files of a case by their path below its folder, the input left out."""
    folder = GOLDEN / case
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "input" not in path.relative_to(folder).parts
    }


def produce_files(work: Path) -> dict[str, dict[str, bytes]]:
    """Check and run every case in the folder `work`, all in one run; the files of each case by their path."""
    inbox, store = work / "inbox", work / "store"
    inputs = {}
    for case in cases():
        shutil.copytree(GOLDEN / case / "input", inbox / case)
        (inputs[case],) = (inbox / case).iterdir()
    _piperoll("run", "--inbox", str(inbox), "--to", str(store))
    checked = {
        case: _piperoll("check", "--json", "--dataset", case.split("/")[0], str(path)) for case, path in inputs.items()
    }
    return {case: {"check.json": _indented(checked[case])} | dict(_published_files(store, case)) for case in cases()}


def _published_files(store: Path, case: str) -> Iterator[tuple[str, bytes]]:
    dataset, body = case.split("/")
    (report,) = (store / "reports" / dataset / body).glob("*.json")
    yield "public-report.json", _indented(report.read_bytes())
    for pointer in (store / "data" / dataset / body).glob("*/versions.json"):
        (version,) = (path for path in pointer.parent.iterdir() if path.is_dir())
        for path in version.iterdir():
            if path.suffix != ".parquet":
                content = path.read_bytes()
                laid_out = _indented(content, 2) if path.suffix == ".json" else content
                yield f"release/{pointer.parent.name}/{path.name}", laid_out


def _piperoll(*arguments: str) -> bytes:
    """Run the command; exit status 1 says that a file is held or rejected, which some cases are."""
    environment: Mapping[str, str] = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    finished = subprocess.run([str(PIPEROLL), *arguments], capture_output=True, env=environment, check=False)
    assert finished.returncode in (0, 1), finished.stderr.decode()
    return finished.stdout


def _indented(document: bytes, spaces: int = 1) -> bytes:
    return json.dumps(json.loads(document), indent=spaces, ensure_ascii=False).encode() + b"\n"


def main() -> None:
    """Write the expected files of every case again."""
    with tempfile.TemporaryDirectory() as work:
        for case, files in produce_files(Path(work)).items():
            for old in expected_files(case):
                (GOLDEN / case / old).unlink()
            for name, content in files.items():
                path = GOLDEN / case / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


if __name__ == "__main__":
    main()
