"""List what the lock file pins, and for how long: `python -m tests.tools.pins [LOCK]`.

It uses no network. When a version was released is in no package's metadata; the age is that of its line in the lock
file, by Git: the time since somebody last chose it. Compare the old ones with the advisories of their projects.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

LOCK = Path(__file__).parents[2] / "requirements.lock"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_BLAMED = re.compile(r"^committer-time (\d+)$|^\t(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned package; `installed` is None if it is not, `days` is the age of the pin, None where Git has none."""

    name: str
    version: str
    installed: str | None
    days: int | None


def list_pins(lock: Path = LOCK, now: datetime | None = None) -> list[Pin]:
    """The pins of a lock file, the oldest first."""
    since, today = _pinned_since(lock), now or datetime.now(UTC)
    pins = []
    for name, version in _PIN.findall(lock.read_text("utf-8")):
        pinned = since.get(f"{name}=={version}")
        pins.append(Pin(name, version, _installed_version(name), (today - pinned).days if pinned else None))
    return sorted(pins, key=lambda pin: (-(pin.days or 0), pin.name))


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _pinned_since(lock: Path) -> dict[str, datetime]:
    """When each pin came into the lock file, by Git; empty outside a working copy."""
    command = ["git", "-C", str(lock.parent), "blame", "--line-porcelain", lock.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    since: dict[str, datetime] = {}
    moment = datetime.now(UTC)
    for seconds, line in _BLAMED.findall(done.stdout):
        if seconds:
            moment = datetime.fromtimestamp(int(seconds), UTC)
        elif pin := _PIN.match(line):
            since[f"{pin[1]}=={pin[2]}"] = moment
    return since


def main() -> None:
    """Print the table."""
    lines = [f"{'package':32} {'pinned':16} {'installed':16} {'days pinned':>11}"]
    for pin in list_pins(Path(sys.argv[1]) if len(sys.argv) > 1 else LOCK):
        days = "not known" if pin.days is None else f"{pin.days:,}"
        lines.append(f"{pin.name:32} {pin.version:16} {pin.installed or 'no':16} {days:>11}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
