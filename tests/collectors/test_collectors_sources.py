"""sources.toml: what is valid, and the message for everything else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import WebSource, read_sources
from piperoll.errors import SourcesError
from piperoll.model import Period

TODAY = date(2026, 11, 2)
GOOD = 'body = "anytown"\ndataset = "spend"\n'


def read(folder: Path, text: str) -> tuple[WebSource, ...]:
    (folder / "sources.toml").write_text(text, "utf-8")
    return read_sources(folder / "sources.toml")


def test_a_file_of_every_kind_of_source(tmp_path: Path) -> None:
    text = f"""
    [[source]]
    {GOOD}
    url = "https://anytown.example/spend.csv"
    licence = "OGL-UK-3.0"

    [[source]]
    {GOOD}
    part = "card"
    url = "https://anytown.example/{{yyyy}}/cards-{{Month}}.csv"
    look_back = 2

    [[source]]
    {GOOD}
    page = "https://anytown.example/open"
    links = '\\.(csv|xlsx)$'
    """
    plain, pattern, page = read(tmp_path, text)
    assert list(plain.addresses(TODAY)) == [("https://anytown.example/spend.csv", None)]
    assert list(pattern.addresses(TODAY)) == [
        ("https://anytown.example/2026/cards-September.csv", "2026-09"),
        ("https://anytown.example/2026/cards-October.csv", "2026-10"),
    ]
    assert (page.page, page.links) == ("https://anytown.example/open", r"\.(csv|xlsx)$")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "[[source]]"),
        ("[[source]]", "body is missing"),
        ("[[source]]\nbody = 3", "write text in quotes"),
        (f"[[source]]\n{GOOD}", "either url, or page and links"),
        (f'[[source]]\n{GOOD}url = "https://a.example/"\npage = "https://a.example/"', "either url, or page"),
        (f'[[source]]\n{GOOD}page = "https://a.example/"', "are needed together"),
        (f'[[source]]\n{GOOD}page = "https://a.example/"\nlinks = "("', "not a regular expression"),
        (f'[[source]]\n{GOOD}url = "ftp://a.example/x"', "not a web address"),
        (f'[[source]]\n{GOOD}url = "https://me:secret@a.example/x"', "password"),
        (f'[[source]]\n{GOOD}url = "https://a.example/{{year}}-{{mm}}"', "{yyyy}"),
        (f'[[source]]\n{GOOD}url = "https://a.example/{{yyyy}}"', "needs the year, and the month"),
        (f'[[source]]\n{GOOD}url = "https://a.example/"\nlook_back = 0', "whole number"),
        (f'[[source]]\n{GOOD}url = "https://a.example/"\nlook_back = true', "whole number"),
        (f'[[source]]\n{GOOD}adress = "https://a.example/"', "'adress' is not a known key"),
        ('[[source]]\nbody = "a"\ndataset = "spending"\nurl = "https://a.example/"', "there is no dataset"),
        (f'[[source]]\n{GOOD}part = "cheque"\nurl = "https://a.example/"', "not a part of spend, which has card"),
        (f'title = "x"\n[[source]]\n{GOOD}url = "https://a.example/"', "Unknown: title"),
        ("[[source]", "not valid TOML"),
    ],
)
def test_a_mistake_is_refused_with_a_message(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SourcesError) as refusal:
        read(tmp_path, text)
    assert words in str(refusal.value)


def test_a_missing_file_points_to_the_documentation(tmp_path: Path) -> None:
    with pytest.raises(SourcesError, match=r"docs/operating\.md"):
        read_sources(tmp_path / "sources.toml")


def test_an_address_with_a_quarter_is_fetched_by_quarters() -> None:
    source = WebSource("anytown", "spend", url="https://a.example/{yyyy}-Q{q}.csv", look_back=2)
    assert [covers for _, covers in source.addresses(TODAY)] == ["2026-Q2", "2026-Q3"]
    addresses = source.addresses(TODAY, Period.parse("2026-27"))
    assert [covers for _, covers in addresses] == ["2026-Q2", "2026-Q3", "2026-Q4", "2027-Q1"]


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 24))
def test_only_complete_months_are_fetched_and_each_once(today: date, look_back: int) -> None:
    source = WebSource("anytown", "spend", url="https://a.example/{yyyy}/{m}.csv", look_back=look_back)
    addresses = list(source.addresses(today))
    periods = [Period.parse(covers or "") for _, covers in addresses]
    assert len({address for address, _ in addresses}) == look_back
    assert periods == sorted(periods)
    assert periods[-1].end < today
    assert (today - periods[-1].end).days <= 31
