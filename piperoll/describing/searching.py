"""The index that a browser searches: shards of bounded size, the same bytes for the same holdings.

A shard `search/{letters}.json` holds what has a word that begins with these letters, the best known first. What is
more than a shard may weigh is in the shards of one letter more, and `complete` says so. So a reader fetches one small
file for the first two letters, and further ones only where they are needed. Whoever builds the catalogue keeps the
contribution of each body and makes again only the groups (two letters) in which one changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piperoll.describing import places
from piperoll.describing.summaries import summary_of
from piperoll.describing.wording import kind_words, lower_first
from piperoll.describing.words import SHORTEST, tokens
from piperoll.model import Body, Dataset, Listing

MOST_BYTES = 40_000
"""What a shard may weigh: so much comes in well under a second over a poor line, compressed a quarter of it."""

_MOST_BODIES = 12
_MOST_SERIES = 3

Contribution = Mapping[str, Any]
"""What one body brings: `slug`, `name`, `kind`, `also` (other names), `names` (each with its series and rows)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found: the tokens it is under, how it ranks (the least first), and how it is written."""

    tokens: frozenset[str]
    rank: tuple[int, int, int, str]
    told: tuple[Any, ...]
    bodies: tuple[str, ...] = ()


def contribution(body: Body, listings: Iterable[Listing]) -> dict[str, Any]:
    """What a body brings to the index, from its listings, the newest period first: JSON to be kept by its slug."""
    names: dict[str, list[tuple[str, int]]] = {}
    for listing in listings:
        for name, rows in summary_of(listing).names.items():
            names.setdefault(name, []).append((str(listing.series), rows))
    return {
        "slug": body.slug,
        "name": body.name,
        "kind": body.kind,
        "also": [*body.aliases, *body.same_as, body.id],
        "names": {name: [list(one) for one in names[name]] for name in sorted(names)},
    }


def groups(contribution: Contribution) -> frozenset[str]:
    """The groups of shards that a contribution has something in."""
    texts = (contribution["name"], *contribution["also"], *contribution["names"])
    return frozenset(token[:SHORTEST] for text in texts for token in tokens(text))


def changed(before: Contribution | None, after: Contribution | None) -> frozenset[str]:
    """The groups that have to be made again when a contribution becomes another (None: there is none)."""
    if before is None or after is None or _identity(before) != _identity(after):
        return frozenset().union(*(groups(one) for one in (before, after) if one is not None))
    old, new = before["names"], after["names"]
    differing = [name for name in {*old, *new} if old.get(name) != new.get(name)]
    return frozenset(token[:SHORTEST] for name in differing for token in tokens(name))


def index(
    contributions: Sequence[Contribution], datasets: Sequence[Dataset], only: frozenset[str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """The shards with their keys, in order of key: all, or those of the groups `only`.

    A group of which nothing comes has no shard any more: whoever writes them removes it.
    """
    under: dict[str, list[tuple[str, Entry]]] = {}
    for entry in (*_fixed(contributions, datasets), *_names(contributions, only)):
        for token in entry.tokens:
            if only is None or token[:SHORTEST] in only:
                under.setdefault(token[:SHORTEST], []).append((token, entry))
    titles = {one["slug"]: one["name"] for one in contributions}
    for group in sorted(under):
        yield from _shards(group, under[group], titles)


def _identity(contribution: Contribution) -> tuple[Any, ...]:
    return tuple(contribution[name] for name in ("slug", "name", "kind", "also"))


def _fixed(contributions: Iterable[Contribution], datasets: Iterable[Dataset]) -> Iterator[Entry]:
    """Bodies, datasets and fields."""
    for one in contributions:
        found = frozenset().union(*(tokens(text) for text in (one["name"], *one["also"])))
        told = ("body", one["name"], kind_words(one["kind"]), _below_root(places.body_page(one["slug"])))
        yield Entry(found, (0, 0, 0, one["name"]), told)
    for dataset in datasets:
        page = _below_root(places.dataset_page(dataset.name))
        found = tokens(dataset.title) | tokens(dataset.name)
        yield Entry(found, (1, 0, 0, dataset.title), ("dataset", dataset.title, dataset.description, page))
        for field in dataset.fields:
            found = tokens(field.title) | tokens(field.name)
            words = f"{field.name}, in {lower_first(dataset.title)}"
            told = ("field", field.title, words, f"{page}#field-{field.name}")
            yield Entry(found, (2, 0, 0, f"{field.title} {dataset.name}"), told)


def _names(contributions: Iterable[Contribution], only: frozenset[str] | None) -> Iterator[Entry]:
    """Suppliers and the like, each with the bodies whose tables hold it: those with the most rows first."""
    found: dict[str, dict[str, list[list[Any]]]] = {}
    for one in contributions:
        for name, series in one["names"].items():
            found.setdefault(name, {})[one["slug"]] = series
    for name, holders in found.items():
        under = tokens(name)
        if only is None or any(token[:SHORTEST] in only for token in under):
            yield _name(name, under, holders)


def _name(name: str, under: frozenset[str], holders: Mapping[str, list[list[Any]]]) -> Entry:
    rows = {slug: sum(count for _, count in series) for slug, series in holders.items()}
    order = sorted(rows, key=lambda slug: (-rows[slug], slug))
    shown = order[:_MOST_BODIES]
    told = ("name", name, len(order), sum(rows.values()), [[slug, holders[slug][:_MOST_SERIES]] for slug in shown])
    return Entry(under, (3, -len(order), -sum(rows.values()), name), told, tuple(shown))


def _shards(letters: str, under: Sequence[tuple[str, Entry]], titles: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    entries = sorted({entry.told[:4]: entry for _, entry in under}.values(), key=lambda entry: entry.rank)
    content, complete = _written(entries, titles)
    yield f"{places.SEARCH}{letters}.json", content
    if complete:
        return
    deeper: dict[str, list[tuple[str, Entry]]] = {}
    for token, entry in under:
        if len(token) > len(letters):
            deeper.setdefault(token[: len(letters) + 1], []).append((token, entry))
    for longer in sorted(deeper):
        yield from _shards(longer, deeper[longer], titles)


def _written(entries: Sequence[Entry], titles: Mapping[str, str]) -> tuple[bytes, bool]:
    """As many entries as there is room for, the first always; whether these are all."""
    weight = 0
    lines: list[str] = []
    bodies: dict[str, str] = {}
    for entry in entries:
        line = _compact(entry.told)
        told = {slug: titles[slug] for slug in entry.bodies if slug not in bodies}
        weight += len(line.encode()) + len(_compact(told).encode())
        if weight > MOST_BYTES and lines:
            break
        lines.append(line)
        bodies |= told
    complete = len(lines) == len(entries)
    head = f'{{"complete":{_compact(complete)},"bodies":{_compact(dict(sorted(bodies.items())))},"entries":[\n'
    return (head + ",\n".join(lines) + "\n]}\n").encode(), complete


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _below_root(key: str) -> str:
    return key.removeprefix(places.ROOT)
