"""The long run: `python -m tests.reading.mess --cases 100000 --seed 1`. Prints what each mess came to."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from piperoll.model import Severity

from .cases import DATASETS, Case, Result, drawn, examined, file_of, registered, smaller
from .comparing import EQUAL, MISTOLD, SILENT, TOLD

RAISED = "raised"
OUTCOMES = (EQUAL, TOLD, MISTOLD, SILENT, RAISED)


def main() -> int:
    """Run the cases that the command line asks for; the status is 1 if any was read wrongly without a finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.reading.mess", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=8, help="messes a file has at most")
    parser.add_argument("--mess", nargs="*", default=None, help="these messes and no others")
    parser.add_argument("--format", nargs="*", default=None, help="csv, xlsx, ods, json; by itself mostly csv")
    parser.add_argument("--dataset", default=None)
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--show", type=int, default=2, help="examples of each kind of failure")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long, whatever is left")
    parser.add_argument(
        "--shrink", type=int, default=300, help="failures that are made smaller; it takes a dozen readings each"
    )
    parser.add_argument("--dump", type=Path, default=None, help="write the first failing file here")
    given = parser.parse_args()
    formats = given.format or [*["csv"] * 90, *["json"] * 8, "xlsx", "ods"]
    tally = Tally(given.show, given.shrink, given.dump)
    with suppress(KeyboardInterrupt):
        for case in _cases(given, formats):
            tally.take(case)
            if given.minutes and tally.seconds > 60 * given.minutes:
                break
    tally.report()
    return 1 if tally.failures else 0


def _cases(given: argparse.Namespace, formats: list[str]) -> Iterable[Case]:
    for number in range(given.cases):
        case = drawn(given.seed * 1_000_000_007 + number, given.most, formats)
        messes = case.messes if given.mess is None else tuple(given.mess)
        dataset = given.dataset or (DATASETS[number % len(DATASETS)] if given.mess is not None else case.dataset)
        yield Case(case.seed, dataset, given.rows or case.rows, case.format, messes)


class Tally:
    """Counts of what cases came to, with the smallest example of each kind of failure."""

    def __init__(self, show: int, shrink: int, dump: Path | None) -> None:
        self.started, self.show, self.shrink, self.dump = time.monotonic(), show, shrink, dump
        self.outcomes: Counter[str] = Counter()
        self.by_mess: Counter[tuple[str, str]] = Counter()
        self.failures: dict[tuple[object, ...], list[Result]] = {}
        self.kinds: Counter[tuple[object, ...]] = Counter()
        self.cries: Counter[str] = Counter()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.started

    def take(self, case: Case) -> None:
        """Examine a case and count it."""
        try:
            result = examined(case)
        except Exception:  # noqa: BLE001 - an exception is one of the outcomes, and the run goes on
            traceback.print_exc()
            sys.stdout.write(f"RAISED {case}\n")
            result = Result(case, case.messes, (), RAISED)
        self.outcomes[result.outcome] += 1
        for name in result.befell:
            self.by_mess[name, result.outcome] += 1
        if result.outcome in (MISTOLD, SILENT):
            self._keep(result)
        if result.outcome == EQUAL:
            self.cries.update({each.code for each in result.findings if each.severity is not Severity.INFO})

    def _keep(self, result: Result) -> None:
        least = smaller(result) if self.kinds.total() < self.shrink else result
        sys.stdout.write(f"{result.outcome} {result.case}\n")
        sys.stdout.flush()
        kind = (least.outcome, least.befell, least.found[0].what)
        self.kinds[kind] += 1
        if self.dump and not self.failures:
            self.dump.write_bytes(file_of(least.case)[1].content)
        self.failures.setdefault(kind, [])
        if len(self.failures[kind]) < self.show:
            self.failures[kind].append(least)

    def report(self) -> None:
        """Write the counts and the failures."""
        out = sys.stdout.write
        cases, seconds = self.outcomes.total(), self.seconds
        for kind, count in self.kinds.most_common():
            out(f"\n{count} x {kind[0]}: {', '.join(map(str, kind[1])) or 'no mess'} -> {kind[2]}\n")
            for result in self.failures[kind]:
                out(f"    {result.case}\n")
                for difference in result.found[:3]:
                    out(f"        {difference}\n")
                out(f"        findings: {sorted({(f.severity[0], f.code, f.field or '') for f in result.findings})}\n")
        out(f"\n{'mess':34}" + "".join(f"{name:>9}" for name in OUTCOMES) + "\n")
        for each in registered():
            out(f"{each.name:34}" + "".join(f"{self.by_mess[each.name, name]:9,}" for name in OUTCOMES) + "\n")
        out(f"{'all cases':34}" + "".join(f"{self.outcomes[name]:9,}" for name in OUTCOMES) + "\n")
        cries = ", ".join(f"{code} {count:,}" for code, count in self.cries.most_common())
        out(f"warnings and errors in files read rightly: {cries}\n")
        out(f"{cases:,} cases in {seconds:.0f} s: {cases / seconds:.0f} a second\n")


if __name__ == "__main__":
    sys.exit(main())
