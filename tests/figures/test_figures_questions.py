"""Every page that the questions name is in the published sample, and every measure that they name is one of ours."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from piperoll import assets


def questions() -> list[dict[str, Any]]:
    people = tomllib.loads((assets.folder("catalogue") / "questions.toml").read_text("utf-8"))["people"]
    assert len(people) == 11
    return [question for person in people for question in person["questions"]]


def test_every_page_that_answers_is_published(store: Path) -> None:
    published = {path.parents[1].name for path in (store / "data" / "measures").glob("*/*/versions.json")}
    pages = sorted({question["page"] for question in questions() if "page" in question})
    for page in pages:
        folder, _, name = page.partition("/")
        if folder == "measures" and name != "index.html":
            measure = name.removesuffix(".html")
            assert (assets.folder("measures") / measure / "measure.toml").exists(), page
            assert (store / "catalogue" / page).exists() == (measure in published), page
        else:
            assert (store / "catalogue" / page).exists(), page


def test_every_question_has_an_answer_or_says_what_is_missing_and_who_must_publish_it() -> None:
    for question in questions():
        has_answer = {"answer", "page"} <= question.keys()
        says_what_is_missing = {"missing", "publisher"} <= question.keys()
        assert has_answer or says_what_is_missing, question["asks"]
        assert not ({"answer", "page"} & question.keys()) or has_answer, question["asks"]
