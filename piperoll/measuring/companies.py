"""Read the monthly list of live companies that Companies House publishes ("BasicCompanyData", CSV or a ZIP of it).

The list has over five million rows and has no company that was dissolved before: a published number that is not in it
may still be right. The columns that `piperoll.enriching.identities` needs are written to an Arrow file in batches and
mapped into memory, so that reading them takes as little memory as the few companies that are looked up.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from piperoll.enriching.identities import Company, PreviousName
from piperoll.enriching.supplier_names import forms_pattern, read_list
from piperoll.errors import SourcesError
from piperoll.model.columns import Cells, pc

LICENCE = "Open Government Licence v3.0; Companies House, Free Company Data Product"
"""Under which the list is published."""

_TYPES: dict[str, pa.DataType] = {
    "company_number": pa.string(),
    "name": pa.string(),
    "status": pa.string(),
    "incorporated": pa.date32(),
    "dissolved": pa.date32(),
    "sic": pa.list_(pa.string()),
    "dormant": pa.bool_(),
    "previous_names": pa.list_(pa.struct([("name", pa.string()), ("until", pa.date32())])),
    "keys": pa.list_(pa.string()),
    "bare": pa.list_(pa.string()),
    "first_word": pa.string(),
}
SCHEMA = pa.schema(_TYPES)
"""Companies are looked up by `keys`, the letters and digits of the normal form of each of their names, and by `bare`,
the same without what is in brackets. They are made in columns: of 10,000 names of suppliers, 8 have another normal form
(`normal_form`), and their names go on after the form of the company ("T/A")."""

_REQUIRED = ("companyname", "companynumber")
_SIC_COLUMNS = 4
_PREVIOUS_NAMES = 10
_BLOCK = 8 << 20
"""Bytes of CSV parsed at once."""

_BYTES = ord("z") + 1
_NOT_ALNUM = re.compile(r"[^a-z0-9]+")


def read_companies(path: Path) -> pa.Table:
    """Read a list of companies (CSV, or ZIP with one CSV) into a temporary file, and map that into memory.

    The table has the columns of `SCHEMA`. Unknown columns are ignored, and those that are missing are empty, but for
    the name and number of the company. The same file is read once: several years are measured with it.
    Raises: SourcesError: the file is no such list.
    """
    details = path.stat()
    return _read_once(path, details.st_mtime_ns, details.st_size)


@lru_cache(maxsize=1)
def _read_once(path: Path, _modified: int, _size: int) -> pa.Table:
    with tempfile.NamedTemporaryFile(prefix="piperoll-") as target:
        _write_companies(path, target.name)
        return pa.ipc.open_file(pa.memory_map(target.name)).read_all()  # what is mapped stays when the name is gone


def _write_companies(path: Path, target: str) -> None:
    with _open_csv(path) as stream:
        header = _read_header(stream)
        by_name = {_fold(name): name for name in header}
        if missing := [name for name in _REQUIRED if name not in by_name]:
            raise SourcesError(f"{path.name} is no list of companies: there is no column {', '.join(missing)}")
        options = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), include_columns=_wanted(by_name), strings_can_be_null=True
        )
        reading = pyarrow.csv.ReadOptions(column_names=header, block_size=_BLOCK, use_threads=False)
        parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
        try:
            with pa.OSFile(target, "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
                for batch in pyarrow.csv.open_csv(stream, reading, parsing, options):
                    writer.write_batch(_convert(batch, by_name))
        except pa.ArrowInvalid as error:
            raise SourcesError(f"{path.name} cannot be read as a list of companies: {error}") from error


def select_companies(
    companies: pa.Table,
    *,
    numbers: Collection[str] = (),
    keys: Collection[str] = (),
    bare: Collection[str] = (),
) -> list[Company]:
    """The companies with one of these numbers, normal forms of a name, or bare forms of a name."""
    found: list[Company] = []
    for batch in companies.to_batches():
        wanted = pc.or_(
            pc.or_(_is_in(batch["company_number"], numbers), _any_in(batch["keys"], map(_squeeze, keys))),
            _any_in(batch["bare"], map(_squeeze, bare)),
        )
        found.extend(map(_company, batch.filter(wanted).to_pylist()))
    return found


def select_similar(companies: pa.Table, wanted: Mapping[str, Collection[str]]) -> list[Company]:
    """The companies whose name may be like one of `wanted`: normal forms by the first word that both begin with.

    A company is among them if its name and a normal form have nine in ten letters in common, in whatever order.
    """
    found: list[Company] = []
    letters = {word: _count_letters(pa.array(sorted(map(_squeeze, keys)))) for word, keys in sorted(wanted.items())}
    for batch in companies.to_batches():
        mine = batch.filter(_is_in(batch["first_word"], wanted))
        counts = _count_letters(pc.list_element(mine["keys"], 0))
        words = mine["first_word"].dictionary_encode()
        codes, order = words.indices.to_numpy(), np.argsort(words.indices.to_numpy(), kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(words.dictionary) + 1))
        rows: set[int] = set()
        for code, word in enumerate(words.dictionary.to_pylist()):
            block = order[bounds[code] : bounds[code + 1]]
            for one in letters[word or ""]:
                common = np.minimum(counts[block], one).sum(axis=1, dtype=np.int64)
                longest = counts[block].sum(axis=1, dtype=np.int64) + one.sum(dtype=np.int64)
                rows.update(block[10 * 2 * common >= 9 * longest].tolist())
        found.extend(map(_company, mine.take(pa.array(sorted(rows), pa.int64())).to_pylist()))
    return found


def _count_letters(keys: Cells) -> npt.NDArray[np.uint8]:
    """For each key a row with how often each of the bytes up to `z` is in it."""
    texts = [key.encode() for key in keys.to_pylist()]
    of_row = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    places = of_row * _BYTES + np.minimum(np.frombuffer(b"".join(texts), np.uint8), _BYTES - 1)
    counts = np.bincount(places, minlength=len(texts) * _BYTES).reshape(len(texts), _BYTES)
    return np.minimum(counts, 255).astype(np.uint8)


def _company(row: Mapping[str, Any]) -> Company:
    return Company(
        row["company_number"],
        row["name"],
        row["incorporated"],
        row["dissolved"],
        tuple(row["sic"]),
        row["dormant"],
        tuple(PreviousName(one["name"], one["until"]) for one in row["previous_names"]),
    )


def _squeeze(key: str) -> str:
    return _NOT_ALNUM.sub("", key)


def _is_in(cells: Cells, values: Iterable[str]) -> Cells:
    return pc.is_in(cells, value_set=pa.array(sorted(values), pa.string()))


def _any_in(lists: Cells, values: Iterable[str]) -> Cells:
    """Which lists have one of the values."""
    found = pc.list_parent_indices(lists).filter(_is_in(pc.list_flatten(lists), values))
    return pc.is_in(pa.array(range(len(lists)), pa.int64()), value_set=pc.cast(found, pa.int64()))


# --- reading ----------------------------------------------------------------------------------------------------------


@contextmanager
def _open_csv(path: Path) -> Iterator[IO[bytes]]:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
        if len(names) != 1:
            raise SourcesError(f"{path.name} has {len(names)} CSV files: give a ZIP file with one")
        with archive.open(names[0]) as stream:
            yield stream


def _read_header(stream: IO[bytes]) -> list[str]:
    """The names of the columns as the file writes them; the stream then stands at the first row."""
    line = stream.readline(1 << 16).decode("utf-8-sig", "replace")
    return next(csv.reader(io.StringIO(line)), [])


def _fold(name: str) -> str:
    """A column's name as we look it up: Companies House writes some with a space before them."""
    return _NOT_ALNUM.sub("", name.lower())


def _wanted(by_name: Mapping[str, str]) -> list[str]:
    wanted = [*_REQUIRED, "companystatus", "incorporationdate", "dissolutiondate", "accountsaccountcategory"]
    wanted += [f"siccodesictext{number}" for number in range(1, _SIC_COLUMNS + 1)]
    for number in range(1, _PREVIOUS_NAMES + 1):
        wanted += [f"previousname{number}companyname", f"previousname{number}condate"]
    return [by_name[name] for name in wanted if name in by_name]


def _convert(batch: pa.RecordBatch, by_name: Mapping[str, str]) -> pa.RecordBatch:
    def texts(name: str) -> Cells:
        if name not in by_name:
            return pa.nulls(len(batch), pa.string())
        trimmed = pc.utf8_trim_whitespace(batch[by_name[name]])
        return pc.if_else(pc.equal(trimmed, ""), None, trimmed)

    numbers = pc.utf8_upper(texts("companynumber"))
    numbers = pc.if_else(pc.match_substring_regex(numbers, r"^\d+$"), pc.utf8_lpad(numbers, 8, "0"), numbers)
    names = pc.fill_null(texts("companyname"), "")
    sic = [pc.utf8_slice_codeunits(texts(f"siccodesictext{number}"), 0, 5) for number in range(1, _SIC_COLUMNS + 1)]
    previous = [
        pa.StructArray.from_arrays(
            [texts(f"previousname{number}companyname"), _dates(texts(f"previousname{number}condate"))],
            fields=list(SCHEMA.field("previous_names").type.value_type),
        )
        for number in range(1, _PREVIOUS_NAMES + 1)
    ]
    each_name = [names, *(one.field("name") for one in previous)]
    all_names = _lists(each_name, [pc.is_valid(one) for one in each_name])
    keys = _keys(all_names.values)
    brackets = pc.match_substring_regex(all_names.values, r"[(\[]")
    bare = pc.replace_with_mask(keys, brackets, _keys(_without_brackets(all_names.values.filter(brackets))))
    columns = [
        numbers,
        names,
        texts("companystatus"),
        _dates(texts("incorporationdate")),
        _dates(texts("dissolutiondate")),
        _lists(sic, [pc.and_(pc.is_valid(one), pc.match_substring_regex(one, r"^\d{5}")) for one in sic]),
        pc.fill_null(pc.equal(pc.utf8_upper(texts("accountsaccountcategory")), "DORMANT"), False),
        _lists(previous, [pc.is_valid(one.field("name")) for one in previous]),
        pa.ListArray.from_arrays(all_names.offsets, keys),
        pa.ListArray.from_arrays(all_names.offsets, bare),
        _first_words(names),
    ]
    made = pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
    return made.filter(pc.and_(pc.is_valid(numbers), pc.not_equal(names, "")))


def _dates(texts: Cells) -> Cells:
    """Dates such as 09/11/2023; a cell that is none is empty."""
    valid = pc.match_substring_regex(texts, r"^\d{2}/\d{2}/\d{4}$")
    iso = pc.replace_substring_regex(pc.if_else(valid, texts, None), r"^(\d{2})/(\d{2})/(\d{4})$", r"\3-\2-\1")
    days = pc.strptime(iso, format="%Y-%m-%d", unit="s", error_is_null=True)
    there = pc.equal(pc.strftime(days, format="%Y-%m-%d"), iso)  # it takes 30 February for 2 March
    return pc.cast(pc.if_else(there, days, None), pa.date32())


def _lists(columns: list[Cells], kept: list[Cells]) -> Cells:
    """For each row the list of its cells that are `kept`, in order of the columns."""
    rows = len(columns[0])
    flags = [pc.fill_null(one, False) for one in kept]
    counts = pa.array([0] * rows, pa.int32())
    for flag in flags:
        counts = pc.add(counts, pc.cast(flag, pa.int32()))
    offsets = pc.cast(pc.cumulative_sum(pa.concat_arrays([pa.array([0], pa.int32()), counts])), pa.int32())
    row_numbers = pa.array(range(rows), pa.int64())
    places = [pc.add(pc.multiply(row_numbers, len(columns)), number) for number in range(len(columns))]
    values = pa.concat_arrays([column.filter(flag) for column, flag in zip(columns, flags, strict=True)])
    order = pa.concat_arrays([place.filter(flag) for place, flag in zip(places, flags, strict=True)])
    return pa.ListArray.from_arrays(offsets, values.take(pc.sort_indices(order)))


def _keys(names: Cells) -> Cells:
    """The letters and digits of the normal form of each name (`normal_form`)."""
    text = _fold_names(names)
    for pattern, kept in _form_patterns():
        text = pc.utf8_trim(pc.replace_substring_regex(text, pattern, kept), " ,")
    for row in read_list("words.csv", "pattern", "written_as"):
        text = pc.replace_substring_regex(text, f"(?i){row['pattern']}", row["written_as"])
    return pc.replace_substring_regex(pc.utf8_lower(text), "[^a-z0-9]+", "")


def _first_words(names: Cells) -> Cells:
    """The first word of each name, in capitals."""
    return pc.replace_substring_regex(_fold_names(names), r"^[^A-Z0-9]*([A-Z0-9]*).*$", r"\1")


def _without_brackets(names: Cells) -> Cells:
    return pc.replace_substring_regex(names, r"[(\[][^()\[\]]*[)\]]?", " ")


def _fold_names(names: Cells) -> Cells:
    """Names in capitals, without accents, double spaces and "the"."""
    folded = pc.replace_substring_regex(pc.utf8_upper(pc.utf8_normalize(names, form="NFKD")), r"\p{M}+", "")
    folded = pc.utf8_trim_whitespace(pc.replace_substring_regex(folded, r"\s+", " "))
    return pc.replace_substring_regex(folded, r"^THE |[ ,]*\( ?THE ?\)|, ?THE$", "")


@cache
def _form_patterns() -> tuple[tuple[str, str], ...]:
    """Patterns of RE2 for the forms of companies, as `without_form` removes them, and what is left of each match.

    Each is there twice: a name may have two forms.
    """
    before = r"([\w)\]])[\s.,]*[\s.,()]"
    inside = (rf"{before}(?:{forms_pattern('anywhere')})\.?(\W|$)", r"\1 \2")
    last = (rf"{before}(?:{forms_pattern('end')})\.?(\W*(?:$|[()\[\],;:/\\|].*$))", r"\1 \2")
    return inside, inside, last, last
