"""Whatever the network and the server do, nothing wrong is published, and when it is over a rerun finishes."""

from __future__ import annotations

import itertools
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import botocore.endpoint
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from piperoll.errors import AlreadyThere, PiperollError, StoreCorrupt, StoreUnavailable
from publishers import Store, find_values
from publishers.stores.s3 import S3Store
from tests.publishers.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.publishers.killing import Deed, Place, life

FAULTS = [fault for fault in Fault if fault is not Fault.NONE]
VERSION = "data/spend/anytown/2026-10/v1-0123456789ab/spend.csv"
BYTES = b"line_id,net_amount\r\n" * 40


@pytest.fixture
def proxy(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """A proxy before the S3 server; boto3 waits a hundredth of what it would before it tries again."""
    brief = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: time.sleep(seconds / 100)})
    monkeypatch.setattr(botocore.endpoint, "time", brief)
    with fault_proxy(s3_endpoint) as made:
        yield made


@pytest.fixture
def faulty(proxy: FaultProxy, bucket: str, s3_prefix: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """The store of the test seen through the proxy."""
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", proxy.address)
        return S3Store(bucket, s3_prefix, part_bytes=5 << 20)


def schedules() -> st.SearchStrategy[list[Fault]]:
    """Faults in a row of requests: every other one meets one, or nearly all do."""
    some, many = (st.one_of([st.just(Fault.NONE)] * none + [st.sampled_from(FAULTS)] * 3) for none in (3, 1))
    return st.lists(some, min_size=15, max_size=60) | st.lists(many, min_size=15, max_size=60)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_single_fault_is_retried_or_reported(
    s3_store: S3Store, faulty: S3Store, proxy: FaultProxy, fault: Fault
) -> None:
    for at in range(4):  # at the request that writes, at the one that reads back, and so on
        proxy.plan([Fault.NONE] * at + [fault])
        key = VERSION.replace("spend.csv", f"{at}.csv")
        try:
            faulty.create(key, BYTES)
            tag = faulty.replace(f"data/p{at}.json", b"1", None)
            faulty.replace(f"data/p{at}.json", b"22", tag)
        except StoreCorrupt:
            assert fault in (Fault.REQUEST_CORRUPTED, Fault.ANSWER_CORRUPTED)
            continue
        assert s3_store.read(key).content == faulty.read(key).content == BYTES
        assert s3_store.read(f"data/p{at}.json").content == b"22"


def test_an_upload_corrupted_in_transit_is_refused(s3_store: S3Store, faulty: S3Store, proxy: FaultProxy) -> None:
    proxy.plan([Fault.REQUEST_CORRUPTED])
    with pytest.raises(StoreCorrupt):
        faulty.create(VERSION, BYTES)
    assert not s3_store.exists(VERSION)


def test_a_download_corrupted_or_cut_in_transit_is_read_again(
    s3_store: S3Store, faulty: S3Store, proxy: FaultProxy, tmp_path: Path
) -> None:
    s3_store.create(VERSION, BYTES)
    proxy.plan([Fault.ANSWER_CORRUPTED, Fault.CUT_WITHIN])
    assert faulty.read(VERSION).content == BYTES
    proxy.plan([Fault.CUT_WITHIN, Fault.ANSWER_CORRUPTED])
    faulty.fetch(VERSION, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == BYTES


def test_a_download_that_is_always_cut_raises_an_error(s3_store: S3Store, faulty: S3Store, proxy: FaultProxy) -> None:
    s3_store.create(VERSION, BYTES)
    proxy.plan([Fault.ANSWER_CORRUPTED] * 9)
    with pytest.raises(StoreCorrupt):
        faulty.read(VERSION)
    proxy.plan([Fault.CUT_WITHIN] * 9)
    with pytest.raises(StoreUnavailable):
        faulty.read(VERSION)


@pytest.mark.parametrize("code", ["InvalidPart", "InvalidPartOrder"])
def test_a_list_of_parts_that_is_corrupted_in_transit_is_reported_as_damage(
    s3_store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code}}, "CompleteMultipartUpload")

    path = tmp_path / "large"
    path.write_bytes(b"x" * 6_000_000)
    monkeypatch.setattr(s3_store, "_part_bytes", 5 << 20)
    monkeypatch.setattr(s3_store._s3, "complete_multipart_upload", refuse)
    with pytest.raises(StoreCorrupt, match="did not arrive as it was sent"):
        s3_store.create("archive/sha256/cd/cd", path)


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.SLOW_DOWN, Fault.INTERNAL_ERROR, Fault.CUT_BEFORE])
def test_a_busy_server_is_tried_five_times_and_then_called_unavailable(
    faulty: S3Store, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.plan([fault] * 4)
    assert not faulty.exists(VERSION)
    before = len(proxy.requests)
    proxy.plan([fault] * 5)
    with pytest.raises(StoreUnavailable) as caught:
        faulty.exists(VERSION)
    assert caught.value.retryable
    assert len(proxy.requests) - before == 5


def test_a_multipart_upload_with_a_repeated_or_lost_part_arrives_whole_or_not_at_all(
    s3_store: S3Store, faulty: S3Store, proxy: FaultProxy, tmp_path: Path
) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 4 * 6_000)  # 6 MB: two parts
    for number, (fault, at) in enumerate(itertools.product(FAULTS, (1, 3))):
        proxy.plan([Fault.NONE] * at + [fault])
        key = f"archive/sha256/cd/cd{number}"
        try:
            faulty.create(key, path)
        except (StoreCorrupt, StoreUnavailable):
            faulty.create(key, path)
        assert s3_store.read(key).content == path.read_bytes()
    with pytest.raises(AlreadyThere):
        faulty.create("archive/sha256/cd/cd0", BYTES)


@pytest.mark.soak
def test_under_any_faults_nothing_wrong_is_published_and_then_a_rerun_finishes(
    bucket: str, s3_endpoint: str, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    prefix, numbers, met, told = f"place/{uuid.uuid4().hex}", itertools.count(), Counter(), Counter()
    clean = S3Store(bucket, prefix)
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", proxy.address)
        faulty = S3Store(bucket, prefix)

    @settings(
        max_examples=400 if long else 4, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
    )
    @given(schedules=st.lists(schedules(), min_size=5, max_size=5))
    def a_life(schedules: list[list[Fault]]) -> None:
        for deed, schedule in zip(life(tmp_path, next(numbers)), schedules, strict=True):
            proxy.plan(schedule)
            told[_tried(deed, faulty, clean)] += 1
            met.update(fault.name for fault in proxy.met)
            proxy.met.clear()
            proxy.plan([])
            deed.finish(Place(clean, clean))

    a_life()
    assert not list(find_values(clean, ["Jane Carer"]))
    sys.stdout.write(f"{sum(told.values())} deeds: {dict(told)}; {met.total()} faults: {dict(met)}\n")


def _tried(deed: Deed, faulty: Store, clean: Store) -> str:
    """Do a deed among faults: what it says was done is done, and if it says not, nothing is half there."""
    try:
        deed.work(faulty)
    except PiperollError as error:
        deed.seen(clean)
        return type(error).__name__
    assert deed.seen(clean)
    return "done"
