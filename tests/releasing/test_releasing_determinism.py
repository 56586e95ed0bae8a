from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.releasing.golden_release import golden

HERE = Path(__file__).parent

GOLDEN = {
    "datapackage.json": "46eee292e75c7e63aa90bb243e7b782b655526334729f2dbf490dccce6f37548",
    "mini.csv": "f07edab7a49102a18485f4cd9c2af246264dd08a8d546acdbfe05abda1539be0",
    "mini.parquet": "02605b7478f429c50e4d42a1d0592a069e15f1e4f9bf3eeea2bc6aeb62941de3",
}
"""Pinned: a change here is a change of what every body's release says, and belongs in CHANGELOG.md.

Parquet also tells which pyarrow wrote it: a new one in the lock file changes it here.
"""


def test_the_bytes_of_a_release_are_pinned(tmp_path: Path) -> None:
    made = golden(tmp_path).manifest
    assert {entry.path: entry.sha256 for entry in made.files if entry.path in GOLDEN} == GOLDEN


def test_the_table_of_the_golden_release_reads_as_it_should(tmp_path: Path) -> None:
    text = golden(tmp_path).folder.joinpath("mini.csv").read_bytes().decode()
    sha = "ab" * 32
    digests = [line.split(",")[0] for line in text.split("\r\n")[1:-1]]
    assert text.split("\r\n") == [
        "line_id,when,who,who_id,amount,share,pieces,urgent,scheme,card,redaction,source_row,source_sha256",
        f"{digests[0]},2026-10-01,Zoë & Söhne,17,12.50,,3,false,unknown,gpc,none,2,{sha}",
        f"{digests[1]},2026-10-02,REDACTED COMMERCIAL CONFIDENTIALITY,,-0.005,0.125,,,net,gpc,commercial,3,{sha}",
        f'{digests[2]},2026-10-01,"Say ""when""",,12.50,,,,unknown,gpc,none,4,{sha}',
        "",
    ]
    assert digests[2] == digests[0].removesuffix("-1") + "-2"


@pytest.mark.parametrize(
    "setting",
    [
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/Caracas", "LC_ALL": "de_DE.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"},
    ],
)
def test_another_folder_zone_locale_and_hash_seed_give_the_same_bytes(tmp_path: Path, setting: dict[str, str]) -> None:
    other = tmp_path / "in another" / "folder"
    environment = os.environ | setting | {"PYTHONPATH": str(HERE.parents[1])}
    script = [sys.executable, str(HERE / "golden_release.py"), str(other)]
    run = subprocess.run(script, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.encode() == golden(tmp_path / "here").manifest.to_bytes()
    for path in other.iterdir():
        assert path.read_bytes() == (tmp_path / "here" / path.name).read_bytes()
