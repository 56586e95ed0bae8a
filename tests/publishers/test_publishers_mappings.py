"""Mappings in a folder and a bucket: written by conditional writes, read as people left them."""

from __future__ import annotations

import threading

import pytest

from piperoll import layout
from piperoll.errors import MappingError
from piperoll.model import BodyMapping, Layout
from publishers import Store, list_mappings, read_mapping, update_mapping


def layout_of(number: int) -> Layout:
    return Layout({"net_amount": f"Amount {number}"}, "2026-10", "2026-11-03", "ab" * 32)


def test_a_mapping_is_empty_until_it_is_written(store: Store) -> None:
    assert read_mapping(store, "anytown", "spend") == BodyMapping("anytown", "spend")
    kept = update_mapping(store, "anytown", "spend", lambda mapping: mapping.with_layout(layout_of(1)))
    assert read_mapping(store, "anytown", "spend") == kept
    assert list(list_mappings(store)) == list(list_mappings(store, "anytown")) == [kept]
    assert list(list_mappings(store, "beeford")) == []
    assert not layout.is_public(layout.mapping(kept.body, kept.dataset))


def test_an_unchanged_mapping_is_not_written(store: Store) -> None:
    update_mapping(store, "anytown", "spend", lambda mapping: mapping.with_layout(layout_of(1)))
    tag = store.read("mappings/anytown/spend.toml").tag
    update_mapping(store, "anytown", "spend", lambda mapping: mapping.with_layout(layout_of(1)))
    assert store.read("mappings/anytown/spend.toml").tag == tag


def test_concurrent_updates_of_a_mapping_lose_nothing(store: Store) -> None:
    def learn(number: int) -> None:
        update_mapping(store, "anytown", "spend", lambda mapping: mapping.with_layout(layout_of(number)))

    threads = [threading.Thread(target=learn, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_mapping(store, "anytown", "spend").layouts) == 5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"body = anytown", "cannot be understood"),
        (b"\xff\xfe", "cannot be understood"),
        (
            BodyMapping("beeford", "spend").to_toml().encode(),
            "of beeford and spend",
        ),
    ],
)
def test_a_mapping_file_that_cannot_be_parsed_is_named(store: Store, content: bytes, says: str) -> None:
    store.replace("mappings/anytown/spend.toml", content, None)
    with pytest.raises(MappingError, match=rf"mappings/anytown/spend\.toml .*{says}"):
        read_mapping(store, "anytown", "spend")
