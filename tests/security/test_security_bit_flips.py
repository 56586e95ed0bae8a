"""Single bits that rot in a store: each is found by `piperoll verify`, and none is served."""

from __future__ import annotations

import random
import threading
from functools import partial
from pathlib import Path

import pytest
import requests

from piperoll import assets
from piperoll.errors import PiperollError
from piperoll.operations.run_request import RunRequest
from piperoll.releasing import compare_versions, find_faults
from publishers import FolderStore, list_indexed_series, serve_site, verify_objects, verify_series
from tests.operations.inbox import plain_run, put, spend


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
    compare = {one.name: partial(compare_versions, one) for one in assets.datasets()}
    if next(verify_objects(store, ""), None):
        return True
    try:
        verified = verify_series(store, list_indexed_series(store), find_faults, compare.__getitem__)
        return any(one.faults for one in verified)
    except PiperollError:
        return True


@pytest.mark.soak
def test_every_flipped_bit_is_noticed_and_none_is_served(place: Path, long: bool) -> None:
    """`verify` did not look at reports, consolidated files, the archive, mappings or the catalogue."""
    store, dice = FolderStore(place), random.Random(7)  # noqa: S311 - a draw that can be made again
    assert not notice(store)
    keys = [key for key in store.keys("") if (place / key).stat().st_size]
    with serve_site(store, port=0) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        for _ in range(1_000 if long else 25):
            key = dice.choice(keys)
            content = (place / key).read_bytes()
            rotten = bytearray(content)
            rotten[dice.randrange(len(rotten))] ^= 1 << dice.randrange(8)
            (place / key).write_bytes(rotten)
            assert notice(store), key
            answer = requests.get(f"{site.address}{key}", timeout=30)
            assert answer.status_code in (404, 500), key
            (place / key).write_bytes(content)
        site.shutdown()
    assert not notice(store)
