"""JSON files to tables: OCDS releases by the dataset's paths, or a list of records as a grid."""

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
from piperoll.reading.files.limits import COLUMNS
from piperoll.reading.grids.blocks import ROWS
from piperoll.reading.grids.grid import Grid, Row, Rows
from piperoll.reading.reading import SENT, ReadTable

_DEPTH = 60
"""The deepest nesting that is read. Published data is never deeper, and a chain of brackets can be of any depth."""

_BETWEEN = re.compile(r"[\s,\x1e]*")
"""What separates several documents in one text: white space, commas, and the record separator of RFC 7464."""

_HIGH, _LOW = r"u[dD][89abAB][0-9a-fA-F]{2}", r"u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:{_HIGH}\\{_LOW}|{_HIGH}|{_LOW}|.)", re.S)

_CELLS = 20_000_000
"""The most cells of a table of records."""

_LEVELS = 3
"""How deep a list of records can be: `result.data.items`."""


class JsonTrouble(ValueError):
    """A text that cannot be read as JSON.

    `kind` is the variant of the finding `json-broken`: `at-line` with the `problem` and the line (from 1), `too-deep`
    or `too-many-names`.
    """

    def __init__(self, kind: str, problem: str = "", line: int | None = None) -> None:
        super().__init__(problem or kind)
        self.kind, self.problem, self.line = kind, problem, line


@dataclass
class Repeats:
    """Records that have a name twice: the first such name, and the number of records."""

    name: str = ""
    count: int = 0

    def record(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        """The record with these pairs; of a repeated name the last value is kept."""
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
    """Read every value of a text: one, or several in sequence (JSON Lines).

    Raises: JsonTrouble: the text is not JSON, is cut off, or is nested too deeply.
    """
    text = text.removeprefix("\ufeff")
    if "\\ud" in text or "\\uD" in text:
        # Half a surrogate pair is no character: replace it by the replacement character.
        text = _ESCAPE.sub(lambda match: "\\ufffd" if len(match[0]) == 6 and match[0][1] == "u" else match[0], text)
    repeats = Repeats()
    decoder = json.JSONDecoder(
        object_pairs_hook=repeats.record, parse_float=str, parse_int=str, parse_constant=str, strict=False
    )
    values: list[object] = []
    try:
        index = 0
        while (space := _BETWEEN.match(text, index)) and space.end() < len(text):
            value, index = decoder.raw_decode(text, space.end())
            values.append(value)
    except json.JSONDecodeError as error:
        raise JsonTrouble("at-line", error.msg, error.lineno) from error
    except RecursionError as error:
        raise JsonTrouble("too-deep") from error
    level: list[Any] = [values]
    for _ in range(_DEPTH + 1):
        nodes = (child for node in level for child in (node.values() if isinstance(node, dict) else node))
        level = [node for node in nodes if isinstance(node, (dict, list))]
    if level:
        raise JsonTrouble("too-deep")
    return JsonText(values, repeats)


@dataclass(frozen=True)
class Document:
    """What a JSON file contains: OCDS `releases` (None if it has none), or `grid`, a list of records or of rows.

    `path` names the list that was read, if it has a name, and `others` the lists that were not. `repeated` is a name
    that occurs twice in one record and the number of such records; `empty` says that the list is empty.
    """

    releases: tuple[Mapping[str, object], ...] | None = None
    grid: Grid | None = None
    path: str = ""
    others: tuple[str, ...] = ()
    repeated: tuple[str, int] | None = None
    empty: bool = False


def open_json(text: str) -> Document:
    """The releases or records of a JSON text.

    Raises: JsonTrouble: it cannot be read as JSON, or its records have too many names to be a table.
    """
    read = read_json(text)
    document = _find_document(read.values)
    return replace(document, repeated=(read.repeats.name, read.repeats.count)) if read.repeats.count else document


def _find_document(values: Sequence[object]) -> Document:
    releases = [_find_releases(value) for value in values]
    if values and all(found is not None for found in releases):
        return Document(releases=tuple(item for found in releases if found for item in found))
    value = values[0] if len(values) == 1 else values
    lists = dict(_find_lists(value, "", _LEVELS))
    if not lists:
        empty = value == [] or (isinstance(value, dict) and [] in value.values())
        if empty or not isinstance(value, dict):
            return Document(empty=empty)
        return Document(grid=_make_grid([value]))
    path = max(lists, key=lambda path: len(lists[path]))
    others = tuple(other or "the list itself" for other in lists if other != path)
    items = lists[path]
    if _is_records(items):
        grid = _make_grid([item for item in items if isinstance(item, dict)])
    else:
        rows = (row for row in items if isinstance(row, list))
        grid = Grid(None, Rows.of(Row(number, None, list(map(_text, row))) for number, row in enumerate(rows, 1)))
    return Document(grid=grid, path=path, others=others)


def _find_releases(value: object) -> Sequence[Mapping[str, object]] | None:
    """The releases in one OCDS document: a package of releases or records, one release, or a list of releases."""
    if isinstance(value, list):
        named = _is_records(value) and all("ocid" in item and ("tag" in item or "tender" in item) for item in value)
        return value if named else None
    if not isinstance(value, dict):
        return None
    if isinstance(releases := value.get("releases"), list):
        return [item for item in releases if isinstance(item, dict)]
    if isinstance(records := value.get("records"), list):
        compiled = [_compile_record(item) for item in records if isinstance(item, dict) and "ocid" in item]
        if compiled:
            return compiled
    return [value] if "ocid" in value else None


def _compile_record(record: Mapping[str, object]) -> Mapping[str, object]:
    """The compiled release of an OCDS record; else the latest of its releases; else the record itself."""
    compiled, releases = record.get("compiledRelease"), record.get("releases")
    if isinstance(compiled, dict):
        return compiled
    # A record can link to its releases instead of embedding them; links have no `ocid`.
    embedded = [each for each in releases if isinstance(each, dict)] if isinstance(releases, list) else []
    complete = [each for each in embedded if "ocid" in each]
    return max(complete, key=lambda each: str(each.get("date", "")), default=record)


def _find_lists(value: object, path: str, levels: int) -> Iterator[tuple[str, Sequence[object]]]:
    """Every list of records, or of rows, at most this many levels deep, with its path."""
    if isinstance(value, list) and value and (_is_records(value) or all(isinstance(row, list) for row in value)):
        yield path, value
    elif isinstance(value, dict) and levels:
        for name, held in value.items():
            yield from _find_lists(held, f"{path}.{name}" if path else name, levels - 1)


def _is_records(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _make_grid(records: Sequence[Mapping[str, object]]) -> Grid:
    flat = [dict(_flatten(record, "")) for record in records]
    names = tuple(dict.fromkeys(name for record in flat for name in record))
    if len(names) > COLUMNS or len(names) * len(flat) > _CELLS:
        raise JsonTrouble("too-many-names")
    rows = Rows.of(Row(number, None, [record.get(name, "") for name in names]) for number, record in enumerate(flat, 1))
    return Grid(None, rows, headings=names)


def _flatten(record: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + str(name), _text(value)


def _text(value: object) -> str:
    """A value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(filter(None, map(_text, value)))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_releases(releases: Sequence[Mapping[str, object]], dataset: Dataset) -> ReadTable:
    """One line for each award of each release, or one for a release without awards; `row` counts releases."""
    fields = [each for each in dataset.fields if each.name in dataset.ocds]
    readers = {each.name: Reader(each) for each in fields}
    sent: dict[str, list[str | None]] = {each.name: [] for each in fields if readers[each.name].typed}
    cells: dict[str, list[str | None]] = {each.name: [] for each in fields}
    rows: list[int] = []
    unreadable: dict[str, list[int]] = {}
    for number, release in enumerate(releases, start=1):
        awards = release.get("awards")
        found = [award for award in awards if isinstance(award, dict)] if isinstance(awards, list) else []
        for award in found or [{}]:
            rows.append(number)
            for each in fields:
                # A path below `awards[]` leads into the one award of this line.
                path = dataset.ocds[each.name]
                node = award if path.startswith("awards[].") else release
                found_values = _walk(node, path.removeprefix("awards[].").split("."))
                cell = "; ".join(dict.fromkeys(filter(None, found_values)))
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
    columns = {"row": pa.array(rows, pa.int64()), "line": pa.nulls(len(rows), pa.int64())}
    for name, values in cells.items():
        columns[name] = texts(values)
        if name in sent:
            columns[name + SENT] = texts(sent[name])
    whole = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    for start in range(0, max(len(rows), 1), ROWS):
        yield whole.slice(start, ROWS)


def _walk(node: object, steps: Sequence[str]) -> Iterator[str]:
    """The text of each value at the end of a path; a step that ends with `[]` goes into every item of a list."""
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
