"""Generated inputs (Hypothesis) for everything that parses what strangers send: nothing else than the promised errors.

Hypothesis draws a text, and each text is altered in 19 ways. The short form takes some 250 inputs of each kind. The
long form (`make soak`) takes more than a million in all, and prints how many each kind got.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.links import find_links
from collectors.web import name_download, retry_after
from hosting.limits import ApiLimits
from hosting.problems import Problem
from piperoll import assets, layout
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.checking.privacy.personal_data import personal_rules
from piperoll.checking.privacy.public_texts import names_person, public_file_name
from piperoll.errors import CollectError, PiperollError, StoreError
from piperoll.model import Period
from piperoll.people.names import fold_name, fold_text
from piperoll.people.private_people import is_clearly_organisation, person_rule
from piperoll.reading.cells.amounts import find_notation, read_amount, read_rounded, spell_number
from piperoll.reading.cells.dates import find_date_readings, read_month
from piperoll.reading.cells.periods import find_periods
from piperoll.terminal import clean
from publishers.site import UnsatisfiableRangeError, is_unmodified_since, key_of, parse_range, tag_matches
from serving.cursors import Cursor
from serving.query import parse_query
from serving.response_formats import choose_format
from tests.security.hostile_files import HEADINGS, LINES

SPEND = assets.dataset("spend")
FIELDS = [field.name for field in SPEND.fields]
PIECES = (
    *("Mrs", "Jane", "Smith", "Ltd", "£", "1,250.00", "(5)", "CR", "k", "e9", "1e400", "Infinity", "NaN", "05/10/2026"),
    *("Oct-26", "2026-Q4", "Q3 2026/27", "31/02/2026", "0000-00-00", "\u200d", "\u202e", "\x00", "\x1b[2J", "\ud800"),
    *("%00", "..", "/", "\\", "%2e%2e", "data", "index.json", "'", '"', "<script>", "&amp;", "=cmd()", "\r\n", "\t"),
    *(
        "bytes=0-",
        "-1",
        "99999999999999999999",
        ",",
        ";",
        "W/",
        "*",
        "q=0.5",
        "application/json",
        "Sun, 06 Nov 2026 08:49:37 GMT",
        "+0100",
        "\x1e",
        "attachment; filename",
        "*0*=utf-8''a",
        "*1",
        "=",
        "\u0130",
        "ß",
        "\ufb01",
    ),
)
EACH = 20
"""Inputs made of each text that Hypothesis draws: drawing takes longer than most of what is checked."""

TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=6).map(" ".join),
)


def altered(text: str) -> list[str]:
    """The text, and 19 others made of it: doubled, cut, exchanged, with pieces put in, in other cases and encodings."""
    draw = Random(repr(text))  # noqa: S311 - no secret
    made = [text, text.upper(), text.title(), text[::-1], text * 2, quote(text, errors="replace")]
    while len(made) < EACH:
        start, stop = sorted((draw.randrange(len(text) + 1), draw.randrange(len(text) + 1)))
        piece = draw.choice(PIECES)
        flipped = "".join(chr((ord(one) ^ (1 << draw.randrange(7))) or 1) for one in text[start:stop])
        ends = ((piece, start), ("", stop), (piece, stop), (flipped, stop))
        made += [text[:start] + new + text[end:] for new, end in ends]
    return made[:EACH]


def check_names(text: str) -> None:
    """Folding is stable, and whatever the text is, it is judged."""
    folded = fold_text(text)
    assert fold_text(folded) == folded
    fold_name(text)
    assert not (person_rule(text) and is_clearly_organisation(text))
    personal_rules(text)
    assert names_person(text) == (public_file_name(text) != text) or public_file_name(text).startswith("name-withheld")


def check_amounts(text: str) -> None:
    """An amount is a finite number that is spelled without an exponent."""
    for amount in (read_amount(text), read_amount(text, decimal_comma=True), read_rounded(text)):
        if amount is not None:
            assert amount.is_finite()
            assert Decimal(spell_number(amount)) == amount
    find_notation(text)


def check_days(text: str) -> None:
    """A period begins before it ends."""
    find_date_readings(text)
    read_month(text)
    assert all(period.start <= period.end for period in find_periods(text, snapshot=False))
    with suppress(PiperollError):
        assert Period.parse(text).start


def check_keys(text: str) -> None:
    """What is served is a key below a public prefix, and a key leads nowhere out of the store."""
    key = key_of("/" + text)
    assert key is None or (layout.is_public(key) and ".." not in key.split("/"))
    try:
        checked = layout.check_key(text)
    except StoreError:
        return
    assert not checked.startswith("/")
    assert not {"", ".", ".."} & set(checked.split("/"))
    assert "\x00" not in checked


def check_headers(text: str) -> None:
    """Headers of strangers end in a value or the promised error."""
    try:
        parsed = parse_range(text, 1_000)
        assert parsed is None or 0 <= parsed.start <= 1_000
    except UnsatisfiableRangeError:
        pass
    tag_matches(text, '"abc"')
    seconds = retry_after(text, datetime(2026, 11, 28, tzinfo=UTC))
    assert seconds is None or seconds >= 0
    is_unmodified_since(text, 1_700_000_000.0)
    for disposition in (text, f"attachment; filename{text}", f"attachment; filename*0=a; filename*={text}"):
        assert 0 < len(name := name_download(disposition, "http://a.example/october.csv")) <= 200
        assert not {"/", "\\", "\x00"} & set(name)
    try:
        choose_format([], text)
        choose_format([text], None)
    except Problem:
        pass


def check_addresses(text: str) -> None:
    """Links of a page are texts or the promised error, whatever stands in them."""
    try:
        page = f'<a href="{text}">{text}</a><base href="{text}">'.encode("utf-8", "replace")
        found = find_links(page, "http://a.example/", ".")
    except CollectError:
        return
    assert all(isinstance(link, str) for link in found)


def check_queries(text: str) -> None:
    """A query is understood or is the client's problem, and never ours."""
    text = text.encode("utf-8", "replace").decode()  # as a URL is decoded
    name, _, value = text.partition(" ")
    tried = [
        [(name, value)],
        [(FIELDS[len(text) % len(FIELDS)], text)],
        [("sort", text), ("having", value)],
        [("cursor", text)],
        [("group_by", text), ("columns", value)],
        [("within", text), ("limit", value)],
        [("as_known_on", text), ("year", value)],
    ]
    for parameters in tried:
        try:
            parse_query(SPEND, parameters, ApiLimits())
        except Problem as problem:
            assert problem.status in (400, 404, 422)
    try:
        Cursor.parse(text)
    except Problem as problem:
        assert problem.status == 400


def check_terminal(text: str) -> None:
    """Nothing that moves the cursor or turns the text reaches a terminal."""
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", clean(text))


def check_files(text: str) -> None:
    """Whatever a cell, a heading or a line has, rows and pounds are conserved and no exception comes."""
    lines = [HEADINGS, *LINES[:4]]
    place = len(text) % 3
    if place == 0:
        lines[0] = f"{HEADINGS},{text}"
    elif place == 1:
        lines.append(f"05/10/2026,{text},700.00,T9,{text},Estates")
    else:
        lines.insert(2, text)
    report = check_file(FileToCheck("\r\n".join(lines).encode("utf-8", "surrogatepass"), f"{text[:20]}.csv"))
    for table in report.tables:
        assert table.rows.read == table.rows.accepted + table.rows.held


KINDS: dict[str, tuple[Callable[[str], None], int]] = {
    "names": (check_names, 200_000),
    "amounts": (check_amounts, 200_000),
    "days": (check_days, 150_000),
    "keys": (check_keys, 150_000),
    "headers": (check_headers, 100_000),
    "addresses": (check_addresses, 100_000),
    "queries": (check_queries, 50_000),
    "terminal": (check_terminal, 60_000),
    "files": (check_files, 10_000),
}
"""What is checked, and how many inputs the long form takes."""


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_no_input_leads_to_another_error_than_the_promised_one(kind: str, long: bool) -> None:
    check, wanted = KINDS[kind]
    wanted, count = (wanted if long else min(wanted, 40 if kind == "files" else 260)), 0

    @settings(max_examples=wanted // EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(TEXTS)
    def run(text: str) -> None:
        nonlocal count
        for one in altered(text):
            count += 1
            check(one)

    run()
    sys.stdout.write(f"{kind}: {count:,} inputs (Hypothesis)\n")
    assert count >= wanted // 2  # Hypothesis stops early where it has tried every text


def test_a_path_that_begins_like_a_broken_address_is_not_found() -> None:
    """`GET //[2J` ended the connection with a traceback in the log of the site."""
    assert key_of("//[2J05/10/2026") is None


def test_the_long_form_takes_a_million_inputs() -> None:
    assert sum(wanted for _, wanted in KINDS.values()) > 1_000_000
