"""Score how much words look like the parts of a person's name, in names of the whole world.

The model is `datapackages/privacy/name-model.bin`: a line of JSON and two tables of 8-bit weights, one weight for each
hashed run of 2 to 5 letters of a word and for the whole word. One table tells names from other words, the other tells
given names from family names. `bench/name_model.py` trains it; datapackages/privacy/README.md has its sources, and how
well it works for names of each origin.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from zlib import crc32

from piperoll import assets
from piperoll.errors import DescriptorError

LONGEST_RUN = 5
"""Letters in the longest run that has a weight."""

_LOWEST, _HIGHEST = -6.0, 4.0
"""A word counts for no less and no more: one strange word does not outweigh everything else."""


@dataclass(frozen=True, slots=True)
class NameModel:
    """The weights: `tables` has for each of the two scores the scale, the bias, and the weight of each hash.

    `name_weights` weigh the features of a whole name, `name_bias` is added.
    """

    mask: int
    tables: tuple[tuple[float, float, array[int]], tuple[float, float, array[int]]]
    name_weights: tuple[float, ...]
    name_bias: float


@dataclass(frozen=True, slots=True)
class WordScore:
    """How much a word looks like a part of a name, and like a given rather than a family name: logarithmic odds."""

    name: float
    given: float


@cache
def name_model() -> NameModel:
    """Read the model, once.

    Raises: DescriptorError: the file is not as long as its first line says.
    """
    head, _, tables = (assets.folder("datapackages") / "privacy" / "name-model.bin").read_bytes().partition(b"\n")
    document = json.loads(head)
    size = 1 << document["bits"]
    if len(tables) != 2 * size:
        raise DescriptorError(f"privacy/name-model.bin has {len(tables)} weights instead of {2 * size}")
    name, given = (
        (document["scales"][index], document["biases"][index], array("b", tables[index * size : (index + 1) * size]))
        for index in range(2)
    )
    return NameModel(size - 1, (name, given), tuple(document["name_weights"]), document["name_bias"])


def hash_runs(word: str, mask: int) -> list[int]:
    """Hash the runs of letters of a word, with its ends marked, and the whole word."""
    marked = f"^{word}$".encode()
    hashes = [crc32(marked) & mask]
    for length in range(2, LONGEST_RUN + 1):
        hashes += [crc32(marked[start : start + length]) & mask for start in range(len(marked) - length + 1)]
    return hashes


@lru_cache(maxsize=1 << 17)
def score_word(word: str) -> WordScore:
    """Score a word of capitals without accents."""
    model = name_model()
    hashes = hash_runs(word, model.mask)
    name, given = (scale * sum([weights[each] for each in hashes]) + bias for scale, bias, weights in model.tables)
    return WordScore(name, given)


def name_features(words: Sequence[str]) -> tuple[float, ...]:
    """The features of a name of one word or more by which `score_name` weighs it."""
    scores = [score_word(word) for word in words]
    names = [min(_HIGHEST, max(_LOWEST, score.name)) for score in scores]
    given = [min(_HIGHEST, max(-_HIGHEST, score.given)) for score in scores]
    return (sum(names) / len(names), min(names), max(given), min(given), float(len(words) == 2), given[0], given[-1])


def score_name(words: Sequence[str]) -> float:
    """How much words look like one person's given and family names: logarithmic odds, against other names of payees."""
    model = name_model()
    return sum(map(float.__mul__, model.name_weights, name_features(words)), model.name_bias)
