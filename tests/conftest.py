"""Fixtures and rules of all tests: no network beyond loopback; one S3 server and one browser a worker."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.fixtures.s3_server import seaweedfs
from tests.fixtures.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

HERE = Path(__file__).parent
CHROMIUM_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
LOOPBACK = {"::1", "localhost", "0.0.0.0", ""}  # noqa: S104 - only compared with


# The machines are shared: how long one example takes says nothing.
hypothesis.settings.register_profile("piperoll", deadline=None)
hypothesis.settings.load_profile("piperoll")

_SOAK_SECONDS = 4 * 3600
"""The time limit of a test in its long form, seconds."""


_TOGETHER: dict[str, str | tuple[str, ...]] = {
    "flows": "tests/flows/",
    "figures": "tests/figures/",
    "catalogue": (
        "tests/describing/test_describing_browser.py",
        "tests/describing/test_describing_compare_browser.py",
        "tests/describing/test_describing_site.py",
    ),
}
"""The beginnings of the paths of tests that run on one worker, because they share what takes long to make."""


class NetworkReached(AssertionError):
    """A test tried to connect to an address beyond this machine."""


@pytest.fixture(autouse=True)
def _no_network_beyond_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple) and address[0] not in LOOPBACK and not address[0].startswith("127."):
            raise NetworkReached(f"a test tried to connect to {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a real S3 server; the AWS variables are set to it."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium, one for all tests of a worker: Playwright's sync API cannot run twice in one process."""
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - slow to import, and few tests need it

    expect.set_options(timeout=1000 * PATIENCE_SECONDS)
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(path for name in names if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium, args=CHROMIUM_FLAGS, timeout=1000 * PATIENCE_SECONDS
        )
        new_context = launched.new_context

        def patient_context(**given: Any) -> BrowserContext:
            context = new_context(**given)
            context.set_default_timeout(1000 * PATIENCE_SECONDS)
            return context

        launched.new_context = patient_context  # type: ignore[method-assign]
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def bucket(s3_endpoint: str) -> str:
    """A bucket on the S3 server."""
    import boto3  # noqa: PLC0415 - slow to import, and few tests need it

    name = "piperoll-tests"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--soak`, which runs the long form of the kill, race and fault tests (make soak)."""
    parser.addoption("--soak", action="store_true", help="run the long form of the tests that have one")


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """True if tests that have a long form are to run it."""
    return bool(request.config.getoption("--soak"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests in their long form the time that they need."""
    if config.getoption("--soak"):
        for item in items:
            item.add_marker(pytest.mark.timeout(_SOAK_SECONDS))


class OneWorkerAFile(LoadScopeScheduling):
    """Run the tests of one file on one worker, and those of files that share a server or a store: see `_TOGETHER`."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((name for name, starts in _TOGETHER.items() if path.startswith(starts)), path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Choose the scheduler: groups by mark have no effect with pytest 9.2 and pytest-xdist 3.8."""
    return OneWorkerAFile(config, log)
