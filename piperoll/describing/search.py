"""The search index: small files that a browser fetches by the first letters of a word.

The file `search/{letters}.json.gz`, a shard, has everything with a word that begins with these letters, best known
first. What does not fit in a shard is in the shards of one more letter, and `complete` says so. A search fetches one
small file for the first two letters of each word, and longer ones only if needed. What a body contributes is divided
by the first two letters too: if one part changes, only the shards of those two letters are made again.
"""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from piperoll import layout
from piperoll.describing.context import newest_first
from piperoll.describing.measures import PublishedMeasure
from piperoll.describing.wording import lower_first, name_kind
from piperoll.model import Body, Dataset, Series

MOST_BYTES = 120_000
"""Size of a shard in bytes before it is compressed to a quarter: a second on a slow connection."""

SHORTEST = 2
"""Letters of the shortest word that is indexed; a shorter one is found only as part of a whole name."""

STOP_WORDS = frozenset({"and", "co", "for", "limited", "llp", "ltd", "of", "plc", "the"})
"""Words that many names have and nobody searches for; they are indexed if a name has no others."""

_MOST_BODIES = 12
"""Bodies listed under one name."""

_MOST_SERIES = 3
"""Series listed under one body of a name."""

_LONGEST = 40
"""Letters of the longest token."""

_APOSTROPHES = re.compile(r"['’`]")
_WORDS = re.compile(r"[a-z0-9]+")

_MOST_SPELLINGS = 6
"""Spellings that the entry of a supplier shows besides the most common one."""

SearchPart = Mapping[str, Any]
"""What a body contributes to two letters: its `name`, `itself` if it is found there, `names` with series, and `keys`,
the `supplier_key` of those names that have one. A group of suppliers contributes `pages`: the page of each key."""


_NO_KEYS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something that can be found: its tokens, its rank (lowest first), its line in a shard, and the bodies in it."""

    tokens: frozenset[str]
    rank: tuple[int, int, int, str]
    line: tuple[Any, ...]
    bodies: tuple[str, ...] = ()


# --- words: the same rules as catalogue/scripts/search.js ---------------------------------------------------------


def split_words(text: str) -> tuple[str, ...]:
    """Split a text into words of lower-case letters without accents or apostrophes, and digits."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")
    return tuple(_WORDS.findall(_APOSTROPHES.sub("", text.lower())))


@lru_cache(maxsize=1 << 16)
def index_tokens(text: str) -> frozenset[str]:
    """Return the tokens that a text is indexed by: its distinctive words, and all its words joined into one."""
    words = split_words(text)
    distinctive = [word for word in words if word not in STOP_WORDS and len(word) >= SHORTEST] or words
    return frozenset(token for token in (*distinctive, "".join(words)[:_LONGEST]) if len(token) >= SHORTEST)


# --- what a body contributes --------------------------------------------------------------------------------------


def split_search_parts(
    body: Body, series: Iterable[tuple[Series, Mapping[str, int]]], keys: Mapping[str, str] = _NO_KEYS
) -> dict[str, dict[str, Any]]:
    """Divide what a body contributes to the index by the first two letters of words.

    `series` are those of the body, newest period first, each with the row count of every searchable name. `keys` has
    the `supplier_key` of names: all spellings of one key are found by the words of any.
    """
    names: dict[str, list[list[Any]]] = {}
    for one, counts in series:
        for name, rows in counts.items():
            names.setdefault(name, []).append([str(one), rows])
    short = (body.short_name,) if body.short_name else ()
    aliases = [*short, *body.former_names, *body.aliases, *body.same_as, body.id]
    own_letters = {token[:SHORTEST] for text in (body.name, *aliases) for token in index_tokens(text)}
    itself = [body.name, name_kind(body.kind), aliases]
    parts: dict[str, dict[str, Any]] = {
        letters: {"name": body.name, "itself": itself, "names": {}, "keys": {}} for letters in sorted(own_letters)
    }
    by_key: dict[str, set[str]] = {}
    for name in names:
        by_key.setdefault(keys.get(name, name), set()).update(token[:SHORTEST] for token in index_tokens(name))
    for name in sorted(names):
        for letters in sorted(by_key[keys.get(name, name)]):
            part = parts.setdefault(letters, {"name": body.name, "itself": None, "names": {}, "keys": {}})
            part["names"][name] = names[name]
            if name in keys:
                part["keys"][name] = keys[name]
    return parts


def split_supplier_pages(pages: Iterable[tuple[str, str, Iterable[str]]]) -> dict[str, dict[str, Any]]:
    """Divide the pages of suppliers by the first two letters of words: of each its key, its page and its spellings."""
    parts: dict[str, dict[str, Any]] = {}
    for key, page, spellings in pages:
        for letters in {token[:SHORTEST] for name in spellings for token in index_tokens(name)}:
            part = parts.setdefault(letters, {"name": "", "itself": None, "names": {}, "keys": {}, "pages": {}})
            part["pages"][key] = _relative(page)
    return parts


# --- shards -------------------------------------------------------------------------------------------------------


def render_shards(letters: str, parts: Mapping[str, SearchPart]) -> Iterator[tuple[str, bytes]]:
    """Render the shards of two letters, with their keys, from the part of each body by slug."""
    entries = []
    for slug, part in parts.items():
        if part["itself"] is not None:
            name, kind, aliases = part["itself"]
            tokens = frozenset().union(*(index_tokens(text) for text in (name, *aliases)))
            line = ("body", name, kind, _relative(layout.body_page(slug)), aliases)
            entries.append(_Entry(tokens, (0, 0, 0, name), line))
    indexed = [
        (token, entry)
        for entry in (*entries, *_name_entries(parts))
        for token in sorted(entry.tokens)
        if token.startswith(letters)
    ]
    yield from _render_shard(letters, indexed, {slug: part["name"] for slug, part in parts.items()})


def render_fixed_shard(datasets: Sequence[Dataset], measures: Sequence[PublishedMeasure] = ()) -> tuple[str, bytes]:
    """Render the file that every search reads: the datasets and their fields, and the measures."""
    entries = []
    for measure in measures:
        about = measure.definition
        key = _relative(layout.measure_page(measure.id))
        names = [about.question, *(figure.title for figure in about.headlines)]
        entries.append(
            _Entry(frozenset(), (1, 1, 0, about.title), ("measure", about.title, about.question, key, names))
        )
    for dataset in datasets:
        page = _relative(layout.dataset_page(dataset.name))
        line: tuple[Any, ...] = ("dataset", dataset.title, dataset.description, page, [dataset.name])
        entries.append(_Entry(frozenset(), (1, 0, 0, dataset.title), line))
        for field in dataset.fields:
            detail = f"{field.name}, in {lower_first(dataset.title)}"
            line = ("field", field.title, detail, f"{page}#field-{field.name}", [field.name])
            entries.append(_Entry(frozenset(), (2, 0, 0, f"{field.title} {dataset.name}"), line))
    return layout.SEARCH_FIXED, _write_entries(sorted(entries, key=lambda entry: entry.rank), {}, most=None)[0]


def _name_entries(parts: Mapping[str, SearchPart]) -> Iterator[_Entry]:
    """Suppliers and the like, each with the bodies whose tables name it, those with the most rows first.

    The spellings of one supplier are one entry, under the most common of them, with its page if it has one.
    """
    found: dict[tuple[bool, str], dict[str, dict[str, list[list[Any]]]]] = {}
    pages: dict[str, str] = {}
    for slug, part in parts.items():
        pages |= part.get("pages", {})
        for name, series in part["names"].items():
            key = part["keys"].get(name)
            bodies = found.setdefault((key is not None, key or name), {})
            bodies.setdefault(slug, {})[name] = series
    for (is_key, key), holders in found.items():
        rows = {slug: sum(_count_rows(series) for series in names.values()) for slug, names in holders.items()}
        spellings: dict[str, int] = {}
        for names in holders.values():
            for name, series in names.items():
                spellings[name] = spellings.get(name, 0) + _count_rows(series)
        title, *others = sorted(spellings, key=lambda name: (-spellings[name], name))
        order = sorted(rows, key=lambda slug: (-rows[slug], slug))
        shown = order[:_MOST_BODIES]
        series = [[slug, _list_series(holders[slug], title)] for slug in shown]
        page = pages.get(key) if is_key else None
        line = ("name", title, len(order), sum(rows.values()), series, page, others[:_MOST_SPELLINGS])
        tokens = frozenset[str]().union(*map(index_tokens, spellings))
        yield _Entry(tokens, (3, -len(order), -sum(rows.values()), title), line, tuple(shown))


def _count_rows(series: Iterable[Sequence[Any]]) -> int:
    return sum(one[1] for one in series)


def _list_series(names: Mapping[str, Sequence[Sequence[Any]]], title: str) -> list[list[Any]]:
    """The newest series of a body that name a supplier, with their rows, and with the spelling if it is not `title`."""
    listed = [
        [one, rows] if name == title else [one, rows, name] for name, series in names.items() for one, rows in series
    ]
    if len(names) > 1:  # the series of one name are in order already
        listed.sort(key=lambda one: newest_first(Series.parse(one[0]).period))
    return listed[:_MOST_SERIES]


def _render_shard(
    letters: str, indexed: Sequence[tuple[str, _Entry]], titles: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    entries = sorted({entry.rank: entry for _, entry in indexed}.values(), key=lambda entry: entry.rank)
    content, complete = _write_entries(entries, titles, most=MOST_BYTES)
    yield layout.search_shard(letters), content
    if complete:
        return
    deeper: dict[str, list[tuple[str, _Entry]]] = {}
    for token, entry in indexed:
        if len(token) > len(letters):
            deeper.setdefault(token[: len(letters) + 1], []).append((token, entry))
    for longer in sorted(deeper):
        yield from _render_shard(longer, deeper[longer], titles)


def _write_entries(entries: Sequence[_Entry], titles: Mapping[str, str], most: int | None) -> tuple[bytes, bool]:
    """Write as many entries as fit, at least one, compressed; also return whether that is all of them."""
    size = 0
    lines: list[str] = []
    bodies: dict[str, str] = {}
    for entry in entries:
        line = _compact(entry.line)
        new = {slug: titles[slug] for slug in entry.bodies if slug not in bodies}
        size += len(line.encode()) + len(_compact(new).encode())
        if most is not None and size > most and lines:
            break
        lines.append(line)
        bodies |= new
    complete = len(lines) == len(entries)
    head = f'{{"complete":{_compact(complete)},"bodies":{_compact(dict(sorted(bodies.items())))},"entries":[\n'
    return gzip.compress((head + ",\n".join(lines) + "\n]}\n").encode(), mtime=0), complete


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _relative(key: str) -> str:
    return key.removeprefix(layout.CATALOGUE)
