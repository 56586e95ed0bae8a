"""Making the catalogue: what changed is made anew and written, what is no longer there is removed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from piperoll import assets
from piperoll.describing import CatalogueContext
from piperoll.errors import PiperollError, PointerMoved
from piperoll.operations.catalogue import body_cache as shelving
from piperoll.operations.catalogue import rollups as gathering
from piperoll.operations.catalogue.build_plan import Making, planned
from piperoll.operations.catalogue.consolidate import consolidated
from piperoll.operations.steps import Run
from publishers import Ledger, changed, forget, list_indexed_series

_TRIES = 10


class CatalogueTrouble(PiperollError):
    """The catalogue could not be made for a fault of ours; what is published stands all the same."""


def catalogue(run: Run) -> int:
    """See that the catalogue tells what stands in the store; how many files of it were written or removed.

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
    """Make it, again where someone else has made it meanwhile: what we took from before may be theirs no longer."""
    since = None
    for _ in range(_TRIES):
        ledger = Ledger(run.store)
        making = planned(run, ledger, _world(run), changed(run.store), since)
        try:
            _all_of(making)
        except PointerMoved:
            since = making.before.number
            continue
        return ledger.touched
    raise PointerMoved(f"the catalogue was made by others {_TRIES} times while we tried: try again later")


def _all_of(making: Making) -> None:
    """What changed of each body, then what tells of all, and last that all of it is made."""
    if making.needless:
        return
    making.begin(making.stale | making.aged)
    compared = consolidated(making.run, _pairs(making), careful=not making.certain)
    shelves = {slug: shelving.renewed(making, slug) for slug in sorted(making.stale)}
    shelves |= {slug: shelving.loaded(making, slug) for slug in sorted(making.aged)}
    since = gathering.first_days(making, shelves)
    touched = gathering.touched(making, since)
    making.begin(touched)
    bodies = [
        gathering.made_of(making, slug, shelves.get(slug) or shelving.loaded(making, slug), since) for slug in touched
    ]
    pages = gathering.told_of_all(making, bodies, compared)
    making.end(touched, pages)
    forget(making.run.store, making.marks)


def _pairs(making: Making) -> set[tuple[str, str]]:
    """The datasets and bodies of which releases may have changed."""
    if making.whole:
        return {(series.dataset, series.body) for series in list_indexed_series(making.run.store)}
    return {*making.marks.pairs, *((name, slug) for slug in making.anew & making.members.keys()
                                   for name in making.members[slug].datasets)}  # fmt: skip


def _world(run: Run) -> CatalogueContext:
    return CatalogueContext(
        assets.datasets(),
        run.settings.base_url,
        run.settings.publisher_name,
        date.fromisoformat(run.now[:10]),
        run.expected,
        run.register,
    )
