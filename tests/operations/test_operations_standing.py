"""Where a body stands, the decision queue, and answers: what was answered is published."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from piperoll.cli import app, main
from piperoll.errors import UsageError
from piperoll.model import Acts, Period, Series
from piperoll.operations import pipeline
from piperoll.operations.answering import answer_items, apply_answers, may_answer
from piperoll.operations.body_index import StoreIndex, open_index
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.decision_queue import list_items
from piperoll.operations.queue_items import ItemKind, QueueItem
from piperoll.operations.run_request import RunRequest
from piperoll.operations.standing import FileState, read_standing
from piperoll.operations.trust import Standing, read_rules
from piperoll.operations.trust import judge as judge_trust
from publishers import Store, list_decisions, open_store, read_history
from tests.operations.inbox import put, spend

TODAY = date(2026, 11, 28)
OCTOBER = Series("spend", "anytown", Period.month(2026, 10))
NAME = "Jane Quillfeather"
"""The rules hold this name."""


@dataclass
class Place:
    """An inbox and the store that its files are published to."""

    folder: Path
    store: Store = field(init=False)
    moments: int = 0

    def __post_init__(self) -> None:
        self.store = open_store(self.to)

    @property
    def to(self) -> str:
        return str(self.folder / "published")

    def send(self, path: str, content: bytes, *, catalogued: bool = True) -> None:
        put(self.folder / "inbox", f"spend/{path}", content)
        with RunRequest(to=self.to, inbox=self.folder / "inbox").open() as run:
            pipeline.run_in_process(run, collect_inbox(run, RunRequest(to=self.to, inbox=self.folder / "inbox")))
            if catalogued:
                build_catalogue(run)

    def index(self) -> StoreIndex:
        return open_index(self.to, TODAY)

    def items(self) -> list[QueueItem]:
        return list_items(self.index())

    def answer(
        self, answers: Mapping[str, str], standings: Mapping[str, Standing] | None = None, because: str = "We looked"
    ) -> None:
        self.moments += 1
        moment = f"2026-11-28T10:00:{self.moments:02}Z"
        answer_items(self.store, self.items(), answers, because=because, by="p-1", moment=moment, standings=standings)

    def names(self) -> list[str]:
        version = read_history(self.store, OCTOBER)[0].current_version
        assert version is not None
        content = self.store.read(f"data/{OCTOBER}/{version.path}/spend.csv").content.decode()
        return [row["supplier_name"] for row in csv.DictReader(io.StringIO(content))]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def with_name(*names: str, month: str = "10/2026") -> bytes:
    more = (f"28/{month},{name},5.00,X{number},Supplies,Estates\r\n" for number, name in enumerate(names))
    return spend(10, month=month) + "".join(more).encode()


@pytest.mark.parametrize("catalogued", [True, False])
def test_what_a_body_sent_is_listed_with_what_became_of_it(place: Place, catalogued: bool) -> None:
    place.send("anytown/August 2026.csv", spend(10, month="08/2026"), catalogued=catalogued)
    place.send("anytown/September 2026.csv", with_name(NAME, month="09/2026"), catalogued=catalogued)
    place.send("anytown/October 2026.csv", b"Colour,Shape\r\nred,round\r\n", catalogued=catalogued)
    standing = read_standing(place.index(), "anytown")
    states = {file.submission.name: (file.state, file.turn) for file in standing.files}
    assert states == {
        "August 2026.csv": (FileState.PUBLISHED, None),
        "September 2026.csv": (FileState.PARTLY, None),
        "October 2026.csv": (FileState.REJECTED, Acts.BODY),
    }
    assert [file.submission.name for file in standing.files_for_body] == ["October 2026.csv"]
    assert [item.subject for item in standing.for_body] == [NAME]


def test_another_body_sees_nothing_of_it(place: Place) -> None:
    place.send("anytown/October 2026.csv", with_name(NAME))
    place.send("beeford/October 2026.csv", spend(10))
    standing = read_standing(place.index(), "beeford")
    assert {file.submission.body for file in standing.files} == {"beeford"}
    assert standing.items == ()


def test_a_held_name_is_one_question_and_its_answer_publishes_the_row(place: Place) -> None:
    place.send("anytown/October 2026.csv", with_name(NAME, NAME.upper()))
    (item,) = place.items()
    assert (item.kind, item.rows, item.pounds) == (ItemKind.VALUE, 2, 10)
    place.answer({item.id: "business"})
    assert place.items() == []
    assert NAME not in place.names()
    apply_answers(place.to, only="anytown")
    assert NAME in place.names()
    assert place.items() == []


def test_a_heading_that_changed_is_asked_with_its_rows_and_pounds(place: Place) -> None:
    place.send("anytown/September 2026.csv", spend(10, month="09/2026"))
    place.send("anytown/October 2026.csv", spend(10).replace(b"Supplier Name", b"Counterparty Entity"))
    (item,) = [one for one in place.items() if one.kind is ItemKind.HEADING]
    assert item.rows == 10
    assert "Counterparty Entity" in item.question and "Supplier Name" in item.question
    place.answer({item.id: "same"})
    apply_answers(place.to)
    assert len(place.names()) == 10
    assert place.items() == []


def test_a_file_with_far_fewer_rows_is_released_and_published(place: Place) -> None:
    place.send("anytown/October 2026.csv", spend(40))
    place.send("anytown/October 2026 corrected.csv", spend(10))
    (item,) = place.items()
    assert (item.kind, item.period, item.turn) == (ItemKind.FILE, "2026-10", Acts.BODY)
    place.answer({item.id: "replace"}, because="The rest was paid by the pension fund")
    assert place.items() == []
    assert len(place.names()) == 40
    apply_answers(place.to)
    assert len(place.names()) == 10
    apply_answers(place.to)
    history, _ = read_history(place.store, OCTOBER)
    assert len(history.versions) == 2


def test_two_files_of_one_delivery_are_asked_as_claims(place: Place) -> None:
    put(place.folder / "inbox", "spend/anytown/October 2026 a.csv", spend(10))
    place.send("anytown/October 2026 b.csv", spend(10, start=50))
    items = place.items()
    assert [item.kind for item in items] == [ItemKind.CLAIM, ItemKind.CLAIM]
    place.answer({items[0].id: "replace", items[1].id: "add"}, because="Two halves of one month")
    apply_answers(place.to)
    assert len(place.names()) == 20


def test_a_new_body_cannot_release_a_file_alone_and_an_operator_can(place: Place) -> None:
    place.send("anytown/October 2026.csv", spend(40))
    place.send("anytown/October 2026 corrected.csv", spend(10))
    (item,) = place.items()
    new = judge_trust([], TODAY, read_rules())
    assert not may_answer(item, new)
    with pytest.raises(UsageError, match="operator"):
        place.answer({item.id: "replace"}, {"anytown": new})
    assert len(place.items()) == 1
    place.answer({item.id: "replace"})


def test_an_officer_cannot_answer_for_another_body(place: Place) -> None:
    place.send("anytown/October 2026.csv", with_name(NAME))
    (item,) = place.items()
    with pytest.raises(UsageError, match="operator"):
        place.answer({item.id: "business"}, {"beeford": judge_trust([], TODAY, read_rules())})


def test_answers_in_bulk_are_recorded_but_for_those_that_are_not_valid(place: Place) -> None:
    place.send("anytown/October 2026.csv", with_name(NAME, "Oswin Thimblewick"))
    place.send("beeford/October 2026.csv", with_name(NAME))
    items = place.items()
    assert len(items) == 3
    place.answer({item.id: "business" for item in items} | {items[2].id: "perhaps"})
    assert place.items() == [items[2]]
    place.answer({items[2].id: "business"})
    assert place.items() == []


def test_a_reason_that_names_a_person_is_refused_where_it_is_published(place: Place) -> None:
    place.send("anytown/October 2026.csv", spend(40))
    place.send("anytown/October 2026 corrected.csv", spend(10))
    (item,) = place.items()
    with pytest.raises(UsageError, match="name a person"):
        place.answer({item.id: "replace"}, because=f"Mrs {NAME} of Finance said so")


def test_a_file_that_a_later_one_made_good_is_no_question(place: Place) -> None:
    place.send("anytown/October 2026.csv", spend(40))
    place.send("anytown/October 2026 short.csv", spend(10))
    place.send("anytown/October 2026 right.csv", spend(41))
    assert place.items() == []
    standing = read_standing(place.index(), "anytown")
    held = next(file for file in standing.files if file.submission.name == "October 2026 short.csv")
    assert (held.state, held.turn, held.newer) == (FileState.HELD, None, True)


def test_the_index_reads_few_objects_of_a_body_with_many_files(place: Place) -> None:
    for month in range(1, 11):
        put(place.folder / "inbox", f"spend/anytown/2026-{month:02}.csv", spend(10, month=f"{month:02}/2026"))
    place.send("anytown/2026-12.csv", spend(10, month="12/2026"))
    index = place.index()
    read: list[str] = []
    original = index.store.read
    index.store.read = lambda key, **options: (read.append(key), original(key, **options))[1]  # type: ignore[method-assign]
    assert len(read_standing(index, "anytown").files) == 11
    assert len(read) < 10


def test_the_command_lists_what_waits_with_what_each_answer_does(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.send("anytown/October 2026.csv", with_name(NAME))
    monkeypatch.setattr("sys.argv", ["piperoll", "decisions", "--to", place.to, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    (item,) = json.loads(capsys.readouterr().out)["decisions"]
    assert (item["kind"], item["rows"], item["pounds"], item["turn"]) == ("value", 1, "5.00", "body")
    assert {one["answer"] for one in item["answers"]} == {"business", "public-role", "person"}
    shown = CliRunner().invoke(app, ["decisions", "--to", place.to]).output
    assert "1 decision for the body: 1 row, £5.00." in shown
    assert "value, person: The rows are published without the name" in shown
    command = ["decide", "answer", "business", item["id"], "--to", place.to, "--because", "A firm", "--by", "Records"]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert place.items() == []
    (entry,) = list_decisions(place.store, "anytown")
    assert (entry.subject, entry.decided_as, entry.because, entry.by) == (NAME, "business", "A firm", "Records")
    assert "no open question" in str(CliRunner().invoke(app, command).exception)


def test_one_answer_that_fails_stops_no_other(place: Place) -> None:
    place.send("anytown/September 2026.csv", spend(10, month="09/2026"))
    place.send("anytown/October 2026.csv", spend(10).replace(b"Supplier Name", b"Counterparty Entity"))
    place.send("beeford/October 2026.csv", with_name(NAME))
    heading, value = sorted(place.items(), key=lambda item: item.kind)
    items = [heading, value]
    (place.folder / "published/mappings/anytown/spend.toml").write_text("body = anytown")  # by hand, since the list
    answers = {"000000000000": "same", heading.id: "same", value.id: "business"}
    given: dict[str, str] = {"because": "We looked", "by": "p-1", "moment": "2026-11-28T10:00:00Z"}
    done = answer_items(place.store, items, answers, standings=None, **given)  # type: ignore[arg-type]
    assert done.taken == (value,)
    assert "not open any more" in done.refused["000000000000"]
    assert "mappings/anytown/spend.toml cannot be understood" in done.refused[heading.id]
    assert done.describe(items).startswith("1 answer was recorded. Not recorded: 000000000000 (")
    assert [entry.subject for entry in list_decisions(place.store, "beeford")] == [NAME]
    wrong = {value.id: "perhaps"}
    with pytest.raises(UsageError, match="'perhaps' is not an answer"):
        answer_items(place.store, items, wrong, standings=None, **given)  # type: ignore[arg-type]


def test_the_command_names_the_answers_that_were_not_taken(place: Place) -> None:
    place.send("anytown/October 2026.csv", with_name(NAME))
    (item,) = place.items()
    ids = ["000000000000", item.id]
    done = CliRunner().invoke(app, ["decide", "answer", "business", *ids, "--to", place.to, "--because", "A firm"])
    assert done.exit_code == 1
    assert f"{item.id}: business, in anytown." in done.output
    assert "000000000000 is not answered" in done.output
    assert place.items() == []


def test_held_files_whose_mapping_somebody_broke_or_deleted_are_in_the_queue(place: Place) -> None:
    place.send("anytown/September 2026.csv", spend(10, month="09/2026"))
    place.send("anytown/October 2026.csv", spend(10).replace(b"Supplier Name", b"Counterparty Entity"))
    (asked,) = place.items()
    mapping = place.folder / "published/mappings/anytown/spend.toml"
    before = mapping.read_bytes()
    mapping.write_text("body = anytown")
    (broken,) = place.items()
    assert (broken.kind, broken.turn, broken.choices) == (ItemKind.FILE, Acts.PLATFORM, ())
    assert "mappings/anytown/spend.toml cannot be understood" in broken.question
    assert (broken.rows, broken.pounds, broken.files) == (asked.rows, asked.pounds, asked.files)
    mapping.write_bytes(before)
    assert place.items() == [asked]
    mapping.unlink()
    (forgotten,) = place.items()
    assert "no question about it is remembered" in forgotten.question
    place.answer({forgotten.id: "replace"})
    apply_answers(place.to)
    assert place.items() == []
    assert len(place.names()) == 10
