"""A real S3 server, SeaweedFS, that runs while the tests do."""

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_KEYS = {"accessKey": "testkey", "secretKey": "testsecret"}
DOMAIN = "s3.test"
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


@contextmanager
def seaweedfs(place: Path) -> Iterator[str]:
    """A SeaweedFS of our own on free ports, its data in `place`, and the AWS variables that lead to it."""
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identities = [{"name": "admin", "credentials": [_KEYS], "actions": actions}]
    (place / "s3.json").write_text(json.dumps({"identities": identities}))
    ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
    flags = [f"-{name}.port={port}" for name, port in ports.items() if "." not in name]
    flags += [f"-{name.removesuffix('.grpc')}.port.grpc={port}" for name, port in ports.items() if "." in name]
    weed = Path(sys.executable).with_name("weed")
    command = [weed, "mini", f"-dir={place}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *flags]
    command += ["-admin.ui=false", "-webdav=false", "-master.telemetry=false", f"-s3.config={place}/s3.json"]
    command += [f"-s3.domainName={DOMAIN}"]  # a request for {bucket}.{DOMAIN} names its bucket by host
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
