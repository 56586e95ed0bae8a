"""Recognise the dataset and the part of a file that was sent without them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from piperoll.model import Dataset
from piperoll.model.mapping import bare
from piperoll.reading.columns.headless import recognise_headless
from piperoll.reading.columns.lexicon import Lexicon, build_lexicon, terms_in
from piperoll.reading.columns.profiles import profile_columns
from piperoll.reading.grids.grid import Grid, without_blanks
from piperoll.reading.reading import ReadTable
from piperoll.reading.tables.heading_rows import choose_heading_row, find_heading_rows, find_unknown_headings

_EMPTY_FIT = 0.6
"""The fit of an empty column to any field."""

_TELLING = 4
"""So many fields of text show a dataset, although the one that its records are about is missing."""


def recognise(grids: Sequence[Grid], datasets: Sequence[Dataset]) -> Dataset | None:
    """Return the dataset whose core the headings cover best, or else that the cells fit; None if none does."""
    best = _best(grids, datasets, thorough=False)
    if best[0] < 1:  # no dataset has its whole core among the likely headings
        best = _best(grids, datasets, thorough=True)
    if best[:2] > (0.0, 0.0):
        return datasets[-best[3]]
    unnamed = [grid for grid in grids if grid.headings is None]
    if any(map(find_unknown_headings, unnamed)):  # a list of its own kind: sheets beside it are no proof
        return None
    filled = [(grid.width, rows) for grid in unnamed if (rows := without_blanks(grid.rows))]
    headless = [(profile_columns(rows, width), len(rows)) for width, rows in filled]
    return next((each for each in datasets if any(recognise_headless(*one, each) for one in headless)), None)


def _best(grids: Sequence[Grid], datasets: Sequence[Dataset], *, thorough: bool) -> tuple[float, float, int, int]:
    """Return the best share of a core that is covered, the score, the number of core groups, and the dataset's index.

    The index is counted backwards from 0. If headings fit two datasets equally, the one with more core groups among the
    columns is used: payments need a date too, a register of contracts does not.
    """
    ranked = []
    for index, dataset in enumerate(datasets):
        lexicon = build_lexicon(dataset, None)
        covered = (_grid_coverage(grid, lexicon, thorough=thorough) for grid in grids)
        ranked.append((*max(covered, default=(0.0, 0.0, 0)), -index))
    return max(ranked)


def _grid_coverage(grid: Grid, lexicon: Lexicon, *, thorough: bool) -> tuple[float, float, int]:
    dataset = lexicon.dataset
    if grid.headings is not None:
        fields = {match.field for heading in grid.headings for match in lexicon.meanings(heading)[:1]}
        score = float(len(fields))
    else:
        best = choose_heading_row(find_heading_rows(grid, lexicon, thorough=thorough))
        if best is None:
            return 0.0, 0.0, 0
        fields, score = {*best.fields}, best.score
        if any(lexicon.is_wide(cell) for cell in best.cells):
            fields |= {name for shape in dataset.wide for name in shape["measures"].values()}
    missing = dataset.missing_core(fields, period_given=True)
    # Every register has references, numbers and dates, so one field must say what the records are about.
    # Several of the dataset's other words say so too: then only the column of that field was left out.
    texts = [each for each in map(dataset.field, fields) if each.type == "string" and not each.is_identifier]
    if missing and len(texts) < _TELLING and not any(each.name in dataset.core_fields for each in texts):
        return 0.0, 0.0, 0
    groups = sum(not fields.isdisjoint(group) for group in dataset.core)
    return 1 - len(missing) / max(1, len(dataset.core)), score, groups


def is_certain(tables: Sequence[ReadTable], dataset: Dataset) -> bool:
    """Return whether the headings of a table prove its dataset: each core group has one that is listed.

    The column below it must not be empty. One heading must be more specific than the dataset's `general_headings`, and
    none may say that it is about orders and not payments.
    """
    for table in tables:
        proved = {
            name: choice.heading
            for name, choice in table.choices.items()
            if choice.how != "content" and choice.fit > _EMPTY_FIT and name in dataset.core_fields
        }
        proved |= dict.fromkeys(table.wide, "")
        ordered = any("order" in terms_in(heading) for heading in proved.values())
        specific = any(bare(heading) not in dataset.general_headings for heading in proved.values())
        if specific and not ordered and not dataset.missing_core(proved, period_given=True):
            return True
    return False


def recognise_part(dataset: Dataset, name: str, columns: Mapping[str, str]) -> str | None:
    """Return the part that the columns (headings by field) or the file's name show; None if neither does.

    A name that matches the dataset's `main_list` pattern ("over £25,000") is the main list, whatever else it says.
    """
    words = f" {_words(re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', name))} "
    fields, headings = set(columns), {bare(heading) for heading in columns.values()}
    if dataset.main_list is None or not re.search(dataset.main_list, name, re.IGNORECASE):
        for part in dataset.parts:
            if any(re.search(rf"(?<![a-z]){_words(word)}(?![a-z])", words) for word in part.names):
                return part.name
        for part in dataset.parts:
            if not headings.isdisjoint(map(bare, part.headings)):
                return part.name
    return next((part.name for part in dataset.parts if part.marks and fields.issuperset(part.marks)), None)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
