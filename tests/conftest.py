"""What holds for every test: none reaches beyond this machine, one worker has all the flows, one server is S3."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from s3_server import seaweedfs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent
CHROMIUM_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0", ""}  # noqa: S104 - compared with, never listened on


_SOAK_SECONDS = 4 * 3600
"""How long a test in its long form may take."""


class NetworkReached(AssertionError):
    """A test asked for an address beyond this machine."""


@pytest.fixture(autouse=True)
def _no_network_beyond_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise NetworkReached(f"a test asked for {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real S3 server, and the AWS variables that lead to it."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; one for all tests of a worker, since two cannot be driven beside each other."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only who looks at pages waits for it

    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(path for name in names if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def bucket(s3_endpoint: str) -> str:
    """A bucket on the S3 server."""
    import boto3  # noqa: PLC0415 - only with a server is there anything to make a bucket in

    name = "piperoll-tests"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak`: hours of kills, races and faults where the short form has seconds of them (make soak)."""
    parser.addoption("--soak", action="store_true", help="the long form of the tests that have one")


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether a test that has a long form is to take it."""
    return bool(request.config.getoption("--soak"))


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a file on one worker, and those of `flows/` all on one: they share a Prefect server."""
    for item in items:
        if config.getoption("--soak"):
            item.add_marker(pytest.mark.timeout(_SOAK_SECONDS))
        path = item.path.relative_to(HERE)
        group = "flows" if path.parts[0] == "flows" else str(path)
        item.add_marker(pytest.mark.xdist_group(group))
