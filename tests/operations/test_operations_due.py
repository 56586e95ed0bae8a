"""What bodies owe: `due`, a body's page and the late feeds say the same, and abolished bodies owe nothing."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from piperoll import layout
from piperoll.errors import UsageError
from piperoll.operations import pipeline
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.due import DutyList, list_duties
from piperoll.operations.run_request import RunRequest, open_run
from publishers import Store, list_submissions, open_store
from tests.operations.inbox import put, spend

TODAY = date(2026, 11, 28)

HEADER = "id,slug,name,kind,aliases,same_as,contact,licence"
OLD_REGISTER = f"""{HEADER}
gss:E07999901,anytown,Anytown Borough Council,council,ABC,,,OGL-UK-3.0
gss:E07999902,beeford,Beeford District Council,council,,,,OGL-UK-3.0
gss:E07999903,silent,Silent Council,council,,,,OGL-UK-3.0
gss:S12999904,glenample,Glenample Council,council,,,,OGL-UK-3.0
GB-GOVUK-rainy,rainy,Department for Rainy Days,department,,,,OGL-UK-3.0
"""


def new_register(ended: date, began: date) -> str:
    """The same bodies; the department has ended, and another has taken over."""
    header = f"{HEADER},valid_from,valid_to,successor\n"
    rows = [f"{row},,," for row in OLD_REGISTER.splitlines()[1:-1]]
    rows.append(f"GB-GOVUK-rainy,rainy,Department for Rainy Days,department,,,,OGL-UK-3.0,,{ended},puddles")
    rows.append(f"GB-GOVUK-puddles,puddles,Ministry of Puddles,department,,,,OGL-UK-3.0,{began},,")
    return header + "\n".join(rows) + "\n"


def run(order: RunRequest, register: Path, *, catalogued: bool = True) -> None:
    """Run on the same day each time."""
    settings, moment = order.settings, f"{TODAY}T09:00:00.000000Z"
    with open_run(order.to, bodies=register, settings=settings, moment=moment) as there:
        pipeline.run_in_process(there, collect_inbox(there, order))
        if catalogued:
            build_catalogue(there)


@pytest.fixture
def order(tmp_path: Path) -> RunRequest:
    (tmp_path / "inbox").mkdir()
    return RunRequest(to=str(tmp_path / "published"), inbox=tmp_path / "inbox")


@pytest.fixture
def store(order: RunRequest, tmp_path: Path) -> Path:
    """A store with files of two councils, one of them twelve years old, and bodies that never sent anything."""
    assert order.inbox is not None
    put(order.inbox, "spend/anytown/spend October.csv", spend(3, month="10/2025"))
    put(order.inbox, "spend/anytown/spend November.csv", spend(3, month="11/2025"))
    put(order.inbox, "spend/beeford/spend old.csv", spend(3, month="01/2014"))
    register = tmp_path / "bodies.csv"
    register.write_text(OLD_REGISTER)
    run(order, register)
    return register


def page_of(store: Store, slug: str) -> list[tuple[str, ...]]:
    document = json.loads(store.read(layout.body_freshness(slug)).content)
    return [(duty["dataset"], duty["part"], duty["end"], duty["due"], duty["state"]) for duty in document["duties"]]


def due_of(listed: DutyList, slug: str) -> list[tuple[str | None, ...]]:
    return [
        (duty.dataset, duty.part, duty.period.end.isoformat(), duty.due.isoformat(), str(duty.state))
        for duty in listed.duties
        if duty.body.slug == slug
    ]


def late_in_feed(store: Store, slug: str) -> set[str]:
    feed = json.loads(store.read(f"{layout.late_feed(slug)}.json").content)
    return {
        item["id"] for item in feed["items"] if item["id"].startswith("urn:piperoll:late:") and "#" not in item["id"]
    }


def assert_all_agree(store: Store, listed: DutyList) -> None:
    overview = json.loads(store.read(layout.FRESHNESS).content)
    outstanding = {line["body"]: line["outstanding"] for line in overview["bodies"]}
    assert outstanding.keys() == {body.slug for body in listed.bodies}
    for body in listed.bodies:
        assert sorted(page_of(store, body.slug), key=str) == sorted(due_of(listed, body.slug), key=str), body.slug
        mine = [duty for duty in listed.duties if duty.body.slug == body.slug]
        assert outstanding[body.slug] == sum(duty.outstanding for duty in mine)
        late = {
            f"urn:piperoll:late:{duty.dataset}/{duty.name}/{duty.period}/{body.slug}"
            for duty in mine
            if duty.due < listed.on and (duty.received is None or duty.received > duty.due)
        }
        assert late_in_feed(store, body.slug) == late
        page = store.read(layout.body_page(body.slug)).content.decode()
        shown = re.search(r"latest first: ([\d,]+) of ([\d,]+) periods? not outstanding", page)
        if mine:
            assert shown is not None
            assert int(shown[2]) == len(mine)
            assert int(shown[2]) - int(shown[1]) == outstanding[body.slug]
        else:
            assert "No legal duty with a date is shown for this body." in page


def test_due_the_page_and_the_feed_agree_on_every_body(order: RunRequest, store: Path) -> None:
    published = open_store(order.to)
    for listed in (list_duties(order.to, TODAY), list_duties(order.to, TODAY, bodies=store)):
        assert_all_agree(published, listed)
    assert {body.slug for body in listed.bodies} == {"anytown", "beeford", "silent", "glenample", "rainy"}


def test_a_body_that_was_silent_for_twelve_years_has_something_outstanding(order: RunRequest, store: Path) -> None:
    for slug in ("beeford", "silent", "rainy"):
        assert any(str(duty.state) == "missing" for duty in list_duties(order.to, TODAY, body=slug).duties), slug


def test_a_council_outside_england_owes_nothing_by_the_english_code(order: RunRequest, store: Path) -> None:
    assert list_duties(order.to, TODAY, body="glenample").duties == ()


def test_one_body_is_found_by_slug_name_or_alias_and_a_slip_is_answered(order: RunRequest, store: Path) -> None:
    by_slug = list_duties(order.to, TODAY, body="anytown")
    assert by_slug.duties
    for name in ("Anytown Borough Council", "abc", "gss:E07999901"):
        assert list_duties(order.to, TODAY, body=name) == by_slug
    with pytest.raises(UsageError, match="did you mean 'Anytown Borough Council'"):
        list_duties(order.to, TODAY, body="Anytwon Borough Council")


def test_datasets_that_nobody_ever_sent_are_named_and_listed_on_request(order: RunRequest, store: Path) -> None:
    listed = list_duties(order.to, TODAY, body="anytown")
    assert listed.not_followed == ("contracts", "roles")
    assert {duty.dataset for duty in listed.duties} == {"spend"}
    asked = list_duties(order.to, TODAY, body="anytown", since=date(2025, 1, 1))
    assert {duty.dataset for duty in asked.duties} == {"spend", "contracts", "roles"}


def test_due_reads_what_the_catalogue_kept_and_the_files_since(order: RunRequest, store: Path) -> None:
    """It read every submission that was ever received."""
    assert order.inbox is not None
    before = list_duties(order.to, TODAY, bodies=store)
    put(order.inbox, "spend/silent/spend.csv", spend(3, month="11/2025"))
    run(order, store, catalogued=False)
    after = list_duties(order.to, TODAY, bodies=store)
    arrived = [duty.months_arrived for duty in after.duties if duty.body.slug == "silent"]
    assert sum(arrived) >= 1 > sum(duty.months_arrived for duty in before.duties if duty.body.slug == "silent")
    # and the same as reading everything, which is what happens without a catalogue
    whole = open_store(order.to)
    assert len(list(list_submissions(whole))) == 4
    for key in list(whole.keys(layout.BUILD)):
        whole.delete(key)
    assert list_duties(order.to, TODAY, bodies=store) == after


# --- a body's life ------------------------------------------------------------------------------------------------


def test_an_abolished_department_is_not_missing_after_its_end_nor_a_new_one_before_its_start(
    order: RunRequest, store: Path
) -> None:
    ended = TODAY - timedelta(days=120)
    began = ended + timedelta(days=1)
    store.write_text(new_register(ended, began))
    run(order, store)
    listed = list_duties(order.to, TODAY, bodies=store)
    assert_all_agree(open_store(order.to), listed)
    old = [duty for duty in listed.duties if duty.body.slug == "rainy"]
    new = [duty for duty in listed.duties if duty.body.slug == "puddles"]
    assert old
    assert new
    assert all(duty.period.start <= ended and duty.due <= ended for duty in old)
    assert all(duty.period.end >= began for duty in new)


def test_what_an_abolished_body_sent_after_its_end_is_still_shown(order: RunRequest, tmp_path: Path) -> None:
    assert order.inbox is not None
    ended = date(2025, 12, 31)
    put(order.inbox, "spend/rainy/spend.csv", spend(3, month="12/2025"))
    register = tmp_path / "bodies.csv"
    register.write_text(new_register(ended, ended + timedelta(days=1)))
    run(order, register)
    duties = list_duties(order.to, TODAY, bodies=register, body="rainy").duties
    assert [str(duty.state) for duty in duties if duty.due > ended] == ["late"]
