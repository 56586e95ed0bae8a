"""What pages are rendered from: the settings of the catalogue, and everything known about one body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from piperoll.describing.series_facts import SeriesFacts
from piperoll.describing.year_figures import BodyYears
from piperoll.duties import Duty, ReceivedFiles, ReportOutcome, judge_followed_duties
from piperoll.errors import UnknownDataset
from piperoll.model import Body, Dataset, Period, Register, Series, Statement, Submission


@dataclass(frozen=True)
class CatalogueContext:
    """What all pages share: the datasets, the address of the store, the publisher's name and the day.

    `base_url` ends in a slash, and so does `api_url`, where the API is served; it is empty if there is none. Returns
    are expected from the bodies in `expected`; those in `known` are recognised when they send something. `statements`
    are what bodies said of returns that they do not send, by slug.
    """

    datasets: tuple[Dataset, ...]
    base_url: str
    publisher_name: str
    on: date
    expected: Register
    known: Register
    api_url: str = ""
    statements: Mapping[str, Sequence[Statement]] = field(default_factory=dict, compare=False)
    _datasets: Mapping[str, Dataset] = field(init=False, repr=False, compare=False)
    _expected: Mapping[str, Body] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.datasets, key=lambda one: one.name))
        object.__setattr__(self, "datasets", ordered)
        object.__setattr__(self, "_datasets", {dataset.name: dataset for dataset in ordered})
        object.__setattr__(self, "_expected", {body.slug: body for body in self.expected})

    def dataset(self, name: str) -> Dataset:
        """Return the dataset called `name`. Raises: UnknownDataset: no dataset has this name."""
        if name not in self._datasets:
            raise UnknownDataset(f"there is no dataset '{name}': the datasets are {', '.join(sorted(self._datasets))}")
        return self._datasets[name]

    def body(self, slug: str, *, sent: bool, sender: Mapping[str, str] | None) -> Body:
        """Return the body of a slug, as its register names it.

        The register of expected bodies comes first; then, if the body has `sent` a file, that of known bodies; then
        `sender`, the body as a release of its own names it. A body in none of them is provisional.
        """
        known = self._expected.get(slug) or self.known.find(slug)
        if slug in self._expected or (sent and not known.provisional):
            return known
        if sender is None:
            return Body.provisional_for(slug)
        return Body(id=sender["id"], slug=sender["slug"], name=sender["name"], kind=sender["kind"])


@dataclass(frozen=True)
class InContext:
    """Base of what templates are given: the context, and shortcuts to its parts."""

    context: CatalogueContext

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Every dataset, by name."""
        return self.context.datasets

    @property
    def on(self) -> date:
        """The day that the catalogue describes."""
        return self.context.on

    @property
    def base_url(self) -> str:
        """The address that the store is served under, ending in a slash."""
        return self.context.base_url

    @property
    def api_url(self) -> str:
        """The address of the API, ending in a slash; empty if there is none."""
        return self.context.api_url

    @property
    def publisher_name(self) -> str:
        """The name that signs the catalogue."""
        return self.context.publisher_name

    def dataset(self, name: str) -> Dataset:
        """Return the dataset called `name`. Raises: UnknownDataset: no dataset has this name."""
        return self.context.dataset(name)


@dataclass(frozen=True)
class Holdings(InContext):
    """Everything known about one body: what it published, what it sent, and what it must publish.

    `series` are sorted by dataset, then newest first. `submissions` are newest first, each file once. `duties` are
    latest first. `years` are its consolidated years. Nothing here depends on other bodies, except that duties begin
    with the first period that arrived from any body (`find_first_starts`).
    """

    body: Body
    series: tuple[SeriesFacts, ...]
    submissions: ReceivedFiles
    duties: tuple[Duty, ...]
    years: BodyYears = field(default_factory=dict)

    def series_of(self, dataset: str) -> tuple[SeriesFacts, ...]:
        """Return the body's series of a dataset, newest first."""
        return tuple(facts for facts in self.series if facts.series.dataset == dataset)

    def current_series_of(self, dataset: str) -> tuple[SeriesFacts, ...]:
        """Return the body's series of a dataset that have a current version, newest first."""
        return tuple(facts for facts in self.series_of(dataset) if facts.manifest is not None)

    def overlapping(self, series: Series) -> tuple[SeriesFacts, ...]:
        """Return the other series of the same dataset that share a day with this one."""
        return tuple(
            other
            for other in self.series_of(series.dataset)
            if other.series != series and other.series.period.overlaps(series.period)
        )


def collect_holdings(
    context: CatalogueContext,
    body: Body,
    facts: Iterable[SeriesFacts],
    submissions: ReceivedFiles,
    first_starts: Mapping[str, date],
) -> Holdings:
    """Sort everything known about a body and judge its duties.

    `first_starts` are those of all bodies together, so that no body is shown as late for a time when the platform was
    not collecting; a dataset that is not among them has no duties.
    """
    stated = context.statements.get(body.slug, ())
    duties = judge_followed_duties(context.datasets, [body], submissions, context.on, first_starts, stated)
    # newest first, and only the last of those with the same dataset and bytes
    latest: dict[tuple[str, str], tuple[Submission, ReportOutcome | None]] = {}
    for submission, outcome in sorted(submissions, key=lambda pair: (pair[0].received, pair[0].sha256), reverse=True):
        latest.setdefault((submission.dataset, submission.sha256), (submission, outcome))
    return Holdings(
        context=context,
        body=body,
        series=tuple(
            sorted(facts, key=lambda one: (one.series.dataset, newest_first(one.series.period), one.series.part or ""))
        ),
        submissions=tuple(latest.values()),
        duties=tuple(reversed(duties)),
    )


def identify_body(context: CatalogueContext, slug: str, facts: Iterable[SeriesFacts], *, sent: bool) -> Body:
    """Return the body of a slug; `facts` are those of its series, whose releases name it. See CatalogueContext.body."""
    return context.body(slug, sent=sent, sender=next((one.sender for one in facts if one.sender), None))


def newest_first(period: Period) -> tuple[int, int]:
    """Sort key: the period that ends last comes first, and of those that end together the shortest."""
    return (-period.end.toordinal(), -period.start.toordinal())
