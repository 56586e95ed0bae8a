"""One Prefect server for all tests of the flows: a real `prefect server start`, in a home of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows import prefect_server as quiet


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the API of a real Prefect server, with its services, on a free port."""
    home = tmp_path_factory.mktemp("prefect")
    with quiet.setting({"PREFECT_HOME": str(home)}), quiet.started(home) as server:
        server.wait()
        yield server.address


@pytest.fixture(scope="session")
def harness() -> Iterator[None]:
    """Prefect's own test harness: a temporary server and database."""
    quiet.hush()
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415 - only once it is hushed

    with prefect_test_harness(server_startup_timeout=quiet.STARTUP_SECONDS):
        yield
