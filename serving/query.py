"""A question about the rows of a dataset, as its parameters spell it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from piperoll.errors import PeriodError
from piperoll.model import Dataset, Period
from serving.cursors import Cursor, digest
from serving.fields import Known, known_fields
from serving.limits import Limits
from serving.problems import Problem, shown, unknown, unprocessable
from serving.terms import Term, listed, term

MEASURES = ("sum", "min", "max", "avg")
RESERVED = (
    *("body", "period", "part", "within", "as_known_on", "overlapping"),
    *("columns", "group_by", *MEASURES, "count", "sort", "limit", "cursor", "format"),
)
"""Parameters that are no conditions on a field."""

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?\Z", re.ASCII)
_SLUG = re.compile(r"[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]{0,199}\Z")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which series are asked about: of which bodies, periods and parts (none: of all), and as known when."""

    dataset: str
    bodies: tuple[str, ...] = ()
    periods: tuple[Period, ...] = ()
    parts: tuple[str, ...] = ()
    within: Period | None = None
    as_known_on: str | None = None
    keep_overlapping: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a group: `sum`, `min`, `max` or `avg` of a field, or `count` of the rows."""

    how: str
    field: Known | None

    @property
    def name(self) -> str:
        """The column it becomes."""
        return self.how if self.field is None else f"{self.how}_{self.field.name}"


@dataclass(frozen=True, slots=True)
class Order:
    """A column to sort by."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """The whole question. `columns` are those of the answer, in order; without `measures` each row is a row.

    `limit` None means all that there is, where the form of the answer allows it.
    """

    scope: Scope
    terms: tuple[Term, ...]
    columns: tuple[Known, ...]
    group_by: tuple[Known, ...]
    measures: tuple[Measure, ...]
    sort: tuple[Order, ...]
    limit: int | None
    cursor: Cursor | None
    question: str
    known: Mapping[str, Known]

    @property
    def grouped(self) -> bool:
        """Whether the answer has groups and figures, and not rows."""
        return bool(self.measures)

    @property
    def names(self) -> list[str]:
        """The columns of the answer, in order."""
        if self.grouped:
            return [one.name for one in self.group_by] + [one.name for one in self.measures]
        return [one.name for one in self.columns]


Given = Sequence[tuple[str, str]]


def understood(dataset: Dataset, given: Given, limits: Limits) -> Asked:
    """The question that the parameters of a request spell, in any order.

    Raises: Problem: one of them is unknown, stands twice where it may not, or has a value that is none.
    """
    texts = _by_name(given)
    known = known_fields(dataset)
    scope = scope_of(dataset, texts)
    terms = tuple(term(name, values, known, limits) for name, values in texts.items() if name not in RESERVED)
    if len(terms) > limits.filters:
        raise Problem(400, "too-many-conditions", f"{len(terms)} conditions are more than {limits.filters}")
    group_by, measures = _groups(texts, known)
    columns = () if measures else _columns(texts, known)
    if measures and "columns" in texts:
        raise unprocessable("columns", "a question with groups has no columns: name the groups in group_by")
    able = [one.name for one in group_by] + [one.name for one in measures] if measures else list(known)
    cursor = Cursor.parse(_one(texts, "cursor")) if "cursor" in texts else None
    asked = Asked(
        scope=scope,
        terms=terms,
        columns=columns,
        group_by=group_by,
        measures=measures,
        sort=_sort(texts, able),
        limit=_limit(texts, limits),
        cursor=cursor,
        question=_digest(dataset, texts),
        known=known,
    )
    if cursor is not None and cursor.question != asked.question:
        raise Problem(400, "bad-cursor", "this cursor belongs to another question: follow `next` as it is")
    return asked


def scope_of(dataset: Dataset, texts: Mapping[str, Sequence[str]]) -> Scope:
    """Which series the parameters name. Raises: Problem: a period, part or instant is none."""
    parts = tuple(_several(texts, "part"))
    for part in parts:
        names = [one.name for one in dataset.parts]
        if part not in names and part != "none":
            raise unknown("part", part, [*names, "none"], see=f"{dataset.name} has {', '.join(names) or 'no parts'}")
    return Scope(
        dataset.name,
        tuple(_slug(slug) for slug in _several(texts, "body")),
        tuple(_period("period", text) for text in _several(texts, "period")),
        parts,
        _period("within", _one(texts, "within")) if "within" in texts else None,
        _instant(_one(texts, "as_known_on")) if "as_known_on" in texts else None,
        _choice(texts, "overlapping", ("leave-out", "keep")) == "keep",
    )


def _by_name(given: Given) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for name, text in given:
        texts.setdefault(name, []).append(text)
    return texts


def _digest(dataset: Dataset, texts: Mapping[str, Sequence[str]]) -> str:
    """What the question is, whatever the order of its parameters, the size of its pages and the form of its answer."""
    said = sorted((name, *values) for name, values in texts.items() if name not in ("cursor", "limit", "format"))
    return digest([dataset.name, said])


def _one(texts: Mapping[str, Sequence[str]], name: str) -> str:
    if len(texts[name]) != 1:
        raise unprocessable(name, f"{name} stands {len(texts[name])} times: write it once")
    return texts[name][0]


def _several(texts: Mapping[str, Sequence[str]], name: str) -> list[str]:
    found = list(dict.fromkeys(one for text in texts.get(name, ()) for one in listed(text)))
    if name in texts and not all(found or [""]):
        raise unprocessable(name, f"{name} is empty: write a value, or leave {name} out")
    return found


def _choice(texts: Mapping[str, Sequence[str]], name: str, choices: Sequence[str]) -> str:
    chosen = _one(texts, name) if name in texts else choices[0]
    if chosen not in choices:
        raise unprocessable(name, f"'{shown(chosen)}' is no choice of {name}: write {' or '.join(choices)}")
    return chosen


def _slug(text: str) -> str:
    if not _SLUG.match(text):
        raise unprocessable("body", f"'{shown(text)}' is no body's short name: /bodies lists them")
    return text


def _period(name: str, text: str) -> Period:
    try:
        return Period.parse(text)
    except PeriodError as error:
        raise unprocessable(
            name, f"'{shown(text)}' is not a period: write 2026-10, 2026-Q4, 2026-27 or a day"
        ) from error


def _instant(text: str) -> str:
    try:
        if _INSTANT.match(text):
            datetime.fromisoformat(text).astimezone(UTC)
            return text
    except (ValueError, OverflowError):
        pass  # the thirty-first of February: said below
    raise unprocessable(
        "as_known_on", f"'{shown(text)}' is no day: write 2026-11-01, or an instant in UTC as 2026-11-01T09:00:00Z"
    )


def _fields(name: str, names: Iterable[str], known: Mapping[str, Known]) -> tuple[Known, ...]:
    chosen = list(dict.fromkeys(names))
    for one in chosen:
        if one not in known:
            raise unknown("field", one, known, see="ask /datasets/{dataset} for its fields")
    if not chosen:
        raise unprocessable(name, f"{name} is empty: name a field, or leave {name} out")
    return tuple(known[one] for one in chosen)


def _columns(texts: Mapping[str, Sequence[str]], known: Mapping[str, Known]) -> tuple[Known, ...]:
    return _fields("columns", _several(texts, "columns"), known) if "columns" in texts else tuple(known.values())


def _groups(
    texts: Mapping[str, Sequence[str]], known: Mapping[str, Known]
) -> tuple[tuple[Known, ...], tuple[Measure, ...]]:
    """The groups and their figures; groups without a figure are counted."""
    group_by = _fields("group_by", _several(texts, "group_by"), known) if "group_by" in texts else ()
    measures = [
        Measure(how, _measurable(how, field))
        for how in MEASURES
        if how in texts
        for field in _fields(how, _several(texts, how), known)
    ]
    counted = "count" in texts and _choice(texts, "count", ("true", "", "false")) != "false"
    if counted or (group_by and not measures):
        measures.append(Measure("count", None))
    return group_by, tuple(measures)


def _measurable(how: str, field: Known) -> Known:
    if field.type in ("number", "integer") or (how in ("min", "max") and field.type == "date"):
        return field
    raise unprocessable(how, f"{field.name} is {field.type}, and has no {how}: name a field with numbers")


def _sort(texts: Mapping[str, Sequence[str]], able: Sequence[str]) -> tuple[Order, ...]:
    orders = [Order(name.removeprefix("-"), name.startswith("-")) for name in _several(texts, "sort")]
    for order in orders:
        if order.name not in able:
            raise unknown("column", order.name, able, see=f"sort by {', '.join(able[:8])}")
    if len({order.name for order in orders}) != len(orders):
        raise unprocessable("sort", "sort names a column twice")
    return tuple(orders)


def _limit(texts: Mapping[str, Sequence[str]], limits: Limits) -> int | None:
    if "limit" not in texts:
        return None
    text = _one(texts, "limit")
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= limits.page_rows:
        raise unprocessable("limit", f"'{shown(text)}' is no limit: write a whole number from 1 to {limits.page_rows}")
    return int(text)
