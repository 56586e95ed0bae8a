"""The Python API: documented, and the same as the command line."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from piperoll import api
from piperoll.errors import PeriodError, UnknownDataset, UsageError
from piperoll.model import Verdict
from piperoll.sample import sample_files

SAMPLE = dict(sample_files(1))
SPEND = "2026-08/spend/borough-of-little-sampling/Payments over 500 August 2026.csv"


def test_public_functions_are_listed_and_documented() -> None:
    assert api.__all__ == sorted(api.__all__)
    for name in api.__all__:
        assert len(inspect.getdoc(getattr(api, name)) or "") > 60


def test_bytes_and_a_file_get_the_same_report(tmp_path: Path) -> None:
    path = tmp_path / Path(SPEND).name
    path.write_bytes(SAMPLE[SPEND])
    assert api.check(path, quick=True) == api.check(SAMPLE[SPEND], name=path.name, quick=True)


def test_a_given_dataset_and_period_are_used() -> None:
    report = api.check(SAMPLE[SPEND], name="payments.csv", dataset="gpc", period="2026-08", quick=True)
    assert (report.dataset, report.part, report.period) == ("spend", "card", "2026-08")


def test_quick_leaves_out_plausibility_only() -> None:
    quick = api.check(SAMPLE[SPEND], name=Path(SPEND).name, quick=True)
    whole = api.check(SAMPLE[SPEND], name=Path(SPEND).name)
    assert set(quick.findings) <= set(whole.findings)
    assert quick.tables == whole.tables


def test_every_file_of_the_sample_gets_its_verdict() -> None:
    verdicts = {
        path: api.check(content, name=Path(path).name, dataset=path.split("/")[1], quick=True).verdict
        for path, content in SAMPLE.items()
        if path != "bodies.csv"
    }
    stopped = {path: verdict for path, verdict in verdicts.items() if not verdict.publishes}
    assert stopped == {
        "2026-09/contracts/city-of-placeholder/contracts-2026-09.csv": Verdict.REJECTED,
        "2026-09/spend/office-for-pretend-standards/standards-2026-09.csv": Verdict.REJECTED,
        "2026-10/spend/make-believe-constabulary/Police spend October 2026.csv": Verdict.REJECTED,
    }
    nil = [path for path, verdict in verdicts.items() if verdict is Verdict.NIL]
    assert nil == ["2026-09/spend/nowhere-in-particular-ambulance-nhs-trust/ambulance September 2026.csv"]


def test_of_the_sample_only_the_names_of_carers_are_held() -> None:
    held = {}
    for path, content in SAMPLE.items():
        if path.split("/")[1:2] in (["spend"], ["gpc"]):
            report = api.check(content, name=Path(path).name, dataset=path.split("/")[1], quick=True)
            held[path] = sum(table.rows.held for table in report.tables)
    assert {path: rows for path, rows in held.items() if rows} == {
        "2026-09/spend/county-of-much-examples/supplier_payments_2026-09.csv": 6
    }


@pytest.mark.parametrize(
    ("given", "refused"),
    [({"dataset": "spending"}, UnknownDataset), ({"period": "26-04"}, PeriodError)],
)
def test_invalid_arguments_are_refused(given: dict[str, str], refused: type[Exception]) -> None:
    with pytest.raises(refused):
        api.check(b"a,b\n1,2\n", **given)  # type: ignore[arg-type]


def test_a_run_needs_an_inbox_or_sources(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="either an inbox folder or a sources file"):
        api.run(str(tmp_path / "out"))


def test_both_engines_give_the_same_report_and_others_are_refused() -> None:
    steps: list[str] = []
    compiled = api.check(SAMPLE[SPEND], name=Path(SPEND).name, progress=steps.append)
    assert api.check(SAMPLE[SPEND], name=Path(SPEND).name, engine="reference") == compiled
    assert steps == ["Reading", "Checking"]
    with pytest.raises(UsageError, match="use compiled or reference"):
        api.check(SAMPLE[SPEND], engine="faster")
