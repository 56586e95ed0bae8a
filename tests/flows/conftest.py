"""Prefect servers for the tests of the flows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows import prefect_server as own_server


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the API of a real Prefect server, with its services, on a free port."""
    home = tmp_path_factory.mktemp("prefect")
    with own_server.environment({"PREFECT_HOME": str(home)}), own_server.start_server(home) as server:
        server.wait()
        yield server.address


@pytest.fixture(scope="session")
def harness() -> Iterator[None]:
    """Prefect's own test harness: a temporary server and database."""
    own_server.quieten_prefect()
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415 - only once its environment is set

    with prefect_test_harness(server_startup_timeout=own_server.STARTUP_SECONDS):
        yield
