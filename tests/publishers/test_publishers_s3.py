"""S3 as it is in life: both ways to name a bucket, large files, and a public that sees what it may and no more."""

from __future__ import annotations

import http.client
import re
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest

from piperoll import layout
from piperoll.model import Submission
from publishers import mark_withdrawn, publish_release
from publishers.stores.s3 import S3Store
from tests.fixtures.s3_server import DOMAIN
from tests.publishers.small_releases import NOW, SERIES, packed, read_series

DOCS = Path(__file__).parents[2] / "docs" / "publishing.md"


@pytest.fixture
def public(s3_endpoint: str) -> Iterator[str]:
    """A bucket with the policy for the public of docs/publishing.md, for the prefix `open`."""
    client, name = boto3.client("s3"), f"piperoll-public-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    written = re.findall(r"```json\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    [policy] = [text for text in written if "Principal" in text]
    client.put_bucket_policy(Bucket=name, Policy=policy.replace("BUCKET", name).replace("PREFIX", "open"))
    yield name
    client.delete_bucket_policy(Bucket=name)


def stranger(endpoint: str, method: str, path: str) -> http.client.HTTPResponse:
    """What someone without credentials is answered."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=10)
    connection.request(method, quote(path, safe="/?=&"))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_the_public_reads_what_is_published_and_nothing_else(public: str, s3_endpoint: str, tmp_path: Path) -> None:
    store = S3Store(public, "open")
    made = packed(tmp_path / "made", 3)
    content = b"bytes as received"
    came = Submission(
        "6f0c4d3f5c4f4ab62a0f9c2d0d3b1d5e6b5f4a39", len(content), "p.csv", "spend", "anytown", "p.csv", NOW
    )
    publish_release(store, made, reason="first", now=NOW)
    mark_withdrawn(store, SERIES, 1, because="to have a log", now=NOW)
    for key in (
        layout.received_bytes(came.sha256),
        layout.record(came),
        layout.full_report(came),
        "mappings/anytown/spend.toml",
    ):
        store.put(key, content)
    for key in (layout.public_report_of(came), "catalogue/index.html"):
        store.put(key, content)
    read = {"data", "reports", "catalogue"}
    keys = list(store.keys())
    assert {key.split("/")[0] for key in keys} == read | {"archive", "collected", "log", "mappings"}
    for key in keys:
        status = stranger(s3_endpoint, "GET", f"/{public}/open/{key}").status
        assert status == (200 if key.split("/")[0] in read else 403), key
    for asked in ("", "?list-type=2&prefix=open/data/", "?list-type=2&prefix=open/archive/"):
        assert stranger(s3_endpoint, "GET", f"/{public}{asked}").status == 403
    for method in ("PUT", "DELETE"):
        assert stranger(s3_endpoint, method, f"/{public}/open/{layout.pointer(SERIES)}").status == 403
    assert list(store.keys()) == keys


def test_public_objects_have_a_content_type_and_a_cache_lifetime(public: str, s3_endpoint: str, tmp_path: Path) -> None:
    store = S3Store(public, "open", part_bytes=5 << 20)
    made = packed(tmp_path / "made", 4)
    publish_release(store, made, reason="first", now=NOW)
    large = tmp_path / "large"
    large.write_bytes(b"0123456789abcdef" * 400_000)  # 6 MB: two parts
    store.create(f"{layout.series_folder(SERIES)}v9-0123456789ab/spend.parquet", large)
    told = {
        "spend.csv": ("text/csv; charset=utf-8", "public, max-age=31536000, immutable"),
        "spend.parquet": ("application/vnd.apache.parquet", "public, max-age=31536000, immutable"),
        "manifest.json": ("application/json", "public, max-age=31536000, immutable"),
        "versions.json": ("application/json", "public, max-age=60, must-revalidate"),
    }
    for key in store.keys(layout.series_folder(SERIES)):
        answer = stranger(s3_endpoint, "GET", f"/{public}/open/{key}")
        if key.rpartition("/")[2] in told:
            kind, kept = told[key.rpartition("/")[2]]
            assert (answer.getheader("Content-Type"), answer.getheader("Cache-Control")) == (kind, kept)
            assert answer.getheader("ETag")


def by_host(store: S3Store) -> list[bool]:
    """Of each request that the store will send, whether it names the bucket by host."""
    named: list[bool] = []

    def note(request: AWSPreparedRequest, **_: object) -> None:
        named.append(str(urlsplit(request.url).hostname) == f"piperoll-tests.{DOMAIN}")

    store._s3.meta.events.register("before-send.s3", note)
    return named


@pytest.mark.parametrize("style", ["virtual", "path"])
def test_a_bucket_is_named_by_host_or_by_path(
    bucket: str, s3_prefix: str, s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """At an endpoint of its own boto3 names it by path, unless the AWS configuration file says otherwise."""
    find = socket.getaddrinfo

    def found(host: str, *more: object, **named: object) -> object:
        return find("127.0.0.1" if host.endswith(DOMAIN) else host, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{DOMAIN}:{urlsplit(s3_endpoint).port}")
    (tmp_path / "aws").write_text("[default]\ns3 =\n    addressing_style = virtual\n" if style == "virtual" else "")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws"))
    store = S3Store(bucket, s3_prefix, part_bytes=5 << 20)
    named = by_host(store)
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * 24_000)  # 6 MB: two parts
    store.create("archive/sha256/ab/abcd", large)
    for rows in (3, 4):
        publish_release(store, packed(tmp_path / str(rows), rows), reason="r", now=NOW)
    assert read_series(store).current == 2
    assert list(store.keys("archive/")) == ["archive/sha256/ab/abcd"]
    assert set(named) == {style == "virtual"}
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    assert read_series(S3Store(bucket, s3_prefix)).current == 2
