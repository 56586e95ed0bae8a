"""Compare the cost of one release in a small and a large store: `python -m bench.publishing [--s3 PLACE] FEW MANY`.

The existing releases (FEW, then MANY) are spread over bodies and months as in production. They are written directly:
pointers, manifests, index pages, records and their links, with version files of a few bytes. Then the code of
`publishers` receives, publishes, corrects and reports one submission, and its requests, bytes and seconds are counted.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import publishers
from tests.fixtures.counting_store import Cost
from tests.fixtures.large_store import (
    fill,
    measure,
    write_files,
)


def _fill_s3(store: publishers.Store, releases: int) -> int:
    with ThreadPoolExecutor(8) as pool:
        return fill(lambda key, content: pool.submit(store.put, key, content), releases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("few", type=int, nargs="?", default=1_000)
    parser.add_argument("many", type=int, nargs="?", default=100_000)
    parser.add_argument(
        "--s3", metavar="s3://BUCKET/PREFIX", help="An empty bucket or prefix, instead of a temporary folder."
    )
    arguments = parser.parse_args()
    costs: list[dict[str, Cost]] = []
    for releases in (arguments.few, arguments.many):
        with TemporaryDirectory() as folder:
            address = f"{arguments.s3}/{releases}" if arguments.s3 else f"{folder}/store"
            store = publishers.open_store(address)
            objects = _fill_s3(store, releases) if arguments.s3 else fill(write_files(Path(address)), releases)
            sys.stdout.write(f"{releases:,} releases, {objects:,} objects\n")
            costs.append(measure(publishers.open_store(address), Path(folder) / "packed", 10))
        for name, cost in costs[-1].items():
            sys.stdout.write(f"  {name:<16} {cost}\n")
    _print_ratios(*costs)


def _print_ratios(few: dict[str, Cost], many: dict[str, Cost]) -> None:
    seconds = [sum(cost.seconds for cost in costs.values()) for costs in (few, many)]
    requests = [sum(cost.asked.total() for cost in costs.values()) for costs in (few, many)]
    ratios = {"requests": requests[1] / requests[0], "seconds": seconds[1] / seconds[0]}
    sys.stdout.write(json.dumps({name: round(ratio, 3) for name, ratio in ratios.items()}) + "\n")


if __name__ == "__main__":
    main()
