"""`piperoll api` and `piperoll site`, and what the README says about them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from piperoll.commands import serving
from piperoll.errors import UsageError

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_the_readme_asked_the_api_on_a_port_that_it_does_not_use() -> None:
    default = inspect.signature(serving.api).parameters["port"].default
    assert {int(port) for port in re.findall(r"curl 'http://127\.0\.0\.1:(\d+)", README)} == {default}


@pytest.mark.parametrize("command", [serving.site, serving.api])
def test_a_folder_without_releases_is_refused(command: object, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing is published"):
        command(str(tmp_path))  # type: ignore[operator]
