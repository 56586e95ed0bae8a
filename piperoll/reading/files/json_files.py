"""A JSON text to its values: one document or several (JSON Lines), with what is wrong said by line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from piperoll.model import Dataset
from piperoll.model.columns import texts
from piperoll.reading.cells.values import UNREADABLE, Reader
from piperoll.reading.grids.blocks import ROWS
from piperoll.reading.grids.grid import Grid, Row, Rows
from piperoll.reading.reading import SENT, ReadTable

_DEPTH = 60
"""Deeper than this no published data nest; a chain of brackets can be made as deep as one likes."""

_SPACE = re.compile(r"[\s,\x1e]*")
_HIGH, _LOW = r"u[dD][89abAB][0-9a-fA-F]{2}", r"u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:{_HIGH}\\{_LOW}|{_HIGH}|{_LOW}|.)", re.S)


class JsonTrouble(ValueError):
    """A text that cannot be read as JSON: what is wrong, and the line (from 1)."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line


@dataclass
class Repeats:
    """The names that stand twice in one record: the first such name, and in how many records."""

    name: str = ""
    count: int = 0

    def record(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        """The record of these pairs; the last value of a name stands."""
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            self.name = self.name or next(name for name in names if names.count(name) > 1)
            self.count += 1
        return found


@dataclass(frozen=True)
class JsonText:
    """The values of a JSON text in order, numbers as they are written, and the names that repeat."""

    values: list[object] = field(repr=False)
    repeats: Repeats


def read_json(text: str) -> JsonText:
    """Every value of a text: one, or several one after the other.

    Raises:
        JsonTrouble: the text is no JSON, breaks off, or nests too deeply.
    """
    text = text.removeprefix("\ufeff")
    if "\\ud" in text or "\\uD" in text:
        text = _ESCAPE.sub(_whole, text)
    repeats = Repeats()
    try:
        values = list(_values(text, repeats))
    except json.JSONDecodeError as error:
        raise JsonTrouble(error.msg, error.lineno) from error
    except RecursionError as error:
        raise JsonTrouble("Its brackets nest too deeply") from error
    _bound_depth(values)
    return JsonText(values, repeats)


def _values(text: str, repeats: Repeats) -> Iterator[object]:
    decoder = json.JSONDecoder(
        object_pairs_hook=repeats.record, parse_float=str, parse_int=str, parse_constant=str, strict=False
    )
    place = _skip(text, 0)
    while place < len(text):
        value, place = decoder.raw_decode(text, place)
        yield value
        place = _skip(text, place)


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _whole(match: re.Match[str]) -> str:
    """Half a surrogate pair names no character: it becomes the replacement mark."""
    half = len(match[0]) == 6 and match[0][1] == "u"
    return "\\ufffd" if half else match[0]


def _bound_depth(values: list[object]) -> None:
    level: list[object] = values
    for _ in range(_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise JsonTrouble("Its brackets nest too deeply")


def _children(node: object) -> Iterator[object]:
    held = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return (child for child in held if isinstance(child, (dict, list)))


# JSON to tables: OCDS releases by the dataset's paths, or an array of records as a grid.


_NAMES = 16_384
"""As many names of values as a sheet has columns; records with more are no table."""

_CELLS = 60_000_000
_LEVELS = 3
"""How deep a list of records may lie: `result.data.items`."""


@dataclass(frozen=True)
class Document:
    """What a JSON file holds: `releases` of OCDS (None if it holds none), or `grid`, an array of records or of rows.

    `path` names the list that was taken, where it lay under a name, and `others` the lists that were not.
    `repeated` is a name that stands twice in one record and in how many; `empty` says that the list holds nothing.
    """

    releases: tuple[Mapping[str, object], ...] | None = None
    grid: Grid | None = None
    path: str = ""
    others: tuple[str, ...] = ()
    repeated: tuple[str, int] | None = None
    empty: bool = False


def open_json(text: str) -> Document:
    """The releases or records of a JSON text.

    Raises:
        JsonTrouble: it cannot be read as JSON, or its records name too many values to be a table.
    """
    read = read_json(text)
    document = _document(read.values)
    return replace(document, repeated=(read.repeats.name, read.repeats.count)) if read.repeats.count else document


def _document(values: Sequence[object]) -> Document:
    releases = [_releases(value) for value in values]
    if values and all(found is not None for found in releases):
        return Document(releases=tuple(item for found in releases if found for item in found))
    value = values[0] if len(values) == 1 else values
    lists = dict(_lists(value, "", _LEVELS))
    if not lists:
        empty = value == [] or (isinstance(value, dict) and [] in value.values())
        return Document(empty=empty) if empty or not isinstance(value, dict) else Document(grid=_grid([value]))
    path = max(lists, key=lambda path: len(lists[path]))
    others = tuple(other or "the list itself" for other in lists if other != path)
    return Document(grid=_grid_of(lists[path]), path=path, others=others)


def _releases(value: object) -> Sequence[Mapping[str, object]] | None:
    """The releases of one document of OCDS: a package of releases or records, a release, a list of them."""
    if isinstance(value, list):
        return value if _is_records(value) and all(map(_is_release, value)) else None
    if not isinstance(value, dict):
        return None
    if isinstance(releases := value.get("releases"), list):
        return [item for item in releases if isinstance(item, dict)]
    if isinstance(records := value.get("records"), list) and (compiled := _compiled(records)):
        return compiled
    return [value] if "ocid" in value else None


def _is_release(item: Mapping[str, object]) -> bool:
    return "ocid" in item and ("tag" in item or "tender" in item)


def _lists(value: object, path: str, levels: int) -> Iterator[tuple[str, Sequence[object]]]:
    """Every list of records, or of rows, that lies at most so many levels down, with its path."""
    if isinstance(value, list) and value and (_is_records(value) or all(isinstance(row, list) for row in value)):
        yield path, value
    elif isinstance(value, dict) and levels:
        for name, held in value.items():
            yield from _lists(held, f"{path}.{name}" if path else name, levels - 1)


def _grid_of(items: Sequence[object]) -> Grid:
    if _is_records(items):
        return _grid([item for item in items if isinstance(item, dict)])
    rows = (row for row in items if isinstance(row, list))
    return Grid(None, Rows.of(Row(number, None, list(map(_text, row))) for number, row in enumerate(rows, 1)))


def _compiled(records: Sequence[object]) -> list[Mapping[str, object]]:
    """One release for each record: the compiled one, else the latest that it holds, else what the record says."""
    return [_latest(item) for item in records if isinstance(item, dict) and "ocid" in item]


def _latest(record: Mapping[str, object]) -> Mapping[str, object]:
    compiled, releases = record.get("compiledRelease"), record.get("releases")
    if isinstance(compiled, dict):
        return compiled
    held = releases if isinstance(releases, list) else []
    whole = [each for each in held if isinstance(each, dict) and "ocid" in each]
    return max(whole, key=lambda each: str(each.get("date", ""))) if whole else record


def _is_records(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _grid(records: Sequence[Mapping[str, object]]) -> Grid:
    flat = [dict(_flattened(record, "")) for record in records]
    names = tuple(dict.fromkeys(name for record in flat for name in record))
    if len(names) > _NAMES or len(names) * len(flat) > _CELLS:
        raise JsonTrouble("Its records name too many different values to be a table")
    rows = Rows.of(Row(number, None, [record.get(name, "") for name in names]) for number, record in enumerate(flat, 1))
    return Grid(None, rows, headings=names)


def _flattened(record: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield prefix + str(name), _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(filter(None, map(_text, value)))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def release_table(releases: Sequence[Mapping[str, object]], dataset: Dataset) -> ReadTable:
    """One line for each award of each release, or one for a release without awards; `row` counts releases."""
    fields = [each for each in dataset.fields if each.name in dataset.ocds]
    readers = {each.name: Reader(each) for each in fields}
    sent: dict[str, list[str | None]] = {each.name: [] for each in fields if readers[each.name].typed}
    cells: dict[str, list[str | None]] = {each.name: [] for each in fields}
    rows: list[int] = []
    unreadable: dict[str, list[int]] = {}
    for number, release in enumerate(releases, start=1):
        for award in _awards(release):
            rows.append(number)
            for each in fields:
                cell = _at(release, award, dataset.ocds[each.name])
                value = readers[each.name].read(cell)
                if value is UNREADABLE:
                    unreadable.setdefault(each.name, []).append(number)
                cells[each.name].append(value if isinstance(value, str) else None)
                if each.name in sent:
                    sent[each.name].append(cell or None)
    return ReadTable(
        sheet=None,
        header_row=0,
        header_line=None,
        columns={each.name: dataset.ocds[each.name] for each in fields},
        column_letters={},
        rows=len(releases),
        excluded_rows=(),
        unreadable={name: tuple(dict.fromkeys(numbers)) for name, numbers in unreadable.items()},
        stored=tuple(_batches(rows, cells, sent)),
    )


def _batches(
    rows: list[int], cells: Mapping[str, list[str | None]], sent: Mapping[str, list[str | None]]
) -> Iterator[pa.RecordBatch]:
    columns: dict[str, pa.Array[Any]] = {"row": pa.array(rows, pa.int64()), "line": pa.nulls(len(rows), pa.int64())}
    for name, values in cells.items():
        columns[name] = texts(values)
        if name in sent:
            columns[name + SENT] = texts(sent[name])
    whole = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    for start in range(0, max(len(rows), 1), ROWS):
        yield whole.slice(start, ROWS)


def _awards(release: Mapping[str, object]) -> list[Mapping[str, object]]:
    awards = release.get("awards")
    found: list[Mapping[str, object]] = []
    if isinstance(awards, list):
        found = [award for award in awards if isinstance(award, dict)]
    return found or [{}]


def _at(release: Mapping[str, object], award: Mapping[str, object], path: str) -> str:
    """What stands at a path; below `awards[]` that of the one award; several values are joined by `; `."""
    if path.startswith("awards[]."):
        return _joined(_walk(award, path.removeprefix("awards[].").split(".")))
    return _joined(_walk(release, path.split(".")))


def _joined(values: Iterator[str]) -> str:
    return "; ".join(dict.fromkeys(value for value in values if value))


def _walk(node: object, steps: Sequence[str]) -> Iterator[str]:
    if not steps:
        yield _text(node)
        return
    name, several = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    below = node.get(name) if isinstance(node, Mapping) else None
    if several and isinstance(below, list):
        for item in below:
            yield from _walk(item, steps[1:])
    elif below is not None:
        yield from _walk(below, steps[1:])
