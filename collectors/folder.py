"""List the files of an inbox, a folder laid out as `<dataset>/<body>/<file>`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from piperoll.assets import dataset_names, find_dataset
from piperoll.errors import UnknownDataset, UsageError
from piperoll.model import printable_name

_CLUTTER = ("thumbs.db", "desktop.ini", "__macosx")
_OUTSIDE = "it is outside the folders <dataset>/<body>/: move it into one"
_NO_BODY = "it is not in the folder of a body: move it to <dataset>/<body>/"
_UNFINISHED = (".part", ".crdownload", ".tmp", ".filepart")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A collected file at `path`, not yet a submission.

    `dataset` is the name or an alias of a dataset, `sender` any name of the body, `origin` a path relative to the inbox
    or a web address, and `received` an ISO 8601 instant in UTC. `period` and `part` are set if they were given.
    `response` is the log entry of the web response.
    """

    path: Path
    name: str
    dataset: str
    sender: str
    origin: str
    received: str
    period: str | None = None
    part: str | None = None
    response: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SkippedPath:
    """A file or folder of the inbox that is not collected: its path relative to the inbox, and the reason."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class InboxListing:
    """The files of an inbox to collect, in order of their paths, and what is left out."""

    arrivals: tuple[Arrival, ...]
    left_out: tuple[SkippedPath, ...]


def list_inbox(inbox: Path, *, received: str, period: str | None = None) -> InboxListing:
    """List every file of an inbox, either to collect or left out with a reason.

    The first folder is the name or an alias of a dataset, the second names the body; deeper folders belong to the body.
    `received` is an ISO 8601 instant in UTC; `period` applies to all files. Raises: UsageError: the folder is missing.
    """
    if not inbox.is_dir():
        raise UsageError(f"the folder {inbox} does not exist: lay out an inbox as <dataset>/<body>/<file>")
    found: list[Arrival] = []
    left_out: list[SkippedPath] = []

    def leave_out(path: Path, why: str) -> None:
        left_out.append(SkippedPath(printable_name(path.relative_to(inbox).as_posix()), why))

    for folder in sorted(inbox.iterdir()):
        if why := _why_not_a_dataset(folder):
            leave_out(folder, why)
            continue
        for path in _files(folder, leave_out):
            relative = path.relative_to(inbox)
            if why := _why_left_out(path, relative):
                leave_out(path, why)
            else:
                dataset, sender = relative.parts[:2]
                origin = relative.as_posix()
                found.append(Arrival(path, path.name, dataset, sender, origin, received, period))
    return InboxListing(tuple(found), tuple(sorted(left_out, key=lambda each: each.path)))


def why_not_collected(key: str) -> SkippedPath | None:
    """What is left out of an inbox in a bucket because of a key, and why: the same as in a folder."""
    parts = key.split("/")
    if len(parts) == 1:
        return SkippedPath(key, _why_clutter(key) or _OUTSIDE)
    if why := _why_unknown(parts[0]):
        return SkippedPath(parts[0], why)
    for name in parts[1:]:
        if why := _why_clutter(name):
            return SkippedPath(key, why)
    if not all(parts) or printable_name(key) != key:
        return SkippedPath(printable_name(key), "its key has an empty name or control characters: rename it")
    return SkippedPath(key, _NO_BODY) if len(parts) < 3 else None


def _why_not_a_dataset(folder: Path) -> str | None:
    return _why_unknown(folder.name) if folder.is_dir() else _why_clutter(folder.name) or _OUTSIDE


def _why_unknown(name: str) -> str | None:
    try:
        find_dataset(name)
    except UnknownDataset:
        return _why_clutter(name) or f"this folder is not a dataset: use one of {', '.join(dataset_names())}"
    return None


def _why_left_out(path: Path, relative: Path) -> str | None:
    for name in relative.parts[1:]:
        if why := _why_clutter(name):
            return why
    if printable_name(relative.as_posix()) != relative.as_posix():
        return "its name is not UTF-8: rename it"
    if path.is_symlink():
        return "it is a link: copy the file itself into the inbox"
    if len(relative.parts) < 3:
        return _NO_BODY
    return None if path.is_file() else "it is not an ordinary file"


def _why_clutter(name: str) -> str | None:
    lower = name.lower()
    if lower.startswith((".", "~$")):
        return "it is hidden"
    if lower in _CLUTTER:
        return "it belongs to the operating system"
    return "it is still being copied or downloaded" if lower.endswith(_UNFINISHED) else None


def _files(folder: Path, leave_out: Callable[[Path, str], None]) -> list[Path]:
    """Every file and every link below the folder of a dataset, in order; folders that cannot be read are left out.

    Links are not followed: anyone who can write to an inbox could otherwise publish any file of this machine.
    """

    def cannot_read(error: OSError) -> None:
        leave_out(Path(os.fsdecode(error.filename)), f"this folder cannot be read: {error.strerror}")

    found: list[Path] = []
    for top, folders, names in os.walk(folder, onerror=cannot_read):
        here = Path(top)
        found += [here / name for name in names] + [here / name for name in folders if (here / name).is_symlink()]
    return sorted(found)
