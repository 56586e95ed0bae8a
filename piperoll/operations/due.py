"""What bodies owe by law, judged as the catalogue judges it, without reading every file that was ever received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from piperoll import assets
from piperoll.duties import Duty, judge_duties, judge_followed_duties
from piperoll.errors import UsageError
from piperoll.model import Body, Register, Statement, resolve_body
from piperoll.operations.body_index import open_index
from piperoll.operations.run_request import add_senders, known_bodies


@dataclass(frozen=True)
class DutyList:
    """The duties of `bodies` on a day, by due day; `not_followed` are the datasets that nobody has ever sent.

    `statements` are what bodies said of their returns, by slug.
    """

    on: date
    bodies: tuple[Body, ...]
    duties: tuple[Duty, ...]
    not_followed: tuple[str, ...]
    statements: Mapping[str, Sequence[Statement]] = field(default_factory=dict, repr=False)


def list_duties(
    to: str, on: date, *, bodies: Path | None = None, body: str | None = None, since: date | None = None
) -> DutyList:
    """List what bodies owe on a day to the store at `to`.

    The bodies are those of the operator's file `bodies` and those that have sent something; without a file, those of
    the catalogue. `body` is the slug or a name of one of them. Without `since`, the duties are those that the catalogue
    shows: of the last 13 months, for datasets that someone has sent. With it, all whose period ended from that day on.

    Raises: UsageError: `bodies` cannot be read, or there is no such body; the message suggests one.
    """
    index, datasets = open_index(to, on, bodies=bodies), assets.datasets()
    recorded = Register(()) if bodies else index.context.expected
    known = known_bodies(bodies).with_bodies(recorded)
    register = add_senders(index.context.expected, known, index.senders)
    wanted = tuple(register) if body is None else (_find_body(body, register, known),)
    files = [file for one in index.read_all(one.slug for one in wanted) for file in one.received]
    stated = [said for one in wanted for said in index.context.statements.get(one.slug, ())]
    starts = index.first_starts
    if since is None:
        duties = judge_followed_duties(datasets, wanted, files, on, starts, stated)
    else:
        duties = judge_duties(datasets, wanted, files, on, since, stated)
    with_duties = [dataset.name for dataset in datasets if dataset.duties]
    not_followed = tuple(name for name in with_duties if name not in starts) if since is None else ()
    return DutyList(on, wanted, tuple(duties), not_followed, index.context.statements)


def _find_body(name: str, register: Register, known: Register) -> Body:
    match = resolve_body(name, known, (body.slug for body in register))
    if match.body is not None:
        return next((body for body in register if body.slug == match.body.slug), match.body)
    near = " or ".join(f"'{each.name}'" for each in match.suggestions)
    hint = f"did you mean {near}?" if near else "give the file that lists it with --bodies"
    raise UsageError(f"'{name}' is no body that has sent something or is in a register: {hint}")
