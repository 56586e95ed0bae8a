"""How well private people are found: `python -m bench.privacy [--people N] [--real FOLDER]`.

People who do not exist are drawn for each origin (tests/fixtures/made_up_people.py), with names of which one in ten is
unknown to the model, and again with unknown names only. For each origin, and for each spelling, the share that is held
is printed. With --real, the suppliers that are held in a folder of real files follow, the most frequent first, with
their rows and the rule: a reader judges which are people.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from random import Random

from piperoll import assets
from piperoll.people.private_people import person_rule
from piperoll.reading import read
from tests.fixtures.made_up_people import SPELLINGS, names_of_the_world

SEED = 20261128


def main() -> None:
    """Print the shares, and the suppliers that are held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=600, help="people of each origin (default 600)")
    parser.add_argument("--real", type=Path, help="a folder of real files")
    options = parser.parse_args()
    for unseen in (False, True):
        print_recall(options.people, unseen=unseen)
    if options.real:
        print_held(options.real)


def print_recall(people: int, *, unseen: bool) -> None:
    """Print the share of people that is held: a row an origin, a column a spelling."""
    print("names unknown to the model only" if unseen else "names of which one in ten is unknown to the model")
    print(f"{'':18} {'all':>5}", *(f"{spelling[:8]:>8}" for spelling in SPELLINGS))
    draw = Random(SEED)
    held, missed = Counter[tuple[str, str]](), 0
    origins = names_of_the_world(unseen=unseen)
    for origin, names in origins.items():
        for given, family in (names.draw(draw) for _ in range(people)):
            for spelling, spell in SPELLINGS.items():
                held[origin, spelling] += person_rule(spell(given, family)) is not None
        shares = [held[origin, spelling] / people for spelling in SPELLINGS]
        missed += sum(people - held[origin, spelling] for spelling in SPELLINGS)
        print(f"{origin:18} {sum(shares) / len(shares):5.3f}", *(f"{share:8.3f}" for share in shares))
    print(f"{'all':18} {1 - missed / (people * len(SPELLINGS) * len(origins)):5.3f}\n")


def print_held(folder: Path) -> None:
    """Print the suppliers of the files in `folder` that are held, with their rows."""
    rows = Counter[str]()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        reading = read(path.read_bytes(), path.name, assets.datasets())
        for table in reading.tables:
            described = reading.dataset.fields if reading.dataset else ()
            columns = [each.name for each in described if each.privacy == "name" and each.name in table.columns]
            for batch in table.batches():
                for column in columns:
                    rows.update(cell for cell in batch[column].to_pylist() if cell)
    start = time.perf_counter()
    held = [(count, name, rule) for name, count in rows.items() if (rule := person_rule(name))]
    seconds = time.perf_counter() - start
    print(f"{len(rows):,} different names judged in {seconds:.2f} s; {len(held):,} are held", end="")
    print(f", in {sum(count for count, *_ in held):,} of {rows.total():,} rows")
    for count, name, rule in sorted(held, reverse=True):
        print(f"{count:6} {rule:16} {name}")


if __name__ == "__main__":
    main()
