"""Collecting from a web of hundreds of sites, many of which misbehave."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from piperoll.operations.collecting import CollectedFiles, collect
from piperoll.operations.pipeline import group_as_collected
from piperoll.operations.run_request import RunRequest
from piperoll.settings import Settings
from tests.fixtures.many_sites import ManySites, payments
from tests.fixtures.waiting import PATIENCE_SECONDS

IMPATIENT = "timeout_seconds = 1"
TOGETHER = 90
SITES = (
    *[f"together {number}" for number in range(TOGETHER)],
    *[f"good {number}" for number in range(110)],
    *[f"page {number}" for number in range(5)],
    *[f"once {number}" for number in range(10)],
    *[f"soon {number}" for number in range(5)],
    *[f"moved {number}" for number in range(10)],
    *[f"dead {number}" for number in range(15)],
    *[f"silent {number}" for number in range(12)],
    *[f"dripping {number}" for number in range(5)],
    *[f"broken {number}" for number in range(10)],
    *[f"tomorrow {number}" for number in range(5)],
    *[f"missing {number}" for number in range(8)],
    *[f"circle {number}" for number in range(5)],
    *[f"huge {number}" for number in range(5)],
    *[f"cut {number}" for number in range(5)],
)
"""300 sites, each of one body: how it behaves, and its number among those."""


@pytest.fixture(scope="module")
def web() -> Iterator[ManySites]:
    with ManySites(len(SITES), TOGETHER) as running:
        yield running


def collected(folder: Path, tables: Iterable[str], **settings: int) -> list[CollectedFiles]:
    """The parts that a run collects from these sources, in the order in which they come; each has its body's files."""
    sources = folder / "sources.toml"
    sources.write_text("\n".join(f"[[source]]\n{table}" for table in tables))
    given = Settings(
        **({"allow_private_addresses": True, "retries": 1, "timeout_seconds": PATIENCE_SECONDS} | settings)
    )  # type: ignore[arg-type]
    request = RunRequest(to=str(folder / "out"), sources=sources, settings=given)
    with request.open() as run:
        parts = list(collect(run, request))
        for arrival in (arrival for part in parts for arrival in part.arrivals):
            host = urlsplit(arrival.response["hops"][-1]).hostname
            assert arrival.path.read_bytes() == payments(host), arrival
    return parts


def source(web: ManySites, site: int, what: str) -> str:
    behaviour, _, number = what.partition(" ")
    url = web.url(site, f"{behaviour}/October%202026.csv")
    if behaviour == "dead":
        url = f"http://127.9.9.{number}:{web.server_port}/x.csv"  # nobody listens there
    where = f'page = "{url}"\nlinks = "Payments"' if behaviour == "page" else f'url = "{url}"'
    patience = IMPATIENT if behaviour in ("silent", "dripping") else ""
    return f'body = "{what}"\ndataset = "spend"\n{where}\n{patience}'


def test_a_web_of_300_sites_of_which_many_misbehave(web: ManySites, tmp_path: Path) -> None:
    """A hundred are asked at once, two of one host, and what has arrived does not wait for the others.

    The first 90 sites answer when all of them have been asked. The slowest sites end at their deadline, together.
    """
    parts = collected(tmp_path, (source(web, *site) for site in enumerate(SITES)), max_download_bytes=100_000)
    files, missed = Counter[str](), Counter[tuple[str, str]]()
    for part in parts:
        files.update(arrival.sender.split()[0] for arrival in part.arrivals)
        missed.update((miss.body.split()[0], miss.kind) for miss in part.missed)
    assert files == {"together": 90, "good": 110, "page": 30, "once": 10, "soon": 5, "moved": 10}
    assert missed == {
        ("dead", "SourceUnavailable"): 15,
        ("silent", "SourceUnavailable"): 12,
        ("dripping", "SourceUnavailable"): 5,
        ("broken", "SourceUnavailable"): 10,
        ("tomorrow", "SourceUnavailable"): 5,
        ("missing", "SourceGone"): 8,
        ("circle", "SourceGone"): 5,
        ("huge", "TooLarge"): 5,
        ("cut", "SourceUnavailable"): 5,
    }
    assert len(parts) == len(SITES)
    assert not any(miss.ours for part in parts for miss in part.missed)
    assert TOGETHER <= web.most <= 100
    assert web.most_of_host == 2
    order = [(*part.arrivals, *part.missed)[0] for part in parts]
    senders = [getattr(one, "sender", getattr(one, "body", "")).split()[0] for one in order]
    assert max(number for number, one in enumerate(senders) if one == "good") < senders.index("silent")
    assert senders[-1] == "dripping"


def test_a_host_that_does_not_answer_is_not_asked_for_each_of_its_files(web: ManySites, tmp_path: Path) -> None:
    """With two attempts and forty addresses it would be asked eighty times, a time-out each."""
    tables = [
        f'body = "anytown"\ndataset = "spend"\nurl = "{web.url(7, f"silent/{number}.csv")}"\n{IMPATIENT}'
        for number in range(40)
    ]
    before = len(web.requests)
    (part,) = collected(tmp_path, tables)
    asked = [path for path, _ in web.requests[before:]]
    assert len(asked) <= 4  # two at once, and both once more
    assert len(part.missed) == 40
    assert {miss.kind for miss in part.missed} == {"SourceUnavailable"}
    assert sum("was not asked" in miss.why for miss in part.missed) >= 36


def test_an_address_that_fails_says_since_when_and_its_log_is_pruned(web: ManySites, tmp_path: Path) -> None:
    good = f'body = "anytown"\ndataset = "spend"\nurl = "{web.url(8, "good/x.csv")}"'
    collected(tmp_path, [good], fetch_log_entries=2)
    log = next((tmp_path / "out" / "collected" / "anytown" / "spend" / "fetches").iterdir())
    (first,) = log.iterdir()
    day = f"{first.name[:4]}-{first.name[4:6]}-{first.name[6:8]}"
    # the site goes away: its log continues below the same address
    gone = json.loads(first.read_text()) | {"status": 503, "sha256": None, "trouble": "SourceUnavailable: 503"}
    for number in range(1, 6):  # written by an older version, which did not say what was before
        (log / f"2099010{number}T000000000000Z.json").write_text(json.dumps(gone))
    web.away.add(web.hosts[8])
    try:
        for _ in range(3):
            (part,) = collected(tmp_path, [good], fetch_log_entries=2, retries=0)
    finally:
        web.away.clear()
    (missed,) = part.missed
    assert (missed.since, missed.last_good) == ("2099-01-01", day)
    assert missed.history == f"Failing since 2099-01-01; the last good answer was on {day}."
    kept = sorted(log.iterdir())
    assert kept[0] == first
    assert len(kept) == 3


def test_the_files_of_a_body_are_handed_on_while_another_site_is_still_asked(web: ManySites, tmp_path: Path) -> None:
    """The first file was examined when the last site had answered or failed."""
    sources = tmp_path / "sources.toml"
    tables = (("beeford", web.url(9, "held/x.csv")), ("anytown", web.url(10, "good/x.csv")))
    sources.write_text(
        "".join(f'[[source]]\nbody = "{body}"\ndataset = "spend"\nurl = "{url}"\n' for body, url in tables)
    )
    settings = Settings(allow_private_addresses=True, retries=0, timeout_seconds=PATIENCE_SECONDS)
    request = RunRequest(to=str(tmp_path / "out"), sources=sources, settings=settings)
    parts: list[CollectedFiles] = []
    with request.open() as run:
        bodies = group_as_collected(run, collect(run, request), parts)
        assert next(bodies).body == "anytown"
        assert [len(part.arrivals) for part in parts] == [1]
        web.released.set()
        assert list(bodies) == []
    assert [miss.body for part in parts for miss in part.missed] == ["beeford"]


def test_a_page_of_links_has_a_limit_of_its_own(web: ManySites, tmp_path: Path) -> None:
    """Pages are read into memory, a hundred at once. A source may ask for more."""
    page = f'body = "anytown"\ndataset = "spend"\npage = "{web.url(11, "large/page.html")}"\nlinks = "nothing"'
    (part,) = collected(tmp_path, [page], retries=0)
    assert [miss.kind for miss in part.missed] == ["TooLarge"]
    (part,) = collected(tmp_path, [f"{page}\nmax_download_bytes = 20_000_000"], retries=0)
    assert [miss.kind for miss in part.missed] == ["NoLink"]
