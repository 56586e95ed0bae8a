"""Real stores for the tests: a folder, and an S3 server that runs while they do."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from piperoll.model import Manifest, Packed, Period, Series, file_entry, to_json_bytes
from publishers import FolderStore, Store
from publishers.s3 import S3Store

SERIES = Series("spend", "anytown", Period.parse("2026-10"))
NOW = "2026-11-02T09:00:00Z"
_KEYS = {"accessKey": "testkey", "secretKey": "testsecret"}
_PORTS = ("s3", "s3.grpc", "master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc")


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below those that the system hands out to callers."""
    found: list[int] = []
    port = 18_000 + os.getpid() % 10_000
    while len(found) < count:
        port += 1
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


def _up(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SeaweedFS of our own on free ports, and the AWS variables that lead to it."""
    place = tmp_path_factory.mktemp("seaweedfs")
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identities = [{"name": "admin", "credentials": [_KEYS], "actions": actions}]
    (place / "s3.json").write_text(json.dumps({"identities": identities}))
    ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
    flags = [f"-{name}.port={port}" for name, port in ports.items() if "." not in name]
    flags += [f"-{name.removesuffix('.grpc')}.port.grpc={port}" for name, port in ports.items() if "." in name]
    weed = Path(sys.executable).with_name("weed")
    command = [weed, "mini", f"-dir={place}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *flags]
    command += ["-admin.ui=false", "-webdav=false", "-master.telemetry=false", f"-s3.config={place}/s3.json"]
    with (place / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=place)
        try:
            deadline = time.monotonic() + 60
            while not _up(ports["s3"]):
                assert server.poll() is None, (place / "log").read_text(errors="replace")[-2000:]
                assert time.monotonic() < deadline, "SeaweedFS did not start within a minute"
                time.sleep(0.1)
            endpoint = f"http://127.0.0.1:{ports['s3']}"
            with pytest.MonkeyPatch.context() as patch:
                for name in [name for name in os.environ if name.startswith("AWS_")]:
                    patch.delenv(name)
                patch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
                patch.setenv("AWS_ACCESS_KEY_ID", _KEYS["accessKey"])
                patch.setenv("AWS_SECRET_ACCESS_KEY", _KEYS["secretKey"])
                patch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
                patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
                yield endpoint
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def bucket(s3_endpoint: str) -> str:
    import boto3  # noqa: PLC0415 - only with a server is there anything to make a bucket in

    name = "piperoll-tests"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_store(bucket: str) -> S3Store:
    """A prefix of its own in the bucket, with parts small enough that a test can send several."""
    return S3Store(bucket, f"place/{uuid.uuid4().hex}", part_bytes=5 << 20)


@pytest.fixture
def folder_store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest) -> Store:
    """Both stores in turn."""
    made: Store = request.getfixturevalue(f"{request.param}_store")
    return made


def packed(folder: Path, rows: int, *, pounds: str | None = None, series: Series = SERIES, note: str = "") -> Packed:
    """A small release of `rows` lines, as releasing leaves it in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"line-{number},{number}.00" for number in range(rows)]
    (folder / f"{series.dataset}.csv").write_bytes("\r\n".join(["line_id,net_amount", *lines, ""]).encode())
    (folder / f"{series.dataset}.parquet").write_bytes(b"PAR1 " + note.encode())
    (folder / "datapackage.json").write_bytes(to_json_bytes({"id": str(series), "note": note}))
    (folder / "report.json").write_bytes(to_json_bytes({"rows": rows}))
    names = ("datapackage.json", f"{series.dataset}.csv", f"{series.dataset}.parquet", "report.json")
    entries = tuple(file_entry(folder, name) for name in names)
    manifest = Manifest(
        series=series,
        files=entries,
        rows=rows,
        amount_gbp=Decimal(pounds) if pounds else Decimal(sum(range(rows))),
        rows_sha256=f"{rows:064}" if not pounds else f"{abs(hash(pounds)):064}"[:64],
        sources=("ab" * 32,),
        dataset_version="1.0.0",
        rules_version="1.0.0+test",
    )
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(folder, manifest)


@pytest.fixture
def release(tmp_path: Path) -> Callable[..., Packed]:
    """Makes small releases, each in a folder of its own."""

    def make(rows: int, **more: object) -> Packed:
        return packed(tmp_path / "packed" / uuid.uuid4().hex, rows, **more)  # type: ignore[arg-type]

    return make
