"""Collectors: from the world in."""

from collectors.arrival import Arrival
from collectors.folder import LeftOut, Survey, arrivals, survey
from collectors.sources import Source, read_sources
from collectors.web import Answer, Limits, ask, links

__all__ = [
    "Answer",
    "Arrival",
    "LeftOut",
    "Limits",
    "Source",
    "Survey",
    "arrivals",
    "ask",
    "links",
    "read_sources",
    "survey",
]
