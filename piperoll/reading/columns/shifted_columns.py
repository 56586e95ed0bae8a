"""Find data that are not below their headings, but one column beside them or moved to another place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from piperoll.model import Field
from piperoll.reading.columns.heading_fits import CONTRADICTED, fit_to_fields
from piperoll.reading.columns.lexicon import CERTAIN, HeadingMeaning, Lexicon
from piperoll.reading.columns.profiles import EMPTY, ColumnProfile
from piperoll.reading.grids.grid import tidy


@dataclass(frozen=True, slots=True)
class ColumnShift:
    """A shift of the data by `shift` columns against the headings from `start` to before `end`.

    If `end` is None, a cell was inserted or left out, and everything to the end of the row is shifted. Otherwise one
    column of data was moved, without its heading, from one end of the range to the other.
    """

    shift: int = 0
    start: int = 0
    end: int | None = None
    certain: bool = True
    """False if the contents fit several shifts, or none of them well: someone must say where the cells belong."""

    def column_of(self, heading: int) -> int | None:
        """Return the column with the data of a heading (by index); None for a heading whose data were left out."""
        if not self.shift:
            return heading
        if self.end is not None:
            size = self.end - self.start
            inside = self.start <= heading < self.end
            return self.start + (heading - self.start + self.shift) % size if inside else heading
        if self.shift < 0 and self.start + self.shift <= heading < self.start:
            return None
        return heading + self.shift if heading >= self.start else heading


NO_SHIFT = ColumnShift()
"""Every column is below its own heading."""


_ENOUGH_ROWS = 5
"""In fewer rows, a column with typing errors cannot be told from one that belongs to another heading."""

_FARTHEST = 8
"""The most columns between a heading and its data, if one column was moved alone."""

_MOST_COLUMNS = 80
"""A table with more columns is not compared with its headings: the shifts would be too many."""

_CLEARLY = 0.6
"""A shift must fit better than none by this sum of fits, and by `_ALIKE` than a shift that reads columns otherwise."""
_CLEARLY_BY_OTHERS = 0.9
"""The same if no core heading is contradicted."""
_ALIKE = 0.35

_UNNAMED, _UNNAMED_MONEY = -0.3, -0.5
"""The fit of a filled column that is below no heading, and what is added to it if it holds sums of money."""

_NAMES = 0.9
"""The least fit of the column of suppliers that a shift gives."""

_ALONE = -0.8
"""The fit of the assumption that one column was moved alone, which is rarer than a cell too many or too few."""


def find_moved(
    headings: Sequence[str],
    profiles: Sequence[ColumnProfile],
    lexicon: Lexicon,
    meant: Mapping[int, Sequence[HeadingMeaning]] | None = None,
) -> ColumnShift:
    """Return how the data are shifted against their headings.

    `meant` overrides the meanings of some headings, by column: those of codes beside their labels.

    The cells below the headings must speak against them (`_DOUBTS`). Of all shifts the one that fits best is returned
    if it is clearly better than none. It is `certain` if every core heading is then above cells that fit, and no other
    shift fits as well.
    """
    used = [index for index, heading in enumerate(headings) if tidy(heading)]
    used += [index for index, profile in enumerate(profiles) if profile.count]
    width = max(used, default=-1) + 1
    headings, profiles = headings[:width], profiles[:width]
    pairs = {index: [lexicon.dataset.field(match.field) for match in own] for index, own in (meant or {}).items()}
    fields = {index: pairs.get(index) or _fields(heading, lexicon) for index, heading in enumerate(headings)}
    named = [(index, own) for index, own in fields.items() if own]
    core = [(index, wanted) for index, wanted in _core_headings(headings, lexicon) if index not in pairs]
    core = _without_doubles(core, profiles, lexicon)
    if not named or width > _MOST_COLUMNS:
        return NO_SHIFT
    fits = _Fits(headings, profiles, named, core, lexicon)
    if not _is_in_doubt(headings, profiles, named, core, lexicon):
        return ColumnShift(1, named[-1][0], certain=False) if fits.may_end_later() else NO_SHIFT
    plain = fits.score(NO_SHIFT)
    ranked = sorted(
        ((fits.score(shift), shift) for shift in _list_shifts(headings, profiles)),
        key=lambda each: (-round(each[0], 6), -each[1].start, each[1].end or 0),
    )
    clear = fits.contradicts_core() or _is_core_unnamed(headings, profiles, core)
    least = _CLEARLY if clear else _CLEARLY_BY_OTHERS
    if not ranked or ranked[0][0] < plain + least:
        return NO_SHIFT
    score, best = ranked[0]
    rivals = [shift for other, shift in ranked[1:] if other > score - _ALIKE]
    certain = fits.suits_core(best) and all(fits.reads_alike(best, other) for other in rivals)
    return best if certain else replace(best, certain=False)


def _list_shifts(headings: Sequence[str], profiles: Sequence[ColumnProfile]) -> Iterator[ColumnShift]:
    """Yield the shifts to compare: a cell too many or too few at each place, and one column moved alone."""
    named = len(headings)
    for start in range(named):
        yield ColumnShift(1, start)
        if start:
            yield ColumnShift(-1, start)
    if len(profiles) != named or not all(profile.count for profile in profiles):
        return  # there is a column too many or too few
    for start in range(named - 1):
        for end in range(start + 2, min(named, start + _FARTHEST) + 1):
            yield ColumnShift(1, start, end)
            if end > start + 2:  # of two columns, both directions are the same exchange
                yield ColumnShift(-1, start, end)


def _is_in_doubt(
    headings: Sequence[str],
    profiles: Sequence[ColumnProfile],
    named: Sequence[tuple[int, list[Field]]],
    core: Sequence[tuple[int, Field]],
    lexicon: Lexicon,
) -> bool:
    """Return whether the cells below the headings speak against them: see `_DOUBTS`."""
    rows = max((profile.count for profile in profiles), default=0)
    if rows < 2:
        return False
    certain, doubts = {index for index, _ in core}, 0.0
    for index, fields in named:
        profile = profiles[index] if index < len(profiles) else EMPTY
        fit = fit_to_fields(profile, fields, lexicon.dataset)
        if profile.count and fit <= _DOUBTED and (rows >= _ENOUGH_ROWS or _is_plainly_wrong(profile, fields)):
            doubts += 1 if fit <= CONTRADICTED and index in certain else 0.5
        elif not profile.count and (index in certain or index == len(headings) - 1):
            doubts += 0.5
    unnamed = any(
        profile.filled > 0.5 and not (index < len(headings) and tidy(headings[index]))
        for index, profile in enumerate(profiles)
    )
    return doubts + 0.5 * unnamed + _is_core_unnamed(headings, profiles, core) >= _DOUBTS


def _is_core_unnamed(
    headings: Sequence[str], profiles: Sequence[ColumnProfile], core: Sequence[tuple[int, Field]]
) -> bool:
    """Return whether only a column without a heading holds sums of money, or organisations."""
    unnamed = [
        profile
        for index, profile in enumerate(profiles)
        if profile.filled > 0.5 and not (index < len(headings) and tidy(headings[index]))
    ]
    own = [(wanted, profiles[index]) for index, wanted in core if index < len(profiles)]
    amounts = [profile for wanted, profile in own if wanted.type == "number"]
    names = [profile for wanted, profile in own if wanted.privacy == "name"]
    money = (
        bool(amounts) and not any(each.money > 0.1 for each in amounts) and any(each.money > 0.5 for each in unnamed)
    )
    firms = bool(names) and not any(each.companies > 0.25 for each in names)
    return money or (firms and any(each.companies > 0.5 and each.distinct > 0.2 for each in unnamed))


_DOUBTED = -0.3
_DOUBTS = 1.0
"""A core heading that is contradicted counts 1, and so does a column without a heading that holds the only sums of
money or organisations. A heading that is doubted, empty cells below a core heading or the last one, and any other
filled column without a heading count a half each."""


def _is_plainly_wrong(profile: ColumnProfile, fields: Sequence[Field]) -> bool:
    """Return whether dates have not one date below them, or names nothing but numbers: proof in a few rows too."""
    dates = all(each.type == "date" and not profile.dates + profile.serials for each in fields)
    return dates or (fields[0].privacy == "name" and profile.numbers > _NEARLY_ALL)


_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class _Fits:
    """How well the columns of a table fit its headings, for any shift."""

    headings: Sequence[str]
    profiles: Sequence[ColumnProfile]
    named: Sequence[tuple[int, list[Field]]]
    core: Sequence[tuple[int, Field]]
    lexicon: Lexicon
    known: dict[tuple[int, int], float] = field(default_factory=dict)

    def score(self, moved: ColumnShift) -> float:
        """Return the sum of the fits of all headings, less for filled columns below none."""
        total = _ALONE if moved.end is not None else 0.0
        under = set()
        for index, heading in enumerate(self.headings):
            if tidy(heading) and (column := moved.column_of(index)) is not None:
                under.add(column)
        for index, fields in self.named:
            total += self._fit(moved.column_of(index), index, fields)
        for column, profile in enumerate(self.profiles):
            if profile.count and column not in under:
                total += _UNNAMED + (_UNNAMED_MONEY if profile.money > 0.5 else 0.0)
        return total

    def _fit(self, column: int | None, index: int, fields: Sequence[Field]) -> float:
        at = -1 if column is None or not 0 <= column < len(self.profiles) else column
        if (index, at) not in self.known:
            profile = EMPTY if at < 0 else self.profiles[at]
            self.known[index, at] = fit_to_fields(profile, fields, self.lexicon.dataset)
        return self.known[index, at]

    def contradicts_core(self) -> bool:
        """Return whether the cells below a core heading contradict it."""
        return any(self._fit(index, index, [wanted]) <= CONTRADICTED for index, wanted in self.core)

    def suits_core(self, moved: ColumnShift) -> bool:
        """Return whether every heading of a core field is above cells that fit it, and suppliers are organisations."""
        for index, wanted in self.core:
            least = _NAMES if wanted.privacy == "name" and self.lexicon.dataset.amount else 0
            if self._fit(moved.column_of(index), index, [wanted]) <= least:
                return False
        return True

    def may_end_later(self) -> bool:
        """Return whether references are below the last heading, and others in a last column without a heading."""
        last, fields = self.named[-1]
        if last + 2 != len(self.profiles) or not fields[0].is_identifier:
            return False
        return min(self._fit(last, last, fields[:1]), self._fit(last + 1, last, fields[:1])) > 0.5

    def reads_alike(self, one: ColumnShift, other: ColumnShift) -> bool:
        """Return whether two shifts read the same cells as each field; columns without cells do not count."""
        for index, _ in self.named:
            columns = [shift.column_of(index) for shift in (one, other)]
            cells = [
                c if c is not None and c < len(self.profiles) and self.profiles[c].count else None for c in columns
            ]
            if cells[0] != cells[1]:
                return False
        return True


def _core_headings(headings: Sequence[str], lexicon: Lexicon) -> list[tuple[int, Field]]:
    """Return the index of each heading that certainly names a core field, with the field."""
    found = []
    for index, heading in enumerate(headings):
        meanings = lexicon.meanings(heading)
        if meanings and meanings[0].score >= CERTAIN and meanings[0].field in lexicon.dataset.core_fields:
            found.append((index, lexicon.dataset.field(meanings[0].field)))
    return found


def _without_doubles(
    core: Sequence[tuple[int, Field]], profiles: Sequence[ColumnProfile], lexicon: Lexicon
) -> list[tuple[int, Field]]:
    """Return the core headings without those whose cells do not fit although another heading of the field is right."""
    right = {
        wanted.name
        for index, wanted in core
        if index < len(profiles) and fit_to_fields(profiles[index], [wanted], lexicon.dataset) > 0
    }
    counts = Counter(wanted.name for _, wanted in core)
    return [
        (index, wanted)
        for index, wanted in core
        if counts[wanted.name] == 1
        or wanted.name not in right
        or (index < len(profiles) and fit_to_fields(profiles[index], [wanted], lexicon.dataset) > 0)
    ]


def _fields(heading: str, lexicon: Lexicon) -> list[Field]:
    return [lexicon.dataset.field(match.field) for match in lexicon.meanings(heading)]
