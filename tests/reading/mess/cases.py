"""A case: a clean table, the messes that befall it, and what came of reading it. A function of its few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from piperoll import assets
from piperoll.model import Dataset, Finding
from piperoll.reading import read

from . import cell_messes, column_messes, date_messes, heading_messes, row_messes, text_messes
from .comparing import Difference, differences, outcome
from .drafts import COLUMNS, REGISTRY, Draft, Mess, dice
from .tables import CORE, clean
from .writers import Written, written

_MODULES = (cell_messes, date_messes, column_messes, row_messes, heading_messes, text_messes)
DATASETS = tuple(CORE)


@dataclass(frozen=True, slots=True)
class Case:
    """What a made-up file is made of: the seed of its words and figures, its rows, its format, its messes by name."""

    seed: int
    dataset: str
    rows: int
    format: str
    messes: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What came of a case: the messes that did befall it, what was read wrongly, and how it ended."""

    case: Case
    befell: tuple[str, ...]
    found: tuple[Difference, ...]
    outcome: str
    findings: tuple[Finding, ...] = ()


def registered() -> tuple[Mess, ...]:
    """Every mess, in the order in which they befall a file."""
    return tuple(sorted(REGISTRY.values(), key=lambda each: each.stage))


def drafted(case: Case) -> tuple[Draft, tuple[str, ...]]:
    """The case's draft, and which of its messes could befall it. Each has dice of its own, so one can be left out."""
    own = dice(case.seed, "file")
    draft = replace(
        clean(case.dataset, case.rows, dice(case.seed, "table")),
        format=case.format,
        typed=own.random() < 0.6,
        merged=own.random() < 0.4,
    )
    befell, groups = [], set()
    for each in registered():
        if each.name not in case.messes or each.group in groups or (case.format == "json" and each.stage > COLUMNS):
            continue
        if messier := each.apply(draft, dice(case.seed, each.name)):
            draft = messier
            befell.append(each.name)
            groups.add(each.group)
    headings = draft.sheet.lines[draft.sheet.heading].cells
    if case.format == "json" and len(set(headings)) < len(headings):
        draft = replace(draft, format="csv")
    return draft, tuple(befell)


def file_of(case: Case) -> tuple[Draft, Written, tuple[str, ...]]:
    """The case's draft, its file, and which of its messes could befall it."""
    draft, befell = drafted(case)
    return draft, written(draft), befell


def examined(case: Case) -> Result:
    """The case read and compared. What reading raises is raised."""
    draft, file, befell = file_of(case)
    known = _dataset(case.dataset) if draft.given else None
    reading = read(file.content, f"file.{draft.format}", assets.datasets(), dataset=known)
    found = tuple(differences(draft, file, reading))
    return Result(case, befell, found, outcome(found, befell, reading.findings), reading.findings)


@cache
def _dataset(name: str) -> Dataset:
    return assets.dataset(name)


def drawn(seed: int, most: int, formats: Sequence[str]) -> Case:
    """A case at random: of some dataset, with up to `most` messes."""
    own = dice(seed)
    names = [each.name for each in registered()]
    count = min(most, 1 + int(own.expovariate(0.4)))
    return Case(
        seed,
        own.choice(DATASETS),
        3 + min(37, int(own.expovariate(0.15))),
        own.choice(formats),
        tuple(own.sample(names, count)),
    )


def smaller(result: Result) -> Result:
    """The same failure from fewer messes and fewer rows, as far as dropping one at a time goes."""
    best = result
    for name in result.befell:
        best = _if_failing(replace(best.case, messes=tuple(each for each in best.case.messes if each != name)), best)
    for rows in (3, 4, 5, 6, 8, 10, 14, 20):
        if rows < best.case.rows:
            tried = _if_failing(replace(best.case, rows=rows), best)
            if tried is not best:
                return tried
    return best


def _if_failing(case: Case, otherwise: Result) -> Result:
    tried = examined(case)
    return tried if tried.outcome == otherwise.outcome else otherwise
