"""The consolidated files of the bodies and datasets whose releases changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.steps import Run
from piperoll import assets
from piperoll.releasing import consolidate
from publishers import consolidate_body


def consolidated(run: Run, changed: Iterable[tuple[str, str]]) -> int:
    """See that the consolidated files say what stands of each (dataset, body); how many objects were touched."""
    touched = 0
    for dataset, body in changed:
        with TemporaryDirectory(dir=run.scratch) as scratch:
            touched += consolidate_body(run.store, assets.dataset(dataset), body, consolidate, Path(scratch))
    return touched
