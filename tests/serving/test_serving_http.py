"""HTTP: caching, HEAD, CORS, security headers, limits and streaming."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hosting.limits import MEGABYTE, ApiLimits
from hosting.problems import Problem
from publishers import FolderStore
from serving.query_service import QueryEngine
from serving.sql import Statement
from tests.fixtures.waiting import PATIENCE_SECONDS, eventually
from tests.serving.published_place import OCTOBER, Served, publish_world, published, released, row, serving, source_of

PATHS = ["/", "/datasets", "/datasets/spend", "/bodies", "/series", "/series/spend/anytown/2026-10", "/rows/spend"]
SLOW = "SELECT count(*) AS n FROM range(100000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3"


@pytest.mark.parametrize("path", [*PATHS, "/rows/spend?format=csv", "/rows/spend?group_by=body&sum=net_amount"])
def test_a_matching_etag_gets_304(api: Served, path: str) -> None:
    first = api.get(path)
    assert first.headers["Cache-Control"] == "public, max-age=60, must-revalidate"
    again = api.get(path, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_the_etag_changes_with_the_versions_and_the_query(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    publish_world(store, tmp_path / "scratch")
    now = [0.0]
    with serving(str(tmp_path / "store"), tmp_path / "cache", clock=lambda: now[0]) as api:
        paths = ["/rows/spend?body=anytown", "/rows/spend?body=anytown&limit=2", "/rows/spend?body=anytown&format=csv"]
        tags = [api.get(path).headers["ETag"] for path in paths]
        assert len(set(tags)) == 3
        other = released(tmp_path / "scratch", "spend/brackwater/2026-10", [row(9)], source=source_of("x"))
        published(store, other, "2026-11-21T09:00:00Z")
        now[0] += 3
        assert [api.get(path).headers["ETag"] for path in paths] == tags
        own = released(tmp_path / "scratch", "spend/anytown/2026-10", [*OCTOBER, row(9)], source=source_of("y"))
        published(store, own, "2026-11-21T09:00:00Z")
        now[0] += 3
        assert set(tags).isdisjoint(api.get(path).headers["ETag"] for path in paths)


@pytest.mark.parametrize("path", [*PATHS, "/rows/spend?format=csv", "/check", "/health"])
def test_head_has_the_headers_of_get(api: Served, path: str) -> None:
    head, got = api.session.head(api.address + path, timeout=PATIENCE_SECONDS), api.get(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "ETag", "Cache-Control"):
        assert head.headers.get(name) == got.headers.get(name)


def test_cors_allows_reading_and_no_other_method(api: Served) -> None:
    assert api.get("/rows/spend").headers["Access-Control-Allow-Origin"] == "*"
    headers = {"Origin": "https://else.example", "Access-Control-Request-Method": "GET"}
    preflight = api.session.options(api.address + "/rows/spend", headers=headers, timeout=PATIENCE_SECONDS)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = api.session.request(method, api.address + "/rows/spend", timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/problem+json")
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", [*PATHS, "/rows/spend?net_amount=x", "/nothing", "/check"])
def test_every_response_has_security_headers(api: Served, path: str) -> None:
    headers = api.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "script" not in headers["Content-Security-Policy"]
    assert "server" not in headers


def test_health(api: Served) -> None:
    assert api.json("/health") == {"status": "ok", "datasets": 1}


@pytest.fixture
def engine(tmp_path: Path) -> QueryEngine:
    (tmp_path / "data").mkdir()
    return QueryEngine(
        (tmp_path / "data", tmp_path / "made"),
        tmp_path / "spill",
        ApiLimits(query_seconds=PATIENCE_SECONDS, memory_bytes=64 * MEGABYTE, spill_bytes=1),
    )


def test_a_query_that_takes_too_long_is_interrupted(engine: QueryEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take for ever."""
    monkeypatch.setattr(engine, "_limits", replace(engine._limits, query_seconds=0.5))
    with pytest.raises(Problem) as raised:
        list(engine.run(Statement(SLOW, {})))
    assert (raised.value.status, raised.value.kind) == (503, "too-slow")
    monkeypatch.undo()
    assert [batch.num_rows for batch in engine.run(Statement("SELECT 1 AS one", {}))] == [1]


def test_a_query_that_needs_too_much_memory_is_refused(engine: QueryEngine) -> None:
    with pytest.raises(Problem) as raised:
        list(engine.run(Statement("SELECT list(range) FROM range(30000000) GROUP BY range % 3", {})))
    assert (raised.value.status, raised.value.kind) in [(503, "too-much-memory"), (503, "too-slow")]


REACHING = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('{outside}')",
    "SELECT * FROM read_parquet('{outside}')",
    "SELECT * FROM glob('/etc/*')",
    "COPY (SELECT 1) TO '{outside}'",
    "ATTACH '{outside}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '10GB'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET allowed_directories",
    "SELECT * FROM read_parquet('https://127.0.0.1:1/x.parquet')",
    "SELECT * FROM engine",
]


@pytest.mark.parametrize("statement", REACHING)
def test_the_engine_can_read_its_folders_only(engine: QueryEngine, tmp_path: Path, statement: str) -> None:
    outside = tmp_path / "outside.parquet"
    pq.write_table(pa.table({"a": [1]}), outside)
    before = outside.read_bytes()
    sql = statement.format(outside=outside)
    with pytest.raises(
        Exception, match=r"(?i)disabled|locked|not exist|cannot|permission|not allowed|extension|removed"
    ):
        list(engine.run(Statement(sql, {})))
    assert outside.read_bytes() == before
    assert [path.name for path in (tmp_path / "data").iterdir()] == []


def test_a_request_beyond_the_limit_of_concurrent_queries_gets_429(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    rows = [row(number) for number in range(60_000)]
    published(store, released(tmp_path / "scratch", "spend/anytown/2026-10", rows), "2026-11-02T09:00:00Z")
    limits = ApiLimits(at_once=1, wait_seconds=0.2, spool_bytes=1_000)  # no room to make an answer ahead of its reader
    with serving(str(tmp_path / "store"), tmp_path / "cache", limits) as api:
        with api.get("/rows/spend?format=ndjson", stream=True) as slow:
            pieces = slow.iter_content(1_000)
            next(pieces)
            busy = api.get("/rows/spend?limit=1")
            assert (busy.status_code, busy.headers["Retry-After"]) == (429, "5")
            assert api.get("/datasets").status_code == 200
        eventually(lambda: api.get("/rows/spend?limit=1").status_code == 200, "the reader has gone: its place is free")


def test_a_large_answer_is_streamed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    rows = [row(number) for number in range(30_000)]
    published(store, released(tmp_path / "scratch", "spend/anytown/2026-10", rows), "2026-11-02T09:00:00Z")
    with serving(str(tmp_path / "store"), tmp_path / "cache") as api:
        with api.get("/rows/spend?format=csv&columns=line_id,net_amount", stream=True) as answer:
            assert answer.headers["Transfer-Encoding"] == "chunked"
            assert sum(piece.count(b"\r\n") for piece in answer.iter_content(65_536)) == 30_001
        refused = api.get("/rows/spend?format=xlsx")
        assert refused.status_code == 200
        small = ApiLimits(workbook_rows=29_999)
    with serving(str(tmp_path / "store"), tmp_path / "cache", small) as api:
        assert api.get("/rows/spend?format=xlsx").status_code == 400


def test_concurrent_queries_get_their_own_answers(api: Served) -> None:
    failures: list[object] = []

    def ask(body: str) -> None:
        for _ in range(5):
            rows = Served(api.address).rows(body=body, limit=100)
            if {one["body"] for one in rows} != {body}:
                failures.append(rows)

    threads = [threading.Thread(target=ask, args=(body,)) for body in ("anytown", "brackwater") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
