"""Write an inbox of made-up submissions of real sizes, for `bench.throughput`: the same call gives the same bytes.

The records and most layouts are those of the sample (`piperoll.sample`), the bodies are numbered. Sizes are spread as
those of real files are: most are small, and a few have ten times the mean.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from piperoll import sample
from piperoll.model import Period
from piperoll.sample.files import FileLayout
from piperoll.sample.rows import GENERATORS

MONTHS = ("2026-07", "2026-08", "2026-09", "2026-10")
"""A body sends one file of each dataset in each of these months."""

_REGISTER = tuple((Path(sample.__file__).parent / "bodies.csv").read_text("utf-8").splitlines()[0].split(","))
_KINDS = {
    "spend": ("examples-spend", "placeholder-spend", "hmt-spend", "measures-spend", "police-spend", "fictionham-spend"),
    "contracts": ("register",),
}
_CONTRACTS_EVERY = 6
"""One body in this many sends a contracts register, the others send payments."""
_SPREAD = 0.9
"""The standard deviation of the logarithm of the number of rows."""
_MOST_TIMES_MEAN = 12
_WORKBOOK_EVERY = 5


@dataclass(frozen=True, slots=True)
class Inbox:
    """An inbox that was written: its folder, the list of its bodies, and how many files, rows and bytes it has."""

    folder: Path
    bodies: Path
    files: int
    rows: int
    bytes: int


def write_inbox(folder: Path, submissions: int, mean_rows: int = 470, seed: int = 14) -> Inbox:
    """Write about `submissions` files, of `mean_rows` rows on average, below `folder`; 470 rows are 70 kB."""
    words = json.loads((Path(sample.__file__).parent / "words.json").read_text("utf-8"))
    plan = json.loads((Path(sample.__file__).parent / "sends.json").read_text("utf-8"))
    layouts = {name: FileLayout(**layout) for name, layout in plan["layouts"].items()}
    files = rows = size = 0
    slugs = [f"borough-of-number-{number:05}" for number in range(math.ceil(submissions / len(MONTHS)))]
    for number, slug in enumerate(slugs):
        dataset = "contracts" if number % _CONTRACTS_EVERY == 0 else "spend"
        layout = layouts[_KINDS[dataset][number % len(_KINDS[dataset])]]
        form = "xlsx" if number % _WORKBOOK_EVERY == 0 else "csv"
        layout = replace(layout, form=form, sheets=None, notes_first=False)
        for month, count in zip(MONTHS, _sizes(Random(f"{seed}/{slug}"), mean_rows), strict=True):
            if files == submissions:
                break
            period = Period.parse(month)
            made = GENERATORS[dataset](Random(f"{seed}/{slug}/{month}"), words, period, count)
            content = layout.render(made, period)
            path = folder / "inbox" / dataset / slug / f"{dataset} {period.title}.{form}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            files, rows, size = files + 1, rows + len(made), size + len(content)
    bodies = folder / "bodies.csv"
    with bodies.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_REGISTER)
        for number, slug in enumerate(slugs):
            known = {
                "id": f"gss:E07{number:06}",
                "slug": slug,
                "name": f"Borough of Number {number}",
                "kind": "council",
            }
            writer.writerow([known.get(column, "") for column in _REGISTER])
    return Inbox(folder / "inbox", bodies, files, rows, size)


def _sizes(random: Random, mean: int) -> Iterator[int]:
    """The number of rows of each month's file: about as many each month, since a body's months are alike."""
    usual = min(mean * _MOST_TIMES_MEAN, random.lognormvariate(math.log(mean) - _SPREAD**2 / 2, _SPREAD))
    for _ in MONTHS:
        yield max(6, round(usual * random.uniform(0.9, 1.1)))
