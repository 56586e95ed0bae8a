"""Lines that were published before: a file sent again under another period, and lines that come twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from piperoll.checking.history import findings as say
from piperoll.checking.history.profile import Cells, Profile, pc
from piperoll.model import Finding

_NEARLY_ALL_PERCENT = 90
"""A file sent again has all its lines; a few may have been held then and not now, or mended since."""

_ENOUGH_UNDATED = 10
"""So many lines without a date do not recur by chance, as three monthly rents do."""

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Shared:
    """Lines of a release that stand in an earlier one too: how many, how many of them dated, and the first of them."""

    earlier: Profile
    lines: int
    dated: int
    first: tuple[tuple[str | None, int], ...]

    @property
    def is_evidence(self) -> bool:
        """Whether they cannot be there by chance: one that is dated, or many that are not."""
        return self.dated > 0 or self.lines >= _ENOUGH_UNDATED


def repeats(ours: Profile, before: Sequence[Profile]) -> Iterator[Finding]:
    """What of a release stands in an earlier one already: the whole, which holds it, or lines, which is warned of.

    Of lists of what there is (Profile.is_stock) only one that has not changed at all is told.
    """
    shared = [_shared(ours, one) for one in before if ours.rows and one.rows]
    most = max(shared, key=lambda each: each.lines, default=None)
    if most is None:
        return
    if most.earlier.is_stock:
        if most.lines == ours.rows == most.earlier.rows:
            yield say.list_unchanged(most.earlier.released, ours.rows)
    elif most.is_evidence and most.lines * 100 >= ours.rows * _NEARLY_ALL_PERCENT:
        yield say.repeated(most.earlier.released, most.lines, ours.rows)
    else:
        said = (each for each in shared if not each.earlier.is_stock and _is_worth_saying(each, ours))
        yield from (say.lines_repeated(one.earlier.released, one.lines, one.first) for one in said)


def _is_worth_saying(shared: Shared, ours: Profile) -> bool:
    """Lines with the same date say it each by itself; without, only where half of the file is the same."""
    return shared.dated > 0 or (shared.is_evidence and shared.lines * 2 >= ours.rows)


def _shared(ours: Profile, earlier: Profile) -> Shared:
    """The lines of both, each as often as it stands in the one that has it less often."""
    theirs = earlier.lines.prints
    there = pc.is_in(ours.lines.prints, value_set=theirs)
    dated = pc.and_(there, pc.is_valid(ours.lines.days))
    both = _both(ours.lines.prints, theirs)
    first = pc.indices_nonzero(there)[:_SHOWN].to_pylist()
    places = tuple((ours.lines.sheets[at].as_py(), ours.lines.rows[at].as_py()) for at in first)
    return Shared(earlier, both, min(both, pc.sum(dated).as_py() or 0), places)


def _both(ours: Cells, theirs: Cells) -> int:
    """How many fingerprints two lists have in common, those that recur as often as in the shorter of the two."""
    counted = [_counts(ours, "ours"), _counts(theirs, "theirs")]
    together = counted[0].join(counted[1], "print", join_type="inner")
    return pc.sum(pc.min_element_wise(together["ours"], together["theirs"])).as_py() or 0


def _counts(prints: Cells, name: str) -> pa.Table:
    return pa.table({"print": prints}).group_by("print").aggregate([([], "count_all")]).rename_columns(["print", name])
