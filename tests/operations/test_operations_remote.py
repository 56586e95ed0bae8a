"""Inboxes in a real S3 server, and the operator's files from there and from a TLS server."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from collectors import list_inbox
from piperoll.errors import AddressRefused, CollectError, TooLarge, UsageError
from piperoll.operations import pipeline
from piperoll.operations.collecting import CollectedFiles, collect, list_sources
from piperoll.operations.remote_files import local_copy, parse_place
from piperoll.operations.run_request import RunRequest, parse_request
from piperoll.operations.run_summary import FileResult
from piperoll.settings import Settings
from tests.fixtures.certificates import make_certificate
from tests.fixtures.http_server import LocalServer, QuietHandler
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.operations.inbox import put, spend

SOURCES = b'[[source]]\nbody = "anytown"\ndataset = "spend"\nurl = "https://anytown.example/spend.csv"\n'
BODIES = (
    b"id,slug,name,kind,aliases,same_as,contact,licence\n"
    b"GB-GOVUK-sedgeford,sedgeford,Sedgeford Council,council,,,,OGL-UK-3.0\n"
)
OPEN = Settings(allow_private_addresses=True, retries=0, timeout_seconds=PATIENCE_SECONDS)


def run(request: RunRequest) -> tuple[CollectedFiles, list[FileResult]]:
    """What a run collects, and the result of every file."""
    parts: list[CollectedFiles] = []
    with request.open() as opened:
        bodies = pipeline.group_as_collected(opened, collect(opened, request), parts)
        results = [result for files in bodies for result in pipeline.process_body(opened, files)]
        collected = CollectedFiles.join(parts)
        return collected, results + pipeline.count_unchanged(opened, collected)


def test_an_inbox_in_a_bucket_is_read_like_a_folder_and_what_is_known_is_not_downloaded_again(
    s3_endpoint: str, tmp_path: Path
) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="inbox")
    files = {
        "spend/anytown/Spend October 2026.csv": spend(5),
        "gpc/beeford/2026/Cards October 2026.csv": spend(6),
        "spend/beeford/Spend October 2026.csv": spend(7),
        "spend/beeford/.hidden.csv": b"x",
        "spend/beeford/half.csv.part": b"x",
        "spend/loose.csv": b"x",
        "outside.csv": b"x",
        "holidays/anytown/October.csv": b"x",
    }
    for key, content in files.items():
        s3.put_object(Bucket="inbox", Key=f"2026/{key}", Body=content)
        put(tmp_path / "inbox", key, content)
    s3.put_object(Bucket="inbox", Key="2026/spend/", Body=b"")
    request = parse_request(str(tmp_path / "out"), "s3://inbox/2026")
    collected, results = run(request)
    in_folder = list_inbox(tmp_path / "inbox", received="2026-11-01T06:00:00Z")
    assert collected.left_out == in_folder.left_out
    assert {one.origin for one in collected.arrivals} == {one.origin for one in in_folder.arrivals}
    assert sorted(result.outcome for result in results) == ["published v1"] * 3

    again, results = run(request)
    assert (again.arrivals, len(again.unchanged)) == ((), 3)
    assert {result.ending for result in results} == {"already done"}

    s3.put_object(Bucket="inbox", Key="2026/spend/anytown/Spend October 2026.csv", Body=spend(8))
    changed, results = run(request)
    assert [one.origin for one in changed.arrivals] == ["spend/anytown/Spend October 2026.csv"]
    assert sorted(result.outcome for result in results)[-1] == "published v2"
    names = [path.read_text() for path in (tmp_path / "out" / "collected").rglob("inboxes/*.json")]
    assert len(names) == 2  # one of each body
    assert not any("October" in text for text in names)


def test_a_file_of_a_bucket_that_is_too_large_is_named(s3_endpoint: str, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="large")
    s3.put_object(Bucket="large", Key="spend/anytown/October 2026.csv", Body=spend(500))
    request = RunRequest(str(tmp_path / "out"), inbox="s3://large", settings=Settings(max_download_bytes=1000))
    collected, results = run(request)
    assert results == []
    (missed,) = collected.missed
    assert (missed.address, missed.kind, missed.ours) == (
        "s3://large/spend/anytown/October 2026.csv", "TooLarge", False,
    )  # fmt: skip


def test_sources_and_bodies_are_read_from_a_bucket(s3_endpoint: str, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="settings")
    s3.put_object(Bucket="settings", Key="piperoll/sources.toml", Body=SOURCES)
    s3.put_object(Bucket="settings", Key="piperoll/bodies.csv", Body=BODIES)
    request = parse_request(
        str(tmp_path / "out"), None, "s3://settings/piperoll/sources.toml", None, "s3://settings/piperoll/bodies.csv"
    )
    assert [source.body for source in list_sources(request)] == ["anytown"]
    with request.open() as opened:
        assert [body.name for body in opened.expected] == ["Sedgeford Council"]
    with pytest.raises(UsageError, match="there is no s3:"):
        list_sources(parse_request(str(tmp_path / "out"), None, "s3://settings/nothing.toml"))


class _Handler(QuietHandler):
    def do_GET(self) -> None:  # noqa: N802 - the name that http.server looks for
        match self.path:
            case "/sources.toml":
                self.answer(200, SOURCES)
            case "/bodies.csv":
                self.answer(200, BODIES)
            case "/plain":
                self.answer(302, Location="http://127.0.0.1:9/sources.toml")
            case "/large":
                self.answer(200, b"x" * 5000)
            case _:
                self.answer(404)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a TLS server whose certificate is trusted."""
    certificate = make_certificate(tmp_path, "localhost")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    server = LocalServer(_Handler)
    server.use_tls(certificate)
    with server:
        yield f"https://localhost:{server.server_port}"


def test_sources_and_bodies_are_read_over_https(site: str, tmp_path: Path) -> None:
    request = RunRequest(
        str(tmp_path / "out"), sources=f"{site}/sources.toml", bodies=f"{site}/bodies.csv", settings=OPEN
    )
    assert [source.body for source in list_sources(request)] == ["anytown"]
    with request.open() as opened:
        assert [body.name for body in opened.expected] == ["Sedgeford Council"]


def test_an_operators_file_has_the_limits_of_every_fetch(site: str, tmp_path: Path) -> None:
    with pytest.raises(AddressRefused, match="private network"):
        local_copy(f"{site}/sources.toml", tmp_path / "a", Settings(retries=0))
    with pytest.raises(TooLarge):
        local_copy(f"{site}/large", tmp_path / "b", Settings(allow_private_addresses=True, max_download_bytes=4000))
    with pytest.raises(CollectError, match="404"):
        local_copy(f"{site}/missing", tmp_path / "c", OPEN)


def test_an_operators_file_is_not_read_over_plain_http(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over plain http, anyone on the network path could change what a body publishes."""
    with pytest.raises(AddressRefused, match="not https"):
        local_copy("http://council.example/sources.toml", tmp_path / "a", Settings())
    monkeypatch.setattr("collectors.web.is_refused", lambda _text: False)  # as if this machine were a public server
    with pytest.raises(AddressRefused, match="is not https"):
        local_copy(f"{site}/plain", tmp_path / "b", Settings(retries=0))


def test_a_place_is_a_path_or_an_address_of_a_known_kind() -> None:
    assert parse_place("inbox/2026") == Path("inbox/2026")
    assert parse_place("s3://bucket/x") == "s3://bucket/x"
    assert parse_place("") is None
    with pytest.raises(UsageError, match="cannot be read"):
        parse_place("ftp://council.example/x")
    with pytest.raises(UsageError, match="not an inbox"):
        RunRequest("out", inbox="https://council.example/inbox/")
