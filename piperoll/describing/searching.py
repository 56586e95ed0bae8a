"""The index that a browser searches: shards of bounded size, the same bytes for the same holdings.

A shard `search/{letters}.json` holds what has a word that begins with these letters, the best known first. What is
more than a shard may weigh is in the shards of one letter more, and `complete` says so. So a reader fetches one small
file for the first two letters, and further ones only where they are needed. What a body brings is parted by the first
two letters too: when one of its parts changes, the shards of these two letters are made again and no others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piperoll import layout
from piperoll.describing.wording import kind_words, lower_first
from piperoll.describing.words import SHORTEST, tokens
from piperoll.model import Body, Dataset, Series

MOST_BYTES = 40_000
"""What a shard may weigh: so much comes in well under a second over a poor line, compressed a quarter of it."""

_MOST_BODIES = 12
_MOST_SERIES = 3

Part = Mapping[str, Any]
"""What a body brings to one pair of letters: its `name`, `itself` (how it is told) if found there, and `names`."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something that can be found: the tokens it is under, how it ranks (the least first), and how it is written."""

    tokens: frozenset[str]
    rank: tuple[int, int, int, str]
    told: tuple[Any, ...]
    bodies: tuple[str, ...] = ()


def parts(body: Body, told: Iterable[tuple[Series, Mapping[str, int]]]) -> dict[str, dict[str, Any]]:
    """What a body brings to the index, by the two letters that words begin with: JSON that `shards` takes.

    `told` are its series, the newest period first, each with how many rows every name has in the version that stands.
    """
    names: dict[str, list[list[Any]]] = {}
    for series, found in told:
        for name, rows in found.items():
            names.setdefault(name, []).append([str(series), rows])
    also = [*body.aliases, *body.same_as, body.id]
    itself = [body.name, kind_words(body.kind), also]
    found_by = frozenset().union(*(_letters(text) for text in (body.name, *also)))
    brought: dict[str, dict[str, Any]] = {
        letters: {"name": body.name, "itself": itself, "names": {}} for letters in sorted(found_by)
    }
    for name in sorted(names):
        for letters in sorted(_letters(name)):
            part = brought.setdefault(letters, {"name": body.name, "itself": None, "names": {}})
            part["names"][name] = names[name]
    return brought


def shards(letters: str, members: Mapping[str, Part]) -> Iterator[tuple[str, bytes]]:
    """The shards of two letters with their keys, from what each body (by slug) brings to them."""
    under = [
        (token, entry)
        for entry in (*_bodies(members), *_names(members))
        for token in sorted(entry.tokens)
        if token.startswith(letters)
    ]
    titles = {slug: part["name"] for slug, part in members.items()}
    yield from _shards(letters, under, titles)


def fixed(datasets: Sequence[Dataset]) -> tuple[str, bytes]:
    """The one file of what every search looks at besides: datasets and their fields."""
    entries = [entry for dataset in datasets for entry in _of_dataset(dataset)]
    return layout.SEARCH_FIXED, _written(sorted(entries, key=lambda entry: entry.rank), {}, most=None)[0]


def _letters(text: str) -> frozenset[str]:
    return frozenset(token[:SHORTEST] for token in tokens(text))


def _bodies(members: Mapping[str, Part]) -> Iterator[_Entry]:
    for slug, part in members.items():
        if part["itself"] is not None:
            name, kind, also = part["itself"]
            found = frozenset().union(*(tokens(text) for text in (name, *also)))
            yield _Entry(found, (0, 0, 0, name), ("body", name, kind, _below_root(layout.body_page(slug)), also))


def _of_dataset(dataset: Dataset) -> Iterator[_Entry]:
    page = _below_root(layout.dataset_page(dataset.name))
    told = ("dataset", dataset.title, dataset.description, page, [dataset.name])
    yield _Entry(frozenset(), (1, 0, 0, dataset.title), told)
    for field in dataset.fields:
        words = f"{field.name}, in {lower_first(dataset.title)}"
        told = ("field", field.title, words, f"{page}#field-{field.name}", [field.name])
        yield _Entry(frozenset(), (2, 0, 0, f"{field.title} {dataset.name}"), told)


def _names(members: Mapping[str, Part]) -> Iterator[_Entry]:
    """Suppliers and the like, each with the bodies whose tables hold it: those with the most rows first."""
    found: dict[str, dict[str, list[list[Any]]]] = {}
    for slug, part in members.items():
        for name, series in part["names"].items():
            found.setdefault(name, {})[slug] = series
    for name, holders in found.items():
        rows = {slug: sum(count for _, count in series) for slug, series in holders.items()}
        order = sorted(rows, key=lambda slug: (-rows[slug], slug))
        shown = order[:_MOST_BODIES]
        held = [[slug, holders[slug][:_MOST_SERIES]] for slug in shown]
        told = ("name", name, len(order), sum(rows.values()), held)
        yield _Entry(tokens(name), (3, -len(order), -sum(rows.values()), name), told, tuple(shown))


def _shards(
    letters: str, under: Sequence[tuple[str, _Entry]], titles: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    entries = sorted({entry.rank: entry for _, entry in under}.values(), key=lambda entry: entry.rank)
    content, complete = _written(entries, titles, most=MOST_BYTES)
    yield layout.search_shard(letters), content
    if complete:
        return
    deeper: dict[str, list[tuple[str, _Entry]]] = {}
    for token, entry in under:
        if len(token) > len(letters):
            deeper.setdefault(token[: len(letters) + 1], []).append((token, entry))
    for longer in sorted(deeper):
        yield from _shards(longer, deeper[longer], titles)


def _written(entries: Sequence[_Entry], titles: Mapping[str, str], most: int | None) -> tuple[bytes, bool]:
    """As many entries as there is room for, the first always; whether these are all."""
    weight = 0
    lines: list[str] = []
    bodies: dict[str, str] = {}
    for entry in entries:
        line = _compact(entry.told)
        told = {slug: titles[slug] for slug in entry.bodies if slug not in bodies}
        weight += len(line.encode()) + len(_compact(told).encode())
        if most is not None and weight > most and lines:
            break
        lines.append(line)
        bodies |= told
    complete = len(lines) == len(entries)
    head = f'{{"complete":{_compact(complete)},"bodies":{_compact(dict(sorted(bodies.items())))},"entries":[\n'
    return (head + ",\n".join(lines) + "\n]}\n").encode(), complete


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _below_root(key: str) -> str:
    return key.removeprefix(layout.CATALOGUE)
