"""Measure: make every measure and year whose inputs have changed, and publish what differs like a release.

    plan      which measures and years have other inputs than when they were last made (`MeasureStore.key`)
    run       the query of each over the views of its year, then the checks and the comparison with peers
    publish   the rows as the next version of `measures/{measure}/{year}`, if they differ

Nothing here reads a clock except for the moment of publication, which is in versions.json and in no file of a version.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pyarrow as pa

import collectors
import publishers
from piperoll import layout
from piperoll.describing.wording import format_count
from piperoll.errors import NotThere, PiperollError, UsageError
from piperoll.measuring import derived
from piperoll.measuring.definition import Measure, find_measure, measures
from piperoll.measuring.engine import read_table, run_measure, write_table
from piperoll.measuring.packing import (
    InputFile,
    describe_inputs,
    measure_series,
    pack_measure,
    rules_version,
    table_dataset,
)
from piperoll.measuring.rows import NO_ROWS
from piperoll.model import Period, Register, Series, Status, Version
from piperoll.model.columns import pc
from piperoll.operations.bugs import explain_error
from piperoll.operations.measure_inputs import MeasureStore
from piperoll.operations.run_request import Run
from piperoll.releasing import compare_versions
from publishers.published_bodies import find_published_body
from publishers.stores.protocol import read_json, update_json

Progress: TypeAlias = Callable[[str], None]

_MOST_ITEMS = 12
"""Items of a figure of which the working is printed, the largest first; the published table has all of them."""

_SOURCE_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a measure and year: `outcome` is published, unchanged, empty or failed, and `why` the error."""

    series: Series
    outcome: str
    rows: int = 0
    withheld: int = 0
    version: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """How a headline figure of a body would differ from what is published; None: there is no value."""

    series: Series
    body: str
    body_name: str
    figure: str
    unit: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class _Made:
    """The rows of a measure and year, or why there are none; and the tables that it names, as CSV and Parquet."""

    measure: Measure
    rows: pa.RecordBatch
    tables: Mapping[str, Mapping[str, bytes]]
    error: Exception | None = None


class MeasuringFailed(PiperollError):
    """Some measures could not be made; what was published before stays."""


def measure_store(
    run: Run,
    *,
    only: Sequence[str] = (),
    years: Sequence[str] = (),
    register: Register | None = None,
    progress: Progress = lambda _: None,
    again: bool = False,
) -> list[Measured]:
    """Make and publish every measure and year whose inputs have changed; return the outcome of each that was made.

    With `again`, unchanged ones are made too: that repairs what someone deleted. An error in one measure leaves the
    others alone.
    Raises: UsageError: there is no such measure, a year is not one, or the consolidated files are missing.
    """
    source = MeasureStore(run.store, register or run.register, run.scratch)
    source.require_consolidated()
    state = read_json(run.store, layout.MEASURES_STATE)
    outcomes: list[Measured] = []
    made: dict[str, str] = {}
    for year, own in _plan(source, _choose(only), _parse_years(years)):
        keys = {measure.id: source.key(measure, year) for measure in own}
        stale = [
            measure for measure in own
            if again or state.get(str(measure_series(measure.id, year))) != keys[measure.id]
            or not _is_whole(run, measure, year)
        ]  # fmt: skip
        for one in _measure_year(source, year, stale, progress):
            outcome = _publish(run, source, year, one)
            outcomes.append(outcome)
            if outcome.outcome != "failed":
                made[str(outcome.series)] = keys[one.measure.id]
    if made:
        update_json(run.store, layout.MEASURES_STATE, lambda known: dict(sorted((known | made).items())))
    return outcomes


def measure_for_build(run: Run) -> int:
    """Make the measures within a run, before the pages; return the number of versions published.

    Raises: MeasuringFailed: some could not be made, after the others were.
    """
    outcomes = measure_store(run)
    failed = [one for one in outcomes if one.outcome == "failed"]
    if failed:
        raise MeasuringFailed("; ".join(f"{one.series} could not be measured: {one.why}" for one in failed))
    return sum(one.outcome == "published" for one in outcomes)


def preview(
    run: Run, *, only: Sequence[str] = (), years: Sequence[str] = (), bodies: Sequence[str] = (),
    register: Register | None = None, progress: Progress = lambda _: None,
) -> list[Effect]:  # fmt: skip
    """What measuring now would change in the figures as a whole, body by body; nothing is published.

    Raises: PiperollError: a measure cannot be made.
    """
    source = MeasureStore(run.store, register or run.register, run.scratch)
    effects: list[Effect] = []
    for year, own in _plan(source, _choose(only), _parse_years(years)):
        for one in _measure_year(source, year, own, progress):
            if one.error is not None:
                raise one.error
            effects += _compare_with_published(run, one.measure, year, one.rows)
    return [effect for effect in effects if not bodies or effect.body in bodies]


def use_source(run: Run, text: str, *, licence: str | None = None) -> bool:
    """Use an outside source, given as NAME=FILE or NAME=ADDRESS; return whether it is another one than before.

    Raises: UsageError: the text is not of this form, or the source cannot be read. CollectError: it cannot be fetched.
    """
    name, _, place = text.partition("=")
    if not _SOURCE_NAME.match(name) or not place:
        raise UsageError(f"'{text}' is not a source: write NAME=FILE or NAME=ADDRESS, as in population=population.csv")
    if "://" in place:
        limits = collectors.FetchLimits(
            run.settings.timeout_seconds, run.settings.max_download_bytes, run.settings.allow_private_addresses
        )
        response = collectors.fetch_file(place, run.scratch / "sources" / name, limits)
        if response.error:
            raise response.error
        path = response.path or Path()
    else:
        path = Path(place)
        if not path.is_file():
            raise UsageError(f"there is no file {place}")
    derived.read_outside(name, path)  # before it is archived: a wrong file is refused
    details = {"address": place if "://" in place else path.name, "licence": licence, "obtained": run.moment[:10]}
    return publishers.archive_outside_source(run.store, name, path, details)


# --- plan and run -----------------------------------------------------------------------------------------------------


def _choose(only: Sequence[str]) -> list[Measure]:
    return [find_measure(name) for name in dict.fromkeys(only)] if only else list(measures().values())


def _parse_years(years: Sequence[str]) -> frozenset[Period]:
    return frozenset(map(Period.parse_year, years))


def _plan(
    source: MeasureStore, chosen: Sequence[Measure], years: frozenset[Period]
) -> Iterator[tuple[Period, list[Measure]]]:
    """The measures of each year, in order of year; those that read the same years together."""
    found: dict[tuple[Period, int], list[Measure]] = defaultdict(list)
    for measure in chosen:
        for year in source.years(measure):
            if not years or year in years:
                found[year, -1 if measure.earlier_years is None else measure.earlier_years].append(measure)
    for (year, _), own in sorted(found.items(), key=lambda item: item[0]):
        yield year, own


def _measure_year(source: MeasureStore, year: Period, stale: Sequence[Measure], progress: Progress) -> Iterator[_Made]:
    """Run measures over the same inputs; an error of one is its result."""
    if not stale:
        return
    with source.open(year, stale) as inputs:
        written = cache(lambda name: write_table(read_table(inputs, name)))  # several measures name the same table
        for measure in stale:
            progress(f"{measure.title}, {year.title}")
            try:
                rows = run_measure(measure, inputs, source.replies)
                tables = {name: written(name) for name in measure.tables}
            except Exception as error:  # noqa: BLE001 - one measure's fault stays its own
                yield _Made(measure, NO_ROWS, {}, error)
            else:
                yield _Made(measure, rows, tables)


# --- publish ----------------------------------------------------------------------------------------------------------


def _is_whole(run: Run, measure: Measure, year: Period) -> bool:
    """Whether the version that the pointer names is there; nothing is missing if nothing was published."""
    history, _ = publishers.read_history(run.store, measure_series(measure.id, year))
    current = history.current_version
    return current is None or run.store.exists(layout.release_file(history.series, current, "manifest.json"))


def _publish(run: Run, source: MeasureStore, year: Period, made: _Made) -> Measured:
    """Publish what was made, unless the current version has the same rows; tables first: inputs.json names them."""
    measure, rows = made.measure, made.rows
    series = measure_series(measure.id, year)
    if made.error is not None:
        return Measured(series, "failed", why=explain_error(run, made.error, layout.MEASURES, measure.id))
    history, _ = publishers.read_history(run.store, series)
    standing = history.current_version
    if not rows.num_rows and standing is None:
        return Measured(series, "empty")
    used = source.list_inputs(measure, year)
    for name, table in sorted(made.tables.items()):
        digest = hashlib.sha256(table["csv"]).hexdigest()
        used.append(InputFile("", f"table {name}", digest))
        for form, content in table.items():
            run.store.create(layout.measure_table(name, digest, form), content)
    inputs = describe_inputs(measure, year, used, source.bodies(measure, year))
    reason = "first measured" if standing is None else "the data that it is made from changed"
    if standing is not None and standing.rules_version != rules_version(measure):
        reason = f"the method or its rules changed: {measure.changes[-1].what}"
    _purge_versions(run, series, inputs)
    with TemporaryDirectory(dir=run.scratch) as folder:
        packed = pack_measure(measure, year, rows, inputs, Path(folder) / "version")
        outcome = publishers.publish_release(
            run.store,
            packed,
            reason=reason,
            now=run.moment,
            decision=publishers.Decision.REPLACE,
            compare=partial(compare_versions, table_dataset()),
        )
        if isinstance(outcome, publishers.Unchanged) and outcome.version.manifest_sha256 == packed.manifest.sha256:
            publishers.restore_files(run.store, packed, outcome.version)
    if isinstance(outcome, publishers.OnHold):
        raise MeasuringFailed(f"{series} was held, which no measure can be")
    withheld = rows["value"].null_count
    kind = "published" if isinstance(outcome, publishers.Published) else "unchanged"
    return Measured(series, kind, rows.num_rows, withheld, outcome.version.version)


def _purge_versions(run: Run, series: Series, inputs: Mapping[str, Any]) -> None:
    """Purge the versions that were made from a table that was purged since: they may quote it, as in an item's label.

    An old version whose `inputs.json` is lost is purged too, because nobody can tell what it quotes. The current one is
    made again instead. `inputs` are those of the version that comes next: what it names is there.
    """
    history, _ = publishers.read_history(run.store, series)
    there, lost, untraceable = _list_releases(inputs), {}, []
    for version in history.versions:
        if version.status in (Status.CURRENT, Status.SUPERSEDED):
            document = _read_inputs(run.store, series, version)
            if document is None:
                if version.status is Status.SUPERSEDED:
                    untraceable.append(version.version)
            elif not all(
                run.store.exists(f"{layout.DATA}{one}/manifest.json") for one in _list_releases(document) - there
            ):
                lost[version.version] = document
    if untraceable:
        because = "the list of what it was made from is lost"
        publishers.remove_versions(run.store, series, untraceable, because=because, now=run.moment)
    if not lost:
        return
    because = "it was made from a table that was purged"
    publishers.remove_versions(run.store, series, lost, because=because, now=run.moment)
    named = {key for document in lost.values() for key in _list_tables(document)}
    for one in publishers.list_measured_series(run.store):
        versions = publishers.read_history(run.store, one)[0].versions
        kept = (version for version in versions if version.status in (Status.CURRENT, Status.SUPERSEDED))
        documents = (_read_inputs(run.store, one, version) for version in kept)
        named -= {key for document in documents if document is not None for key in _list_tables(document)}
    for key in sorted(named):
        run.store.delete(key)


def _read_inputs(store: publishers.StoreReader, series: Series, version: Version) -> dict[str, Any] | None:
    """What a version was made from; None if the file that says it is lost."""
    try:
        content = store.read(layout.release_file(series, version, "inputs.json")).content
    except NotThere:
        return None
    document: dict[str, Any] = json.loads(content)
    return document


def _list_releases(inputs: Mapping[str, Any]) -> set[str]:
    """The versions of tables that inputs.json names, as `series/folder`."""
    entries = [one for body in inputs["bodies"].values() for one in body["inputs"]]
    named = {release for one in entries for release in one.get("releases", ())}
    return named | {one["what"] for one in entries if "published" in one}


def _list_tables(inputs: Mapping[str, Any]) -> set[str]:
    """The keys of the derived tables that inputs.json names."""
    named = [(one["what"].removeprefix("table "), one) for one in inputs["shared"] if one["what"].startswith("table ")]
    return {layout.measure_table(name, one["sha256"], form) for name, one in named for form in ("csv", "parquet")}


# --- what is published ------------------------------------------------------------------------------------------------


def read_published_rows(store: publishers.StoreReader, series: Series) -> list[dict[str, str]]:
    """The rows of the current version of a measure and year, as texts; none if there is no such version."""
    history, _ = publishers.read_history(store, series)
    if history.current_version is None:
        return []
    content = store.read(layout.release_file(series, history.current_version, "measures.csv")).content
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def _read_document(store: publishers.StoreReader, series: Series, name: str) -> dict[str, Any]:
    """One of the JSON files of the current version."""
    history, _ = publishers.read_history(store, series)
    if history.current_version is None:
        raise UsageError(f"{series} is not published")
    document: dict[str, Any] = json.loads(
        store.read(layout.release_file(series, history.current_version, name)).content
    )
    return document


def _compare_with_published(run: Run, measure: Measure, year: Period, rows: pa.RecordBatch) -> Iterator[Effect]:
    """The figures as a whole that differ from what is published, in order of body and figure."""
    series = measure_series(measure.id, year)
    before = {row["figure_id"]: row for row in read_published_rows(run.store, series) if not row["item"]}
    after = {row["figure_id"]: row for row in rows.filter(pc.equal(rows["item"], "")).to_pylist()}
    for identifier in sorted({*before, *after}, key=lambda one: _place(before.get(one), after.get(one))):
        old, new = before.get(identifier), after.get(identifier)
        was = Decimal(old["value"]) if old and old["value"] else None
        now = new["value"] if new else None
        if was != now:
            yield Effect(series, *_place(old, new), (new or old or {}).get("unit", ""), was, now)


def _place(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> tuple[str, str, str]:
    known = new or old or {}
    return known["body"], known["body_name"], known["figure"]


# --- the working of a figure ------------------------------------------------------------------------------------------


def explain(run: Run, identifier: str, body: str, period: str, *, register: Register) -> Iterator[str]:
    """The working of a body's figures in a year, as lines of text: figures, rules, bounds, lines and pounds, inputs.

    Raises: UsageError: there is no such measure, or nothing of it is published of this body and year.
    """
    measure, year = find_measure(identifier), Period.parse_year(period)
    series = measure_series(measure.id, year)
    slug = find_published_body(run.store, body)
    rows = [row for row in read_published_rows(run.store, series) if row["body"] == slug]
    if not rows:
        raise UsageError(f"{series} has no figure of {slug}: piperoll measure --to DEST makes what is missing")
    yield f"{measure.title}: {rows[0]['body_name']}, {year.title} (method {rows[0]['method_version']})"
    yield ""
    yield from measure.method.splitlines()
    for figure in sorted(measure.figures, key=lambda figure: not figure.headline):
        own = [row for row in rows if row["figure"] == figure.id]
        whole, items = [row for row in own if not row["item"]], [row for row in own if row["item"]]
        items.sort(key=lambda row: -abs(Decimal(row["value"] or 0)))
        for row in (*whole, *items[:_MOST_ITEMS]):
            yield from _explain_row(figure.title, row)
        if len(items) > _MOST_ITEMS:
            yield ""
            yield f"{figure.title}: {len(items) - _MOST_ITEMS:,} smaller items are in measures.csv"
    source = MeasureStore(run.store, register, run.scratch)
    yield from _explain_lines(source, measure, year, slug)
    inputs = _read_document(run.store, series, "inputs.json")
    yield ""
    yield "Made from"
    for one in (*inputs["shared"], *inputs["bodies"].get(slug, {}).get("inputs", ())):
        yield f"  {one['sha256'][:12]}  {one['what']}"
        yield from (f"                {release}" for release in one.get("releases", ()))


def _explain_row(title: str, row: Mapping[str, str]) -> Iterator[str]:
    """A figure with its bounds, and what is known of how sure it is."""
    yield ""
    label = row["item_label"] or row["item"]
    yield f"{title}{f', {label}' if label else ''}  [{row['figure_id']}]"
    low, high = row["lo"] or row["value"], row["hi"] or row["value"]
    bounds = f" (between {low} and {high})" if low != high else ""
    yield f"  value {row['value'] or 'withheld'}{bounds}, unit {row['unit']}, status {row['status']}"
    known = {"rows": row["n"], "coverage": row["coverage"], "inferred": row["inferred_share"],
             "peers": row["peers"] if row["value"] else "", "reason": row["reason"], "reply": row["reply"]}  # fmt: skip
    yield from (f"  {name}: {text}" for name, text in known.items() if text)


def _explain_lines(source: MeasureStore, measure: Measure, year: Period, body: str) -> Iterator[str]:
    """The lines and pounds of a body and year by side, function and rule, for the datasets that have functions."""
    with source.open(year, [measure]) as inputs:
        for name in measure.datasets:
            lines = inputs.lines[name]
            amount = next(iter(lines.dataset.amount), "NULL")
            found = inputs.connection.execute(
                f"SELECT side, assigned_function, function_rule, count(*), sum({amount}) FROM {name} "  # noqa: S608
                "WHERE body = ? AND financial_year = ? GROUP BY ALL ORDER BY ALL",
                [body, year.financial_year_name],
            ).fetchall()
            if not found:
                continue
            yield ""
            yield f"Lines of {name} by side, function and rule"
            for side, function, rule, count, pounds in found:
                by = " ".join(filter(None, (side, function, rule))) or "not classified"
                yield f"  {by}: {format_count(count, 'line')}{'' if pounds is None else f', £{pounds:,.2f}'}"
