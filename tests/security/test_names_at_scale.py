"""Generated names of many origins, in every spelling and place of a file: what is held plain is public nowhere."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from piperoll.checking.privacy.held_names import name_words
from piperoll.operations.run_request import RunRequest
from publishers import Store, open_store
from tests.fixtures.made_up_people import DECORATIONS, SPELLINGS, names_of_the_world
from tests.operations.inbox import plain_run, put
from tests.operations.test_operations_privacy import PLACES, row, spend

BATCH = 500
"""Names in one file: a body sends some hundred payments a month."""


TYPED: dict[str, Callable[[str], str]] = {
    "dots": lambda name: name.replace(" ", "."),
    "underscores": lambda name: name.replace(" ", "_"),
    "slashes": lambda name: name.replace(" ", "/"),
    "tabs": lambda name: name.replace(" ", "\t"),
    "full width": lambda name: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name),
    "in quotes": lambda name: f'"{name}"',
    "in a text": lambda name: f"Supplies for {name} as agreed on 3 May",
    "line breaks": lambda name: name.replace(" ", "\n"),
    "repeated": lambda name: f"{name} - {name}",
    "possessive": lambda name: f"{name}'s flat",
    "html": lambda name: f"<b>{name}</b>",
    "percent": lambda name: name.replace(" ", "%20"),
}
"""Other ways to type a name, as systems and people do."""


@dataclass(frozen=True, slots=True)
class Case:
    """A made-up person, and the text with their name in one column of a row that its amount identifies."""

    origin: str
    words: frozenset[str]
    plain: str
    text: str
    place: str
    amount: str


def draw_cases(seed: int, names: int) -> Iterator[Case]:
    """Each name stands once as a supplier in its plain form, and three times elsewhere in the file."""
    draw = Random(seed)  # noqa: S311 - a draw that can be made again
    origins = names_of_the_world()
    for number in range(names):
        origin = draw.choice(sorted(origins))
        given, family = origins[origin].draw(draw)
        plain = SPELLINGS["Given Family"](given, family)
        words = frozenset(name_words(plain))
        yield Case(origin, words, plain, plain, "Supplier Name", f"{2_000 + number}.00")
        for copy in range(1, 4):
            text = SPELLINGS[draw.choice(sorted(SPELLINGS))](given, family)
            for decoration in sorted(draw.sample(sorted(DECORATIONS), draw.randrange(3)), key="payment".__eq__):
                text = DECORATIONS[decoration](text)
            if draw.random() < 1 / 3:
                text = TYPED[draw.choice(sorted(TYPED))](text)
            yield Case(origin, words, plain, text, draw.choice(PLACES), f"{2_000 + number}.{copy:02}")


def published_cells(store: Store) -> dict[str, str]:
    """The words of every published row, by its amount."""
    (table,) = (key for key in store.keys("data/") if key.endswith("spend.csv"))
    lines = csv.DictReader(io.StringIO(store.read(table).content.decode()))
    return {line["net_amount"]: "\n".join(cell for cell in line.values() if cell) for line in lines}


def leaks(folder: Path, cases: list[Case]) -> tuple[int, list[Case]]:
    """Run one file with the cases; how many plain names were held, and which of them are public in another row."""
    rows = [row(number) for number in range(200)]
    rows += [row(1_000 + at, **{"Amount": case.amount, case.place: case.text}) for at, case in enumerate(cases)]
    put(folder / "inbox", "spend/anytown/October 2026.csv", spend(rows))
    order = RunRequest(to=str(folder / "out"), inbox=folder / "inbox")
    (result,) = plain_run(order, catalogued=False).results
    assert result.rows.published >= 200
    cells = published_cells(open_store(order.to))
    held = {case.words for case in cases if case.text == case.plain and case.amount.endswith(".00")}
    held -= {case.words for case in cases if case.amount.endswith(".00") and case.amount in cells}
    shown = [
        case
        for case in cases
        if case.words in held and case.amount in cells and case.words <= frozenset(name_words(cells[case.amount]))
    ]
    return len(held), shown


@pytest.mark.soak
def test_a_name_of_any_origin_that_is_held_plain_is_public_in_no_other_row(tmp_path: Path, long: bool) -> None:
    wanted, held, shown = (10_000 if long else 500), 0, []
    for batch in range(wanted // BATCH):
        count, found = leaks(tmp_path / str(batch), list(draw_cases(batch, BATCH)))
        held, shown = held + count, [*shown, *found]
    sys.stdout.write(f"{wanted} names in {4 * wanted} cells: {held} held plain, {len(shown)} public elsewhere\n")
    assert held > 0.9 * wanted
    assert not shown
