"""A run in shards: together they publish what one run does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from piperoll.errors import UsageError
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import collect
from piperoll.operations.reexamining import find_outdated
from piperoll.operations.run_request import RunRequest, Shard, current_moment, parse_request
from publishers import open_store
from tests.operations.inbox import contents, plain_run, put, spend


def test_shards_make_the_store_that_one_run_makes(tmp_path: Path) -> None:
    inbox, moment = tmp_path / "inbox", current_moment()
    for number in range(6):
        put(inbox, f"spend/body{number}/October 2026.csv", spend(3 + number))
    put(inbox, "gpc/body1/October 2026.csv", spend(2))
    put(inbox, "notes.txt", b"not in the folder of a body")
    whole = plain_run(RunRequest(to=str(tmp_path / "whole"), inbox=inbox, moment=moment))
    parts = [RunRequest(str(tmp_path / "parts"), inbox, shard=Shard(number, 3), moment=moment) for number in (3, 1, 2)]
    summaries = [plain_run(part, catalogued=False) for part in parts]
    assert sorted(len(one.results) for one in summaries) < [7]
    assert {result for one in summaries for result in one.results} == set(whole.results)
    assert [left for one in summaries for left in one.left_out] == list(whole.left_out)
    with RunRequest(str(tmp_path / "parts"), inbox, moment=moment).open() as run:
        build_catalogue(run)
    stores = [open_store(str(tmp_path / name)) for name in ("parts", "whole")]
    for prefix in ("data/", "reports/", "archive/", "catalogue/"):
        assert contents(stores[0], prefix) == contents(stores[1], prefix)


def test_sources_of_other_shards_are_not_fetched(tmp_path: Path) -> None:
    """The addresses answer nobody: those of the shard are missed, the others are not asked for."""
    tables = (f'[[source]]\nbody = "body{n}"\ndataset = "spend"\nurl = "https://localhost/{n}.csv"' for n in range(8))
    (tmp_path / "sources.toml").write_text("\n".join(tables), "utf-8")
    asked: list[set[str]] = []
    for shard in (Shard(1, 2), Shard(2, 2)):
        request = RunRequest(str(tmp_path / "out"), sources=tmp_path / "sources.toml", shard=shard)
        with request.open() as run:
            asked.append({miss.body for part in collect(run, request) for miss in part.missed})
    assert asked[0] | asked[1] == {f"body{n}" for n in range(8)}
    assert asked[0] and asked[1] and not asked[0] & asked[1]


def test_a_shard_does_not_examine_again_the_files_of_others(tmp_path: Path) -> None:
    bases = {("spend", f"body{number}"): {"of-earlier-rules"} for number in range(8)}
    found = []
    for shard in (Shard(1, 2), Shard(2, 2)):
        with RunRequest(str(tmp_path / "out"), tmp_path, shard=shard).open() as run:
            found.append({outdated.body for outdated in find_outdated(run, bases)})
    assert found[0] | found[1] == {f"body{number}" for number in range(8)}
    assert found[0] and found[1] and not found[0] & found[1]


def test_every_body_is_in_one_shard() -> None:
    shards = [Shard.parse(f"{number}/5") for number in range(1, 6)]
    kept = {body: [str(shard) for shard in shards if shard.keeps(body)] for body in map(str, range(500))}
    assert {len(found) for found in kept.values()} == {1}
    assert len({found[0] for found in kept.values()}) == 5


@pytest.mark.parametrize("text", ["0/8", "9/8", "2", "2/", "/8", "-1/8", "a/b", "1/0", "2/8/3"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="as in 2/8"):
        Shard.parse(text)


@pytest.mark.parametrize("days", [-1, 8])
def test_a_moment_cannot_be_made_up(tmp_path: Path, days: int) -> None:
    """It is recorded as the time of receipt, and a parameter of a deployment."""
    moment = (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    for text in (moment, "yesterday", "2026-11-01T06:00:00"):
        with pytest.raises(UsageError, match="moment"):
            parse_request(str(tmp_path / "out"), tmp_path, moment=text)
