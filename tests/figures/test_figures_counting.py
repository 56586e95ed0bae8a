"""What counts once, and when: by hand, recomputed from the CSVs, and in the accounts of consolidated files."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest

from tests.figures.figures_store import Case, awkward_cases
from tests.figures.published_tables import Counts, Total, sum_totals
from tests.figures.recomputing import Recomputed

CASES = list(awkward_cases())


def as_total(rows: int, pounds: str) -> Total:
    return Total(rows, Decimal(pounds) if pounds else None)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_recomputation_gives_what_was_worked_out_by_hand(case: Case, published: Recomputed) -> None:
    for by_hand in case.counts:
        dataset = by_hand["dataset"]
        found = published.counts[dataset].get(case.body, {})
        totals = {year: counts.total for year, counts in found.items() if counts.counted}
        assert totals == {year: as_total(*told) for year, told in by_hand["years"].items()}
        undated = {year: counts.all_undated for year, counts in found.items() if counts.undated}
        assert undated == {year: as_total(*told) for year, told in by_hand.get("undated", {}).items()}
        _check_left_out(case, by_hand, found.values())
        if "months" in by_hand:
            months = {month: total for counts in found.values() for (month, _), total in counts.months.items()}
            assert months == {month: as_total(*told) for month, told in by_hand["months"].items()}
        if "parts" in by_hand:
            parts = {part: total for counts in found.values() for part, total in counts.parts.items()}
            assert parts == {part: as_total(*told) for part, told in by_hand["parts"].items()}


def _check_left_out(case: Case, by_hand: dict[str, object], found: Iterable[Counts]) -> None:
    left_out = {
        (series.split("/")[2], counted_in.split("/")[2]): total
        for counts in found
        for (series, counted_in, _), total in counts.left_out.items()
    }
    if "left_out" in by_hand:
        told = {(one[0], one[4]): as_total(one[2], one[3]) for one in by_hand["left_out"]}  # type: ignore[attr-defined]
        assert left_out == told
    elif "left_out_in_all" in by_hand:
        assert sum_totals(left_out.values()) == as_total(*by_hand["left_out_in_all"])  # type: ignore[misc]
    else:
        assert left_out == {}


def test_every_line_of_every_release_is_counted_or_left_out_once(published: Recomputed) -> None:
    for dataset, bodies in published.counts.items():
        for body, years in bodies.items():
            accounted = sum_totals(total for counts in years.values() for total in (counts.total, counts.all_left_out))
            released = sum_totals(published.total_of(table) for table in published.of(dataset, body))
            assert accounted.rows == released.rows, (dataset, body)
            assert (accounted.pounds or 0) == (released.pounds or 0), (dataset, body)
