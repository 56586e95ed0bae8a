"""What money is for: the function of a line (front line, overhead, not counted, unknown) by rules that are data.

The rules are in `datapackages/functions/`; docs/functions.md explains them. A function that the body declared is never
changed. The category of a purchase describes the supplier, so it never decides between front line and overhead: it can
only say more about an overhead that something else has shown.
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll import assets
from piperoll.errors import DescriptorError
from piperoll.model import Body, Dataset
from piperoll.model.columns import Cells, pc

UNKNOWN = "u-unknown"
"""The function of a line that no rule classifies."""

_REMEMBERED = 100_000
"""Texts whose rules are remembered."""

_FOLDER = "functions"
_FILES = ("functions.csv", "rules.csv", "missions.csv")


class Side(StrEnum):
    """The first level: outcome (the front line), input (overhead), excluded from both, unknown."""

    OUTCOME = "O"
    INPUT = "I"
    EXCLUDED = "X"
    UNKNOWN = "U"


class Tier(StrEnum):
    """The kinds of rules, in the order in which they are tried."""

    TRANSFER = "transfer"
    """Money that leaves with no service bought."""
    ACTIVITY = "activity"
    """What the unit, service or purpose is for."""
    NATURE = "nature"
    """What was bought, if nothing says for which activity."""
    POST = "post"
    """What a post is, by its title or profession. Only these and rules of activities are tried for posts."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the list. `contested`: experts disagree about its side, so figures show it apart."""

    id: str
    side: Side
    label: str
    description: str
    contested: bool


@dataclass(frozen=True, slots=True)
class FunctionRule:
    """A rule: lines whose text matches `pattern` have the function.

    With `what_only` it looks at what was bought and not at the unit or service. A `general` rule finds an overhead
    without saying which, so that what was bought and its category may say more.
    """

    id: str
    tier: Tier
    what_only: bool
    pattern: re.Pattern[str]
    function: Function
    contested: bool
    general: bool


@dataclass(frozen=True, slots=True)
class MissionException:
    """For bodies whose name matches, a function is their mission: it counts as the function `becomes`."""

    id: str
    body_pattern: re.Pattern[str]
    function_id: str
    becomes: Function


@dataclass(frozen=True, slots=True)
class LineTexts:
    """The texts of a line that rules read, each the most specific first.

    `where` the money was spent (service, area, unit), `what` it was spent on (account type, purpose), and the
    `category` of the purchase. A post has `post` (title, profession), where it is, and `what` it is for (None: money).
    """

    where: tuple[str, ...] = ()
    what: tuple[str, ...] = ()
    category: str = ""
    post: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Classification:
    """The function of a line, how it was found (`declared`, `rule` or `none`) and the ids of the rules that decided."""

    function: Function
    contested: bool
    method: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class FunctionRules:
    """The list of functions and the rules; `version` identifies their content."""

    functions: Mapping[str, Function]
    rules: Mapping[Tier, tuple[FunctionRule, ...]]
    missions: tuple[MissionException, ...]
    version: str
    _first_rules: dict[tuple[Tier, str], tuple[FunctionRule | None, FunctionRule | None]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def classify(self, texts: LineTexts, *, declared: str | None = None, body: Body | None = None) -> Classification:
        """Classify a line by its texts. A `declared` function other than `u-unknown` is taken as it is.

        Raises: KeyError: `declared` is not in the list.
        """
        if declared and declared != UNKNOWN:
            function = self.functions[declared]
            return Classification(function, function.contested, "declared")
        folded = _fold_texts(texts)
        found = self._find(folded) if folded.post is None else self._find_post(folded, folded.post)
        exception = next(self._exceptions(found.function.id, body), None) if body else None
        if exception is None:
            return found
        contested = exception.becomes.contested
        return Classification(exception.becomes, contested, found.method, (*found.rules, exception.id))

    def _exceptions(self, function_id: str, body: Body) -> Iterator[MissionException]:
        name = fold(body.name)
        return (one for one in self.missions if one.function_id == function_id and one.body_pattern.search(name))

    def _find(self, texts: LineTexts) -> Classification:
        whole = [*texts.where, *texts.what]
        if rule := self._first(Tier.TRANSFER, whole, texts):
            return Classification(rule.function, rule.contested, "rule", (rule.id,))
        activity = self._first(Tier.ACTIVITY, whole, texts)
        nature = self._first(Tier.NATURE, whole, texts)
        if activity is None:
            if nature is None:
                return Classification(self.functions[UNKNOWN], False, "none")
            return Classification(nature.function, nature.contested, "rule", (nature.id,))
        other_side = activity.general and nature is not None and nature.function.side != activity.function.side
        contested = activity.contested or other_side or self._is_ambiguous(activity, whole)
        if activity.general and (finer := self._refine(activity, nature, texts)):
            return Classification(finer.function, contested or finer.contested, "rule", (activity.id, finer.id))
        return Classification(activity.function, contested, "rule", (activity.id,))

    def _find_post(self, texts: LineTexts, titles: Sequence[str]) -> Classification:
        """Title, then profession, then unit. A general profession says less than a unit that is no general one."""
        whole = [*texts.where, *texts.what]
        found = [rule for title in titles if (rule := self._first(Tier.POST, [title], texts))]
        activity = self._first(Tier.ACTIVITY, whole, texts)
        named = [rule for rule in found if not rule.general]
        unit = activity if activity is not None and not activity.general else None
        decides = next((rule for rule in (*named, unit, *found, activity) if rule is not None), None)
        if decides is None:
            return Classification(self.functions[UNKNOWN], False, "none")
        contested = decides.contested or any(rule.function.side != decides.function.side for rule in found)
        if decides is activity:
            contested = contested or self._is_ambiguous(decides, whole)
        return Classification(decides.function, contested, "rule", (decides.id,))

    def _first(self, tier: Tier, whole: Sequence[str], texts: LineTexts) -> FunctionRule | None:
        """The first rule that matches the first text that any rule of the tier matches."""
        for text in whole:
            for_any, for_what = self._match(tier, text)
            if rule := for_what if text in texts.what else for_any:
                return rule
        return None

    def _match(self, tier: Tier, text: str) -> tuple[FunctionRule | None, FunctionRule | None]:
        """The first rule that matches a text wherever it stands, and the first if it says what was bought.

        Remembered: the lines of a body have few distinct units and purposes, in many combinations.
        """
        found = self._first_rules.get((tier, text))
        if found is None:
            matching = [rule for rule in self.rules[tier] if rule.pattern.search(text)]
            found = next((rule for rule in matching if not rule.what_only), None), next(iter(matching), None)
            if len(self._first_rules) >= _REMEMBERED:
                self._first_rules.clear()
            self._first_rules[tier, text] = found
        return found

    def _is_ambiguous(self, activity: FunctionRule, whole: Sequence[str]) -> bool:
        """True if the text that decided also speaks for the other side, such as "Housing and Finance"."""
        text = next(text for text in whole if activity.pattern.search(text))
        rest = activity.pattern.sub(" ", text)
        return any(
            rule.function.side != activity.function.side and rule.pattern.search(rest)
            for rule in self.rules[Tier.ACTIVITY]
            if not rule.general
        )

    def _refine(self, activity: FunctionRule, nature: FunctionRule | None, texts: LineTexts) -> FunctionRule | None:
        """The rule that says which overhead: by what was bought, then by the category of the purchase."""
        candidates = [nature, *(self._first(tier, [texts.category], texts) for tier in (Tier.NATURE, Tier.ACTIVITY))]
        return next(
            (rule for rule in candidates if rule and not rule.general and rule.function.side == activity.function.side),
            None,
        )


FUNCTION_FIELD = "function_id"
"""The platform field in which a body may declare the function of a line."""

FUNCTION_ADDED = (
    (
        "assigned_function",
        "string",
        "Function assigned",
        "What the line is for, as the body declared it or rules found it; u-unknown if neither says.",
    ),
    ("side", "string", "Side", "O front line, I overhead, X not counted, U unknown."),
    ("contested", "boolean", "Contested", "True if experts disagree on the side, or the text speaks for both."),
    ("function_by", "string", "Function found by", "declared (by the body), rule, or none."),
    ("function_rule", "string", "Rules that decided", "The rules that decided, from datapackages/functions."),
)
"""Name, type, title and description of the columns that `annotate_functions` makes."""


def has_functions(dataset: Dataset) -> bool:
    """Whether the lines of a dataset are classified: it names texts that show what a line is for."""
    return bool(dataset.function_texts)


def annotate_functions(dataset: Dataset, lines: pa.RecordBatch, body: Body | None = None) -> dict[str, Cells]:
    """The columns `FUNCTION_ADDED` for `lines`: fields of `dataset` as strings, which may be dictionary-encoded."""
    distinct, indices = _classify_distinct(dataset, lines, body)
    values: dict[str, tuple[list[Any], pa.DataType]] = {
        "assigned_function": ([one.function.id for one in distinct], pa.string()),
        "side": ([one.function.side.value for one in distinct], pa.string()),
        "contested": ([one.contested for one in distinct], pa.bool_()),
        "function_by": ([one.method for one in distinct], pa.string()),
        "function_rule": ([" ".join(one.rules) or None for one in distinct], pa.string()),
    }
    return {name: pa.array(cells, kind).take(indices) for name, (cells, kind) in values.items()}


def classify_lines(dataset: Dataset, lines: pa.RecordBatch, body: Body | None = None) -> list[Classification]:
    """Classify each of `lines`, which have fields of the dataset as strings. Every distinct text is classified once.

    Returns: a classification for each line, in order. All are unknown if the dataset names no texts.
    """
    distinct, indices = _classify_distinct(dataset, lines, body)
    return [distinct[index] for index in indices.to_pylist()]


def _classify_distinct(
    dataset: Dataset, lines: pa.RecordBatch, body: Body | None
) -> tuple[list[Classification], Cells]:
    """The classification of each distinct combination of texts, and for each line the index of its combination."""
    rules, present = load_rules(), frozenset(lines.schema.names)
    kinds = [(kind, name) for kind, names in dataset.function_texts.items() for name in names if name in present]
    fields = [*([FUNCTION_FIELD] if FUNCTION_FIELD in present else []), *(name for _, name in kinds)]
    columns = {name: _encode(lines.column(name)) for name in fields}
    combinations, indices = _combine(list(columns.values()), lines.num_rows)
    texts = {
        name: [column.dictionary.to_pylist(), combinations[at]] for at, (name, column) in enumerate(columns.items())
    }
    found = []
    for number in range(len(next(iter(combinations), [0]))):
        cells = {name: words[places[number]] or "" for name, (words, places) in texts.items()}
        declared = cells.get(FUNCTION_FIELD)
        by_kind = {kind: tuple(cells[name] for one, name in kinds if one == kind) for kind, _ in kinds}
        post = by_kind.get("post", ()) if "post" in dataset.function_texts else None
        line = LineTexts(by_kind.get("where", ()), by_kind.get("what", ()), " ".join(by_kind.get("category", ())), post)
        found.append(rules.classify(line, declared=declared if declared in rules.functions else None, body=body))
    return found, indices


_LONG_NUMBER = "[0-9]{4,}"
"""Numbers of invoices and accounts make nearly every purpose distinct. No rule has more than three digits in a row."""


def _encode(column: Cells) -> Any:
    """The distinct texts of a column as rules see them: any long number is as good as another."""
    if not pa.types.is_dictionary(column.type):  # each distinct, perhaps, until numbers are replaced
        texts = pc.fill_null(column.cast(pa.string()), "")
        return pc.replace_substring_regex(texts, _LONG_NUMBER, "0000").dictionary_encode()
    words = pa.concat_arrays([column.dictionary, pa.array([""], pa.string())])
    masked = pc.replace_substring_regex(words, _LONG_NUMBER, "0000").dictionary_encode()
    indices = pc.fill_null(column.indices, len(column.dictionary))
    return pa.DictionaryArray.from_arrays(masked.indices.take(indices), masked.dictionary)


def _combine(columns: Sequence[Any], size: int) -> tuple[list[list[int]], Cells]:
    """The distinct rows of encoded columns, as a list of indices for each column; and the place of each row in them."""
    together = np.zeros(size, np.int64)
    for column in columns:
        wide = together * max(len(column.dictionary), 1) + column.indices.to_numpy()
        together = pa.array(wide).dictionary_encode().indices.to_numpy().astype(np.int64)
    _, first = np.unique(together, return_index=True)
    return [column.indices.to_numpy()[first].tolist() for column in columns], pa.array(together)


@cache
def functions_version() -> str:
    """Identify what functions depend on: the rules, and the names of bodies, for exceptions by mission."""
    bodies = (assets.folder("datapackages") / "bodies" / "bodies.csv").read_bytes()
    return f"{load_rules().version}.{hashlib.sha256(bodies).hexdigest()[:6]}"


@cache
def load_rules() -> FunctionRules:
    """Read `datapackages/functions/`.

    Raises: DescriptorError: the folder is missing, or a file lacks a column or has an unknown value.
    """
    folder = assets.folder("datapackages") / _FOLDER
    rows = {}
    for name in _FILES:
        with (folder / name).open(encoding="utf-8", newline="") as stream:
            rows[name] = list(csv.DictReader(stream))
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in _FILES)).hexdigest()
    try:
        return _parse_rules(rows, f"functions-1+{digest[:12]}")
    except (KeyError, ValueError, re.error) as error:
        raise DescriptorError(f"datapackages/{_FOLDER} has a missing or unknown value: {error}") from error


def _parse_rules(rows: Mapping[str, Sequence[Mapping[str, str]]], version: str) -> FunctionRules:
    functions = {
        row["id"]: Function(row["id"], Side(row["side"]), row["label"], row["description"], row["contested"] == "yes")
        for row in rows["functions.csv"]
    }
    rules = [
        FunctionRule(
            row["rule"],
            Tier(row["tier"]),
            row["looks_in"] == "what",
            re.compile(row["pattern"]),
            functions[row["function_id"]],
            row["contested"] == "yes" or functions[row["function_id"]].contested,
            row["general"] == "yes",
        )
        for row in rows["rules.csv"]
    ]
    missions = [
        MissionException(row["mission"], re.compile(row["body_pattern"]), row["function_id"], functions[row["becomes"]])
        for row in rows["missions.csv"]
    ]
    by_tier = {tier: tuple(rule for rule in rules if rule.tier is tier) for tier in Tier}
    return FunctionRules(functions, by_tier, tuple(missions), version)


def _fold_texts(texts: LineTexts) -> LineTexts:
    return LineTexts(
        tuple(filter(None, map(fold, texts.where))),
        tuple(filter(None, map(fold, texts.what))),
        fold(texts.category),
        None if texts.post is None else tuple(filter(None, map(fold, texts.post))),
    )


_APOSTROPHES = re.compile(r"['’`]")
_NOT_WORDS = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """The text as patterns see it: lower case without accents, `&` as "and", other signs as single spaces."""
    plain = unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold()
    plain = _APOSTROPHES.sub("", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    return _NOT_WORDS.sub(" ", plain).strip()
