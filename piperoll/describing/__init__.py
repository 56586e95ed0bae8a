"""Releases as text: the catalogue's pages, DCAT and feeds, reports in plain words, and the duty calendar. No I/O."""

from piperoll.describing.duties import Duty, DutyState, due, next_due
from piperoll.describing.figures import change, counted, day, number, pounds, size
from piperoll.describing.pages import report_page
from piperoll.describing.restating import difference_words
from piperoll.describing.site import catalogue
from piperoll.describing.wording import Matter, PlainWords, held_back, plain_words, verdict_sentence, where

__all__ = [
    "Duty",
    "DutyState",
    "Matter",
    "PlainWords",
    "catalogue",
    "change",
    "counted",
    "day",
    "difference_words",
    "due",
    "held_back",
    "next_due",
    "number",
    "plain_words",
    "pounds",
    "report_page",
    "size",
    "verdict_sentence",
    "where",
]
