"""Random files in random orders, with random interruptions and shards: the store is the same, byte by byte."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random

import pytest

from piperoll.findings import holds_file
from piperoll.model import Report, Verdict
from piperoll.operations import pipeline, questions, reexamining, run_request
from piperoll.operations.collecting import CollectedFiles, collect_inbox
from piperoll.operations.run_request import RunRequest, open_run
from piperoll.reading import ASKING
from publishers import list_mappings, list_submissions, open_store, read_full_report, read_mapping
from tests.fixtures.dying_store import DyingStore, Killed
from tests.operations.inbox import contents, put, spend

MOMENTS = ("2026-12-01T09:00:00.000000Z", "2026-12-02T09:00:00.000000Z")
"""When the first runs begin, and those after the answers. All times in a store are of these: none has to be masked."""

_MARK = re.compile(r"(collected/catalogue/changed/.+)/[^/]+\Z")
"""The name of what changed since the last catalogue ends in a random mark, which is masked."""

HEADINGS = (b"Amount", b"Gross", b"Net Amount", b" AMOUNT ", b"Invoice Amount")
COMPARING = frozenset(["amounts-in-other-unit", "far-fewer-than-before", "rows-repeated"])


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - no secret


def make_files(chance: Random, bodies: Sequence[str], months: Sequence[int]) -> Iterator[tuple[str, bytes]]:
    """Files of some bodies: drifting headings, repeated rows, the same bytes twice, a claim, and a web page."""
    number = count(100)
    for body in bodies:
        known: list[bytes] = []
        for month in months:
            content = spend(chance.randint(3, 9), month=f"{month:02}/2026", start=chance.randint(1, 50))
            drifting = {months[-2]: b"Amount", months[-1]: b"Gross"}  # so that there is something to ask
            content = content.replace(b"Amount", drifting.get(month) or chance.choice(HEADINGS))
            if known and chance.random() < 0.4:
                content += chance.choice(known).splitlines(keepends=True)[-1]
            known.append(content)
        if len(bodies) > 1:
            known += [known[0], spend(4, month=f"{months[0]:02}/2026", start=77)]
            known.append(b"<!doctype html><title>404</title>")
        chance.shuffle(known)
        yield from ((f"spend/{body}/{next(number)}.csv", content) for content in known)


def run_once(place: Path, inbox: Path, moment: str, chance: Random, bodies: Sequence[str]) -> None:
    """Run the files of some bodies in a random order of arrival."""
    with open_run(str(place), moment=moment) as run:
        collected = collect_inbox(run, RunRequest(to=str(place), inbox=inbox))
        arrivals = chance.sample(collected.arrivals, len(collected.arrivals))
        for files in pipeline.group_by_body(run, replace(collected, arrivals=tuple(arrivals))):
            if files.body in bodies:
                pipeline.process_body(run, files)


def answer(place: Path) -> None:
    """Answer every open question, the same whatever was asked first."""
    store = open_store(str(place))
    for mapping in list_mappings(store):
        for question in mapping.open_questions:
            said = "same" if len(question.key[0]) % 2 else "different"
            questions.record_answer(store, mapping, question.heading, said, because="by telephone", moment=MOMENTS[1])


def stored(place: Path) -> dict[str, str]:
    return {_MARK.sub(r"\1", key): digest for key, digest in contents(open_store(str(place))).items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_store_is_the_same_in_any_order_with_interruptions_and_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    bodies = ("anytown", "beeford")
    for name, content in make_files(seeded(seed), bodies, (8, 9, 10)):
        put(tmp_path / "inbox", name, content)
    chance = seeded(seed + 100)

    def killed(place: Path, moment: str, shard: Sequence[str]) -> None:
        """Kill a run before a random write, and then run to the end."""
        writes = chance.randint(1, 60)
        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(run_request, "open_store", lambda to: DyingStore(open_store(to), writes))
            run_once(place, tmp_path / "inbox", moment, chance, shard)
        run_once(place, tmp_path / "inbox", moment, chance, shard)

    stores = []
    for place, shards in ((tmp_path / "one", [bodies]), (tmp_path / "sharded", [bodies[1:], bodies[:1]])):
        for moment in MOMENTS:
            for shard in shards:
                if place.name == "one":
                    run_once(place, tmp_path / "inbox", moment, chance, shard)
                else:
                    killed(place, moment, shard) if moment == MOMENTS[0] else run_once(
                        place, tmp_path / "inbox", moment, chance, shard
                    )
            if moment == MOMENTS[0]:
                stores.append(stored(place))
                answer(place)
        stores.append(stored(place))
    first, answered, other_first, other_answered = stores
    assert other_first == first
    assert other_answered == answered
    assert answered != first  # the answers have an effect


def test_examining_what_an_answer_bears_on_gives_the_store_of_examining_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_alone = 0
    (tmp_path / "empty").mkdir()
    for seed in (1, 2, 3):
        chance, folder = seeded(seed), tmp_path / str(seed)
        for name, content in make_files(chance, ("anytown",), (6, 7, 8, 9)):
            put(folder / "inbox", name, content)
        for month in (5, 8):
            unknown = spend(4, month=f"{month:02}/2026", start=70).replace(b"Supplier Name", b"Zork")
            put(folder / "inbox", f"spend/anytown/unknown-{month}.csv", unknown)
        narrow, everything = folder / "narrow", folder / "all"
        run_once(narrow, folder / "inbox", MOMENTS[0], chance, ("anytown",))
        shutil.copytree(narrow, everything)
        mapping = read_mapping(open_store(str(narrow)), "anytown", "spend")
        asked = [(one.heading, chance.choice(("same", "different", "ignore"))) for one in mapping.open_questions]
        heading, said = chance.choice([*asked, ("Zork", "supplier_name")])
        examined = []
        for place in (narrow, everything):
            store = open_store(str(place))
            questions.record_answer(store, mapping, heading, said, because="by telephone", moment=MOMENTS[1])
            with monkeypatch.context() as patched:
                if place == everything:
                    patched.setattr(reexamining, "_find_changed_questions", lambda *_: None)
                request = RunRequest(str(place), folder.parent / "empty", moment=MOMENTS[1])
                with request.open() as run:
                    examined.append({one.sha256 for one in pipeline.run_in_process(run, CollectedFiles())})
        assert stored(narrow) == stored(everything), (seed, heading, said)
        assert examined[0] <= examined[1]
        left_alone += len(examined[1] - examined[0])
    assert left_alone


def test_no_file_is_rejected_in_one_order_and_accepted_in_another(tmp_path: Path) -> None:
    """One file a run: every difference is a question, or is named by the report of the file that came late."""
    chance = seeded(7)
    files = [*make_files(chance, ["anytown"], (7, 8, 9, 10))]
    seen: list[dict[str, Report]] = []
    in_order = sorted(files, key=lambda one: re.search(rb"/(\d\d)/2026", one[1])[1])  # type: ignore[index]
    for number, order in enumerate((in_order, in_order[::-1], chance.sample(files, len(files)))):
        place = tmp_path / f"store-{number}"
        for name, content in order:
            inbox = tmp_path / f"inbox-{number}" / name.rpartition("/")[2]
            put(inbox, name, content)
            run_once(place, inbox, MOMENTS[0], chance, ["anytown"])
        store = open_store(str(place))
        reports = {one.sha256: read_full_report(store, one) for one, _ in list_submissions(store, "anytown")}
        seen.append({sha256: report for sha256, report in reports.items() if report})
    for other in seen[1:]:
        told = " ".join(
            f.message for report in other.values() for f in report.findings if f.code == "later-release-differs"
        )
        for sha256, report in seen[0].items():
            ours, theirs = report, other[sha256]
            assert Verdict.REJECTED not in (ours.verdict, theirs.verdict) or ours.verdict is theirs.verdict
            if ours.verdict.publishes != theirs.verdict.publishes:
                held = ours if theirs.verdict.publishes else theirs
                holding = {finding.code for finding in held.findings if holds_file(finding.code)}
                assert holding & (ASKING | COMPARING)
            more = {finding.code for finding in ours.findings} - {finding.code for finding in theirs.findings}
            if theirs.verdict.publishes and more:
                assert all(code in told for code in more)


@pytest.mark.real
@pytest.mark.timeout(600)
def test_real_files_give_the_same_store_in_reverse_order_and_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four small files of each of four bodies."""
    realdata = Path(os.environ.get("REALDATA", Path(__file__).parents[3] / "shared" / "realdata"))
    folders: dict[str, list[Path]] = {}
    for path in sorted((realdata / "spend").rglob("*")):
        if path.is_file() and path.stat().st_size < 100_000:
            folders.setdefault(path.parent.name, []).append(path)
    bodies = sorted(folders, key=lambda body: (-len(folders[body]), body))[:4]
    for body in bodies:
        for path in folders[body][:4]:
            put(tmp_path / "inbox", f"spend/{body}/{path.name}", path.read_bytes())
    chance = seeded(3)
    run_once(tmp_path / "one", tmp_path / "inbox", MOMENTS[0], chance, bodies)
    for _ in range(3):
        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(run_request, "open_store", lambda to: DyingStore(open_store(to), chance.randint(10, 50)))
            run_once(tmp_path / "other", tmp_path / "inbox", MOMENTS[0], chance, bodies)
    run_once(tmp_path / "other", tmp_path / "inbox", MOMENTS[0], chance, bodies)
    assert stored(tmp_path / "other") == stored(tmp_path / "one")
