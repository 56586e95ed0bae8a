"""Shapes of organisations: shares of levels with bounds, words only where they are certain, and who reports to whom."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.measuring.statistics import Shape, bounds_of_rounded, shape_of, share_bounds
from piperoll.model import slugify
from tests.measuring.measured import find_row, run_measure

Row = dict[str, Any]
BODY, YEAR = "office-for-umbrellas", "2026-27"
TRUTH = Path(os.environ.get("MEASUREDATA", Path(__file__).parents[3] / "shared" / "measuredata")) / "org-shapes"
ORDER = ("AO", "EO", "HEO", "Grade 7", "SCS1")


def counts(total: int | None = None, **grades: int | None) -> list[Row]:
    """Numbers rounded to 10, by grade; None is suppressed."""
    rows = [{"grade": name, "posts": number} for name, number in grades.items()]
    rows += [] if total is None else [{"grade": "total", "posts": total}]
    return [
        {"body": BODY, "year": YEAR, "rounded_to": "10"}
        | {"grade": row["grade"], "posts": None if row["posts"] is None else str(row["posts"])}
        for row in rows
    ]


def post(grade: str, number: str = "", manager: str = "", fte: str = "1", **more: object) -> Row:
    return {"body": BODY, "grade": grade, "post_id": number, "reports_to": manager, "fte": fte, **more}


def measure(
    roles: list[Row] | None = None, grade_counts: list[Row] | None = None, kind: str = "department"
) -> list[Row]:
    outside = {} if grade_counts is None else {"grade_counts": grade_counts}
    return run_measure("organisation-shape", bodies={BODY: kind}, roles=roles or [], outside=outside)


def ends(row: Row) -> tuple[float, float]:
    return round(float(row["lo"]), 4), round(float(row["hi"]), 4)


def test_rounded_and_suppressed_numbers_have_bounds_that_prove_a_pyramid() -> None:
    rows = measure(grade_counts=counts(EO=100, HEO=50, SCS=None))
    assert ends(find_row(rows, "share", "level-2")) == (0.6169, 0.6954)
    assert find_row(rows, "shape")["item_label"] == "pyramid"
    assert find_row(rows, "share", "level-5")["reason"].startswith("fewer than 5 posts")


def test_a_level_with_fewer_than_5_posts_is_counted_with_the_next_level_down() -> None:
    rows = measure([post("EO", fte="40"), post("Grade 7", fte="20"), post("SCS1", fte="4")])
    assert find_row(rows, "share", "level-4")["value"] == Decimal("0.375000")
    assert find_row(rows, "share", "level-5")["value"] is None
    lowest = measure([post("AO", fte="3"), post("HEO", fte="40")])
    assert find_row(lowest, "share", "level-3")["value"] == Decimal("1.000000")
    assert find_row(lowest, "share", "level-1")["reason"].endswith("up")


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ((500, 300, 100), "pyramid"),
        ((100, 300, 500), "inverted"),
        ((100, 500, 200), "diamond"),
        ((300, 100, 200), "no clear shape"),
        ((100, 100, 50), "no clear shape"),
    ],
)
def test_a_word_is_used_only_where_the_bounds_prove_it(numbers: tuple[int, int, int], word: str) -> None:
    rows = measure(grade_counts=counts(EO=numbers[0], HEO=numbers[1], SCS=numbers[2]))
    assert find_row(rows, "shape")["item_label"] == word


@pytest.mark.parametrize(
    ("grade", "level"),
    [
        ("SCS1A", 5),
        ("Senior Civil Service", 5),
        ("Grade 6 or Grade 7", 4),
        ("G7", 4),
        ("Grade 7 - Scientific", 4),
        ("HEO - Administration", 3),
        ("Senior or Higher Executive Officer", 3),
        ("Higher Executive Officer London", 3),
        ("Fast Stream", 3),
        ("EO (London)", 2),
        ("Executive Officer", 2),
        ("AO", 1),
        ("Administrative Assistant or Administrative Officer", 1),
    ],
)
def test_grades_of_the_civil_service_are_brought_to_five_levels(grade: str, level: int) -> None:
    rows = measure([post(grade, fte="40")])
    assert find_row(rows, "share", f"level-{level}")["value"] == Decimal("1.000000")


@pytest.mark.parametrize("grade", ["Band C (National)", "SO2", "PO4", "an unreported grade", "Grade 10", ""])
def test_grades_of_a_bodys_own_are_not_reported_and_withhold_the_shape(grade: str) -> None:
    rows = measure([post("EO", fte="40"), post(grade, fte="20")])
    assert find_row(rows, "not-reported")["value"] == Decimal("0.333333")
    shape = find_row(rows, "shape")
    assert (shape["status"], "33.3% of posts" in shape["reason"]) == ("withheld", True)


def test_grade_7_of_a_council_is_not_grade_7_of_the_civil_service() -> None:
    rows = measure([post("Grade 7", fte="40")], kind="council")
    assert find_row(rows, "not-reported")["value"] == Decimal("1.000000")
    assert not [row for row in rows if row["figure"] == "share"]


def test_posts_that_are_not_reported_widen_the_bounds_of_every_level() -> None:
    known = find_row(measure([post("EO", fte="60"), post("HEO", fte="40")]), "share", "level-2")
    less = find_row(measure([post("EO", fte="60"), post("HEO", fte="40"), post("?", fte="5")]), "share", "level-2")
    assert ends(known) == (0.6, 0.6)
    assert ends(less) == (0.5714, 0.619)


def test_fewer_than_30_posts_have_no_shape() -> None:
    assert "fewer than 30" in find_row(measure([post("EO", fte="29")]), "shape")["reason"]


def test_grades_that_do_not_add_up_to_the_published_total_are_withheld() -> None:
    assert find_row(measure(grade_counts=counts(total=160, EO=100, HEO=50)), "shape")["status"] != "withheld"
    row = find_row(measure(grade_counts=counts(total=300, EO=100, HEO=50)), "shape")
    assert "the published total is 300" in row["reason"]


def test_managers_spans_and_layers_come_from_who_reports_to_whom() -> None:
    roles = [
        post("SCS2", "1", "XX"),
        post("SCS1", "2", "1"),
        post("SCS1", "3", "1"),
        post("EO", manager="2", fte="30"),
        post("AO", manager="3", fte="10"),
        post("AO", "9", "3", vacancy="Yes"),
    ]
    rows = measure(roles)
    assert find_row(rows, "posts-per-manager")["value"] == Decimal("14.333333")  # 43 posts, 3 managers
    assert find_row(rows, "span")["value"] == Decimal("10.000000")
    assert find_row(rows, "depth")["value"] == Decimal("3.00")  # the grouped posts are a layer


def test_posts_that_report_in_a_circle_or_to_nobody_known_withhold_spans() -> None:
    loop = [post("EO", "1", "2", fte="20"), post("EO", "2", "1", fte="20")]
    assert find_row(measure(loop), "posts-per-manager")["value"] == Decimal("20.000000")
    assert find_row(measure(loop), "depth")["value"] is None
    unknown = [post("SCS1", "1", "XX"), post("EO", "2", "1"), post("EO", "3", "77", fte="40")]
    row = find_row(measure(unknown), "span")
    assert (row["status"], "at least 90% is needed" in row["reason"]) == ("withheld", True)
    assert "no post says" in find_row(measure([post("EO", fte="40")]), "span")["reason"]


NUMBERS = st.lists(st.integers(0, 40), min_size=5, max_size=5)


@settings(max_examples=20)
@given(NUMBERS, st.integers(0, 10), st.randoms(use_true_random=False))
def test_bounds_contain_the_share_in_whatever_order_the_posts_come(
    numbers: list[int], unknown: int, random: Any
) -> None:
    roles = [post(grade, fte=str(number)) for grade, number in zip(ORDER, numbers, strict=True) if number]
    roles += [post("?", fte=str(unknown))] if unknown else []
    rows = measure(roles)
    random.shuffle(roles)
    assert measure(roles) == rows
    shares = [row for row in rows if row["figure"] == "share" and row["value"] is not None]
    assert all(row["lo"] <= row["value"] <= row["hi"] for row in shares)
    assert not shares or abs(sum(row["value"] for row in shares) - 1) < Decimal("0.00001")


GRADES = (
    "Administrative Assistant or Administrative Officer",
    "Executive Officer",
    "Senior or Higher Executive Officer",
    "Grade 6 or Grade 7",
    "Senior Civil Service",
)


def published() -> dict[str, dict[str, int | None]]:
    """Posts by organisation and grade of Civil Service Statistics; None is suppressed."""
    found: dict[str, dict[str, int | None]] = defaultdict(dict)
    with (TRUTH / "css_2022_org_by_grade_profession_function.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if (row["breakdown"], row["measure"]) == ("grade", "fte"):
                name = slugify(f"{row['department']} {row['organisation']}")
                found[name][row["category"] or "total"] = None if row["value"] == "[c]" else int(row["value"])
    return found


@pytest.mark.real
def test_civil_service_statistics_give_the_shapes_that_their_rounded_numbers_prove() -> None:
    bodies = published()
    given_rows = [
        {
            "body": body,
            "year": "2021-22",
            "grade": grade,
            "posts": None if number is None else str(number),
            "rounded_to": "10",
        }
        for body, grades in bodies.items()
        for grade, number in grades.items()
    ]
    rows = run_measure(
        "organisation-shape",
        years=("2021-22",),
        bodies=dict.fromkeys(bodies, "department"),
        outside={"grade_counts": given_rows},
    )
    shapes = {row["body"]: row for row in rows if row["figure"] == "shape"}
    assert shapes.keys() == bodies.keys()
    words = {Shape.PYRAMID, Shape.DIAMOND, Shape.INVERTED}
    shown = {body for body, row in shapes.items() if row["status"] != "withheld"}
    assert len(shown) > len(bodies) / 2
    for body in shown:
        grades = [
            number for name, number in reversed(bodies[body].items()) if name not in ("total", "an unreported grade")
        ]
        proved = shape_of(share_bounds([bounds_of_rounded(number) for number in grades]))
        assert shapes[body]["item_label"] in ({proved, Shape.UNCLEAR} if proved in words else {Shape.UNCLEAR})
    for body in bodies.keys() - shown:
        assert shapes[body]["reason"]
