"""Read `sources.toml`, which lists the web addresses of each body's files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from piperoll.assets import find_dataset
from piperoll.errors import SourcesError, UnknownDataset
from piperoll.model import MONTHS, Period

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_MONTHLY = ("mm", "m", "Month", "month", "Mon", "mon")
_PLACEHOLDERS = ("yyyy", "yy", "q", *_MONTHLY)
_TEXTS = ("body", "dataset", "part", "url", "page", "links", "licence")
_NUMBERS = ("look_back", "at_most", "timeout_seconds", "max_download_bytes")


@dataclass(frozen=True, slots=True)
class WebSource:
    """Where to fetch a body's files of one dataset (and part): an address, or the matching links of a page.

    `url` may contain the period: `{yyyy}` 2026, `{yy}` 26, `{mm}` 04, `{m}` 4, `{Month}` April, `{month}` april,
    `{Mon}` Apr, `{mon}` apr, `{q}` 2 (the calendar quarter); then the last `look_back` complete periods are fetched.
    `links` is a regular expression, searched in the address and the text of each link of `page`; at most `at_most`
    links may match. `timeout_seconds` and `max_download_bytes` override the settings.
    """

    body: str
    dataset: str
    part: str | None = None
    url: str | None = None
    page: str | None = None
    links: str | None = None
    licence: str | None = None
    look_back: int = 3
    at_most: int = 100
    timeout_seconds: int | None = None
    max_download_bytes: int | None = None

    @property
    def name(self) -> str:
        """A description, as in "spend (card) of anytown from https://…"."""
        part = f" ({self.part})" if self.part else ""
        return f"{self.dataset}{part} of {self.body} from {self.url or self.page}"

    def addresses(self, today: date, period: Period | None = None) -> Iterator[tuple[str, str | None]]:
        """The addresses to fetch, each with the period that it covers, if known; earliest first.

        An address without placeholders is fetched once. Otherwise there is one address for each month or quarter of
        `period`, or without it, for the last `look_back` ones that were complete before `today`.
        """
        address = self.url or ""
        words = _PLACEHOLDER.findall(address)
        if not words:
            yield address, str(period) if period else None
            return
        for time in _periods(words, today, period, self.look_back):
            yield _filled(address, time), str(time)


def read_sources(path: Path) -> tuple[WebSource, ...]:
    """Read the `[[source]]` tables of a file, in order.

    Raises: SourcesError: the file cannot be read, or a table is wrong; the message says which and why.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SourcesError(f"the file {path} does not exist: docs/operating.md says what to write in it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourcesError(f"{path.name} is not valid TOML: {error}") from error
    tables = document.pop("source", None)
    if document or not isinstance(tables, list) or not tables:
        unknown = f" Unknown: {', '.join(sorted(document))}." if document else ""
        raise SourcesError(f"{path.name}: write one or more [[source]] tables and nothing else.{unknown}")
    return tuple(_source(f"{path.name}, source {number}", table) for number, table in enumerate(tables, 1))


def _source(where: str, table: Mapping[str, Any]) -> WebSource:
    known = [field.name for field in fields(WebSource)]
    if unknown := sorted(set(table) - set(known)):
        raise SourcesError(f"{where}: '{unknown[0]}' is not a known key: use {', '.join(known)}")
    for key, value in table.items():
        if key in _TEXTS and not (isinstance(value, str) and value.strip()):
            raise SourcesError(f"{where}: {key} is {value!r}: write text in quotes")
        if key in _NUMBERS and not (type(value) is int and value >= 1):
            raise SourcesError(f"{where}: {key} is {value!r}: write a whole number, 1 or more")
    if missing := [key for key in ("body", "dataset") if key not in table]:
        raise SourcesError(f"{where}: {missing[0]} is missing: every source needs a body and a dataset")
    source = WebSource(**table)
    _refuse_contradictions(where, source)
    return source


def _refuse_contradictions(where: str, source: WebSource) -> None:
    if (source.url is None) == (source.page is None):
        raise SourcesError(f"{where}: give either url, or page and links")
    if (source.page is None) != (source.links is None):
        raise SourcesError(f"{where}: page and links are needed together: links says which links of the page to fetch")
    _refuse_address(where, source.url or source.page or "")
    try:
        dataset, part = find_dataset(source.dataset)
        re.compile(source.links or "")
    except UnknownDataset as error:
        raise SourcesError(f"{where}: {error}") from error
    except re.error as error:
        raise SourcesError(f"{where}: links is not a regular expression: {error}") from error
    parts = [known.name for known in dataset.parts]
    if source.part is not None and (part or source.part not in parts):
        raise SourcesError(
            f"{where}: '{source.part}' is not a part of {source.dataset}, which has {', '.join(parts) or 'none'}"
        )


def _refuse_address(where: str, address: str) -> None:
    split = urlsplit(address)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise SourcesError(f"{where}: '{address}' is not a web address: it must begin with https:// or http://")
    if split.username or split.password:
        raise SourcesError(f"{where}: an address must not contain a password")
    words = _PLACEHOLDER.findall(address)
    if unknown := [word for word in words if word not in _PLACEHOLDERS]:
        raise SourcesError(f"{where}: {{{unknown[0]}}} is not a placeholder: use {_forms()}")
    if words and not ({"yyyy", "yy"} & {*words} and {"q", *_MONTHLY} & {*words}):
        raise SourcesError(
            f"{where}: an address with placeholders needs the year, and the month or quarter: {_forms()}"
        )


def _forms() -> str:
    return ", ".join(f"{{{word}}}" for word in _PLACEHOLDERS)


def _periods(words: list[str], today: date, period: Period | None, look_back: int) -> list[Period]:
    """The months or quarters of `period`, or the last `look_back` complete ones; earliest first."""
    quarterly = "q" in words and not {*_MONTHLY} & {*words}

    def period_of(day: date) -> Period:
        if quarterly:
            return Period.quarter(day.year, (day.month + 2) // 3)
        return Period.month(day.year, day.month)

    if period is not None:
        return sorted({period_of(month.start) for month in period.months()})
    found: list[Period] = []
    current = period_of(today)
    while len(found) < look_back:
        current = period_of(current.start - timedelta(days=1))
        found.append(current)
    return found[::-1]


def _filled(address: str, period: Period) -> str:
    year, month = period.start.year, period.start.month
    name = MONTHS[month - 1]
    words = {
        "yyyy": f"{year:04}",
        "yy": f"{year % 100:02}",
        "q": str((month + 2) // 3),
        "mm": f"{month:02}",
        "m": str(month),
        "Month": name,
        "month": name.lower(),
        "Mon": name[:3],
        "mon": name[:3].lower(),
    }
    return _PLACEHOLDER.sub(lambda match: words[match[1]], address)
