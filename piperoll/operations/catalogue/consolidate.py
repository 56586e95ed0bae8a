"""The consolidated files of the bodies and datasets whose releases changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from piperoll import assets
from piperoll.operations.steps import Run
from piperoll.releasing import consolidate_releases
from publishers import consolidate_body, list_unreferenced


def consolidated(run: Run, changed: Iterable[tuple[str, str]], *, careful: bool = False) -> Counter[tuple[str, str]]:
    """See that the consolidated files say what stands of each (dataset, body).

    How many objects were written or removed, by (dataset, financial year). `careful`: someone may have been killed over
    it, or be at work; what no pointer names is removed, since it may hold what was taken back meanwhile.
    """
    touched: Counter[tuple[str, str]] = Counter()
    for dataset, body in sorted(changed):
        with TemporaryDirectory(dir=run.scratch) as scratch:
            counts = consolidate_body(
                run.store, assets.dataset(dataset), body, consolidate_releases, Path(scratch), check_files=careful
            )
        touched.update({(dataset, year): count for year, count in counts.items()})
    for key in list(list_unreferenced(run.store)) if careful else ():
        run.store.delete(key)
    return touched
