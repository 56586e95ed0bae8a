"""What a version changed, and what became of it, in words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from piperoll import layout
from piperoll.describing import figures
from piperoll.model import Cause, Changes, Differences, Effect, Series, Status, Version

CAUSES = {
    Cause.FIRST: "First publication",
    Cause.CORRECTION: "Correction by the body",
    Cause.ADDITION: "Another file added",
    Cause.MAPPING: "A heading read otherwise",
    Cause.RULES: "Read by newer rules",
}


def difference_words(told: Differences) -> str:
    """How many rows came, went and changed, with their pounds: `1 row added (£750.00), 2 corrected (-£43.50)`."""
    parts = [
        _counted("added", told.added, figures.pounds),
        _counted("removed", told.removed, figures.pounds),
        _counted("corrected", told.changed, figures.change),
    ]
    return ", ".join(part for part in parts if part) or "no row differs"


def restatement(version: Version) -> str | None:
    """What a version changed against the one before, in a sentence; None where that is not known."""
    if version.changes is None:
        return None
    return f"Against version {version.changes.against}: {difference_words(version.changes.differences)}."


def ending(version: Version) -> str | None:
    """When and why a version was withdrawn or purged, in a sentence; None if it was not."""
    if version.ended is None:
        return None
    what = "Removed" if version.status is Status.PURGED else "Withdrawn"
    return f"{what} on {figures.day(version.ended)}: {(version.because or '').rstrip('.')}."


def changes_file(series: Series, changes: Changes | None) -> str | None:
    """The key of the file with the rows that changed; None where there is none, or none any more."""
    return None if changes is None or changes.file is None else layout.series_folder(series) + changes.file.path


def _counted(verb: str, effect: Effect, spelled: Callable[[Decimal], str]) -> str:
    if not effect.rows:
        return ""
    money = "" if effect.amount_gbp is None else f" ({spelled(effect.amount_gbp)})"
    return f"{figures.counted(effect.rows, 'row')} {verb}{money}"
