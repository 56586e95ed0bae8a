"""From a folder: an inbox laid out as `<dataset>/<body>/<file>`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collectors.arrival import Arrival
from piperoll.assets import dataset_names, find_dataset
from piperoll.errors import UnknownDataset, UsageError

_CLUTTER = ("thumbs.db", "desktop.ini", "__macosx")
_UNFINISHED = (".part", ".crdownload", ".tmp", ".filepart")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in the inbox that is not collected: where, relative to the inbox, and why in plain words."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What an inbox holds: the files to collect, in order of their paths, and what is left out of it."""

    arrivals: tuple[Arrival, ...]
    left_out: tuple[LeftOut, ...]


def arrivals(inbox: Path, *, received: str, period: str | None = None) -> Iterator[Arrival]:
    """The files of an inbox, in order of their paths; `survey` also tells what is left out."""
    return iter(survey(inbox, received=received, period=period).arrivals)


def survey(inbox: Path, *, received: str, period: str | None = None) -> Survey:
    """Every file of an inbox, either to be collected or left out with a reason.

    The first folder names the dataset (or an alias of one), the second the body; deeper folders belong to the body.
    `received` is an ISO 8601 instant in UTC, `period` what was given for all of them.

    Raises: UsageError: there is no such folder.
    """
    if not inbox.is_dir():
        raise UsageError(f"there is no folder {inbox}: lay out an inbox as <dataset>/<body>/<file>")
    found: list[Arrival] = []
    left_out: list[LeftOut] = []
    for place in sorted(inbox.iterdir()):
        if why := _why_not_a_dataset(place):
            left_out.append(LeftOut(place.name, why))
            continue
        for path in _files(place):
            relative = path.relative_to(inbox)
            if why := _why_left_out(path, relative):
                left_out.append(LeftOut(relative.as_posix(), why))
            else:
                found.append(_arrival(path, relative, received, period))
    return Survey(tuple(found), tuple(left_out))


def _arrival(path: Path, relative: Path, received: str, period: str | None) -> Arrival:
    dataset, sender = relative.parts[:2]
    return Arrival(
        path=path,
        name=path.name,
        dataset=dataset,
        sender=sender,
        origin=relative.as_posix(),
        received=received,
        period=period,
    )


def _why_not_a_dataset(place: Path) -> str | None:
    if not place.is_dir():
        return _why_clutter(place.name) or "it lies outside the folders <dataset>/<body>/: move it into one"
    try:
        find_dataset(place.name)
    except UnknownDataset:
        return _why_clutter(place.name) or f"this folder is no dataset: those known are {', '.join(dataset_names())}"
    return None


def _why_left_out(path: Path, relative: Path) -> str | None:
    for name in relative.parts[1:]:
        if why := _why_clutter(name):
            return why
    if len(relative.parts) < 3:
        return "it lies in no body's folder: move it to <dataset>/<body>/"
    if path.is_symlink():
        return "it is a link: copy the file itself into the inbox"
    return None if path.is_file() else "it is not an ordinary file"


def _why_clutter(name: str) -> str | None:
    small = name.lower()
    if small.startswith((".", "~$")):
        return "it is hidden"
    if small in _CLUTTER:
        return "a computer keeps it for itself"
    return "it has not finished arriving" if small.endswith(_UNFINISHED) else None


def _files(place: Path) -> list[Path]:
    """Every file below a dataset's folder, in order; links to folders are followed for a body's folder only."""
    direct = sorted(place.iterdir())
    bodies = [path for path in direct if path.is_dir()]
    below = [Path(top) / name for body in bodies for top, _, names in os.walk(body) for name in names]
    return sorted([path for path in direct if not path.is_dir()] + below)
