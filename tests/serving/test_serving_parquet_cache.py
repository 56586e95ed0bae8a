"""Serving from a bucket: the same answers as from a folder, from verified copies of bounded size."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosting.limits import ApiLimits
from hosting.problems import Problem
from publishers import FolderStore, Store, open_store
from serving.consolidated_copies import ConsolidatedCopies, StoredFile
from serving.index_cache import PublishedIndex
from serving.parquet_cache import ParquetCache
from serving.row_query import SeriesScope
from serving.version_selection import Selector
from tests.serving.published_place import Served, consolidate, publish_world, released, row, serving, source_of
from tests.serving.published_place import published as publish_one

QUESTIONS = [
    "/rows/spend?limit=1000",
    "/rows/spend?group_by=body,period&sum=net_amount&avg=net_amount&count",
    "/rows/spend?supplier_name__contains=acorn&sort=-net_amount&limit=3",
    "/rows/spend?as_known_on=2026-11-02&body=anytown",
    "/series/spend/anytown/2026-10",
    "/series/spend/anytown/2026-10/diff/1/2",
    "/bodies/anytown",
]


@pytest.fixture(scope="module")
def place(bucket: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    where = f"s3://{bucket}/serving/{uuid.uuid4().hex}"
    publish_world(open_store(where), tmp_path_factory.mktemp("scratch"))
    consolidate(open_store(where), tmp_path_factory.mktemp("scratch"))
    return where


@pytest.fixture(scope="module")
def remote(place: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(place, tmp_path_factory.mktemp("cache")) as served:
        yield served


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_bucket_gives_the_same_answers_as_a_folder(api: Served, remote: Served, question: str) -> None:
    theirs = remote.get(question)
    assert (theirs.status_code, theirs.json()) == (200, api.get(question).json())


def test_a_file_is_fetched_once(place: str, tmp_path: Path) -> None:
    store = Counting(open_store(place))
    files = ParquetCache(PublishedIndex(store), tmp_path, ApiLimits())
    with serving(place, tmp_path / "cache") as api:
        first = api.rows(limit=1000)
        copies = {path: path.stat().st_ino for path in (tmp_path / "cache/copies").glob("*.parquet")}
        assert len(copies) == 2  # one a body and year
        assert api.rows(limit=1000, sort="net_amount") != first
        assert {path: path.stat().st_ino for path in copies} == copies
    assert files.readable_folder == tmp_path


class Counting:
    """A store that records which keys are fetched."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fetched: list[str] = []

    def fetch(self, key: str, to: Path) -> None:
        self.fetched.append(key)
        self._store.fetch(key, to)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def used(index: PublishedIndex, scratch: Path) -> list[StoredFile | Path]:
    copies = ConsolidatedCopies(index, scratch / "made", ApiLimits())
    selection = Selector(index, copies, ApiLimits()).select(SeriesScope("spend"))
    assert list((scratch / "made").iterdir()) == []
    return [file for year in selection.years for file in (*year.lines, year.totals) if file is not None]


def test_the_cache_is_bounded_and_keeps_files_in_use(place: str, tmp_path: Path) -> None:
    index = PublishedIndex(open_store(place))
    chosen = used(index, tmp_path)
    paths = ParquetCache(index, tmp_path, ApiLimits()).paths(chosen)
    sizes = [Path(path).stat().st_size for path in paths]
    tight = ParquetCache(index, tmp_path, ApiLimits(cache_bytes=sizes[0] + sizes[1], stream_seconds=-1))
    assert tight.paths(chosen[:1]) == paths[:1]
    left = sum(path.stat().st_size for path in tmp_path.glob("*.parquet"))
    assert left <= sizes[0] + sizes[1]
    busy = ParquetCache(index, tmp_path, ApiLimits(cache_bytes=max(sizes), stream_seconds=3600))
    missing = next(one for one, path in zip(chosen, paths, strict=True) if not Path(path).exists())
    with pytest.raises(Problem) as raised:
        busy.paths([missing])
    assert raised.value.status == 503
    with pytest.raises(Problem) as raised:
        ParquetCache(index, tmp_path, ApiLimits(cache_bytes=10)).paths(chosen)
    assert raised.value.kind == "too-much"


def test_a_file_that_does_not_match_its_manifest_is_never_read(bucket: str, tmp_path: Path) -> None:
    where = f"s3://{bucket}/serving/{uuid.uuid4().hex}"
    store = open_store(where)
    publish_one(
        store, released(tmp_path, "spend/anytown/2026-10", [row(1)], source=source_of("a")), "2026-11-02T09:00:00Z"
    )
    [key] = [key for key in store.keys("data/") if key.endswith(".parquet")]
    store.put(key, b"PAR1 something else")
    with serving(where, tmp_path / "cache") as api:
        answer = api.get("/rows/spend")
        assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
        assert list((tmp_path / "cache/copies").iterdir()) == []


def test_a_rotten_bit_in_a_folder_is_never_served(tmp_path: Path) -> None:
    """Of forty flipped bits, 21 changed an answer with status 200, two of them a sum."""
    store = FolderStore(tmp_path / "store")
    made = released(tmp_path, "spend/anytown/2026-10", [row(1)], source=source_of("a"))
    publish_one(store, made, "2026-11-02T09:00:00Z")
    consolidate(store, tmp_path / "scratch")
    [path] = [one for one in (tmp_path / "store/catalogue").rglob("*.parquet") if one.name.count(".") == 1]
    content = bytearray(path.read_bytes())
    with serving(str(tmp_path / "store"), tmp_path / "cache") as api:
        assert api.get("/rows/spend").status_code == 200
        for position in range(0, len(content), len(content) // 5):
            content[position] ^= 1
            path.write_bytes(content)
            assert api.get("/rows/spend").status_code == 500
            content[position] ^= 1
        path.write_bytes(content)
        assert api.get("/rows/spend").status_code == 200


def test_a_store_that_does_not_answer_is_a_temporary_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    with serving("s3://nowhere/at-all", tmp_path / "cache") as api:
        answer = api.get("/health")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_folder_is_read_in_place(world: Path, tmp_path: Path) -> None:
    index = PublishedIndex(FolderStore(world))
    files = ParquetCache(index, tmp_path / "copies", ApiLimits())
    paths = files.paths(used(index, tmp_path))
    assert paths
    assert all(path.startswith(str(world)) for path in paths)
    assert list((tmp_path / "copies").iterdir()) == []
