"""An incremental build of the catalogue equals a build from nothing, also after kills and with two builds at once."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll import assets, layout
from piperoll.describing.feeds import documents
from piperoll.describing.release_summary import summarise_release
from piperoll.describing.suppliers import Payee, merge_payees
from piperoll.describing.year_figures import BodyYear
from piperoll.errors import BytesPurged, StoreUnavailable
from piperoll.model import Body, Register, Verdict
from piperoll.operations.catalogue import build_plan
from piperoll.operations.catalogue.build import build_from_store
from piperoll.operations.catalogue.year_cache import PayeesDocument, YearsDocument
from publishers import (
    FolderStore,
    Store,
    archive_submission,
    file_reports,
    list_series,
    list_submissions,
    open_store,
    read_history,
    read_listing,
    remove_submission,
)
from publishers import mark_withdrawn as withdraw_version
from tests.describing.row_by_row import as_table
from tests.describing.whole_catalogue import build_catalogue
from tests.fixtures.counting_store import Cost, CountingStore
from tests.fixtures.dying_store import DyingStore, Killed
from tests.fixtures.small_releases import SETTINGS, SmallRelease, catalogue_context, councils, make_release, publish
from tests.fixtures.waiting import PATIENCE_SECONDS

BODIES = councils(3)
STRANGER = Body.provisional_for("Parish of Nowhere")
MONTHS = ("2025-09", "2026-08", "2026-09", "2026-10")


@dataclass
class Life:
    """A store to which things happen, one after another, each at a later instant."""

    root: Path
    bodies: tuple[Body, ...] = BODIES
    day: date = date(2026, 11, 2)
    instant: int = 0
    released: list[SmallRelease] = field(default_factory=list)

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.root / "store")

    def now(self) -> str:
        self.instant += 1
        return f"{self.day}T09:00:00.{self.instant:06}Z"

    def release(self, body: Body, dataset: str, month: str, number: int) -> None:
        one = make_release(body, dataset, month, number)
        self.released.append(one)
        publish(self.store, one, self.now(), self.root)

    def build(self, store: Store | None = None) -> int:
        return built(store or self.store, self.bodies, self.now(), self.root)


def built(store: Store, bodies: tuple[Body, ...], now: str, scratch: Path) -> int:
    return build_from_store(store, catalogue_context(bodies, now), scratch)


def served(store: Store) -> dict[str, bytes]:
    """The catalogue; consolidated files have tests of their own, and a sweep takes what killed runs leave of them."""
    keys = (key for key in store.keys("catalogue/") if not key.startswith("catalogue/consolidated/"))
    return {key: store.read(key).content for key in keys}


def from_nothing(life: Life) -> dict[str, bytes]:
    """The catalogue of a copy of the store that never had one."""
    with tempfile.TemporaryDirectory() as folder:
        copy = FolderStore(Path(folder))
        for key in life.store.keys(""):
            if not key.startswith(("catalogue/", "collected/catalogue/")):
                copy.put(key, life.store.read(key).content)
        life.build(copy)
        return served(copy)


Deed = Callable[[Life], object]


def deeds() -> st.SearchStrategy[Deed]:
    who = st.sampled_from([*BODIES, STRANGER])
    releases = st.builds(
        lambda body, dataset, month, number: lambda life: life.release(body, dataset, month, number),
        who, st.sampled_from(["spend", "contracts"]), st.sampled_from(MONTHS), st.integers(1, 3),
    )  # fmt: skip
    return st.one_of(
        releases,
        releases,
        st.integers(0, 40).map(lambda nth: lambda life: withdrawn(life, nth)),
        st.integers(0, 40).map(lambda nth: lambda life: purged(life, nth)),
        who.map(lambda body: lambda life: held(life, body)),
        who.map(lambda body: lambda life: unread(life, body)),
        st.integers(1, 40).map(lambda days: lambda life: later(life, days)),
        st.just(renamed),
    )


def withdrawn(life: Life, nth: int) -> None:
    if life.released:
        series = life.released[nth % len(life.released)].series
        history, _ = read_history(life.store, series)
        if history.current_version is not None:
            withdraw_version(
                life.store, series, history.current_version.version, because="the wrong month", now=life.now()
            )


def purged(life: Life, nth: int) -> None:
    if life.released:
        one = life.released[nth % len(life.released)]
        life.released = [other for other in life.released if other.submission.sha256 != one.submission.sha256]
        remove_submission(life.store, one.submission.sha256, because="a name", now=life.now())


def held(life: Life, body: Body) -> None:
    one = make_release(body, "spend", "2026-10", 9)
    report = replace(one.report, verdict=Verdict.HELD)
    archive_submission(life.store, one.content, one.submission)
    file_reports(life.store, one.submission, report, report)


def unread(life: Life, body: Body) -> None:
    one = make_release(body, "contracts", "2026-09", 8)
    archive_submission(life.store, one.content, one.submission)


def later(life: Life, days: int) -> None:
    life.day += timedelta(days=days)


def renamed(life: Life) -> None:
    first, *rest = life.bodies
    life.bodies = (replace(first, name=f"{first.name} (new)"), *rest)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(deeds(), st.booleans()), min_size=1, max_size=6))
def test_an_incremental_build_equals_a_build_from_nothing(happens: list[tuple[Deed, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder))
        life.release(BODIES[0], "spend", "2026-10", 1)
        life.build()
        for deed, make in happens:
            try:
                deed(life)
            except BytesPurged:
                continue
            if make:
                life.build()
        life.build()
        assert served(life.store) == from_nothing(life)
        assert not list(life.store.keys("collected/catalogue/changed/"))
        assert not list(life.store.keys("collected/catalogue/at-work/"))


def test_the_built_catalogue_equals_the_one_rendered_at_once(tmp_path: Path) -> None:
    life = Life(tmp_path)
    for body in (*BODIES, STRANGER):
        life.release(body, "spend", "2026-10", 1)
    life.release(BODIES[1], "spend", "2026-10", 2)
    held(life, BODIES[2])
    life.build()
    listings = [read_listing(life.store, series) for series in list_series(life.store)]
    rendered = build_catalogue(
        [replace(one, summary=summary(life.store, one)) for one in listings],
        datasets=assets.datasets(),
        register=Register((*BODIES, Body(STRANGER.id, STRANGER.slug, STRANGER.name, STRANGER.kind))),
        base_url=SETTINGS.base_url,
        publisher_name=SETTINGS.publisher_name,
        on=life.day,
        submissions=list(list_submissions(life.store)),
        years=kept_years(life.store),
        payees=kept_payees(life.store),
    )  # fmt: skip
    whole = {f"catalogue/{key}": content for key, content in rendered}
    pages = {key: held for key, held in served(life.store).items() if not key.startswith(layout.CONSOLIDATED)}
    assert pages == whole


def kept_years(store: Store) -> dict[str, dict[str, dict[str, BodyYear]]]:
    """What the build kept of the consolidated years of each body."""
    found: dict[str, dict[str, dict[str, BodyYear]]] = {}
    for key in store.keys("collected/catalogue/years/"):
        *_, dataset, name = key.split("/")
        document = build_plan.decode_document(key, store.read(key).content, YearsDocument)
        found.setdefault(name.removesuffix(".json"), {})[dataset] = dict(document.years)
    return found


def kept_payees(store: Store) -> dict[str, dict[str, Payee]]:
    """What the build kept of the payees of each body."""
    found: dict[str, list[tuple[str, dict[str, Payee]]]] = {}
    for key in store.keys("collected/catalogue/payees/"):
        *_, body, name = key.split("/")
        document = build_plan.decode_document(key, store.read(key).content, PayeesDocument)
        found.setdefault(body, []).append((name.removesuffix(".json"), dict(document.payees)))
    return {body: merge_payees(sorted(years)) for body, years in found.items()}


def summary(store: Store, one: Any) -> Any:
    standing = one.history.current_version
    if standing is None:
        return None
    key = f"{layout.version_folder(one.series, standing)}{one.series.dataset}"
    rows = csv.reader(io.StringIO(store.read(f"{key}.csv").content.decode(), newline=""))
    table = as_table(next(rows), list(rows))
    summarised = summarise_release(assets.dataset(one.series.dataset), one.series.period, table)
    filled = {name: table.num_rows - table[name].null_count for name in table.column_names}
    return summarised | {"filled": filled}


def many(life: Life, months: int = 4) -> None:
    for body in BODIES:
        for month in MONTHS[:months]:
            life.release(body, "spend", month, 1)


def test_one_release_touches_only_pages_about_it(tmp_path: Path) -> None:
    life = Life(tmp_path)
    many(life)
    life.build()
    before = served(life.store)
    life.release(BODIES[1], "spend", "2026-10", 2)
    life.build()
    changed = {key for key, content in served(life.store).items() if before.get(key) != content}
    others = {key for key in changed if "council-0000" in key or "council-0002" in key}
    assert not others
    assert {key for key in changed if "/series/" in key} == {
        f"catalogue/series/spend/council-0001/2026-10{ending}" for ending in (".html", "/v1.html", "/v2.html")
    }


def test_the_cost_of_a_release_does_not_grow_with_what_there_is(tmp_path: Path) -> None:
    found = []
    for months in (1, 4):
        life = Life(tmp_path / str(months))
        life.root.mkdir()
        many(life, months)
        life.build()
        life.release(BODIES[1], "spend", "2026-11", 2)
        cost = Cost()
        counted: Any = CountingStore(life.store, cost)
        life.build(counted)
        found.append(cost.asked.total())
    assert found[1] <= found[0] + 25  # what is consolidated is of the body's own months and years
    assert max(found) < 200


def test_newer_templates_rebuild_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    life = Life(tmp_path)
    many(life, 2)
    life.build()
    monkeypatch.setattr(build_plan, "hash_renderer", lambda _world: "another")
    life.release(BODIES[1], "spend", "2026-10", 2)
    life.build()
    assert served(life.store) == from_nothing(life)
    assert life.build() == 0


def test_records_that_other_code_wrote_in_another_format_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digests of bodies became JSON objects where they had been lists: an upgraded store must still build."""
    life = Life(tmp_path)
    many(life, 2)
    life.build()
    key = next(key for key in life.store.keys("collected/catalogue/") if key.endswith("/bodies.json"))
    life.store.put(key, b'{"anytown": {"line": ["in another format"]}}')
    monkeypatch.setattr(build_plan, "hash_renderer", lambda _context: "another")
    life.build()
    assert served(life.store) == from_nothing(life)


class Remote:
    """A store that is no folder to its readers. Its first four pages are written when all four are being written."""

    def __init__(self, store: Store, refused: str = "") -> None:
        self._store, self._refused = store, refused
        self._together, self._left = threading.Barrier(4), itertools.count()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def local_path(self, key: str) -> None:
        """As of a bucket."""

    def put(self, key: str, content: bytes) -> None:
        if key == self._refused:
            raise StoreUnavailable(f"{key} cannot be written")
        if not key.startswith(layout.BUILDS_RUNNING) and next(self._left) < 4:
            self._together.wait(timeout=PATIENCE_SECONDS)
        self._store.put(key, content)


def test_the_pages_of_a_bucket_are_written_many_at_a_time(tmp_path: Path) -> None:
    """4,086 objects were written one after the other, which took a third of a run."""
    life = Life(tmp_path)
    many(life, 1)
    remote: Any = Remote(life.store)
    life.build(remote)
    assert served(life.store) == from_nothing(life)


def test_a_page_that_could_not_be_written_is_written_by_the_next_build(tmp_path: Path) -> None:
    life = Life(tmp_path)
    many(life, 1)
    failing: Any = Remote(life.store, "catalogue/bodies/council-0001.html")
    with pytest.raises(StoreUnavailable, match="council-0001"):
        life.build(failing)
    life.build()
    assert served(life.store) == from_nothing(life)


class SlowRemote(Remote):
    """A bucket that refuses one page at once, and takes a moment for each other page."""

    def __init__(self, store: Store, refused: str) -> None:
        super().__init__(store, refused)
        self.begun = self.ended = 0
        self._lock = threading.Lock()

    def put(self, key: str, content: bytes) -> None:
        if key == self._refused:
            raise StoreUnavailable(f"{key} cannot be written")
        with self._lock:
            self.begun += 1
        threading.Event().wait(0.05)
        self._store.put(key, content)
        with self._lock:
            self.ended += 1


def test_a_build_that_failed_writes_nothing_any_more(tmp_path: Path) -> None:
    """One page was refused, and others that were on their way could overwrite those of the next build."""
    life = Life(tmp_path)
    many(life, 1)
    slow: Any = SlowRemote(life.store, "catalogue/bodies/council-0001.html")
    with pytest.raises(StoreUnavailable, match="council-0001"):
        life.build(slow)
    assert slow.begun == slow.ended > 0
    begun = slow.begun
    threading.Event().wait(0.2)
    assert slow.begun == begun


def test_a_build_with_nothing_new_reads_a_few_objects(tmp_path: Path) -> None:
    life = Life(tmp_path)
    many(life)
    life.build()
    cost = Cost()
    counted: Any = CountingStore(life.store, cost)
    assert life.build(counted) == 0
    assert cost.asked.total() <= 6
    assert not {"put", "create", "replace", "delete"} & set(cost.asked)


def test_after_a_kill_at_any_write_the_next_build_finishes(tmp_path: Path) -> None:
    """Also where what killed it was of another mind: the bodies renamed for one run only, a release purged since."""
    for writes in (0, 1, 3, 8, 21, 34, 42, 50):
        life = Life(tmp_path / str(writes))
        life.root.mkdir()
        many(life, 2)
        life.build()
        life.release(BODIES[1], "spend", "2026-10", 2)
        bodies, life.bodies = life.bodies, (replace(BODIES[0], name="Another Name"), *BODIES[1:])
        dying: Any = DyingStore(life.store, writes)
        with pytest.raises(Killed):
            life.build(dying)
        life.bodies = bodies
        purged(life, len(life.released) - 1)
        life.build()
        assert served(life.store) == from_nothing(life), writes


def test_two_builds_at_once_lose_nothing(tmp_path: Path) -> None:
    life = Life(tmp_path)
    many(life, 2)
    life.build()
    life.release(BODIES[1], "spend", "2026-10", 2)

    class Overtaken:
        """A store in which someone else releases and makes the catalogue just before our nth write."""

        def __init__(self, writes: int) -> None:
            self._left = writes

        def __getattr__(self, name: str) -> Any:
            operation = getattr(life.store, name)
            if name != "put":
                return operation

            def counted(*given: Any) -> Any:
                self._left -= 1
                if self._left == 0:
                    life.release(BODIES[2], "spend", "2026-10", 3)
                    life.build()
                return operation(*given)

            return counted

    overtaken: Any = Overtaken(12)
    life.build(overtaken)
    assert served(life.store) == from_nothing(life)


def test_long_feeds_are_paged_and_grow_at_their_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "PAGE", 5)
    life = Life(tmp_path, bodies=councils(1))
    for number in range(1, 18):
        life.release(life.bodies[0], "spend", "2026-10", number)
        if number in (4, 13, 15, 17):
            life.build()
    assert served(life.store) == from_nothing(life)
    keys = {key for key in life.store.keys("catalogue/feeds/") if key.endswith(".atom") and "/spend" in key}
    assert keys == {f"catalogue/feeds/spend{page}.atom" for page in ("", "/1", "/2")}
    before = digests(life.store)
    withdraw_version(life.store, life.released[0].series, 3, because="wrong", now=life.now())
    life.build()
    assert served(life.store) == from_nothing(life)
    after = digests(life.store)
    assert before["catalogue/feeds/spend/1.json"] != after["catalogue/feeds/spend/1.json"]
    assert before["catalogue/feeds/spend/2.json"] == after["catalogue/feeds/spend/2.json"]


def digests(store: Store) -> dict[str, str]:
    return {key: hashlib.sha256(content).hexdigest() for key, content in served(store).items()}


def test_a_bucket_says_the_same_as_a_folder(tmp_path: Path, bucket: str) -> None:
    found = []
    for place in (str(tmp_path / "store"), f"s3://{bucket}/cataloguing"):
        life = Life(tmp_path)
        store = open_store(place)
        for number in (1, 2):
            publish(store, make_release(BODIES[0], "spend", "2026-10", number), life.now(), tmp_path)
            built(store, BODIES, life.now(), tmp_path)
        found.append(served(store))
    assert found[0] == found[1]
