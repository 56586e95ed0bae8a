"""How well lines are classified by function: `python -m bench.functions FOLDER`.

FOLDER has the files that tests/fixtures/labelled_spending.py names: a council's own accounting (service, account type),
and lines that a reader labelled. For each, every side's recall and precision by absolute pounds is printed, and the
share left unknown; then the largest disagreements.
"""

from __future__ import annotations

import argparse
from decimal import Decimal
from pathlib import Path

from piperoll.enriching.functions import Side, load_rules
from tests.fixtures.labelled_spending import SETS, compare_sides, find_disagreements, measure_side, read_rows


def main() -> None:
    """Print the table of each set and its largest disagreements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--disagreements", type=int, default=10, help="how many to print of each set (default 10)")
    options = parser.parse_args()
    print(load_rules().version)
    for labelled in SETS:
        rows = read_rows(labelled, options.folder)
        pounds = compare_sides(labelled, rows)
        total = sum(map(Decimal, pounds.values()))
        unknown = sum(Decimal(amount) for (_, found), amount in pounds.items() if found == Side.UNKNOWN)
        print(f"\n{labelled.title}: £{total:,.0f}, {unknown / total:.1%} unknown")
        for side in Side:
            shares = measure_side(pounds, side.value)
            if shares.recall is not None:
                precision = "-" if shares.precision is None else f"{shares.precision:.1%}"
                print(f"  {side.value}  recall {shares.recall:.1%}  precision {precision}")
        for amount, row, found in find_disagreements(labelled, rows)[: options.disagreements]:
            print(
                f"    £{amount:,.0f}  {row[labelled.side]} not {found.function.id} {found.rules}: {labelled.texts(row)}"
            )


if __name__ == "__main__":
    main()
