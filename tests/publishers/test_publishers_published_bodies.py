"""A consumer names a body as they know it; what is published decides which body that is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from piperoll import layout
from piperoll.errors import UsageError
from piperoll.model import Body, Series
from publishers import Store, publish_release
from publishers.published_bodies import find_published_body, list_published_bodies
from tests.publishers.small_releases import NOW, packed

DISTRICT = Body("gss:E07000901", "leeward", "Leeward District Council", "council", ("Leeward Sands",), short_name="LDC")


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Store:
    for number, body in enumerate(("leeward", "leeds", "fcdo", "parish-of-nowhere")):
        series = Series.parse(f"spend/{body}/2026-10")
        publish_release(store, packed(tmp_path / str(number), 2, series=series), reason="first", now=NOW)
    listed = {"bodies": [DISTRICT.to_document()]}
    store.put(layout.BODIES_LIST, json.dumps(listed).encode())
    return store


def test_every_published_body_is_listed(place: Store) -> None:
    assert list_published_bodies(place) == ("fcdo", "leeds", "leeward", "parish-of-nowhere")


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        *(("leeward", "leeward"), ("Leeward District Council", "leeward"), ("leeward sands", "leeward")),
        ("LDC", "leeward"),
        *(("Leeds City Council", "leeds"), ("gss:E08000035", "leeds"), ("foreign office", "fcdo"), ("FCDO", "fcdo")),
        ("Parish of Nowhere", "parish-of-nowhere"),
    ],
)
def test_a_published_body_is_found_by_any_of_its_names(place: Store, text: str, slug: str) -> None:
    assert find_published_body(place, text) == slug


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("Leeward Distrct Council", r"did you mean 'Leeward District Council' \(leeward\)"),
        ("parish of nowhare", r"did you mean 'parish-of-nowhere' \(parish-of-nowhere\)"),
        ("Foreign and Commonwealth Office", r"did you mean 'Foreign, Commonwealth and Development Office' \(fcdo\)"),
        ("Zzyzx", "piperoll list lists the bodies that have"),
    ],
)
def test_a_wrong_name_or_a_body_without_data_gets_the_closest_published_bodies(
    place: Store, text: str, suggested: str
) -> None:
    with pytest.raises(UsageError, match=suggested):
        find_published_body(place, text)
