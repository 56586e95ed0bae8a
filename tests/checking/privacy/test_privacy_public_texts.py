"""Names of people in names of files, sheets and headings."""

from __future__ import annotations

import pytest

from piperoll.checking.privacy.public_texts import names_person, public_file_name


@pytest.mark.parametrize(
    "label",
    [
        "Jane Velmorath.html",
        "Jane Velmorath.json",
        "October 2026 again Jane Velmorath.csv",
        "updated Jane Velmorath October.csv.gz",
        "again_Jane_Velmorath_v2.xlsx",
    ],
)
def test_a_name_is_found_whatever_words_and_ending_stand_around_it(label: str) -> None:
    """The ending .html, or a word such as "again", made three words of the name, of which none was known."""
    assert names_person(label)
    assert "Velmorath" not in public_file_name(label)


@pytest.mark.parametrize(
    "label",
    ["October 2026.html", "Payments again October 2026.csv", "Data such as amounts.xlsx", "Anytown Council.json"],
)
def test_a_name_of_a_file_without_a_person_is_published(label: str) -> None:
    assert public_file_name(label) == label
