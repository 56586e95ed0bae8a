"""Releases as text: the catalogue's pages, DCAT and feeds, reports in plain words, and the duty calendar. No I/O."""

from piperoll.describing.comparing import compares, of_year, of_years
from piperoll.describing.facts import Came, SeriesFacts, Told, came_from_json, came_to_json, facts_of
from piperoll.describing.feeds import Feed, Item, items_of
from piperoll.describing.figures import change, counted, day, number, pounds, size
from piperoll.describing.holdings import Holdings, first_starts, gather
from piperoll.describing.json_feed import items_in
from piperoll.describing.lines import BodyLine, line_of
from piperoll.describing.overview import Overview
from piperoll.describing.pages import report_page
from piperoll.describing.paging import Log, Pages, amended, logged
from piperoll.describing.posts import posts_in
from piperoll.describing.restating import difference_words
from piperoll.describing.site import (
    body_of,
    contributions,
    digest,
    earliest,
    feeds_of_all,
    in_feed,
    made_by,
    of_all,
    of_body,
    of_feed,
    of_group,
    of_series,
    of_submission,
    overview,
    places_of,
    places_of_group,
    surroundings,
)
from piperoll.describing.summaries import FORM, summarise
from piperoll.describing.whole import catalogue
from piperoll.describing.wording import Matter, PlainWords, held_back, plain_words, verdict_sentence, where
from piperoll.describing.world import World
from piperoll.duties.calendar import Duty, DutyState, due, next_due

__all__ = [
    "FORM",
    "BodyLine",
    "Came",
    "Duty",
    "DutyState",
    "Feed",
    "Holdings",
    "Item",
    "Log",
    "Matter",
    "Overview",
    "Pages",
    "PlainWords",
    "SeriesFacts",
    "Told",
    "World",
    "amended",
    "body_of",
    "came_from_json",
    "came_to_json",
    "catalogue",
    "change",
    "compares",
    "contributions",
    "counted",
    "day",
    "difference_words",
    "digest",
    "due",
    "earliest",
    "facts_of",
    "feeds_of_all",
    "first_starts",
    "gather",
    "held_back",
    "in_feed",
    "items_in",
    "items_of",
    "line_of",
    "logged",
    "made_by",
    "next_due",
    "number",
    "of_all",
    "of_body",
    "of_feed",
    "of_group",
    "of_series",
    "of_submission",
    "of_year",
    "of_years",
    "overview",
    "places_of",
    "places_of_group",
    "plain_words",
    "posts_in",
    "pounds",
    "report_page",
    "size",
    "summarise",
    "surroundings",
    "verdict_sentence",
    "where",
]
