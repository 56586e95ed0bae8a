"""`piperoll decide`, from the report of a check to the release, as an operator types it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from piperoll import api, cli
from piperoll.errors import UsageError
from piperoll.model import DecisionKind
from piperoll.operations.decisions import list_log
from piperoll.operations.run_request import RunRequest
from publishers import open_store
from tests.operations.inbox import plain_run, put
from tests.operations.test_operations_decisions import NAME, World, lines

SPELLED = f"MRS {NAME.upper()}"


def piperoll(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, [str(one) for one in arguments])


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, str(tmp_path / "out"))
    made.send("anytown/October 2026.csv", lines(*[NAME] * 20, "Mr John Example"))
    plain_run(made.request)
    return made


def test_the_terminal_names_each_held_value_once_and_all_rows_on_request(tmp_path: Path) -> None:
    """184 of 284 held cells of one file had no address anywhere."""
    scattered = b"".join(
        line + (f"28/10/2026,{NAME},5.00,X{number},Supplies,Estates\r\n".encode() if number % 3 else b"")
        for number, line in enumerate(lines(*["Fern Ltd"] * 300).splitlines(keepends=True))
    )
    path = put(tmp_path, "October 2026.csv", scattered)
    rows = json.loads(piperoll("check", path, "--json").stdout)["held_values"][0]["rows"]
    assert len(rows) > 200
    shown = piperoll("check", path).stdout
    assert re.search(rf"'{NAME}', £[\d,.]+: rows [\d, to]+ and \d+ more", " ".join(shown.split()))
    everything = piperoll("check", path, "--held").stdout
    section = everything[everything.index("Held or left out") : everything.index("If one is a business")]
    assert "more" not in section
    named = {int(one) for one in re.findall(r"\d+", section.split(": rows", 1)[1])}
    assert {rows[0], rows[100], rows[-1]} <= named
    assert f'piperoll decide business "{NAME}"' in " ".join(shown.split())


def test_the_page_has_every_value_and_row_and_the_public_page_has_none(world: World, tmp_path: Path) -> None:
    path = put(tmp_path, "October 2026.csv", lines(*[NAME] * 20))
    piperoll("check", path, "--html", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert re.search(f'<th scope="?row"?>{NAME}<', page)
    assert "rows 12 to 31" in page
    assert world.where(NAME) == []


def test_all_held_values_of_a_report_are_decided_at_once(world: World, tmp_path: Path) -> None:
    sent = world.request.inbox / "spend/anytown/October 2026.csv"  # type: ignore[operator]
    report = tmp_path / "report.json"
    report.write_text(piperoll("check", sent, "--json").stdout, "utf-8")
    to = world.request.to
    done = piperoll(
        "decide", "business", "--from-report", report, "--body", "anytown", "--to", to, "--because", "All are firms"
    )
    assert done.exit_code == 0
    assert f"'{NAME}' is a business, in anytown." in done.stdout
    assert "'Mr John Example' is a business, in anytown." in done.stdout
    plain_run(world.request)
    assert world.names() == [*[NAME] * 20, "Mr John Example"]


def test_a_decision_is_listed_with_who_and_why_and_taken_back(world: World) -> None:
    to = world.request.to
    given = ("--body", "anytown", "--to", to, "--because", "By telephone", "--by", "j.officer", "--dataset", "spend")
    done = piperoll("decide", "public-role", SPELLED, *given)
    identifier = done.stdout.partition(":")[0]
    assert f"{identifier}: '{SPELLED}' is named in a public role, in anytown, spend." in done.stdout
    plain_run(world.request)
    assert world.names() == [NAME] * 20
    listed = " ".join(piperoll("decide", "list", "--to", to, "--body", "anytown").stdout.split())
    assert all(text in listed for text in (identifier, "j.officer", "By telephone"))
    assert piperoll("decide", "take-back", identifier, "--to", to, "--because", "No").exit_code == 1  # not confirmed
    assert [one.kind for one in list_log(open_store(to))] == [DecisionKind.VALUE]
    done = piperoll("decide", "take-back", identifier, "--to", to, "--because", "No", "--by", "m.senior", "--yes")
    assert "holds its rows again, and deletes" in " ".join(done.stdout.split())
    plain_run(world.request)
    assert (world.names(), world.where(NAME)) == ([], [])
    assert "(taken back)" in " ".join(piperoll("decide", "list", "--to", to).stdout.split())


def test_a_whole_service_area_and_all_bodies(world: World) -> None:
    to = world.request.to
    done = piperoll("decide", "business", "Fostering", "--area", "--all-bodies", "--to", to, "--because", "Agencies")
    assert "all paid in 'Fostering' are businesses, in all bodies." in done.stdout
    done = piperoll("decide", "person", "Zebedeeko", "--all-bodies", "--to", to, "--because", "A carer", "--yes")
    assert "'Zebedeeko' is a private person, in all bodies." in done.stdout
    assert next(open_store(to).keys("decisions/")).startswith("decisions/all/")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("business", NAME), "give either a body"),
        (("business", NAME, "--body", "anytown", "--all-bodies"), "give either a body"),
        (("business", "--body", "anytown"), "give at least one value"),
        (("business", "--body", "anytown", "--from-report", "nowhere.json"), "is not a report"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = piperoll("decide", *arguments, "--to", tmp_path / "out", "--because", "By telephone")
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)


def test_python_decides_too(world: World) -> None:
    (entry,) = api.decide(world.request.to, [NAME], "business", body="anytown", because="By telephone")
    assert entry.by  # the login name
    plain_run(RunRequest(to=world.request.to, inbox=world.request.inbox))
    assert world.names() == [NAME] * 20
    assert api.take_back(world.request.to, entry.id, because="No").subject == entry.id
    with pytest.raises(UsageError, match="not a decision"):
        api.decide(world.request.to, [NAME], "firm", body="anytown", because="By telephone")


def test_reviews_and_replies_are_recorded_listed_and_taken_back_without_a_question(tmp_path: Path) -> None:
    to = ("--to", tmp_path / "out", "--by", "an.officer")
    done = piperoll("decide", "supplier", "Rook (Wales) Ltd", "1234567", *to, "--because", "On its invoices")
    assert "the supplier 'rookwales' is GB-COH-01234567, in all bodies." in done.stdout
    assert piperoll("decide", "pair", "5d0c9b1e77aa", "separate", *to, "--because", "Read both").exit_code == 0
    done = piperoll("reply", "0a1b2c3d4e5f6071", "--body", "anytown", "--note", "Late grant.", *to)
    identifier = done.stdout.partition(":")[0]
    runner = CliRunner(env={"COLUMNS": "200"})
    listed = runner.invoke(cli.app, ["decide", "list", *map(str, to[:2])]).stdout
    assert all(text in listed for text in ("rookwales", "5d0c9b1e77aa", "0a1b2c3d4e5f6071", "Late grant."))
    done = piperoll("decide", "take-back", identifier, *to, "--because", "No")
    assert "The next piperoll measure makes its figures without it." in " ".join(done.stdout.split())
