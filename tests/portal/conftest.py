"""Fixtures of the portal's tests: a portal over a folder, and clients that are signed in as anyone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.portal_client import PortalUnderTest, open_portal


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[PortalUnderTest]:
    """A portal over an empty store, with a clock that the test moves."""
    with open_portal(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def signed_in(portal: PortalUnderTest) -> Callable[..., object]:
    """`signed_in("anytown", Role.SUBMIT)`: a client whose session has these roles; without a body, for the platform."""
    return portal.sign_in
