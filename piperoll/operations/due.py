"""What bodies owe by law, judged as the catalogue judges it, without reading every file that was ever received."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from piperoll import assets
from piperoll.describing.context import CatalogueContext
from piperoll.duties import (
    Duty,
    ReceivedFiles,
    ReportOutcome,
    find_first_starts,
    judge_duties,
    judge_followed_duties,
    summarise_received,
)
from piperoll.errors import StoreCorrupt, UsageError
from piperoll.model import Body, Register, Report, Submission, resolve_body
from piperoll.operations.catalogue.body_cache import load_body
from piperoll.operations.catalogue.build_plan import BODIES, BodyRecord, BuildState, CatalogueBuild, plan_build
from piperoll.operations.run_request import add_senders, expected_bodies, known_bodies
from piperoll.settings import Settings
from publishers import Store, list_submissions, open_store, read_submission


@dataclass(frozen=True)
class DutyList:
    """The duties of `bodies` on a day, by due day; `not_followed` are the datasets that nobody has ever sent."""

    on: date
    bodies: tuple[Body, ...]
    duties: tuple[Duty, ...]
    not_followed: tuple[str, ...]


def list_duties(
    to: str, on: date, *, bodies: Path | None = None, body: str | None = None, since: date | None = None
) -> DutyList:
    """List what bodies owe on a day to the store at `to`.

    The bodies are those of the operator's file `bodies` and those that have sent something; without a file, those of
    the catalogue. `body` is the slug or a name of one of them. Without `since`, the duties are those that the catalogue
    shows: of the last 13 months, for datasets that someone has sent. With it, all whose period ended from that day on.

    Raises: UsageError: `bodies` cannot be read, or there is no such body; the message suggests one.
    """
    store, datasets = open_store(to), assets.datasets()
    recorded = Register(()) if bodies else _recorded_bodies(store)
    known = known_bodies(bodies).with_bodies(recorded)
    expected = expected_bodies(bodies) if bodies else recorded
    received = _read_received(store, expected, known, on)
    register = add_senders(expected, known, received)
    wanted = tuple(register) if body is None else (_find_body(body, register, known),)
    files = [file for one in wanted for file in received.get(one.slug, ())]
    starts = find_first_starts([file for files_of_one in received.values() for file in files_of_one])
    if since is None:
        duties = judge_followed_duties(datasets, wanted, files, on, starts)
    else:
        duties = judge_duties(datasets, wanted, files, on, since)
    with_duties = [dataset.name for dataset in datasets if dataset.duties]
    not_followed = tuple(name for name in with_duties if name not in starts) if since is None else ()
    return DutyList(on, wanted, tuple(duties), not_followed)


def _find_body(name: str, register: Register, known: Register) -> Body:
    match = resolve_body(name, known, (body.slug for body in register))
    if match.body is not None:
        return next((body for body in register if body.slug == match.body.slug), match.body)
    near = " or ".join(f"'{each.name}'" for each in match.suggestions)
    hint = f"did you mean {near}?" if near else "give the file that lists it with --bodies"
    raise UsageError(f"'{name}' is no body that has sent something or is in a register: {hint}")


def _recorded_bodies(store: Store) -> Register:
    """The bodies of the catalogue, as its last build knew them; none if there is no catalogue that we can read."""
    try:
        records = BuildState(store).read(BODIES, dict[str, BodyRecord]) or {}
    except StoreCorrupt:  # written by another version
        return Register(())
    return Register(tuple(record.digest.body for record in records.values()))


def _read_received(store: Store, expected: Register, known: Register, on: date) -> Mapping[str, ReceivedFiles]:
    """What each body sent, by slug: from what the last build of the catalogue kept, and what changed since.

    Everything is read only if there is no such build, or if it was made by another version or with other settings.
    """
    settings = Settings.from_environment()
    context = CatalogueContext(assets.datasets(), settings.base_url, settings.publisher_name, on, expected, known)
    with TemporaryDirectory(prefix="piperoll-") as scratch:
        build = plan_build(store, context, Path(scratch), None)
        if build.last.made_by != build.made_by or build.suspect.bodies is None:
            return _group_by_body(list_submissions(store))
        slugs = build.records.keys() | build.changes.bodies
        return {slug: received for slug in sorted(slugs) if (received := _read_body(build, slug))}


def _read_body(build: CatalogueBuild, slug: str) -> ReceivedFiles:
    """What a body sent: as the last build kept it, with the files that changed since read again."""
    if build.is_suspect(slug):
        return summarise_received(list_submissions(build.store, slug))
    files = {(one.dataset, one.sha256): (one, outcome) for one, outcome in load_body(build, slug).received}
    for dataset, _, sha256 in (file for file in build.changes.files if file[1] == slug):
        files.pop((dataset, sha256), None)
        if found := read_submission(build.store, dataset, slug, sha256):
            ((submission, outcome),) = summarise_received([found])
            files[dataset, sha256] = submission, outcome
    return list(files.values())


def _group_by_body(submissions: Iterable[tuple[Submission, Report | None]]) -> Mapping[str, ReceivedFiles]:
    groups: dict[str, list[tuple[Submission, ReportOutcome | None]]] = {}
    for submission, outcome in summarise_received(submissions):
        groups.setdefault(submission.body, []).append((submission, outcome))
    return groups
