"""What tests and the vendored script need from npm, as package-lock.json pins it, brought into build/npm."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
PLACE = HERE.parents[1] / "build" / "npm"
_NAMES = ("package.json", "package-lock.json")


def installed() -> Path:
    """The folder of the packages, brought from npm unless what is there is of these very locks.

    Raises: RuntimeError: there is no npm here; CalledProcessError: it could not bring them.
    """
    lock = HERE / "package-lock.json"
    stamp = PLACE / "node_modules" / ".of-this-lock"
    if stamp.is_file() and stamp.read_bytes() == lock.read_bytes():
        return PLACE / "node_modules"
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not here. Type: sudo apt-get install -y nodejs npm")
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in _NAMES:
        shutil.copy(HERE / name, PLACE / name)
    # esbuild's own install script only looks whether its binary starts.
    told = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    subprocess.run([npm, "ci", *told], cwd=PLACE, check=True)
    shutil.copy(lock, stamp)
    return PLACE / "node_modules"


if __name__ == "__main__":
    installed()
