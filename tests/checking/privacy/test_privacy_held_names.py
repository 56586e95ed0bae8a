"""A name that is held in one place of a file is found in every other, in other forms too."""

from __future__ import annotations

import pytest

from piperoll.checking.privacy.held_names import HeldNames


def held(*names: str) -> HeldNames:
    made = HeldNames()
    made.add(names)
    return made


@pytest.mark.parametrize(
    "text",
    [
        "Katica K Velmorath",
        "PAYPAL *Katica K Velmorath",
        "K Velmorath",
        "Velmorath, K",
        "supplies for K. Velmorath in May",
        "Katica.Velmorath",
        "katica_velmorath",
        "VELMORATH katica (Ref 0042)",
    ],
)
def test_a_held_name_is_found_with_initials(text: str) -> None:
    """A middle initial, or an initial in place of the given name, let it be published as a code."""
    assert held("Katica Velmorath").in_text(text)


def test_a_name_held_with_an_initial_is_found_without_it() -> None:
    assert held("Katica K Velmorath").in_text("for Katica Velmorath")


def test_a_held_name_of_two_short_words_is_found_as_a_whole_cell() -> None:
    names = held("Na Or", "In-Ho Ok")
    assert names.in_text("Or Na")
    assert names.in_text("In-Ho I Ok")
    assert not names.in_text("gas or na fuel")
    assert names.sieves()


@pytest.mark.parametrize(
    "supplier",
    [
        "Supplies for Katica Velmorath as agreed on 3 May",
        "Estate.of.katica.velmorath",
        "<b>Estate of Velmorath Katica</b>",
        "PAYPAL/*KATICA/VELMORATH",
    ],
)
def test_a_supplier_s_text_with_a_held_name_is_no_firm(supplier: str) -> None:
    """A word of firms in the text ("Supplies") made it one."""
    assert held("Katica Velmorath").is_supplier(supplier)


@pytest.mark.parametrize(
    "text", ["Katica Velmorath Ltd", "Velmorath Catering Ltd", "K Hall", "Village Hall K", "Velmorath Road"]
)
def test_firms_and_places_that_share_a_word_with_a_held_name_are_published(text: str) -> None:
    assert not held("Katica Velmorath", "Katica Hall").is_supplier(text)
