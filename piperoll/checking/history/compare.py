"""Compare a release with the body's releases of earlier periods: how a month is compared with the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import pyarrow as pa

from piperoll.checking.examine import Examination, add_findings
from piperoll.checking.history import sizes
from piperoll.checking.history.profile import MOST_CODES, ReleaseProfile, join_words, name_release
from piperoll.findings import holds_file, make_finding
from piperoll.model import Address, Dataset, Finding, Period
from piperoll.model.columns import Cells, pc

_RECENT = 3
"""Columns are compared with this many of the nearest releases: a layout of a year ago may have been given up since."""

_NEARLY_ALL_PERCENT = 90
"""A file sent again repeats at least this share of lines; a few may have been held or corrected in between."""

_ENOUGH_UNDATED = 10
"""This many lines without a date do not recur by chance; three monthly rents do."""

_ROWS_NAMED = 5
"""A finding about repeated lines names this many rows."""

_ENOUGH_RELEASES = 2
"""One earlier release is too little to say what is usual."""

_ROWS_A_CODE = 10
"""Values that are in this many rows each are codes; if they are in fewer, a new value is no surprise."""

_FULL_PERCENT, _EMPTY_PERCENT = 90, 10
"""A column was in use if it was filled at least this far, and is empty if it is filled at most that far."""

_WEEK = 7
"""In days: bodies pay at least once a week, so a longer gap means that rows are missing."""

_DAY = timedelta(days=1)


def compare_with_earlier_releases(
    examination: Examination,
    ours: ReleaseProfile,
    before: Sequence[ReleaseProfile],
    dataset: Dataset,
    *,
    first: bool,
    may_hold: bool,
) -> Examination:
    """Add findings on how the release `ours` differs from those of earlier periods, `before`, the nearest first.

    A file that repeats an earlier one, or is empty or halved beside them, is held whole, unless someone has already
    decided to publish it (not `may_hold`). `first` is as for `find_differences`. The report names what was compared.
    """
    findings = [
        finding
        for finding in find_differences(ours, before, dataset, first=first)
        if may_hold or not holds_file(finding.code)
    ]
    compared = add_findings(examination, findings)
    paths = tuple(one.released.path for one in before if one.released.path)
    return replace(compared, report=replace(compared.report, compared_with=paths))


def find_differences(
    ours: ReleaseProfile, before: Sequence[ReleaseProfile], dataset: Dataset, *, first: bool
) -> Iterator[Finding]:
    """Yield how a release differs from those of earlier periods, `before`, the nearest first.

    `first` is True if it would be the first version of its series: only then can it be held for its size. A later
    version is compared with the published one instead, which is the better measure.
    """
    if not before:
        return
    recent = before[:_RECENT]
    yield from find_repeated_lines(ours, before)
    if first:
        yield from sizes.find_too_small(ours, before)
    yield from sizes.find_unusual_size(ours, before)
    yield from sizes.find_other_scale(ours, before)
    yield from sizes.find_reversed_signs(ours, before)
    yield from find_missing_days(ours, before)
    yield from find_changed_columns(ours, recent, dataset)
    yield from find_emptied_columns(ours, recent, dataset)
    yield from find_new_codes(ours, recent, dataset)


@dataclass(frozen=True, slots=True)
class SharedLines:
    """The lines of a release that an earlier one has too: how many, how many of them dated, and the first addresses."""

    earlier: ReleaseProfile
    count: int
    dated: int
    first: tuple[tuple[str | None, int], ...]

    @property
    def is_evidence(self) -> bool:
        """Whether they cannot be there by chance: one dated line, or many without a date."""
        return self.dated > 0 or self.count >= _ENOUGH_UNDATED


def find_repeated_lines(ours: ReleaseProfile, before: Sequence[ReleaseProfile]) -> Iterator[Finding]:
    """Hold a release that repeats an earlier one; warn of single lines that were published before.

    A list of what exists (`ReleaseProfile.is_stock`) is reported only if it has not changed at all.
    """
    shared = [_find_shared_lines(ours, one) for one in before if ours.rows and one.rows]
    most = max(shared, key=lambda each: each.count, default=None)
    if most is None:
        return
    earlier = name_release(most.earlier)
    if most.earlier.is_stock:
        if most.count == ours.rows == most.earlier.rows:
            yield make_finding("list-unchanged", rows=ours.rows, earlier=earlier)
    elif most.is_evidence and most.count * 100 >= ours.rows * _NEARLY_ALL_PERCENT:
        variant = "all" if most.count >= ours.rows else "nearly-all"
        yield make_finding("rows-repeated", variant=variant, lines=most.count, rows=ours.rows, earlier=earlier)
    else:
        for one in shared:
            half_of_file = one.is_evidence and one.count * 2 >= ours.rows
            if not one.earlier.is_stock and (one.dated > 0 or half_of_file):
                sheet, row = one.first[0]
                yield make_finding(
                    "rows-published-before",
                    Address(sheet, row),
                    variant="some-named" if one.count > len(one.first) else "all-named",
                    count=one.count,
                    earlier=name_release(one.earlier),
                    first_rows=", ".join(f"{row:,}" for its_sheet, row in one.first if its_sheet == sheet),
                )


def _find_shared_lines(ours: ReleaseProfile, earlier: ReleaseProfile) -> SharedLines:
    """Count the lines that both have; of a line that one has more often, count the smaller number."""
    in_both = pc.is_in(ours.lines.prints, value_set=earlier.lines.prints)
    if not pc.any(in_both).as_py():  # nearly always, and a join takes longer than all else here
        return SharedLines(earlier, 0, 0, ())
    dated = pc.and_(in_both, pc.is_valid(ours.lines.days))
    counts = _count_prints(ours.lines.prints, "ours").join(
        _count_prints(earlier.lines.prints, "earlier"), "print", join_type="inner"
    )
    count = pc.sum(pc.min_element_wise(counts["ours"], counts["earlier"])).as_py() or 0
    first = tuple(
        (ours.lines.sheets[index].as_py(), ours.lines.rows[index].as_py())
        for index in pc.indices_nonzero(in_both)[:_ROWS_NAMED].to_pylist()
    )
    return SharedLines(earlier, count, min(count, pc.sum(dated).as_py() or 0), first)


def _count_prints(prints: Cells, name: str) -> pa.Table:
    return pa.table({"print": prints}).group_by("print").aggregate([([], "count_all")]).rename_columns(["print", name])


def find_missing_days(ours: ReleaseProfile, before: Sequence[ReleaseProfile]) -> Iterator[Finding]:
    """Warn of the longest stretch of days without a row, if it is a week or more and no earlier release had one.

    Lists of what exists have few rows dated within their period, and say nothing.
    """
    if ours.is_stock or len(before) < _ENOUGH_RELEASES or any(one.is_stock for one in before):
        return
    first, last = _longest_gap(ours)
    is_new = all(_days_in(*_longest_gap(one)) < _WEEK for one in before)
    if _days_in(first, last) >= _WEEK and is_new and any(day in ours.period for day in ours.days):
        yield make_finding(
            "days-missing",
            first=Period.day(first).title,
            last=Period.day(last).title,
            earlier=join_words([one.period.title for one in before]),
        )


def _longest_gap(release: ReleaseProfile) -> tuple[date, date]:
    return longest_gap(release.period, release.days)


def longest_gap(period: Period, days: Iterable[date]) -> tuple[date, date]:
    """The first and last day of the longest stretch of a period without one of `days`, the earliest if several are.

    If there is none, the last day is before the first.
    """
    start, end = period.start, period.end
    inside = [start - _DAY, *sorted(day for day in days if start <= day <= end), end + _DAY]
    gaps = [(left + _DAY, right - _DAY) for left, right in pairwise(inside)]
    return max(gaps, key=lambda gap: _days_in(*gap))


def _days_in(first: date, last: date) -> int:
    return (last - first).days + 1


def find_changed_columns(ours: ReleaseProfile, before: Sequence[ReleaseProfile], dataset: Dataset) -> Iterator[Finding]:
    """Warn of each column that every earlier release had and ours lacks; report the columns that none of them had."""
    if not ours.rows:
        return
    earlier = name_release(before[0])
    new: list[str] = []
    for field in dataset.fields:
        had = [field.name in one.columns for one in before]
        if field.name not in ours.columns and all(had):
            heading = before[0].columns[field.name].heading
            yield make_finding(
                "column-gone", Address(field=field.name), title=field.title, earlier=earlier, heading=heading
            )
        if field.name in ours.columns and not any(had):
            new.append(f"'{ours.columns[field.name].heading}' (taken for '{field.title}')")
    if new:
        yield make_finding("columns-new", count=len(new), columns=join_words(new), earlier=earlier)


def find_emptied_columns(ours: ReleaseProfile, before: Sequence[ReleaseProfile], dataset: Dataset) -> Iterator[Finding]:
    """Warn of each column that is present but nearly empty, and was nearly full before."""
    for name, column in ours.columns.items():
        if not ours.rows or name not in ours.filled or _percent_filled(ours, name) > _EMPTY_PERCENT:
            continue
        had = [one for one in before if one.rows and name in one.columns and name in one.filled]
        if had and all(_percent_filled(one, name) >= _FULL_PERCENT for one in had):
            yield make_finding(
                "column-emptied",
                Address(column.sheet, column=column.letter, field=name),
                title=dataset.field(name).title,
                filled=ours.filled[name],
                rows=ours.rows,
                earlier=name_release(had[0]),
            )


def find_new_codes(ours: ReleaseProfile, before: Sequence[ReleaseProfile], dataset: Dataset) -> Iterator[Finding]:
    """Warn of each column that had a few values in every earlier release, and has others now."""
    comparable = [one for one in before if one.rows]
    if len(comparable) < _ENOUGH_RELEASES:
        return
    for name, column in ours.columns.items():
        if name not in ours.codes or not all(name in one.codes for one in comparable):
            continue
        known = {value for one in comparable for value in one.codes[name]}
        frequent = sum(one.filled[name] for one in comparable) >= len(known) * _ROWS_A_CODE
        new = {value: address for value, address in ours.codes[name].items() if value not in known}
        if not new or not frequent or len(known) > MOST_CODES:
            continue
        value, (sheet, row) = next(iter(new.items()))
        letter = column.letter if sheet == column.sheet else None
        yield make_finding(
            "codes-new",
            Address(sheet, row, None, letter, name),
            variant="several" if len(new) > 1 else "one",
            value=value,
            count=len(new),
            title=dataset.field(name).title,
            known=len(known),
            others=len(new) - 1,
            period=comparable[0].period.title,
        )


def _percent_filled(release: ReleaseProfile, name: str) -> int:
    """How much of a column is filled, rounded down, in a release that has rows."""
    return 100 * release.filled[name] // release.rows
