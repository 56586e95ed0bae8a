"""The reviews that wait for an operator: suppliers and pairs of contracts, from the tables of the newest year."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from piperoll.cli import app
from piperoll.errors import UsageError
from piperoll.measuring.suppliers import SCHEMA
from piperoll.model import NO_COMPANY, Acts, DecisionKind
from piperoll.operations import review_queue, reviews
from piperoll.operations.answering import answer_items
from piperoll.operations.body_index import open_index
from piperoll.operations.decision_queue import list_items
from piperoll.operations.queue_items import ItemKind, QueueItem
from piperoll.operations.review_queue import list_pairs, list_suppliers, read_newest_table
from piperoll.operations.run_request import RunRequest
from piperoll.operations.standing import read_standing
from publishers import Store, open_store, read_reviews
from tests.operations.measured_town import measure_town, overwrite_table, send_town

Row = dict[str, Any]
TODAY = date(2026, 11, 28)
PERSON = "Jane Quillfeather"


class Town:
    """A store with measures, of two bodies."""

    def __init__(self, folder: Path) -> None:
        self.request = RunRequest(to=str(folder / "published"), inbox=folder / "inbox")
        self.store = open_store(self.request.to)

    def items(self, kind: ItemKind | None = None, bodies: Sequence[str] | None = None) -> list[QueueItem]:
        return [one for one in list_items(open_index(self.store, TODAY), bodies) if kind in (None, one.kind)]

    def answer(self, given: dict[str, str], *, number: int = 1) -> None:
        moment = f"2026-11-28T10:00:{number:02}Z"
        answer_items(self.store, self.items(), given, because="Looked up", by="op", moment=moment, standings=None)

    def rows(self, measure: str, table: str) -> list[Row]:
        found = read_newest_table(self.store, measure, table)
        assert found is not None
        return found.rows.to_pylist()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    town = Town(tmp_path_factory.mktemp("reviews"))
    send_town(town.request)
    measure_town(town.request)
    return Path(town.request.to).parent


@pytest.fixture
def town(made: Path, tmp_path: Path) -> Town:
    """A copy of the store, for one test."""
    shutil.copytree(made, tmp_path / "town")
    return Town(tmp_path / "town")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "out"))


def supplier(name: str, body: str = "anytown", pounds: int = 100, **fields: Any) -> Row:
    row = {
        "body": body, "supplier_key": name.lower().replace(" ltd", "").replace(" ", ""), "names": name,
        "payee_class": "company", "tier": "5-similar", "status": "review", "evidence": "a similar name",
        "proposed": "GB-COH-01234567", "has_register": True, "pounds": Decimal(pounds),
    }  # fmt: skip
    return row | fields


def matched(name: str, **fields: Any) -> Row:
    given = {"tier": "2-name", "status": "candidate", "proposed": None, "org_id": "GB-COH-07654321", **fields}
    return supplier(name, **given)


def suppliers_of(store: Store, rows: Sequence[Row]) -> list[review_queue.SupplierToReview]:
    return list_suppliers(store, pa.Table.from_pylist(list(rows), SCHEMA))


def review(store: Store, key: str, org_id: str = NO_COMPANY, body: str | None = None) -> None:
    reviews.record_supplier(store, key, org_id, because="x", by="op", moment="2026-11-28T09:00:00Z", body=body)


def pair(number: int, **fields: Any) -> Row:
    row: Row = {
        "pair": f"{number:016x}",
        "score": 0.5,
        "tier": "review",
        "type": "separate",
        "evidence": "both: mowing",
    }
    for side, body in (("a", "anytown"), ("b", "beeford")):
        row |= {f"body_{side}": body, f"title_{side}": f"Mowing {side}{number}", f"suppliers_{side}": "Rook Ltd"}
        row |= {f"value_{side}": Decimal(100), f"starts_{side}": date(2026, 4, 1), f"ends_{side}": None}
    return row | fields


# --- the queue --------------------------------------------------------------------------------------------------------


def test_suppliers_and_pairs_wait_for_the_operator_with_what_is_proposed(town: Town) -> None:
    beech, acorn = town.items(ItemKind.SUPPLIER)
    assert beech.question == "Beech Tree Services plc: is it GB-COH-03456789?"
    assert (beech.turn, beech.bodies, beech.pounds, beech.period) == (
        Acts.PLATFORM, ("beeford",), Decimal("7228.00"), "2026-27",
    )  # fmt: skip
    assert [choice.answer for choice in acorn.choices] == ["proposed", "none"]
    assert "another body published a number with the same name" in acorn.details
    (mowing,) = town.items(ItemKind.PAIR)
    for words in ("'Grounds upkeep' (", "£90,000.00", "'Mowing and litter' (", "£61,000.00"):
        assert words in mowing.question
    assert (mowing.bodies, mowing.turn) == (("anytown", "beeford"), Acts.PLATFORM)
    assert [choice.answer for choice in mowing.choices] == [
        "joint", "common-framework", "separate", "not-same", "unclear",
    ]  # fmt: skip


def test_an_answer_is_recorded_is_not_asked_again_and_counts_when_measures_are_next_made(town: Town) -> None:
    beech, acorn = town.items(ItemKind.SUPPLIER)
    (mowing,) = town.items(ItemKind.PAIR)
    town.answer({beech.id: "none", acorn.id: "proposed", mowing.id: "separate"})
    assert town.items() == []
    entries = [*read_reviews(town.store, DecisionKind.SUPPLIER), *read_reviews(town.store, DecisionKind.PAIR)]
    assert sorted((one.subject, one.decided_as, one.body) for one in entries if one.body) == [
        ("acornroofing", "GB-COH-02345678", "beeford"),
        ("beechtreeservices", "none", "beeford"),
    ]
    measure_town(town.request)
    assert {
        row["supplier_key"]: (row["status"], row["org_id"])
        for row in town.rows("supplier-identity", "supplier_identities")
        if row["body"] == "beeford"
    } == {
        "acornroofing": ("fact", "GB-COH-02345678"), "beechtreeservices": ("no-company-expected", None),
        "cedarprint": ("unmatched", None), "damsonfleet": ("unmatched", None),
    }  # fmt: skip
    verdicts = {row["pair"]: row["verdict"] for row in town.rows("duplication", "contract_pairs")}
    assert verdicts[mowing.subject] == "separate"
    assert town.items() == []


def test_a_body_neither_sees_reviews_nor_answers_them(town: Town) -> None:
    index = open_index(town.store, TODAY)
    standing = read_standing(index, "beeford")
    assert standing.items == ()
    beech = town.items(ItemKind.SUPPLIER)[0]
    with pytest.raises(UsageError, match="an operator decides this"):
        answer_items(
            town.store, town.items(), {beech.id: "none"}, because="x", by="p", moment="2026-11-28T10:00:00Z",
            standings={"beeford": standing.trust},
        )  # fmt: skip
    assert read_reviews(town.store, DecisionKind.SUPPLIER) == ()


def test_the_command_lists_one_kind_also_of_one_body(town: Town) -> None:
    def listed(*arguments: str) -> list[Row]:
        result = CliRunner().invoke(app, ["decisions", "--to", town.request.to, "--json", *arguments])
        assert result.exit_code == 0, result.output
        decisions: list[Row] = json.loads(result.stdout)["decisions"]
        return decisions

    (mowing,) = listed("--kind", "pair")
    assert mowing["bodies"] == ["anytown", "beeford"]
    assert [one["answer"] for one in mowing["answers"]][2] == "separate"
    assert [one["proposed"] for one in listed("--kind", "supplier")] == [["GB-COH-03456789"], ["GB-COH-02345678"]]
    assert listed("--kind", "supplier", "--body", "anytown") == []
    assert len(listed("--body", "beeford", "--turn", "platform")) == 3


def test_held_files_come_before_reviews_however_old_these_are(town: Town) -> None:
    assert town.request.inbox is not None
    (town.request.inbox / "spend/beeford/more.csv").write_bytes(
        b"Payment Date,Supplier Name,Amount,Transaction Number,Expense Type,Department\r\n"
        + b"".join(b"%02d/11/2026,Elder Ltd,600.00,N%d,Supplies,Estates\r\n" % (day, day) for day in range(1, 12))
        + f"28/11/2026,{PERSON},5.00,X1,Supplies,Estates\r\n".encode()
    )
    send_town(town.request)
    assert [item.kind for item in town.items()] == [
        ItemKind.VALUE, ItemKind.SUPPLIER, ItemKind.SUPPLIER, ItemKind.PAIR,
    ]  # fmt: skip


def test_a_table_that_was_deleted_leaves_the_rest_of_the_queue(town: Town) -> None:
    overwrite_table(town.request.to, "supplier-identity", "supplier_identities", None)
    assert [item.kind for item in town.items()] == [ItemKind.PAIR]


def test_the_second_of_several_proposals_is_answered_for_every_body_that_was_named(town: Town) -> None:
    numbers = "GB-COH-01111111 GB-COH-02222222"
    rows = [supplier("Finch Ltd", body, 10 + len(body), proposed=numbers) for body in ("anytown", "beeford", "ceehill")]
    rows.append(supplier("Finch Ltd", "deeford", 5, proposed="GB-COH-01111111"))
    overwrite_table(town.request.to, "supplier-identity", "supplier_identities", pa.Table.from_pylist(rows, SCHEMA))
    three, one = town.items(ItemKind.SUPPLIER)
    assert three.question == "Finch Ltd: is it GB-COH-01111111 or GB-COH-02222222?"
    assert (three.bodies, one.bodies) == (("anytown", "beeford", "ceehill"), ("deeford",))
    with pytest.raises(UsageError, match="'proposed-2' is not an answer"):
        town.answer({one.id: "proposed-2"})
    town.answer({three.id: "proposed-2"})
    recorded = read_reviews(town.store, DecisionKind.SUPPLIER)
    assert sorted((one.body, one.decided_as) for one in recorded if one.body) == [
        ("anytown", "GB-COH-02222222"), ("beeford", "GB-COH-02222222"), ("ceehill", "GB-COH-02222222"),
    ]  # fmt: skip
    assert town.items(ItemKind.SUPPLIER) == [one]


def test_a_question_is_another_one_when_something_else_is_proposed(town: Town) -> None:
    before = town.items(ItemKind.SUPPLIER)[1]
    row = supplier("Acorn Roofing Ltd", "beeford", proposed="GB-COH-09999999")
    overwrite_table(town.request.to, "supplier-identity", "supplier_identities", pa.Table.from_pylist([row], SCHEMA))
    with pytest.raises(UsageError, match="not open any more"):
        town.answer({before.id: "proposed"})


# --- which suppliers --------------------------------------------------------------------------------------------------


def test_the_suppliers_that_were_paid_most_are_asked_and_the_next_follow_when_they_are_reviewed(store: Store) -> None:
    rows = [supplier(f"Rook {number} Ltd", pounds=number) for number in range(1, 131)]
    first = suppliers_of(store, rows)
    assert [one.pounds for one in first] == list(range(130, 30, -1))
    review(store, "rook130")
    review(store, "rook129", body="anytown")
    review(store, "rook128", body="beeford")  # of another body: it is still asked
    assert [one.pounds for one in suppliers_of(store, rows)] == list(range(128, 28, -1))


def test_the_sample_of_matched_suppliers_is_the_same_in_any_order_and_is_not_filled_up_again(store: Store) -> None:
    rows = [matched(f"Daw {number} Ltd") for number in range(300)]
    drawn = {one.key for one in suppliers_of(store, rows)}
    assert len(drawn) == 200
    assert {one.key for one in suppliers_of(store, rows[::-1])} == drawn
    done = sorted(drawn)[:5]
    for key in done:
        review(store, key, body="anytown")
    assert {one.key for one in suppliers_of(store, rows)} == drawn - {*done}


def test_only_what_was_matched_by_name_is_in_the_sample(store: Store) -> None:
    rows = [
        matched("Rook Ltd"),
        matched("Daw Ltd", tier="3-previous-name", status="fact"),
        matched("Wren Ltd", tier="1-published", status="fact"),
        matched("Finch Ltd", tier="4-reviewed", status="fact"),
        supplier("Heron Ltd", status="unmatched"),
        supplier("Anytown School", status="no-company-expected"),
    ]
    found = suppliers_of(store, rows)
    assert [(one.key, one.proposed, one.sampled) for one in found] == [
        ("daw", ("GB-COH-07654321",), True),
        ("rook", ("GB-COH-07654321",), True),
    ]


# --- which pairs ------------------------------------------------------------------------------------------------------


def pairs_table(rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows))


def test_pairs_to_review_and_unclear_candidates_are_asked_the_most_alike_first(store: Store) -> None:
    rows = [
        pair(1, score=0.46),
        pair(2, score=0.7, tier="candidate"),
        pair(3, score=0.8, tier="candidate", type="unclear"),
        pair(4, score=0.52, type="not-same"),
        pair(5, score=0.59),
    ]
    reviews.record_pair(store, rows[4]["pair"], "unclear", because="x", by="op", moment="2026-11-28T09:00:00Z")
    assert [int(one.pair, 16) for one in list_pairs(store, pairs_table(rows))] == [3, 4, 1]
    many = [pair(number, score=0.5) for number in range(10, 260)]
    assert [int(one.pair, 16) for one in list_pairs(store, pairs_table(many))] == list(range(10, 210))


# --- people -----------------------------------------------------------------------------------------------------------


def test_no_person_is_named_in_a_question(store: Store) -> None:
    row = pair(1, title_a=f"Home care for {PERSON}", suppliers_a=f"{PERSON}; Rook Ltd", suppliers_b=PERSON)
    (found,) = list_pairs(store, pairs_table([row]))
    assert [(side.title, side.suppliers) for side in found.sides] == [
        ("name withheld", ("Rook Ltd",)),
        ("Mowing b1", ()),
    ]
    person = supplier(PERSON, supplier_key="janequillfeather")
    mixed = supplier("Heron Ltd", names=f"{PERSON}; Heron Ltd")
    assert [one.names for one in suppliers_of(store, [person, mixed])] == [("Heron Ltd",)]
