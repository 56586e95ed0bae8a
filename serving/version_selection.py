"""Which lines a query reads: consolidated years in which every line counts once, and what they leave out, and why.

Current data is read from the published consolidated files, so that the API, the pages, `piperoll get --year` and the
accounts agree. Other versions (those of an earlier day, those published or taken back since the files were made) are
consolidated for the query by the same rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from hosting.limits import ApiLimits
from hosting.problems import Problem, unknown_name
from piperoll import assets, layout
from piperoll.errors import NotThere
from piperoll.model import (
    UNDATED,
    Because,
    CountedLines,
    Dataset,
    History,
    Period,
    Series,
    Status,
    Version,
    add_pounds,
    format_decimal,
)
from publishers import list_line_files
from serving.consolidated_copies import ConsolidatedCopies, SelectedYear, StoredFile
from serving.cursors import Cursor, digest
from serving.documents import LeftOutSeries, NotAddedRows, UsedSeries
from serving.index_cache import POINTER_SECONDS, PublishedIndex
from serving.row_query import SeriesScope

TAKEN_BACK = (Status.WITHDRAWN, Status.PURGED)
"""The statuses of versions that are never served, not even for a day on which they were current."""

_REASONS = {
    Because.RECURS: "the same lines are counted in another table",
    Because.RESTATED: "a later table of the year has rows with the same keys",
    Because.OLDER_SNAPSHOT: "a later snapshot of the same year counts",
}
_NOT_YET = "published since the catalogue was built: counted when it is built again"


@dataclass(frozen=True, slots=True)
class SelectedVersion:
    """A version that a query reads, with its lines that count in the years that the query reads."""

    series: Series
    version: int
    rows: int
    amount_gbp: Decimal | None


@dataclass(frozen=True, slots=True)
class Excluded:
    """A series that a query leaves out, or some of its lines (`rows`, `amount_gbp`); the reason; who counts them."""

    series: Series
    reason: str
    because: tuple[Series, ...] = ()
    rows: int | None = None
    amount_gbp: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines of the selected years a query reads. None means all.

    `series` are the tables that it asks for. `within` is the time that it asks for; `undated` are the tables whose
    lines without a date belong to that time, and `beside` those whose lines without a date may or may not.
    """

    series: tuple[str, ...] | None = None
    within: Period | None = None
    undated: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """The consolidated years that a query reads, in order of body and year, and what it leaves out.

    `versions` identify what the years were made from. `undated_years` hold lines without a date that may belong to the
    time that the query asks for.
    """

    years: tuple[SelectedYear, ...]
    undated_years: tuple[SelectedYear, ...]
    filter: LineFilter
    versions: tuple[tuple[str, str], ...]
    until: str
    excluded: tuple[Excluded, ...]

    @property
    def digest(self) -> str:
        """Identifies what the query reads."""
        return digest([self.versions, [[one.account.body, one.account.year] for one in self.years]])

    def _takes(self, series: Series) -> bool:
        return self.filter.series is None or str(series) in self.filter.series

    @cached_property
    def used(self) -> tuple[SelectedVersion, ...]:
        """The versions that are read, in order, with what counts of them in the years that are read."""
        found: dict[tuple[Series, int], list[CountedLines]] = {}
        for year in self.years:
            for one in year.account.counted:
                if self._takes(one.series):
                    found.setdefault((one.series, one.version), []).append(one)
        return tuple(
            SelectedVersion(series, version, sum(one.rows for one in own), add_pounds(one.amount_gbp for one in own))
            for (series, version), own in sorted(found.items(), key=lambda item: _order(item[0][0]))
        )

    @cached_property
    def left_out(self) -> tuple[Excluded, ...]:
        """The series that are not read at all, and the lines of others that are counted elsewhere, in order."""
        found: dict[tuple[Series, Because], list[tuple[int, Decimal | None, Series]]] = {}
        for year in self.years:
            for one in year.account.left_out:
                if self._takes(one.series):
                    found.setdefault((one.series, one.because), []).append((one.rows, one.amount_gbp, one.counted_in))
        lines = [
            Excluded(
                series,
                _REASONS[because],
                tuple(sorted({counted_in for *_, counted_in in own})),
                sum(rows for rows, *_ in own),
                add_pounds(pounds for _, pounds, _ in own),
            )
            for (series, because), own in found.items()
        ]
        return tuple(sorted((*self.excluded, *lines), key=lambda one: _order(one.series)))

    @property
    def rows(self) -> int:
        """The lines that count of all versions together."""
        return sum(one.rows for one in self.used)

    def describe_used(self) -> list[UsedSeries]:
        """The versions that are read, as JSON."""
        return [
            {
                "series": str(one.series),
                "version": one.version,
                "rows": one.rows,
                "amount_gbp": spell_pounds(one.amount_gbp),
            }
            for one in self.used
        ]

    def describe_left_out(self) -> list[LeftOutSeries]:
        """What is left out, as JSON."""
        return [
            {
                "series": str(one.series),
                "reason": one.reason,
                "because": [str(other) for other in one.because],
                "rows": one.rows,
                "amount_gbp": spell_pounds(one.amount_gbp),
            }
            for one in self.left_out
        ]

    def describe_not_added(self) -> NotAddedRows | None:
        """The rows whose figures are in no sum, because their own periods overlap; None if there are none."""
        found = [one for year in self.years for one in year.account.not_added if self._takes(one.series)]
        if not found:
            return None
        return {
            "rows": sum(one.rows for one in found),
            "row_periods": sorted({one.row_periods for one in found}),
            "reason": "their own periods overlap",
        }


def _order(series: Series) -> tuple[str, date, date, str]:
    """The order of series, as a key: many are sorted for an answer, and comparing series takes longer."""
    return series.body, series.period.start, series.period.end, series.part or ""


def spell_pounds(amount: Decimal | None) -> str | None:
    """Pounds as JSON has them."""
    return None if amount is None else format_decimal(amount)


@dataclass(frozen=True, slots=True)
class BodyYears:
    """The consolidated years of a body, and the series that are in none of them.

    `versions` identify what the years were made from, and `until` is when the latest of these was published.
    """

    years: tuple[SelectedYear, ...]
    excluded: tuple[Excluded, ...]
    versions: tuple[tuple[str, str], ...]
    until: str


@dataclass(frozen=True, slots=True)
class _CurrentYears:
    """The current years of a body, and what must be the same for them to be current still."""

    pages: Sequence[object]
    generation: int
    checked: float
    years: BodyYears


class Selector:
    """Selects what queries read, from the index and from copies that it makes."""

    def __init__(self, index: PublishedIndex, copies: ConsolidatedCopies, limits: ApiLimits) -> None:
        self.index = index
        self._copies = copies
        self._limits = limits
        self._current: dict[tuple[str, str], _CurrentYears] = {}

    def select(self, scope: SeriesScope, cursor: Cursor | None = None) -> Selection:
        """Select what a query reads. A further page (`cursor`) reads what its first page read.

        Raises: Problem: a body has published nothing, a version that the first page read is no longer available, or
        more lines than `made_rows` have to be consolidated for the query.
        """
        if scope.bodies:
            published = sorted({body for bodies in self.index.datasets().values() for body in bodies})
            for body in scope.bodies:
                if body not in published:
                    raise unknown_name("body", body, published, see="/bodies lists them")
        try:
            return self._select(scope, cursor)
        except NotThere as error:
            self.index.forget()
            raise file_removed() from error

    def _select(self, scope: SeriesScope, cursor: Cursor | None) -> Selection:
        selection = self._select_as_of(scope, scope.as_known_on)
        if cursor is None or selection.digest == cursor.selection:
            return selection
        selection = self._select_as_of(scope, cursor.until)
        if selection.digest != cursor.selection:
            # Withdrawn or purged since; or published within the second in which the first page was read.
            raise Problem(
                410,
                "changed-meanwhile",
                "the data that the first page was read from has changed: start again without the cursor",
            )
        return selection

    def _select_as_of(self, scope: SeriesScope, instant: str | None) -> Selection:
        """Select what counted at an instant (None: now)."""
        dataset = assets.dataset(scope.dataset)
        slugs = [one for one in self.index.datasets().get(scope.dataset, ()) if not scope.bodies or one in scope.bodies]
        published = {} if scope.keep_overlapping else self.index.consolidated(scope.dataset)
        room = _Room(self._limits.made_rows, instant, scope)
        if instant is not None or scope.keep_overlapping:
            found = [self._find_years(dataset, slug, published, room) for slug in slugs]
        else:
            found = list(self.index.map(lambda slug: self._find_current(dataset, slug, published, room), slugs))
        return _narrow(scope, found)

    def _find_current(
        self, dataset: Dataset, slug: str, published: Mapping[str, Mapping[str, object]], room: _Room
    ) -> BodyYears:
        """The current years of a body; found again only if its pages of the index have changed, or after a time."""
        pages = [*self.index.body_pages(dataset.name, slug), *(bodies.get(slug) for bodies in published.values())]
        known, now = self._current.get((dataset.name, slug)), self.index.now()
        if (
            known is not None
            and known.generation == self.index.generation
            and now - known.checked < POINTER_SECONDS
            and len(pages) == len(known.pages)
            and all(one is other for one, other in zip(pages, known.pages, strict=True))
        ):
            return known.years
        generation = self.index.generation
        years = self._find_years(dataset, slug, published, room)
        self._current[dataset.name, slug] = _CurrentYears(pages, generation, now, years)
        return years

    def _find_years(
        self, dataset: Dataset, slug: str, published: Mapping[str, Mapping[str, object]], room: _Room
    ) -> BodyYears:
        """The years of a body: the published ones if they are wanted; else made; older ones if that is too much."""
        body = _BodyVersions(room.instant)
        for history in self.index.histories(self.index.entries(dataset.name, [slug])):
            body.add(history)
        years = None if room.apart else self._find_published(dataset, slug, body, published)
        excluded = list(body.excluded)
        if years is None:
            groups = [body.versions]
            if room.apart:
                groups = [{one: body.versions[one]} for one in body.versions if _asks_table(room.scope, one)]
            missing = [group for group in groups if group and self._copies.find(dataset, group) is None]
            if not room.take(sum(version.rows for group in missing for version in group.values())):
                years = self._find_older(dataset, slug, body, published) if room.instant is None else None
                if years is None:
                    raise room.problem()
                excluded += body.describe_newer(years)
            else:
                years = [year for group in groups if group for year in self._copies.make(dataset, group)]
        versions = sorted((str(series), path) for series, path in _versions_of(years))
        until = max((version.published for version in body.versions.values()), default="")
        return BodyYears(tuple(years), tuple(excluded), tuple(versions), until)

    def _find_published(
        self, dataset: Dataset, slug: str, body: _BodyVersions, published: Mapping[str, Mapping[str, object]]
    ) -> list[SelectedYear] | None:
        """The published years of a body, if they were made from the versions that are wanted."""
        years = list(self._read_years(dataset, slug, published))
        wanted = {(series, version.path) for series, version in body.versions.items()}
        return years if _versions_of(years) == wanted else None

    def _find_older(
        self, dataset: Dataset, slug: str, body: _BodyVersions, published: Mapping[str, Mapping[str, object]]
    ) -> list[SelectedYear] | None:
        """The published years of a body, if no version that they were made from has been taken back."""
        years = list(self._read_years(dataset, slug, published))
        return years if years and _versions_of(years) <= body.servable else None

    def _read_years(
        self, dataset: Dataset, slug: str, published: Mapping[str, Mapping[str, object]]
    ) -> Iterator[SelectedYear]:
        for year, bodies in published.items():
            entry = bodies.get(slug)
            if isinstance(entry, Mapping):
                lines, totals = (
                    [
                        StoredFile(
                            layout.consolidated_file(dataset.name, year, one["path"]), one["bytes"], one["sha256"]
                        )
                        for one in named
                    ]
                    for named in (list_line_files(entry, "parquet"), [entry["totals"]] if "totals" in entry else [])
                )
                account = self.index.account(dataset.name, year, entry)
                yield SelectedYear(account, tuple(lines), totals[0] if totals else None)


class _BodyVersions:
    """The versions of a body that count at an instant (None: now), and those that do not."""

    def __init__(self, instant: str | None) -> None:
        self._instant = instant
        self.versions: dict[Series, Version] = {}
        self.servable: set[tuple[Series, str]] = set()
        self.excluded: list[Excluded] = []

    def add(self, history: History) -> None:
        """Add a series."""
        version = history.as_known_on(self._instant) if self._instant else history.current_version
        series = history.series
        self.servable |= {(series, one.path) for one in history.versions if one.status not in TAKEN_BACK}
        if version is not None and version.status not in TAKEN_BACK:
            self.versions[series] = version
            return
        if version is None and history.versions and history.versions[-1].ended is not None:
            version = history.versions[-1]  # no version is current, so the last one says why
        if version is not None:
            reason = f"{version.status} on {(version.ended or '')[:10]}: {version.because}"
            self.excluded.append(Excluded(series, reason))

    def describe_newer(self, years: Sequence[SelectedYear]) -> list[Excluded]:
        """The versions that are not in these years, because they were published since."""
        known = _versions_of(years)
        return [
            Excluded(series, _NOT_YET, (), version.rows, version.amount_gbp)
            for series, version in self.versions.items()
            if (series, version.path) not in known
        ]


def _versions_of(years: Iterable[SelectedYear]) -> set[tuple[Series, str]]:
    found = {(one.series, one.path) for year in years for one in year.account.counted}
    return found | {(one.series, one.path) for year in years for one in year.account.left_out}


def file_removed() -> Problem:
    """The problem for a file that is no longer where the index says."""
    return Problem(503, "moved", "a published file was removed while the query ran: try again", retry_after=1)


class _Room:
    """How many lines may still be consolidated while a query is answered."""

    def __init__(self, rows: int, instant: str | None, scope: SeriesScope) -> None:
        self._rows = rows
        self.instant = instant
        self.scope = scope
        self.apart = scope.keep_overlapping

    def take(self, rows: int) -> bool:
        """Reserve `rows` lines; False if fewer than that are left."""
        if rows > self._rows:
            return False
        self._rows -= rows
        return True

    def problem(self) -> Problem:
        """The problem for a query that takes more."""
        if self.instant is None and not self.apart:
            return Problem(503, "catalogue-behind", "the catalogue is being built: try again later", retry_after=60)
        return Problem(
            400, "too-much", "the query reads too many lines of other versions: name bodies, such as body=anytown"
        )


def _narrow(scope: SeriesScope, bodies: Sequence[BodyYears]) -> Selection:
    """Keep the years that have lines of the tables and the time that a query asks for."""
    years = [year for body in bodies for year in body.years]
    asks_all = not (scope.periods or scope.parts or scope.within or scope.years)
    tables = {} if asks_all else {one.series: str(one.series) for year in years for one in year.account.counted}
    asked = [one for one in sorted(tables, key=lambda one: tables[one]) if _asks_table(scope, one)]
    within = scope.within
    line_filter = LineFilter(
        series=None if len(asked) == len(tables) else tuple(map(str, asked)),
        within=within,
        undated=tuple(str(one) for one in asked if within is not None and _contains(within, one.period)),
        beside=tuple(
            str(one)
            for one in asked
            if any(period.overlaps(one.period) for period in _periods(scope))
            and not any(_contains(period, one.period) for period in _periods(scope))
        ),
    )
    named = set(asked)
    having = [
        year for year in years if any(one.rows and (asks_all or one.series in named) for one in year.account.counted)
    ]
    read = [year for year in having if _asks_year(scope, year, line_filter)]
    beside = [
        year
        for year in having
        if year.account.year == UNDATED
        and year not in read
        and any(str(one.series) in line_filter.beside for one in year.account.counted)
    ]
    excluded = [one for body in bodies for one in body.excluded]
    return Selection(
        tuple(read),
        tuple(beside),
        line_filter,
        tuple(version for body in bodies for version in body.versions),
        max((body.until for body in bodies), default=""),
        tuple(one for one in excluded if _asks_table(scope, one.series) and _asks_time(scope, one.series.period)),
    )


def _asks_table(scope: SeriesScope, series: Series) -> bool:
    in_period = not scope.periods or series.period in scope.periods
    return in_period and (not scope.parts or (series.part or "none") in scope.parts)


def _periods(scope: SeriesScope) -> list[Period]:
    return [*scope.years, *([] if scope.within is None else [scope.within])]


def _asks_time(scope: SeriesScope, period: Period) -> bool:
    in_years = not scope.years or any(year.overlaps(period) for year in scope.years)
    return in_years and (scope.within is None or scope.within.overlaps(period))


def _asks_year(scope: SeriesScope, year: SelectedYear, line_filter: LineFilter) -> bool:
    name = year.account.year
    if name == UNDATED:
        tables = {str(one.series) for one in year.account.counted}
        return not scope.years and (scope.within is None or not tables.isdisjoint(line_filter.undated))
    period = Period.parse(name)
    in_years = not scope.years or period in scope.years
    return in_years and (scope.within is None or scope.within.overlaps(period))


def _contains(period: Period, other: Period) -> bool:
    return period.start <= other.start and other.end <= period.end
