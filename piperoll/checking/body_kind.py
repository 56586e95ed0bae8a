"""Which kind of body sends a file, and how we know: as given, from the register, or from the file itself.

The kind decides which legal duties are checked. Where it is not known, none is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from piperoll import assets
from piperoll.checking.survey import TableSurvey
from piperoll.model import Body, Dataset, Register

KindSource = Literal["option", "register", "file"]

_NEARLY_ALL = 0.95
"""A column says which body sends if at least this share of its filled cells agree; a few may have a slip."""

_FILLED = 0.5
"""A column with fewer filled cells than this share of its rows says nothing about the rest of the file."""


_SEPARATORS = re.compile(
    r"\s[-–—]\s|[:|;(),]|\b(?:spend(?:ing)?|payments?|expenditure|invoices?|transactions?)\b", re.IGNORECASE
)
"""Where a title such as "Anytown Council - Payments over £500" goes on with something else than the body."""


@dataclass(frozen=True, slots=True)
class BodyKind:
    """The kind of body that sends a file; None if we do not know.

    `source` is `option` (given with the file), `register` or `file`. `heading` is that of the column that says so, for
    `file`; None if a title does. `nation` is `E`, `W`, `S` or `N` where the register knows it.
    """

    kind: str | None = None
    source: KindSource | None = None
    nation: str | None = None
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class _Named:
    """What a cell names: a body of the register, or only a kind of body by its words."""

    kind: str
    slug: str | None = None
    nation: str | None = None


def find_body_kind(
    body: Body,
    given: str | None,
    surveys: Sequence[TableSurvey],
    dataset: Dataset | None,
    register: Register | None = None,
) -> BodyKind:
    """Find the kind of body that sends a file, given its surveyed tables; `given` is the kind as an option.

    A registered `body` has its kind. Otherwise the columns that name the body decide, if nearly all rows agree: by the
    `register` (without it, ours) or by words such as "Borough Council".
    """
    if given is not None:
        return BodyKind(given, "option", body.nation)
    if body.known_kind is not None:
        return BodyKind(body.known_kind, "register", body.nation)
    titles = [title for survey in surveys for title in survey.titles]
    if dataset is None or not (titles or any(survey.names for survey in surveys)):
        return BodyKind()
    known = register or assets.register()
    for field in dataset.body_fields:
        names = _count_names(field, surveys)
        if not names:
            continue
        family = next((found for one in dataset.parent_fields if (found := _count_names(one, surveys))), None)
        named = _agreed(names, surveys, known) or _of_whole_family(names, family, surveys, known)
        if named is not None:
            heading = next(survey.headings[field] for survey in surveys if field in survey.headings)
            return BodyKind(named.kind, "file", named.nation, heading)
        return BodyKind()  # the file names its sender in a way that we do not know: a title would not be surer
    return _from_titles(titles, known)


def _from_titles(titles: Sequence[str], register: Register) -> BodyKind:
    """What the titles above the headings show, if all that name a body name the same one or the same kind.

    Words alone show no department or agency here: "Department of Housing" can be a part of a council.
    """
    found = dict[_Named, None]()
    for title in titles:
        pieces = [title, *_SEPARATORS.split(title)]
        named = [one for piece in pieces if piece.strip() and (one := _named(piece, register))]
        if registered := [one for one in named if one.slug]:
            found[registered[0]] = None
        elif words := [one for one in named if one.kind not in ("department", "agency")]:
            found[words[0]] = None
    if len({one.kind for one in found}) != 1:
        return BodyKind()
    first = next(iter(found))
    return BodyKind(first.kind, "file", first.nation if len(found) == 1 else None)


def _count_names(field: str, surveys: Sequence[TableSurvey]) -> Counter[str]:
    """How often each name is in a field of all tables."""
    counts: Counter[str] = Counter()
    for survey in surveys:
        counts.update(survey.names.get(field, {}))
    return counts


def _agreed(names: Mapping[str, int], surveys: Sequence[TableSurvey], register: Register) -> _Named | None:
    """What nearly all rows name: one body of the register, or else bodies of one kind."""
    filled = sum(names.values())
    if filled < _FILLED * sum(survey.lines for survey in surveys):
        return None
    found = [(_named(name, register), count) for name, count in names.items()]
    bodies: Counter[_Named] = Counter()
    kinds: Counter[str] = Counter()
    for named, count in found:
        if named is not None:
            bodies[named] += count
            kinds[named.kind] += count
    if not kinds:
        return None
    named, count = bodies.most_common(1)[0]
    if count >= _NEARLY_ALL * filled:
        return named
    kind, count = kinds.most_common(1)[0]
    return _Named(kind) if count >= _NEARLY_ALL * filled else None


def _of_whole_family(
    names: Mapping[str, int],
    family: Mapping[str, int] | None,
    surveys: Sequence[TableSurvey],
    register: Register,
) -> _Named | None:
    """The department that all rows belong to, if the file lists its own spending beside that of its agencies."""
    department = _agreed(family, surveys, register) if family else None
    if department is None or department.kind != "department":
        return None
    own = [_named(name, register) for name in names]
    return department if department in own else None


def _named(name: str, register: Register) -> _Named | None:
    """What a cell names; None if that is neither a body of the register nor a name with words for a kind of body."""
    text = " ".join(name.split())
    if body := register.recognise(text.removeprefix("Core ")):
        return _Named(body.kind, body.slug, body.nation) if body.known_kind else None
    kind = next((kind for kind, words in assets.kind_words() if words.search(text)), None)
    return None if kind is None else _Named(kind)
