"""The same proof over a store that is made from the real files in ../shared/realdata (make test-real)."""

from __future__ import annotations

from pathlib import Path

import pytest

from piperoll.operations.run_request import RunRequest
from tests.conftest import HERE
from tests.figures import test_figures_accounts as accounts
from tests.figures.published_tables import sum_totals
from tests.figures.recomputing import Recomputed
from tests.operations.inbox import plain_run

REAL = HERE.parent.parent / "shared" / "realdata"

pytestmark = [pytest.mark.real, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def real_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    summary = plain_run(RunRequest(to=str(folder / "store"), inbox=REAL))
    assert summary.trouble is None
    return folder / "store"


@pytest.fixture(scope="module")
def real(real_store: Path) -> Recomputed:
    found = Recomputed(real_store)
    assert len(found.tables) > 100
    return found


def test_every_line_of_real_files_is_counted_or_left_out_once(real: Recomputed) -> None:
    for dataset, bodies in real.counts.items():
        for body, years in bodies.items():
            accounted = sum_totals(total for counts in years.values() for total in (counts.total, counts.all_left_out))
            assert accounts.same(accounted, sum_totals(map(real.total_of, real.of(dataset, body)))), (dataset, body)


def test_accounts_of_real_files_are_what_is_recomputed(real_store: Path, real: Recomputed) -> None:
    accounts.test_there_is_a_consolidated_file_for_each_year_with_lines_and_for_no_other(real_store, real)
    accounts.test_every_account_is_what_is_recomputed(real_store, real)
    accounts.test_the_lines_of_all_years_and_those_left_out_are_those_of_all_releases(real_store, real)
    accounts.test_a_rollup_adds_up_to_its_account(real_store, real)
