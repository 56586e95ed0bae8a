"""Three hundred people through a whole run, from an inbox and the web: they are in private prefixes and nowhere else.

Names of held rows are searched in everything public and in every answer of the API. Names of files, addresses and
errors are searched in what Prefect keeps as well, in its log, and in the folder of temporary files: a purge does not
reach what Prefect keeps, so no name may get there.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from flows import prefect_server
from piperoll import layout
from piperoll.checking.privacy.public_texts import names_person
from piperoll.operations.takedown import purge_submission
from piperoll.people.private_people import person_rule
from publishers import find_values, open_store
from tests.fixtures.http_server import LocalServer, QuietHandler
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.operations.inbox import put
from tests.operations.test_operations_privacy import GIVEN, PLACES, SPELLINGS, families, row, spell, spend
from tests.serving.published_place import serving

PEOPLE = 320
RUN = """
import sys
from piperoll.operations import steps
examine = steps.examine
def breaks(run, submission):
    if submission.body == "bugton":
        raise ZeroDivisionError(f"while it read {submission.name}")
    return examine(run, submission)
steps.examine = breaks
from piperoll.cli import main
main()
"""
NEW = itertools.islice(families(), 5_000, None)
IN_ROWS = list(
    itertools.islice(
        ((given, family) for given, family in zip(itertools.cycle(GIVEN), NEW) if person_rule(f"{given} {family}")),
        PEOPLE,
    )
)
IN_LABELS = (family for family in NEW if names_person(f"Jane {family}"))


class Web(LocalServer):
    """A body's web server, whose addresses and answers name people."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(_Handler)


class _Handler(QuietHandler):
    server: Web

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server looks for
        match self.path.split("/")[1]:
            case "page":
                links = "".join(f'<a href="/gone/Jane-{name}.csv">October</a>' for name in self.server.names)
                self.answer(200, links.encode())
            case "gone":
                self.answer(404, b"no file of " + self.path.encode())
            case "down":
                self.answer(503)
            case "lost":
                self.answer(302, Location=f"http://[{self.path}")
            case _:
                self.answer(200, spend([row(number, Amount=f"{700 + number}.00") for number in range(9)]))


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The names that were used, by where they stood, after the run in `folder`."""
    folder = tmp_path_factory.mktemp("nowhere")
    names: dict[str, list[str]] = {"rows": [family for _, family in IN_ROWS], "labels": []}

    def person() -> str:
        names["labels"].append(next(IN_LABELS))
        return f"Jane {names['labels'][-1]}"

    cases = itertools.cycle(itertools.product(PLACES, SPELLINGS))
    rows = [row(number) for number in range(400)]
    for number, ((given, family), (place, spelling)) in enumerate(zip(IN_ROWS, cases, strict=False)):
        rows.append(row(10_000 + number, **{"Supplier Name": f"{given} {family}"}))
        rows.append(row(30_000 + number, **{place: spell(spelling, given, family)}))
    inbox = folder / "inbox"
    put(inbox, "spend/anytown/October 2026.csv", spend(rows))
    put(inbox, f"spend/claimton/October 2026 {person()}.csv", spend([row(number) for number in range(8)]))
    put(inbox, f"spend/claimton/October 2026 again {person()}.csv", spend([row(number) for number in range(9)]))
    put(inbox, f"spend/bugton/{person()} October 2026.csv", spend([row(number) for number in range(7)]))
    put(inbox, f"spend/emptyton/{person()}.csv", b"")
    put(inbox, f"spend/pageton/{person()}.html", b"<html>no table</html>")
    put(inbox, f"spend/pageton/.{person()}.csv", b"hidden")
    (inbox / "spend/linkton").mkdir()
    (inbox / f"spend/linkton/{person()}.csv").symlink_to("/etc/hostname")
    home, temporary = folder / "prefect", folder / "temporary"
    temporary.mkdir()
    with Web([person().split()[1] for _ in range(3)]) as web, prefect_server.start_server(home) as server:
        server.wait()
        sources = "".join(
            f'[[source]]\nbody = "webton"\ndataset = "spend"\n{line}\n'
            for line in (
                *(f'url = "{web.address}/{kind}/{person()}.csv"' for kind in ("gone", "down", "lost", "file")),
                f'url = "http://127.0.0.1:9/{person()}.csv"',
                f'page = "{web.address}/page/{person()}"\nlinks = "October"',
                f'page = "{web.address}/page/"\nlinks = "October"\nat_most = 2',
            )
        )
        (folder / "sources.toml").write_text(sources, "utf-8")
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PIPEROLL_"))
        }
        variables |= {"PREFECT_API_URL": server.address, "TMPDIR": str(temporary), "PIPEROLL_RETRIES": "1"}
        variables |= {"PIPEROLL_ALLOW_PRIVATE_ADDRESSES": "true", "PREFECT_LOGGING_LEVEL": "DEBUG"}
        variables |= {"PYTHONPATH": os.pathsep.join(sys.path)}
        # One file of the inbox meets a bug of ours; sites that fail do not fail a run.
        for given, status in ((["--inbox", str(inbox)], 2), (["--sources", str(folder / "sources.toml")], 0)):
            command = [sys.executable, "-P", "-c", RUN, "run", *given, "--to", str(folder / "out")]
            done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=280, check=False)
            assert done.returncode == status, done.stdout + done.stderr
            assert "Traceback" not in done.stderr
        runs = requests.post(f"{server.address}/flow_runs/filter", json={}, timeout=PATIENCE_SECONDS).json()
        assert sorted(run["state_type"] for run in runs) == ["COMPLETED", "FAILED"]
        logs = requests.post(f"{server.address}/logs/filter", json={}, timeout=PATIENCE_SECONDS).json()
        assert any("failed" in entry["message"] for entry in logs), [entry["message"] for entry in logs]
    names["folder"] = [str(folder)]
    return names


def files_with(folder: Path, names: list[str]) -> dict[str, list[str]]:
    """The files below a folder whose name or bytes have one of the names."""
    found: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        content = (str(path).encode() + (path.read_bytes() if path.is_file() else b"")).lower()
        if here := [name for name in names if name.lower().encode() in content]:
            found[str(path.relative_to(folder))] = here
    return found


def test_nothing_public_has_a_name(used: dict[str, list[str]]) -> None:
    folder = Path(used["folder"][0])
    store = open_store(str(folder / "out"))
    found = list(find_values(store, [*used["rows"], *used["labels"]]))
    assert any(one.key.startswith("archive/") for one in found)
    assert not [one for one in found if layout.is_public(one.key)]


def test_no_answer_of_the_api_has_a_name(used: dict[str, list[str]]) -> None:
    folder = Path(used["folder"][0])
    answers = []
    with serving(str(folder / "out"), folder / "cache") as api:
        digests = [path.stem for path in (folder / "out/reports/spend").rglob("*.json")]
        listed = api.json("/openapi.json")["paths"]
        for path, operations in listed.items():
            if "get" in operations:
                filled = path.replace("{dataset}", "spend").replace("{body}", "anytown").replace("{period}", "2026-10")
                answers.append(api.get(filled))
        for form in ("json", "ndjson", "csv"):
            answers.append(api.get("/rows/spend", params={"format": form, "limit": 10_000}))
            answers.append(
                api.get("/rows/spend", params={"format": form, "group": "supplier_name", "sum": "net_amount"})
            )
        for name in used["rows"][:40]:
            answers.append(api.get("/rows/spend", params={"supplier_name": name, "format": "csv"}))
        answers += [api.get(f"/reports/{digest}") for digest in digests]
    said = [
        answer.text.lower() for answer in answers if answer.status_code == 200 and "supplier_name=" not in answer.url
    ]
    assert len(said) > 10
    assert any("acorn" in text for text in said)
    assert not [name for name in (*used["rows"], *used["labels"]) if any(name.lower() in text for text in said)]


def test_prefect_keeps_no_name(used: dict[str, list[str]]) -> None:
    """Its states, logs, artifacts and parameters had messages of errors, with names of files and addresses."""
    folder = Path(used["folder"][0])
    assert (folder / "prefect/prefect.db").stat().st_size
    assert files_with(folder / "prefect", [*used["rows"], *used["labels"]]) == {}


def test_a_run_leaves_nothing_in_the_folder_of_temporary_files(used: dict[str, list[str]]) -> None:
    folder = Path(used["folder"][0])
    assert not list((folder / "temporary").glob("piperoll*"))
    assert files_with(folder / "temporary", [*used["rows"], *used["labels"]]) == {}


def test_a_bug_s_traceback_is_kept_privately_and_goes_with_the_file(used: dict[str, list[str]]) -> None:
    folder = Path(used["folder"][0])
    store = open_store(str(folder / "out"))
    (key,) = (key for key in store.keys("collected/bugton/") if "/bug-" in key)
    text = store.read(key).content.decode()
    assert "ZeroDivisionError: while it read" in text
    assert "in breaks" in text
    assert not layout.is_public(key)
    sha256 = hashlib.sha256(spend([row(number) for number in range(7)])).hexdigest()
    purge_submission(str(folder / "out"), sha256, because="a private person")
    assert not store.exists(key)
