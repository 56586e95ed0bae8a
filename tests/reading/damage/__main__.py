"""A long run: `.venv/bin/python -m tests.reading.damage --cases 100000 --seed 1`; REALDATA adds the real files."""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from .cases import SECONDS, Outcome, outcome, seeds_of

CHILD = 25
"""One case in this many is a workbook, which starts a process."""


class TookTooLong(Exception):
    """A case took twice what it may, and was stopped where it was."""


def main() -> int:
    """Run the cases and tell what came of them; 1 if any failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="the first case; the others follow it")
    parser.add_argument("--kind", choices=["texts", "workbooks", "both"], default="both")
    parser.add_argument(
        "--whole-every", type=int, default=1, help="read every n-th case to its tables, and the others to rows"
    )
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    failures, slowest, started = 0, 0.0, time.monotonic()
    for done in outcomes(given.seed, given.cases, given.kind, given.whole_every):
        counts[done.outcome] += 1
        slowest = max(slowest, done.seconds)
        if done.failure:
            failures += 1
            sys.stdout.write(f"case {done.seed} ({done.name}): {done.failure}\n")
        if sum(counts.values()) % 5000 == 0:
            tell(counts, failures, slowest, started)
    tell(counts, failures, slowest, started)
    return 1 if failures else 0


def outcomes(first: int, cases: int, kind: str, whole_every: int) -> Iterator[Outcome]:
    """The outcomes of the cases from a first seed on."""
    signal.signal(signal.SIGALRM, _too_long)
    here, child = seeds_of(Path(os.environ["REALDATA"]) if "REALDATA" in os.environ else None)
    for seed in range(first, first + cases):
        workbook = kind == "workbooks" or (kind == "both" and seed % CHILD == 0)
        signal.setitimer(signal.ITIMER_REAL, 2 * SECONDS)
        yield outcome(seed, child if workbook else here, whole=seed % whole_every == 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TookTooLong


def tell(counts: Counter[str], failures: int, slowest: float, started: float) -> None:
    """How far it is."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    sys.stdout.write(
        f"{sum(counts.values()):,} cases in {time.monotonic() - started:,.0f} s, {failures} failed; the slowest took "
        f"{slowest:.2f} s; peak memory {own:,} MB here and {child:,} MB in a child\n  "
        + ", ".join(f"{outcome}: {count:,}" for outcome, count in counts.most_common())
        + "\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
