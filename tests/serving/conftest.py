"""Two bodies with overlapping periods, a part, corrections and rows taken back; served from a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_world import HOSTILE, Served, published, released, row, serving, source_of

from piperoll.model import Series
from publishers import FolderStore, Store, mark_withdrawn, remove_submission

OCTOBER = [
    row(1, supplier_name="Acorn Roofing Ltd", net_amount="100.10", payment_date="2026-10-01", is_sme="true"),
    row(2, supplier_name="acorn trees", net_amount="-25.05", payment_date="2026-10-02", is_sme="false"),
    row(3, supplier_name=HOSTILE, net_amount="0.1234", payment_date="2026-10-03", line_number="7"),
    row(4, supplier_name="Smith, Jones & Co", net_amount="1000.00", payment_date="2026-10-04"),
    row(5, supplier_name="Zoë \u202e %_* £", net_amount="1000.00"),
    row(6, net_amount="3.00", payment_date="2026-10-31"),
]
SEPTEMBER = [row(10 + n, supplier_name="Acorn Roofing Ltd", net_amount=f"{n}.50") for n in range(5)]
FINE = [row(20, supplier_name="Fine Ltd", net_amount="0.0000000001"), row(21, net_amount="2.00")]
CARD = [row(30, supplier_name="Corner Shop", net_amount="9.99", card="Purchase card")]
QUARTER = [row(40 + n, supplier_name="Acorn Roofing Ltd", net_amount="70.00") for n in range(3)]
SECRET = [row(50, supplier_name="Mrs Private Person", net_amount="11.00")]
WRONG = [row(60, supplier_name="Wrongly Sent Ltd", net_amount="12.00")]


def publish_world(store: Store, scratch: Path) -> None:
    """All of it, in the order of time."""

    def put(series: str, rows: list[dict[str, str]], now: str, **more: object) -> None:
        published(store, released(scratch, series, rows, **more), now)  # type: ignore[arg-type]

    put("spend/anytown/2026-07", QUARTER[:1], "2026-08-02T09:00:00Z")
    put("spend/anytown/2026-Q3", QUARTER, "2026-10-02T09:00:00Z")
    put("spend/anytown/2026-10", OCTOBER[:5], "2026-11-02T09:00:00Z")
    put("spend/anytown/2026-10", OCTOBER, "2026-11-09T09:00:00Z", source=source_of("corrected"))
    put("spend/anytown/2026-10--card", CARD, "2026-11-03T09:00:00Z")
    put("spend/brackwater/2026-09", SEPTEMBER, "2026-10-03T09:00:00Z")
    put("spend/brackwater/2026-10", FINE, "2026-11-04T09:00:00Z", scale=10)
    put("spend/brackwater/2026-11", SECRET, "2026-11-05T09:00:00Z", source=source_of("secret"))
    put("spend/brackwater/2026-12", WRONG, "2026-11-06T09:00:00Z", source=source_of("wrong"))
    mark_withdrawn(
        store, Series.parse("spend/brackwater/2026-12"), 1, because="the wrong file", now="2026-11-20T09:00:00Z"
    )
    remove_submission(store, source_of("secret"), because="a private person", now="2026-11-20T09:00:00Z")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    publish_world(FolderStore(folder / "store"), folder / "scratch")
    return folder / "store"


@pytest.fixture(scope="session")
def api(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(str(world), tmp_path_factory.mktemp("cache")) as served:
        yield served
