"""Contracts of different bodies that may be for the same need, and what they are to each other."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.measuring.contract_pairs import Need, PairTyper, find_pairs, pair_id, read_words
from piperoll.model import Body, DecisionEntry, DecisionKind, PairDecision
from tests.measuring.measured import find_row, run_measure

Row = dict[str, Any]
REAL = Path(__file__).parents[3] / "shared" / "measuredata" / "contracts"
NAMES = {"upper-mudford": "Upper Mudford Borough Council", "lower-mudford": "Lower Mudford District Council",
         "great-puddle": "Great Puddle City Council"}  # fmt: skip


def need(body: str, title: str, **fields: Any) -> Need:
    return Need(body, NAMES[body], fields.pop("item", title), title, **fields)


def decide(one: Need, other: Need) -> PairDecision:
    forwards, backwards = (
        PairTyper(read_words(), NAMES.values()).decide(*pair) for pair in ((one, other), (other, one))
    )
    assert forwards == backwards
    return forwards.decided_as


DAY = date(2026, 1, 10)
INSURANCE = "Further Competition under CCS Framework RM3731 for the provision of Insurance to "


def test_one_insurance_bought_by_two_councils_on_one_day_is_joint_before_it_is_a_framework() -> None:
    suppliers = "Umbrella Insurance Ltd, Gumboot Mutual"
    one = need(
        "upper-mudford", INSURANCE + NAMES["upper-mudford"], suppliers=suppliers, day=DAY, value=Decimal(1242829)
    )
    other = need(
        "lower-mudford", INSURANCE + NAMES["lower-mudford"], suppliers="Gumboot Mutual, Poncho Plc", day=DAY,
        value=Decimal(928189),
    )  # fmt: skip
    assert decide(one, other) == PairDecision.JOINT


def test_the_same_insurance_framework_in_another_year_is_a_common_framework() -> None:
    one = need("upper-mudford", INSURANCE + NAMES["upper-mudford"], suppliers="Umbrella Ltd", day=DAY)
    other = need("lower-mudford", INSURANCE + NAMES["lower-mudford"], suppliers="Umbrella Ltd", day=date(2021, 1, 5))
    assert decide(one, other) == PairDecision.COMMON_FRAMEWORK


def test_a_purchase_on_behalf_of_the_other_body_is_joint_only_near_in_time() -> None:
    title = "Janitorial products on behalf of Upper Mudford and Lower Mudford Borough Councils"
    one = need("upper-mudford", "Quotation for " + title, day=DAY)
    assert decide(one, need("lower-mudford", "Janitorial products", day=date(2026, 2, 1))) == PairDecision.JOINT
    assert decide(one, need("lower-mudford", "Janitorial products", day=date(2023, 2, 1))) == PairDecision.SEPARATE


def test_the_same_notice_or_the_same_supplier_day_and_value_are_joint() -> None:
    notice = {"notices": frozenset({"2026/S 000-123"})}
    assert decide(need("upper-mudford", "Tents", **notice), need("lower-mudford", "Marquees", **notice)) == "joint"
    same = {"suppliers": "Canvas & Pole Ltd", "day": DAY, "value": Decimal(5_000)}
    assert decide(need("upper-mudford", "Tents", **same), need("lower-mudford", "Marquees", **same)) == "joint"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("UM HCC Lot 4 - 2 x Compact Sweepers", "LM HCC Lot 4 - 4 x Compact Sweepers", "common-framework"),
        ("Weed Spraying Service 2024 - 2026", "Weed Spraying", "separate"),
        ("Merchant Acquiring Services", "Banking and Merchant Acquiring Services", "separate"),
        ("Quotation for the supply of 320 thin clients", "Quotation for the supply of plant transporters", "not-same"),
        ("UM Council NEPO Lot 1 - 1 x 18t Skip Wagon", "LM Council NEPO Lot 1 - 1 x 18t Gritter", "not-same"),
        ("Electoral Services, Stationery and Print", "Stationery Contract, Lower Mudford Council", "unclear"),
    ],
)  # fmt: skip
def test_titles_say_what_two_contracts_are_to_each_other(one: str, other: str, expected: str) -> None:
    capabilities = ("79810000", "30000000")
    left, right = need("upper-mudford", one), need("lower-mudford", other)
    left = Need(left.body, left.body_name, "1", one, capability=capabilities[0])
    right = Need(right.body, right.body_name, "2", other, capability=capabilities[1])
    assert decide(left, right) == expected


# --- scores -----------------------------------------------------------------------------------------------------------


def by_the_formula(texts: list[str], stop_words: set[str]) -> dict[tuple[int, int], float]:
    """Cosines of scikit-learn's TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), text by text."""
    grams = []
    for text in texts:
        tokens = [token for token in re.findall(r"\w\w+", text.lower()) if token not in stop_words]
        grams.append(Counter([*tokens, *(" ".join(pair) for pair in pairwise(tokens))]))
    frequency = Counter(gram for counted in grams for gram in counted)
    vectors = []
    for counted in grams:
        vector = {
            gram: (1 + math.log(times)) * (1 + math.log((1 + len(texts)) / (1 + frequency[gram])))
            for gram, times in counted.items()
            if frequency[gram] >= 2
        }
        length = math.sqrt(sum(weight**2 for weight in vector.values())) or 1
        vectors.append({gram: weight / length for gram, weight in vector.items()})
    return {
        (one, other): sum(weight * vectors[other].get(gram, 0) for gram, weight in vectors[one].items())
        for one in range(len(texts))
        for other in range(one + 1, len(texts))
    }


def as_needs(texts: list[str], dates: list[tuple[date | None, date | None]] | None = None) -> pa.Table:
    dates = dates or [(None, None)] * len(texts)
    return pa.table(
        {
            "need": pa.array(range(len(texts)), pa.int64()),
            "body": [f"body-{number}" for number in range(len(texts))],
            "words": texts,
            "starts": pa.array([starts for starts, _ in dates], pa.date32()),
            "ends": pa.array([ends for _, ends in dates], pa.date32()),
        }
    )


WORDS = ["weed", "spraying", "the", "mayor", "chauffeur", "waste", "vehicle", "of", "council"]


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join), min_size=2, max_size=8))
def test_no_pair_is_missed_and_every_score_is_that_of_the_formula(texts: list[str]) -> None:
    stop_words = {"the", "of"}
    expected = {pair: score for pair, score in by_the_formula(texts, stop_words).items() if score >= 0.45}
    found = find_pairs(as_needs(texts), sorted(stop_words)).to_pylist()
    scores = {(row["one"], row["other"]): row["score"] for row in found}
    assert (
        {pair for pair, score in expected.items() if score > 0.4501}
        <= scores.keys()
        <= expected.keys() | {pair for pair, score in by_the_formula(texts, stop_words).items() if score > 0.4499}
    )
    assert all(abs(score - expected.get(pair, score)) < 0.0002 for pair, score in scores.items())


def test_contracts_whose_dates_do_not_overlap_are_no_pair() -> None:
    texts = ["weed spraying", "weed spraying", "weed spraying"]
    dates = [
        (date(2020, 1, 1), date(2021, 1, 1)),
        (date(2021, 1, 1), date(2022, 1, 1)),
        (date(2021, 1, 2), None),
    ]
    found = {(row["one"], row["other"]): row["dated"] for row in find_pairs(as_needs(texts, dates), []).to_pylist()}
    assert found == {(0, 1): True, (1, 2): False}


# --- the measure ------------------------------------------------------------------------------------------------------


def contract(body: str, ref: str, title: str, value: int | None = None, **fields: Any) -> Row:
    return {
        "body": body,
        "series": f"contracts/{body}/2026-Q1",
        "version": 1,
        "source_row": 2,
        "line_id": f"{body}-{ref}",
        "contract_ref": ref,
        "title": title,
        "original_value": value,
        "start_date": date(2025, 4, 1),
        "original_end_date": date(2027, 3, 31),
        "supplier_name": f"Supplier of {body}",
        "category_code": "77312000",
    } | fields


def measure(*contracts: Row, **given: Any) -> list[Row]:
    return run_measure("duplication", years=("2025-26",), contracts=contracts, **given)


def weeds() -> list[Row]:
    return [
        contract("upper-mudford", "W1", "Weed spraying of highways", 40_000),
        contract("lower-mudford", "W2", "Weed spraying of highways 2025", 30_000),
        contract("great-puddle", "X1", "Mayoral chauffeur", 10_000),
        contract("lower-mudford", "X2", "Chauffeur for the mayoral car", 9_000),
    ]


def test_a_pair_is_a_candidate_until_someone_reviews_it_and_only_then_in_the_total() -> None:
    rows = measure(*weeds())
    row = find_row(rows, "same-need-separate", body="upper-mudford")
    assert (row["value"], row["status"]) == (1, "indicative")
    assert not [row for row in rows if row["figure"] == "reviewed-separate-value"]
    (pair,) = [row for row in rows if row["figure"] == "pairs" and row["body"] == "upper-mudford"]
    assert pair["status"] == "indicative"
    assert pair["reason"].startswith("candidate, separate: both are about")
    decided = DecisionEntry(
        DecisionKind.PAIR, pair["item"], "separate", "the same", "a reviewer", "2026-03-01T10:00:00Z", None, id="1"
    )
    rows = measure(*weeds(), reviews=[decided])
    assert find_row(rows, "reviewed-separate-value", body="upper-mudford")["value"] == 40_000
    assert find_row(rows, "reviewed-separate-value", body="lower-mudford")["value"] == 30_000
    reviewed = find_row(rows, "pairs", pair["item"], "upper-mudford")
    assert (reviewed["status"], reviewed["reason"]) == ("shown", "reviewed: separate")


def test_a_reviewed_pair_that_is_not_the_same_enters_no_total() -> None:
    one, other = (Need(body, body, item, "") for body, item in (("upper-mudford", "W1"), ("lower-mudford", "W2")))
    decided = DecisionEntry(
        DecisionKind.PAIR,
        pair_id(one, other),
        "not-same",
        "different roads",
        "a reviewer",
        "2026-03-01T10:00:00Z",
        None,
    )
    rows = measure(*weeds(), reviews=[decided])
    assert not [row for row in rows if row["figure"] == "reviewed-separate-value"]
    assert find_row(rows, "reviewed", body="upper-mudford")["value"] == 1


def test_five_bodies_that_buy_the_same_separately_are_one_finding_of_each() -> None:
    rows = measure(
        *(contract(f"council-{number}", "M", "Merchant acquiring services", 1_000 + number) for number in range(5)),
        contract("council-9", "Z", "Roof repairs", 500),
        contract("council-8", "Z", "Roof tiles", 500),
    )
    needs = [row for row in rows if row["figure"] == "bodies-with-the-need" and row["item"] == "M"]
    assert [(row["value"], row["lo"], row["hi"]) for row in needs] == [(4, 0, 4)] * 5


def effective(*amounts: int) -> Row:
    """The effective suppliers over a number of bodies, each of which buys from each supplier."""
    rows = measure(
        *(
            contract(
                f"council-{body}", f"C{number}", f"Thing {body} {number}", amount * 1_000, supplier_name=f"S{number}"
            )
            for number, amount in enumerate(amounts)
            for body in range(5)
        )
    )
    return find_row(rows, "effective-suppliers", "7731", "council-0")


@pytest.mark.parametrize(
    ("amounts", "expected"), [((50, 30, 20), "2.63"), ((100,), "1.00"), ((25, 25, 25, 25), "4.00")]
)
def test_the_effective_number_of_suppliers(amounts: tuple[int, ...], expected: str) -> None:
    assert effective(*amounts)["value"] == Decimal(expected)


def test_the_effective_number_is_withheld_for_few_bodies() -> None:
    row = find_row(measure(*weeds()), "effective-suppliers", "7731", "upper-mudford")
    assert (row["status"], row["value"]) == ("withheld", None)
    assert row["reason"] == "only 3 of 3 bodies have such contracts: 5 are needed"


# --- real pairs -------------------------------------------------------------------------------------------------------


def read(name: str) -> list[dict[str, str]]:
    with (REAL / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def as_date(cell: str) -> date | None:
    return date.fromisoformat(cell) if cell else None


@pytest.fixture(scope="module")
def notices() -> dict[str, Need]:
    return {
        row["id"]: Need(
            row["council_slug"].replace("_", "-"),
            row["organisation"],
            row["id"],
            row["title"],
            row["description_first_300"],
            row["awarded_supplier"],
            Decimal(row["awarded_value"] or 0) or None,
            as_date(row["awarded_date"]) or as_date(row["published_date"]),
            row["cpv_codes"].split(" ")[0],
        )
        for row in read("contracts_finder_lancashire_2015_2026.csv")
    }


LABELS = {
    "joint-procurement": "joint",
    "same-item-common-framework": "common-framework",
    "same-need-bought-separately": "separate",
}


@pytest.mark.real
def test_joint_and_framework_are_told_from_separate_in_labelled_pairs(notices: dict[str, Need]) -> None:
    typer = PairTyper(read_words(), {one.body_name for one in notices.values()})
    outcomes = Counter(
        typer.decide(notices[row["notice_id_a"]], notices[row["notice_id_b"]]).decided_as == LABELS[row["label"]]
        for row in read("cross_body_contract_pairs_labelled.csv")
        if row["label"] in LABELS
    )
    assert outcomes[True] >= 0.85 * outcomes.total()
    (joint,) = [row for row in read("cross_body_contract_pairs_labelled.csv") if row["label"] == "joint-procurement"]
    assert typer.decide(notices[joint["notice_id_a"]], notices[joint["notice_id_b"]]).decided_as == "joint"


@pytest.mark.real
def test_scores_are_those_of_the_labelled_pairs(notices: dict[str, Need]) -> None:
    listed = read("contracts_finder_lancashire_2015_2026.csv")  # some notices more than once, as when they were scored
    needs = [notices[row["id"]] for row in listed]
    bodies = pa.array([row["council_slug"] for row in listed])
    table = as_needs([one.text for one in needs]).set_column(1, "body", bodies)
    found = {
        frozenset((needs[row["one"]].item, needs[row["other"]].item)): row["score"]
        for row in find_pairs(table, sorted(read_words().stop_words)).to_pylist()
    }
    for row in read("cross_body_contract_pairs_labelled.csv"):
        assert found[frozenset((row["notice_id_a"], row["notice_id_b"]))] == float(row["tfidf_cosine"])


@pytest.mark.real
def test_five_councils_that_take_card_payments_are_found_to_have_one_need(notices: dict[str, Need]) -> None:
    bodies = {
        need.body: Body(f"XI-PIPEROLL-{need.body}", need.body, need.body_name, "council") for need in notices.values()
    }
    contracts = [
        contract(
            need.body, need.item, need.title, None, description=need.description, start_date=None, award_date=need.day,
            original_end_date=None, category_code=need.capability, supplier_name=need.suppliers or None,
        )
        for need in notices.values()
    ]  # fmt: skip
    rows = measure(*contracts, bodies=list(bodies.values()))
    needs = {
        row["item_label"]: row
        for row in rows
        if row["figure"] == "bodies-with-the-need" and "acquiring" in row["item_label"].lower()
    }
    assert needs["MERCHANT ACQUIRING SERVICES"]["value"] + 1 >= 5
