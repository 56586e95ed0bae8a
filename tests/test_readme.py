"""The commands of README.md run as they are written, one after another."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from piperoll import cli
from publishers import open_store, serve_site
from tests.operations.inbox import put, spend
from tests.serving.published_place import serving

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line
    for block in BLOCKS
    for line in block.splitlines()
    if line.startswith(("piperoll ", ".venv/bin/piperoll ", "curl "))
]
ELSEWHERE = {
    ".venv/bin/piperoll site build/demo": "it serves until it is stopped: tests/publishers/test_publishers_site.py",
    "piperoll api published": "it serves until it is stopped: below, with the request that follows it",
    "piperoll portal published --body anytown": "it serves until it is stopped: tests/portal",
    "piperoll run --sources sources.toml --to s3://bucket/prefix": "tests/flows and tests/publishers have buckets",
}
"""The commands that do not run here, and why."""


@dataclass(frozen=True)
class Place:
    """A folder with the files that the README speaks of, and the web address of what is published from them."""

    folder: Path
    address: str
    outcomes: dict[str, Result] = field(default_factory=dict)

    def run_all(self) -> None:
        """Run the commands in order. After the first run a correction arrives, so that two versions can be compared."""
        for command in COMMANDS:
            if command in ELSEWHERE or command.startswith("curl "):
                continue
            self.outcomes[command] = self.run(command)
            if command.startswith("piperoll run"):
                put(self.folder / "inbox", "spend/anytown/Payments October 2026 corrected.csv", spend(31))
                self.outcomes[f"{command} again"] = self.run(command)

    def run(self, command: str) -> Result:
        """Run a command of the README in the folder, with our address for the one that it names."""
        words = shlex.split(command.replace("https://data.example", self.address.rstrip("/")))
        return CliRunner().invoke(cli.app, words[1:])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("readme")
    with pytest.MonkeyPatch.context() as patch, serve_site(open_store(str(folder / "published")), port=0) as site:
        patch.chdir(folder)
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        sheet = "Payments over 500 October 2026.xlsx"
        put(folder / "inbox", "spend/anytown/Payments October 2026.csv", spend(30))
        (folder / sheet).write_bytes(spend(30))
        place = Place(folder, site.address)
        place.run_all()
        yield place
        site.shutdown()
        thread.join()


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) > 10
    assert set(ELSEWHERE) <= set(COMMANDS)


def test_each_command_does_what_it_says(place: Place) -> None:
    for command, done in place.outcomes.items():
        assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception}"
    assert (place.folder / "october.parquet").exists()
    assert (place.folder / "all-bodies.parquet").exists()
    assert (place.folder / "changes.csv").read_text("utf-8").count("\n") > 1


def test_the_first_request_to_the_api_is_answered(place: Place, tmp_path: Path) -> None:
    """It named port 8000, where the API does not listen."""
    [request] = [command for command in COMMANDS if command.startswith("curl ")]
    [address] = re.findall(r"'http://127\.0\.0\.1:8080(/.*)'", request)
    with serving(str(place.folder / "published"), tmp_path) as served:
        rows = served.json(address)["rows"]
    assert rows
    assert rows == sorted(rows, key=lambda row: -float(row["sum_net_amount"]))


def test_the_example_in_python_runs(place: Place) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(code.replace("https://data.example", place.address.rstrip("/")), names)  # noqa: S102 - our own page
    assert names["report"].verdict.publishes  # type: ignore[attr-defined]
    assert names["table"].num_rows == 31  # type: ignore[attr-defined]
