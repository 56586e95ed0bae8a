"""What the catalogue keeps of one body, and making anew what of it has changed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from piperoll import assets, describing, layout
from piperoll.describing import CatalogueContext, Holdings, SeriesFacts
from piperoll.duties import ReceivedFiles, ReportOutcome
from piperoll.model import Body, Listing, Series, Submission
from piperoll.operations.catalogue.build_plan import Hashes, Making
from piperoll.operations.steps import Run
from publishers import Ledger, hash_of, list_series, list_submissions, read_listing, read_submission

File: TypeAlias = tuple[str, str]
"""The dataset and sha256 of a file as received."""


@dataclass(frozen=True)
class KeptSeries:
    """A series: its facts, what its pages depend on besides (`surroundings`), and its pages."""

    facts: SeriesFacts
    around: str
    pages: Hashes


@dataclass(frozen=True)
class KeptFile:
    """A file as received, what its report comes to, and its page, if it has one."""

    submission: Submission
    told: ReportOutcome | None
    pages: Hashes


@dataclass(frozen=True)
class Shelves:
    """All that is kept of a body."""

    series: Mapping[Series, KeptSeries] = field(default_factory=dict)
    files: Mapping[File, KeptFile] = field(default_factory=dict)

    @property
    def facts(self) -> list[SeriesFacts]:
        """The facts of every series."""
        return [kept.facts for kept in self.series.values()]

    @property
    def came(self) -> ReceivedFiles:
        """Every file that came."""
        return [(kept.submission, kept.told) for kept in self.files.values()]

    @property
    def datasets(self) -> list[str]:
        """The datasets that there is anything of."""
        return sorted({series.dataset for series in self.series} | {dataset for dataset, _ in self.files})

    @property
    def hashes(self) -> Hashes:
        """What all pages held when they were written."""
        pages = [*(one.pages for one in self.series.values()), *(one.pages for one in self.files.values())]
        return {key: held for hashes in pages for key, held in hashes.items()}

    @property
    def sender(self) -> Mapping[str, str] | None:
        """The body as its releases name it."""
        return next((facts.sender for facts in self.facts if facts.sender), None)

    def body(self, world: CatalogueContext, slug: str) -> Body:
        """The body, as a register or its own releases name it."""
        return describing.identify_body(world, slug, self.facts, sent=bool(self.files))


@dataclass(frozen=True)
class Dirty:
    """What of a body is to be looked at again: series and files."""

    series: frozenset[Series]
    files: frozenset[File]


def load(ledger: Ledger, slug: str, datasets: Iterable[str]) -> Shelves:
    """What is kept of a body."""
    series: dict[Series, KeptSeries] = {}
    files: dict[File, KeptFile] = {}
    for dataset in datasets:
        document = ledger.read(f"shelves/{dataset}/{slug}") or {"series": [], "files": []}
        for one in document["series"]:
            facts = SeriesFacts.from_json(one["facts"])
            series[facts.series] = KeptSeries(facts, one["around"], one["pages"])
        for one in document["files"]:
            submission, told = describing.received_from_json(one["came"])
            files[dataset, submission.sha256] = KeptFile(submission, told, one["pages"])
    return Shelves(series, files)


def save(ledger: Ledger, slug: str, shelves: Shelves, before: Iterable[str]) -> None:
    """Keep what is known of a body; `before` are the datasets of which something was kept."""
    for dataset in shelves.datasets:
        series = [
            {"facts": kept.facts.to_json(), "around": kept.around, "pages": kept.pages}
            for one, kept in sorted(shelves.series.items())
            if one.dataset == dataset
        ]
        files = [
            {"came": describing.received_to_json(kept.submission, kept.told), "pages": kept.pages}
            for (of, _), kept in sorted(shelves.files.items())
            if of == dataset
        ]
        ledger.write(f"shelves/{dataset}/{slug}", {"series": series, "files": files})
    for dataset in set(before) - set(shelves.datasets):
        ledger.drop(f"shelves/{dataset}/{slug}")


def loaded(making: Making, slug: str) -> Shelves:
    """What is kept of a body."""
    member = making.members.get(slug)
    return Shelves() if member is None else load(making.ledger, slug, member.datasets)


def renewed(making: Making, slug: str) -> Shelves:
    """What is kept of a body, once what changed of it has been read again and its pages are made and written."""
    before = loaded(making, slug)
    if slug in making.anew:
        recorded = {} if making.doubts(slug) else before.hashes
        after = _renewed(making, slug, Shelves(), _everything(making, slug), recorded)
    else:
        after = _renewed(making, slug, before, _marked(making, slug), before.hashes)
    if not making.whole:
        making.ledger.remove(before.hashes.keys() - after.hashes.keys())
    save(making.ledger, slug, after, before.datasets)
    return after


def _marked(making: Making, slug: str) -> Dirty:
    """What is marked of a body."""
    series = (one for one in making.marks.series if one.body == slug)
    files = ((dataset, sha256) for dataset, body, sha256 in making.marks.files if body == slug)
    return Dirty(frozenset(series), frozenset(files))


def _everything(making: Making, slug: str) -> Dirty:
    """All that the store holds of a body."""
    store = making.run.store
    series = (one for dataset in making.world.datasets for one in list_series(store, dataset.name, slug))
    files = ((one.dataset, one.sha256) for one, _ in list_submissions(store, slug))
    return Dirty(frozenset(series), frozenset(files))


def _renewed(making: Making, slug: str, before: Shelves, dirty: Dirty, recorded: Hashes) -> Shelves:
    store, ledger = making.run.store, making.ledger
    read = {series: _listing(making.run, ledger, series) for series in sorted(dirty.series)}
    filed = {file: read_submission(store, file[0], slug, file[1]) for file in sorted(dirty.files)}
    reports = {file: one for file, one in filed.items() if one is not None}
    files = {file: kept for file, kept in before.files.items() if file not in filed}
    came = {file: (kept.submission, kept.told) for file, kept in files.items()}
    came |= {
        file: (one, None if report is None else ReportOutcome.from_report(report))
        for file, (one, report) in reports.items()
    }
    facts = {one: kept.facts for one, kept in before.series.items()}
    facts |= {series: describing.extract_facts(found) for series, found in read.items()}
    body = describing.identify_body(making.world, slug, facts.values(), sent=bool(came))
    holdings = describing.collect_holdings(making.world, body, facts.values(), list(came.values()), {})
    series = dict(_series(making, holdings, before, read, recorded))
    for file, (submission, report) in reports.items():
        made = () if report is None else describing.render_submission(holdings, submission, report)
        files[file] = KeptFile(submission, came[file][1], making.publish(made, recorded))
    return Shelves(series, files)


def _series(
    making: Making, holdings: Holdings, before: Shelves, read: Mapping[Series, Listing], recorded: Hashes
) -> Iterator[tuple[Series, KeptSeries]]:
    """Every series, its pages made again where it was read, or where what they depend on besides is another."""
    for facts in holdings.series:
        series, around = facts.series, describing.hash_surroundings(holdings, facts)
        kept = before.series.get(series)
        if series not in read and kept is not None and kept.around == around:
            yield series, kept
        else:
            found = read.get(series) or _listing(making.run, making.ledger, series)
            pages = making.publish(describing.render_series(holdings, found), recorded)
            yield series, KeptSeries(facts, around, pages)


def _listing(run: Run, ledger: Ledger, series: Series) -> Listing:
    """A series with what its rows add up to, which is worked out once for each version and kept."""
    found, name = read_listing(run.store, series), f"summaries/{series}"
    kept = ledger.read(name)
    standing = found.history.standing
    if standing is None:
        if kept is not None:
            ledger.drop(name)
        return found
    made_of = [
        standing.path,
        describing.SUMMARY_FORMAT,
        hash_of(assets.shown(series.dataset)),
        assets.rules_version(series.dataset),
    ]
    if kept is None or kept["made_of"] != made_of:
        kept = {"made_of": made_of, "summary": _summary(run, series, layout.version_folder(series, standing))}
        ledger.write(name, kept)
    return replace(found, summary=kept["summary"])


def _summary(run: Run, series: Series, place: str) -> dict[str, Any]:
    with TemporaryDirectory(dir=run.scratch) as scratch:
        path = Path(scratch) / "rows.csv"
        run.store.fetch(f"{place}{series.dataset}.csv", path)
        summary = describing.summarise_release(assets.dataset(series.dataset), series.period, _rows_in(path))
        return summary | {"posts": describing.extract_posts(assets.shown(series.dataset)["posts"], _rows_in(path))}


def _rows_in(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.reader(stream)
