"""Single bits that rot in a store: each is found by `piperoll verify`, and none is served."""

from __future__ import annotations

import random
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
import requests

from piperoll import api, assets, layout
from piperoll.errors import PiperollError
from piperoll.measuring.packing import table_dataset
from piperoll.operations.run_request import RunRequest
from piperoll.releasing import compare_versions, find_faults
from publishers import FolderStore, list_indexed_series, list_measured_series, serve_site, verify_objects, verify_series
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.operations.inbox import plain_run, put, spend
from tests.serving.published_place import serving


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two versions of one month, a held file and a catalogue."""
    folder = tmp_path_factory.mktemp("rotten")
    request = RunRequest(to=str(folder / "out"), inbox=folder / "inbox")
    for rows in (10, 12):
        put(folder / "inbox", "spend/anytown/October 2026.csv", spend(rows))
        plain_run(request, catalogued=False)
    put(folder / "inbox", "spend/beeford/October.csv", spend(3, month="13/2026"))
    plain_run(request)
    return folder / "out"


def notice(store: FolderStore) -> bool:
    """Whether `piperoll verify` would find a fault."""
    compare = {one.name: partial(compare_versions, one) for one in (*assets.datasets(), table_dataset())}
    if next(verify_objects(store, ""), None):
        return True
    try:
        verified = verify_series(
            store, [*list_indexed_series(store), *list_measured_series(store)], find_faults, compare.__getitem__
        )
        return any(one.faults for one in verified)
    except PiperollError:
        return True


ASKED = (
    "/rows/spend?body=anytown&format=csv",
    "/rows/spend?group_by=supplier_name&sum=net_amount",
    "/series/spend/anytown/2026-10",
    "/series?body=anytown",
    "/rows/spend?body=anytown&as_known_on=2099-01-01",
)
"""What is asked of the API: it may answer what it answered before, from memory, or refuse."""


def get(place: Path) -> list[object]:
    """What `piperoll get` gives of each version, or the class of its error."""
    given: list[object] = []
    for number in (1, 2, None):
        try:
            given.append(api.get("spend", str(place), body="anytown", period="2026-10", version=number).to_pylist())
        except PiperollError as error:
            given.append(type(error))
    return given


@pytest.mark.soak
def test_every_flipped_bit_is_noticed_and_none_is_served(place: Path, tmp_path: Path, long: bool) -> None:
    """`verify` did not look at reports, consolidated files, the archive, mappings or the catalogue."""
    store, dice = FolderStore(place), random.Random(7)  # noqa: S311 - a draw that can be made again
    assert not notice(store)
    keys = [key for key in store.keys("") if (place / key).stat().st_size]
    assert {key.split("/")[0] for key in keys} >= {"archive", "catalogue", "collected", "data", "mappings", "reports"}
    flips, public = (1_000 if long else 25), 0
    with serve_site(store, port=0) as site, serving(str(place), tmp_path / "cache") as served:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        right = [served.get(path).content for path in ASKED]
        taken = get(place)
        for number in range(flips):
            key = dice.choice(keys)
            content = (place / key).read_bytes()
            rotten = bytearray(content)
            rotten[dice.randrange(len(rotten))] ^= 1 << dice.randrange(8)
            (place / key).write_bytes(rotten)
            assert notice(store), key
            answer = requests.get(f"{site.address}{key}", timeout=PATIENCE_SECONDS)
            assert answer.status_code in (404, 500), key
            for path, expected in zip(ASKED, right, strict=True):
                answer = served.get(path)
                assert answer.status_code >= 400 or answer.content == expected, (key, path)
            for one, expected in zip(get(place), taken, strict=True):
                assert isinstance(one, type) or one == expected, key
            public += layout.is_public(key)
            (place / key).write_bytes(content)
            if number % 50 == 0:
                sys.stdout.write(f"{number + 1} flips, {public} of them in public objects\n")
        site.shutdown()
    assert not notice(store)
