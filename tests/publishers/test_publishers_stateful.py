"""Whatever is sent, corrected, withdrawn, purged, swept and run again, the place is as a model says."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import publishers
from piperoll.errors import BytesPurged
from piperoll.model import Differences, Effect, Packed, Period, Series, Submission
from tests.publishers.killing import Counting
from tests.publishers.small_releases import packed

SERIES = tuple(
    Series("spend", body, Period.parse(month)) for body in ("anytown", "byetown") for month in ("2025-12", "2026-01")
)


@dataclass
class Kept:
    """What the model knows of a version."""

    rows: int
    sources: tuple[str, ...]
    status: str = "current"


@dataclass
class ModelSeries:
    """What the model knows of a series, and which version stood from which instant."""

    versions: list[Kept] = field(default_factory=list)
    stood: list[tuple[str, int | None]] = field(default_factory=list)

    @property
    def current(self) -> int | None:
        return next((number for number, one in enumerate(self.versions, 1) if one.status == "current"), None)

    @property
    def current_version(self) -> Kept | None:
        return None if self.current is None else self.versions[self.current - 1]

    def expects(self, rows: int, decision: publishers.Decision) -> type:
        """The outcome of publishing a number of rows; the content of a release is a function of that number."""
        standing = self.current_version
        if standing is not None and standing.rows == rows:
            return publishers.Unchanged
        if decision is not publishers.Decision.NORMAL:
            return publishers.Published
        taken_back = any(one.status in ("withdrawn", "purged") and one.rows == rows > 0 for one in self.versions)
        return (
            publishers.OnHold
            if taken_back or (standing is not None and _is_much_less(rows, standing.rows))
            else publishers.Published
        )

    def publish(self, rows: int, sources: tuple[str, ...]) -> None:
        if self.current_version is not None:
            self.current_version.status = "superseded"
        self.versions.append(Kept(rows, sources))


def _is_much_less(rows: int, than: int) -> bool:
    """Under four fifths of the rows or of the pounds, of which line number n has n."""
    return rows * 5 < than * 4 or sum(range(rows)) * 5 < sum(range(than)) * 4


class Killed(Exception):
    """The end of a process, as far as its store can tell."""


def compare(before: Path, after: Path, to: Path) -> Differences:
    """Stand-in differences that hold the values of both versions."""
    to.write_bytes(before.joinpath("datapackage.json").read_bytes() + after.joinpath("datapackage.json").read_bytes())
    return Differences(Effect(1, None), Effect(0, None), Effect(0, None), {})


def fine(folder: Path) -> Iterator[str]:
    assert (folder / "spend.csv").is_file()
    return iter(())


class Place(RuleBasedStateMachine):
    """A folder, and beside it a model of what it should hold."""

    deeds: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = publishers.FolderStore(self.folder / "store")
        self.lines = {series: ModelSeries() for series in SERIES}
        self.sent: dict[str, tuple[Submission, Series, int]] = {}
        self.purged: set[str] = set()
        self.minutes = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def now(self) -> str:
        self.minutes += 1
        return f"2026-11-02T{self.minutes // 60:02}:{self.minutes % 60:02}:00Z"

    @rule(
        series=st.sampled_from(SERIES),
        rows=st.sampled_from([0, 1, 79, 90, 100, 120]),
        decision=st.sampled_from(publishers.Decision),
        dies=st.integers(1, 60),
    )
    def send(self, series: Series, rows: int, decision: publishers.Decision, dies: int) -> None:
        """New bytes come, and are published by a run that may die, and is then run again."""
        content = f"supplier,amount\nPerson {len(self.sent):03},1.00\n".encode()
        digest = hashlib.sha256(content).hexdigest()
        came = Submission(digest, len(content), "p.csv", "spend", series.body, "p.csv", self.now())
        self.sent[digest] = (came, series, rows)
        self.deal_with(digest, decision, dies)

    @precondition(lambda self: self.sent)
    @rule(
        data=st.data(),
        decision=st.sampled_from([publishers.Decision.NORMAL, publishers.Decision.REPLACE]),
        dies=st.integers(1, 60),
    )
    def send_again(self, data: st.DataObject, decision: publishers.Decision, dies: int) -> None:
        """Bytes come that have come before; those that were purged are refused."""
        self.deal_with(data.draw(st.sampled_from(sorted(self.sent))), decision, dies)

    def deal_with(self, digest: str, decision: publishers.Decision, dies: int) -> None:
        came, series, rows = self.sent[digest]
        if digest in self.purged:
            with pytest.raises(BytesPurged):
                publishers.archive_submission(self.store, self.content(digest), came)
            self.deeds["refused"] += 1
            return
        publishers.archive_submission(self.store, self.content(digest), came)
        line, now = self.lines[series], self.now()
        expected = line.expects(rows, decision)
        made = self.pack(digest, series, rows, line.current_version if decision is publishers.Decision.ADD else None)
        asked: dict[str, Any] = {"reason": "r", "now": now, "decision": decision, "compare": compare}
        try:
            assert isinstance(publishers.publish_release(self.dying(dies), made, **asked), expected)
        except Killed:
            self.deeds["killed"] += 1
            done = len(publishers.read_history(self.store, series)[0].versions) > len(line.versions)
            outcome = publishers.publish_release(self.store, made, **asked)
            assert isinstance(outcome, publishers.Unchanged if done else expected)
        if expected is publishers.Published:
            line.publish(rows, made.manifest.sources)
        self.deeds[expected.__name__] += 1

    def content(self, digest: str) -> bytes:
        return f"supplier,amount\n{self.secret(digest)},1.00\n".encode()

    def secret(self, digest: str) -> str:
        return f"Person {list(self.sent).index(digest):03}"

    def pack(self, digest: str, series: Series, rows: int, beside: Kept | None) -> Packed:
        """A release that holds the value of its submission, and those of the ones that it is added to."""
        sources = (*(beside.sources if beside else ()), digest)
        note = ", ".join(self.secret(source) for source in dict.fromkeys(sources))
        made = packed(self.folder / "packed" / str(self.minutes), rows, series=series, note=note)
        manifest = replace(made.manifest, sources=tuple(dict.fromkeys(sources)))
        (made.folder / "manifest.json").write_bytes(manifest.to_bytes())
        return Packed(made.folder, manifest)

    def dying(self, ticks: int) -> publishers.FolderStore:
        left = [ticks]

        def tick() -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        return Counting(self.store, tick)  # type: ignore[return-value]

    @precondition(lambda self: any(line.versions for line in self.lines.values()))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """A version is withdrawn, the current one or an older one."""
        there = [(series, number) for series, line in self.lines.items() for number in range(1, len(line.versions) + 1)]
        series, number = data.draw(st.sampled_from(there))
        version = self.lines[series].versions[number - 1]
        if version.status != "purged":
            publishers.mark_withdrawn(self.store, series, number, because="wrong", now=self.now())
            version.status = "withdrawn"
            self.deeds["withdrawn"] += 1

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), dies=st.integers(1, 60))
    def purge(self, data: st.DataObject, dies: int) -> None:
        """A submission is purged by a run that may die, and is then run again."""
        digest = data.draw(st.sampled_from(sorted(self.sent)))
        now = self.now()
        try:
            publishers.remove_submission(self.dying(dies), digest, because="a name", now=now)
        except Killed:
            self.deeds["killed"] += 1
            publishers.remove_submission(self.store, digest, because="a name", now=now)
        self.purged.add(digest)
        for line in self.lines.values():
            for version in line.versions:
                if digest in version.sources:
                    version.status = "purged"
        self.deeds["purged"] += 1

    @rule()
    def sweep(self) -> None:
        """Nobody is writing: all that no pointer names goes, and a second sweep finds nothing."""
        publishers.sweep_store(self.store, older_than=0)
        assert publishers.sweep_store(self.store, older_than=0).removed == ()
        self.deeds["swept"] += 1

    @invariant()
    def is_as_the_model_says(self) -> None:
        for series, line in self.lines.items():
            history, _ = publishers.read_history(self.store, series)
            assert [(one.rows, str(one.status), one.sources) for one in history.versions] == [
                (one.rows, one.status, one.sources) for one in line.versions
            ]
            assert history.current == line.current
            line.stood.append((f"2026-11-02T{self.minutes // 60:02}:{self.minutes % 60:02}:30Z", line.current))
            for instant, number in line.stood:
                known = history.as_known_on(instant)
                assert (known and known.version) == number

    @invariant()
    def is_what_it_says_it_is(self) -> None:
        there = [series for series in sorted(SERIES) if self.lines[series].versions]
        assert list(publishers.list_indexed_series(self.store)) == list(publishers.list_series(self.store)) == there
        for one in publishers.verify_series(self.store, there, fine, lambda _: compare):
            assert one.faults == ()

    @invariant()
    def what_was_purged_is_nowhere(self) -> None:
        assert not list(publishers.find_values(self.store, [self.secret(digest) for digest in sorted(self.purged)]))


@pytest.mark.soak
def test_the_place_is_always_as_the_model_says(long: bool) -> None:
    Place.deeds.clear()
    run_state_machine_as_test(
        Place,
        settings=settings(
            max_examples=300 if long else 6,
            stateful_step_count=40 if long else 15,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    sys.stdout.write(f"{Place.deeds.total()} deeds: {dict(Place.deeds)}\n")
