"""Two columns for one thing, its code and its words: `Cost centre` with `Cost centre(T)`, or one heading twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from piperoll.model import Dataset
from piperoll.reading.columns.lexicon import Lexicon, Match, bare
from piperoll.reading.columns.profiles import Profile
from piperoll.reading.grids.grid import squeezed

_WORDS_OF = re.compile(
    r"\s*(?:\(\s*(?:T|text|description|desc|name)\s*\)|[\s_-](?:description|descr?|text|name))\s*\Z", re.I
)
"""What a heading ends in whose column says in words what another's codes stand for."""

_LABELS = ("label", "name", "type")
_CODES = ("code", "local_id", "id")


def told_apart(headings: Sequence[str], profiles: Sequence[Profile], lexicon: Lexicon) -> dict[int, tuple[Match, ...]]:
    """What the headings of pairs mean, by column: codes are no label's, and words are no code's.

    A pair are two headings that are the same, or the same but for `(T)`, `Description` or the like, over codes in one
    column and words in the other. A column that is left without a meaning has none.
    """
    found: dict[int, tuple[Match, ...]] = {}
    for code, words in _pairs(headings, profiles):
        said = (*lexicon.meanings(headings[words]), *lexicon.meanings(headings[code]))
        found[words] = _distinct(_as_words(said, lexicon.dataset))
        found[code] = _distinct(_as_code(said, lexicon.dataset))
    return found


def _pairs(headings: Sequence[str], profiles: Sequence[Profile]) -> Iterator[tuple[int, int]]:
    """The columns of codes with those of the words for them, each once, the nearest two of several."""
    places = [place for place in range(min(len(headings), len(profiles))) if bare(headings[place])]
    codes = [place for place in places if profiles[place].is_code]
    taken: set[int] = set()
    for words in (place for place in places if profiles[place].is_wordy):
        keys = {bare(headings[words]), bare(_WORDS_OF.sub("", squeezed(headings[words])))}
        fitting = [place for place in codes if bare(headings[place]) in keys and place not in taken]
        if fitting:
            nearest = min(fitting, key=lambda place: (abs(place - words), place))
            taken.add(nearest)
            yield nearest, words


def _as_words(said: Sequence[Match], dataset: Dataset) -> Iterator[Match]:
    for match in said:
        if not _is_code(match.field, dataset):
            yield match
        elif label := _beside(match.field, _CODES, _LABELS, dataset):
            yield Match(label, match.score * 0.97, match.rank, match.how)


def _as_code(said: Sequence[Match], dataset: Dataset) -> Iterator[Match]:
    for match in said:
        if _is_code(match.field, dataset):
            yield match
        elif code := _beside(match.field, _LABELS, _CODES, dataset):
            yield Match(code, match.score * 0.97, match.rank, match.how)


def _is_code(name: str, dataset: Dataset) -> bool:
    return dataset.field(name).is_identifier or name.endswith("_code")


def _beside(name: str, ends: Sequence[str], others: Sequence[str], dataset: Dataset) -> str | None:
    """The field of the other kind for the same thing: `supplier_name` and `supplier_local_id`; None without one."""
    stem = next((name.removesuffix(f"_{end}") for end in ends if name.endswith(f"_{end}")), None)
    there: Mapping[str, object] = {each.name: each for each in dataset.fields}
    return next((f"{stem}_{other}" for other in others if f"{stem}_{other}" in there), None) if stem else None


def _distinct(said: Iterator[Match]) -> tuple[Match, ...]:
    """Each field once, by its best match, in the order of the fields' first."""
    best: dict[str, Match] = {}
    for match in said:
        if match.field not in best or best[match.field].score < match.score:
            best[match.field] = match
    return tuple(best.values())
