"""The page "Questions people ask": each question with the page that answers it, or what is missing."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from piperoll import assets, layout
from piperoll.describing.measure_site import MeasureSite
from piperoll.describing.pages.rendering import render_page
from piperoll.model import slugify

_NOT_MEASURED = "The figures of this measure. They have not been worked out from this store."


@dataclass(frozen=True, slots=True)
class Question:
    """A question: the key of the page that answers it, or what is `missing` and who would have to publish it."""

    asks: str
    answer: str
    key: str
    words: str
    query: str
    missing: str
    publisher: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, and what."""

    who: str
    questions: tuple[Question, ...]

    @property
    def id(self) -> str:
        """The name of the person in addresses."""
        return slugify(self.who)


@cache
def _read_people() -> list[dict[str, Any]]:
    text = (assets.folder("catalogue") / "questions.toml").read_text("utf-8")
    people: list[dict[str, Any]] = tomllib.loads(text)["people"]
    return people


def list_questions(site: MeasureSite) -> list[Person]:
    """Return who asks what, with the titles of the pages that answer.

    A question that a measure answers which is not published has no answer here.
    """
    return [
        Person(person["who"], tuple(_read_question(site, one) for one in person["questions"]))
        for person in _read_people()
    ]


def _read_question(site: MeasureSite, question: dict[str, Any]) -> Question:
    page, answer, missing = question.get("page", ""), question.get("answer", ""), question.get("missing", "")
    measure = page.removeprefix("measures/").removesuffix(".html") if page.startswith("measures/") else "index"
    if measure != "index" and not site.has(measure):
        answer, missing = "", missing or _NOT_MEASURED
    return Question(
        asks=question["asks"],
        answer=answer,
        key=f"{layout.CATALOGUE}{page}",
        words=_name_page(site, page),
        query=question.get("query", ""),
        missing="" if answer else missing,
        publisher=question.get("publisher", "" if answer else site.publisher_name),
    )


def _name_page(site: MeasureSite, page: str) -> str:
    """How a link to a page is called."""
    titles = {
        layout.HOME: "What is late or held",
        layout.bodies_page(1): "All public bodies",
        layout.SEARCH_PAGE: "Search",
        layout.DOWNLOAD_ALL: "Download everything",
        layout.SUPPLIERS: "Suppliers",
        layout.COMPARE: "Compare bodies",
        layout.MEASURES_PAGE: "All measures",
    }
    titles |= {layout.measure_page(measure.id): measure.definition.title for measure in site.measures}
    titles |= {layout.dataset_page(dataset.name): dataset.title for dataset in site.datasets}
    return titles.get(f"{layout.CATALOGUE}{page}", "See the page")


def render_questions(site: MeasureSite) -> tuple[str, bytes]:
    """Render the page."""
    return render_page(site, layout.QUESTIONS, "questions.html", people=list_questions(site))
