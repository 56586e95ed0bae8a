"""Making the catalogue anew: what changed is written, what is no longer there is removed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date

from flows.opening import with_senders
from flows.steps import Run
from piperoll import assets, describing
from piperoll.errors import NotThere, PiperollError
from piperoll.model import to_json_bytes
from publishers import listings, submissions

_PREFIX = "catalogue/"
_WRITTEN = "collected/catalogue.json"
"""The sha256 of every file of the catalogue as last written: private, and only to know what need not be written."""


class CatalogueTrouble(PiperollError):
    """The catalogue could not be made for a fault of ours; what is published stands all the same."""


def catalogue(run: Run) -> int:
    """Make the catalogue of everything that stands in the store; how many files of it were written or removed.

    Killed half-way, the next call writes what is missing.

    Raises: PiperollError: it could not be made. A fault without a name has one here (CatalogueTrouble), so that
    whoever made a release still gets to hear of it.
    """
    try:
        return _made(run)
    except PiperollError:
        raise
    except Exception as error:
        raise CatalogueTrouble(f"a fault of ours: {type(error).__name__}: {error}") from error


def tried(make: Callable[[], int]) -> tuple[int, str | None]:
    """How many files of the catalogue `make` wrote, or (0 and) in plain words why it could not be made."""
    try:
        return make(), None
    except PiperollError as error:
        return 0, str(error)


def _made(run: Run) -> int:
    came = list(submissions(run.store))
    pages = describing.catalogue(
        list(listings(run.store)),
        datasets=assets.datasets(),
        register=with_senders(run.expected, run.register, (submission.body for submission, _ in came)),
        base_url=run.settings.base_url,
        publisher_name=run.settings.publisher_name,
        on=date.fromisoformat(run.now[:10]),
        submissions=came,
    )
    before, there = _written(run), set(run.store.keys(_PREFIX))
    after: dict[str, str] = {}
    changed = 0
    for key, content in pages:
        after[key] = hashlib.sha256(content).hexdigest()
        if before.get(key) != after[key] or _PREFIX + key not in there:
            run.store.put(_PREFIX + key, content)
            changed += 1
    gone = there - {_PREFIX + key for key in after}
    for key in sorted(gone):
        run.store.delete(key)
    if before != after:
        run.store.put(_WRITTEN, to_json_bytes(after))
    return changed + len(gone)


def _written(run: Run) -> dict[str, str]:
    try:
        written: dict[str, str] = json.loads(run.store.read(_WRITTEN).content)
    except NotThere:
        return {}
    return written
