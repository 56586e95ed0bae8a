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
from pathlib import Path

import pytest
from publishers_places import packed, read_series

from piperoll.model import History, Packed
from publishers import FolderStore, Store
from publishers.s3 import S3Store

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


@pytest.fixture
def release(tmp_path: Path) -> Callable[..., Packed]:
    """Makes small releases, each in a folder of its own."""

    def make(rows: int, **more: object) -> Packed:
        return packed(tmp_path / "packed" / uuid.uuid4().hex, rows, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def reader() -> Callable[..., History]:
    return read_series
