"""The golden cases: whole files in, whole reports and releases out (tests/tools/golden.py says how to renew them)."""

from __future__ import annotations

import difflib

import pytest

from tests.tools import golden


@pytest.fixture(scope="module")
def produced(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    return golden.produce_files(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("case", golden.cases())
def test_a_golden_file_gives_the_reports_and_release_that_are_committed(
    case: str, produced: dict[str, dict[str, bytes]]
) -> None:
    expected = golden.expected_files(case)
    assert produced[case].keys() == expected.keys()
    for name, content in produced[case].items():
        before, after = (text.decode().splitlines() for text in (expected[name], content))
        assert content == expected[name], "\n".join(difflib.unified_diff(before, after, name, f"{name} now", n=0))


def test_every_dataset_has_golden_cases() -> None:
    datasets = {path.parent.name for path in (golden.GOLDEN.parents[2] / "datapackages").glob("*/datapackage.json")}
    assert datasets - {case.split("/")[0] for case in golden.cases()} == set()
