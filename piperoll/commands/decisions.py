"""The decide commands, about held values, suppliers and pairs of contracts; and a body's reply to a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll.commands.operating import local_file
from piperoll.errors import UsageError

if TYPE_CHECKING:
    from piperoll.model import DecisionEntry
    from piperoll.operations.queue_items import QueueItem

Values = Annotated[
    list[str] | None,
    typer.Argument(metavar="VALUE…", help="As the file writes it; capitals and accents do not matter."),
]
Place = Annotated[str, typer.Option("--to", metavar="PLACE", help="A folder, or s3://bucket/prefix.")]
Because = Annotated[str, typer.Option(metavar="REASON", help="Why; kept with the decision, and not published.")]
Body = Annotated[str | None, typer.Option(metavar="NAME", help="The body whose files it is about.")]
Dataset = Annotated[str | None, typer.Option(metavar="NAME", help="Only in files of this dataset; default: in all.")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who decided; default: your login name.")]
Area = Annotated[
    bool, typer.Option("--area", help="The values are service areas: decide about all who are paid in them.")
]
AllBodies = Annotated[bool, typer.Option("--all-bodies", help="In the files of every body: an operator's decision.")]
FromReport = Annotated[
    Path | None, typer.Option(metavar="FILE.json", help="All held values of a report of piperoll check --json.")
]
Bodies = Annotated[
    Path | None, typer.Option(metavar="FILE", parser=local_file, help="Your list of bodies, as in piperoll run.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def business(  # noqa: PLR0913, PLR0917 - one parameter for each option
    to: Place,
    because: Because,
    values: Values = None,
    body: Body = None,
    dataset: Dataset = None,
    area: Area = False,
    all_bodies: AllBodies = False,
    from_report: FromReport = None,
    by: By = None,
    bodies: Bodies = None,
) -> None:
    """Decide that held values are about no private person. The next run publishes their rows.

    Take the values from the report of piperoll check. With --area, everyone who is paid in a service area is decided
    about. It needs a body, or --all-bodies.

    piperoll decide business "Jane Example" --body anytown --to published --because "Sole trader; the body confirmed it"
    piperoll decide business "Adoption agencies" --area --body anytown --to published --because "Agencies only"
    piperoll decide business --from-report report.json --body anytown --to published --because "All are firms"
    """
    _decide(
        to, "business", values, because=because, body=body, dataset=dataset, area=area, all_bodies=all_bodies,
        from_report=from_report, by=by, bodies=bodies,
    )  # fmt: skip


def public_role(  # noqa: PLR0913, PLR0917 - one parameter for each option
    to: Place,
    because: Because,
    values: Values = None,
    body: Body = None,
    dataset: Dataset = None,
    all_bodies: AllBodies = False,
    from_report: FromReport = None,
    by: By = None,
    bodies: Bodies = None,
) -> None:
    """Decide that people are named in a public role. The next run publishes their rows with the name.

    piperoll decide public-role "Jane Example" --body anytown --to published --because "She is the chief executive"
    """
    _decide(
        to, "public-role", values, because=because, body=body, dataset=dataset, area=False, all_bodies=all_bodies,
        from_report=from_report, by=by, bodies=bodies,
    )  # fmt: skip


def person(  # noqa: PLR0913, PLR0917 - one parameter for each option
    to: Place,
    because: Because,
    values: Values = None,
    body: Body = None,
    dataset: Dataset = None,
    area: Area = False,
    all_bodies: AllBodies = False,
    from_report: FromReport = None,
    by: By = None,
    bodies: Bodies = None,
    yes: Yes = False,
) -> None:
    """Decide that values name private people. The next run publishes their rows without the name.

    Where another text contains the name, the row is held. Published versions that show the name are deleted
    permanently.

    piperoll decide person "Jane Example" --body anytown --to published --because "She is a foster carer"
    """
    if not yes:
        typer.confirm(
            "The next run deletes published versions that show these names permanently. Continue?", abort=True
        )
    _decide(
        to, "person", values, because=because, body=body, dataset=dataset, area=area, all_bodies=all_bodies,
        from_report=from_report, by=by, bodies=bodies,
    )  # fmt: skip


def supplier(
    name: Annotated[str, typer.Argument(metavar="SUPPLIER", help="A name as published, or a supplier key.")],
    org_id: Annotated[
        str, typer.Argument(metavar="NUMBER", help="A company number, GB-COH-01234567, GB-CHC-123456 or none.")
    ],
    to: Place,
    because: Because,
    body: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only where this body pays it; default: for every body.")
    ] = None,
    by: By = None,
    bodies: Bodies = None,
) -> None:
    """Decide which organisation a supplier is. The next piperoll measure counts it under this number.

    piperoll decide supplier "Rook (Wales) Ltd" 1234567 --to published --because "On its invoices"
    piperoll decide supplier rookwales none --body anytown --to published --because "A partnership; in no register"
    """
    from piperoll.operations import reviews
    from publishers import open_store

    slug = _slug(body, bodies) if body else None
    entry = reviews.record_supplier(open_store(to), name, org_id, because=because, **_by_now(by), body=slug)
    typer.echo(f"{entry.id}: {_describe(entry)}, in {_describe_scope(entry)}.")


def pair(
    identifier: Annotated[str, typer.Argument(metavar="PAIR", help="As the measure of duplication lists it.")],
    decided_as: Annotated[
        str, typer.Argument(metavar="DECISION", help="joint, common-framework, separate, not-same or unclear.")
    ],
    to: Place,
    because: Because,
    by: By = None,
) -> None:
    """Decide how two contracts of different bodies are related. The next piperoll measure counts them so.

    piperoll decide pair 5d0c9b1e77aa separate --to published --because "Two tenders for the same software"
    """
    from piperoll.operations import reviews
    from publishers import open_store

    entry = reviews.record_pair(open_store(to), identifier, decided_as, because=because, **_by_now(by))
    typer.echo(f"{entry.id}: {_describe(entry)}.")


def reply(
    figure_id: Annotated[str, typer.Argument(metavar="FIGURE", help="The figure_id in the rows of a measure.")],
    to: Place,
    body: Annotated[str, typer.Option(metavar="NAME", help="The body that replies, and whose figure it is.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="What it says. The note is published.")],
    by: By = None,
    bodies: Bodies = None,
) -> None:
    """Record what a body says about a figure of its own. The next piperoll measure publishes it beside the figure.

    The note names no person and has at most 600 characters. A later reply replaces it; piperoll decide take-back
    removes it. A figure that is published about another body is refused.

    piperoll reply 0a1b2c3d4e5f6071 --body anytown --to published --note "Includes a grant that was paid late."
    """
    from piperoll.operations.own_figures import reply_to_figure
    from publishers import open_store

    slug = _slug(body, bodies)
    entry = reply_to_figure(open_store(to), figure_id, note, **_by_now(by), body=slug, ahead=True)
    typer.echo(f"{entry.id}: {_describe(entry)}, from {entry.body}. The note is published when measures are next made.")


def list_decisions(
    to: Place,
    body: Annotated[str | None, typer.Option(metavar="NAME", help="Only what bears on the files of this body.")] = None,
    bodies: Bodies = None,
) -> None:
    """List what was decided, by whom, when and why, with the identifiers.

    piperoll decide list --to published
    piperoll decide list --to published --body anytown
    """
    from piperoll import terminal
    from piperoll.operations.decisions import list_log
    from piperoll.operations.run_request import known_bodies
    from publishers import open_store

    entries = list_log(open_store(to), known_bodies(bodies).find(body).slug if body else None)
    if not entries:
        typer.echo("Nothing was decided.")
        return
    taken_back = {entry.subject for entry in entries if entry.kind == "take-back"}
    rows = [
        (
            entry.id,
            entry.decided[:10],
            _describe_scope(entry),
            _describe(entry) + (" (taken back)" if entry.id in taken_back else ""),
            entry.by,
            entry.because,
        )
        for entry in entries
    ]
    terminal.print_grid(terminal.console(), ("Id", "Day", "In files of", "Decision", "By", "Because"), rows)


def queue(
    to: Place,
    body: Annotated[str | None, typer.Option(metavar="NAME", help="Only what is about this body.")] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Only heading, value, file, claim, withdrawal, purge, report, supplier or pair.",
        ),
    ] = None,
    turn: Annotated[str | None, typer.Option(metavar="WHO", help="Only what waits for body or platform.")] = None,
    bodies: Bodies = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with what each answer would do.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Apply the answers that were given, then list.")] = False,
) -> None:
    """List what waits for a person's decision: rows, pounds, age, whose turn it is and what can be answered.

    piperoll decisions --to published
    piperoll decisions --to published --turn platform --json
    """
    import sys
    from datetime import UTC, datetime

    from piperoll.model import to_json_bytes
    from piperoll.operations.answering import apply_answers
    from piperoll.operations.body_index import open_index
    from piperoll.operations.decision_queue import list_items
    from piperoll.operations.queue_items import ItemKind

    if kind is not None and kind not in set(ItemKind):
        raise UsageError(f"'{kind}' is not a kind of decision: use {', '.join(ItemKind)}")
    if turn not in (None, "body", "platform"):
        raise UsageError(f"'{turn}' is not who decides: use body or platform")
    today = datetime.now(UTC).date()
    slug = _slug(body, bodies) if body else None
    if apply:
        apply_answers(to, bodies=bodies, only=slug)
    found = list_items(open_index(to, today, bodies=bodies), [slug] if slug else None)
    items = [one for one in found if kind in (None, one.kind) and turn in (None, one.turn)]
    if as_json:
        document = {"on": today.isoformat(), "decisions": [one.to_document(today) for one in items]}
        sys.stdout.buffer.write(to_json_bytes(document))
        return
    if not items:
        typer.echo("Nothing waits for a decision.")
        return
    from piperoll import terminal
    from piperoll.describing.wording import format_pounds

    rows = [
        (
            one.id,
            str(one.kind),
            one.body,
            one.question,
            f"{one.rows:,}",
            "" if one.pounds is None else format_pounds(one.pounds),
            f"{one.age_days(today):,}",
            str(one.turn),
            ", ".join(choice.answer for choice in one.choices),
        )
        for one in items
    ]
    headings = ("Id", "Kind", "Body", "Question", "Rows", "Pounds", "Days", "Turn", "Answers")
    out = terminal.console()
    terminal.print_grid(out, headings, rows)
    out.print()
    for line in _summarise_queue(items):
        out.print(line, soft_wrap=True)


def _summarise_queue(items: Sequence[QueueItem]) -> Iterator[str]:
    """What waits for whom, in rows and pounds; and what each answer does."""
    from piperoll.describing.wording import format_count, format_pounds

    for turn, whom in (("body", "the body"), ("platform", "you")):
        own = [one for one in items if one.turn == turn]
        if own:
            pounds = format_pounds(sum((one.pounds for one in own if one.pounds is not None), Decimal(0)))
            rows = format_count(sum(one.rows for one in own), "row")
            yield f"{format_count(len(own), 'decision')} for {whom}: {rows}, {pounds}."
    effects = {(str(one.kind), choice.answer): choice.effect for one in items for choice in one.choices}
    for (kind, answer), effect in effects.items():
        yield f"  {kind}, {answer}: {effect}"
    yield "To answer: piperoll decide answer ANSWER ID… --because REASON"


def answer(
    given: Annotated[
        str, typer.Argument(metavar="ANSWER", help="As piperoll decisions lists them; for a report, text.")
    ],
    identifiers: Annotated[list[str], typer.Argument(metavar="ID…", help="As piperoll decisions lists them.")],
    to: Place,
    because: Annotated[
        str,
        typer.Option(metavar="REASON", help="Why; kept with the answers. For files it is published: leave names out."),
    ],
    by: By = None,
    bodies: Bodies = None,
) -> None:
    """Give one answer to several questions of piperoll decisions, of any number of bodies.

    An answer that cannot be recorded is named, with the reason, and stops no other. The next run applies the
    others, and so does piperoll decisions --apply.

    piperoll decide answer replace 3fa9c2d17b60 77ab01c9d2e4 --to published --because "Right: a change of policy"
    """
    from datetime import UTC, datetime

    from piperoll.operations.answering import answer_items
    from piperoll.operations.body_index import open_index
    from piperoll.operations.decision_queue import list_items
    from publishers import open_store

    store = open_store(to)
    items = list_items(open_index(store, datetime.now(UTC).date(), bodies=bodies))
    unknown = {*identifiers} - {one.id for one in items}
    if unknown == {*identifiers}:
        raise UsageError(f"there is no open question {', '.join(sorted(unknown))}: piperoll decisions lists them")
    answered = answer_items(
        store, items, dict.fromkeys(identifiers, given), because=because, standings=None, **_by_now(by)
    )
    for one in answered.taken:
        typer.echo(f"{one.id}: {given}, in {', '.join(one.concerns)}.")
    typer.echo("The next piperoll run applies it; at once: piperoll decisions --apply.")
    for identifier, why in answered.refused.items():
        typer.echo(f"{identifier} is not answered: {why}", err=True)
    if answered.refused:
        raise typer.Exit(1)


def take_back(
    identifiers: Annotated[list[str], typer.Argument(metavar="ID…", help="As piperoll decide list shows them.")],
    to: Place,
    because: Because,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Take decisions back. The next run applies the rules again, as if they had not been made.

    Rows that were published because of the decision are held again, and the versions that show them are deleted
    permanently, with the differences from and to them. A reply, or a decision about a supplier or a pair of contracts,
    counts no more when measures are next made.

    piperoll decide take-back 3fa9c2d17b60 --to published --because "The firm is a private person after all"
    """
    from piperoll import api
    from publishers import find_decision, open_store

    about = [find_decision(open_store(to), identifier).kind for identifier in identifiers]
    if not yes and not all(kind.is_review for kind in about):
        typer.confirm("The next run deletes versions that were published by this permanently. Continue?", abort=True)
    for identifier, kind in zip(identifiers, about, strict=True):
        entry = api.take_back(to, identifier, because=because, by=by)
        if kind.is_review:
            typer.echo(f"{entry.subject} is taken back. The next piperoll measure makes its figures without it.")
            continue
        if entry.decided_as == "person":
            effect = "publishes the names again, unless the rules hold them"
        else:
            effect = "holds its rows again, and deletes the published versions that show them"
        typer.echo(f"{entry.subject} is taken back. The next piperoll run {effect}.")


def _decide(
    to: str,
    decided_as: str,
    values: list[str] | None,
    *,
    from_report: Path | None,
    bodies: Path | None,
    **given: object,
) -> None:
    from piperoll import api

    wanted = [*(values or ()), *(_held_values(from_report) if from_report else ())]
    entries = api.decide(to, wanted, decided_as, bodies=bodies, **given)  # type: ignore[arg-type]
    for entry in entries:
        typer.echo(f"{entry.id}: {_describe(entry)}, in {_describe_scope(entry)}.")
    if decided_as == "person":
        typer.echo("The next piperoll run publishes these rows without the name, and deletes versions that show it.")
    else:
        typer.echo("The next piperoll run checks the files that were held for this again, and publishes the rows.")


def _held_values(path: Path) -> list[str]:
    """The held values of a report. Raises: UsageError: it is not a report, or holds no values."""
    import json

    try:
        document = json.loads(path.read_text("utf-8"))
        values = [str(held["value"]) for held in document.get("held_values", ())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a report of piperoll check --json: {error}") from error
    if not values:
        raise UsageError(f"{path} has no held values")
    return values


def _slug(body: str, bodies: Path | None) -> str:
    from piperoll.operations.run_request import known_bodies

    return known_bodies(bodies).find(body).slug


def _by_now(by: str | None) -> dict[str, str]:
    """Who decides, and when."""
    from piperoll.api import login_name
    from piperoll.operations.run_request import current_moment

    return {"by": by or login_name(), "moment": current_moment()}


def _describe(entry: DecisionEntry) -> str:
    if entry.kind.is_review:
        return _describe_review(entry)
    words = {"business": "a business", "public-role": "named in a public role", "person": "a private person"}
    each = {"business": "businesses", "public-role": "people in a public role", "person": "private people"}
    about = entry.subject if "/" in entry.subject else f"file {entry.subject[:12]}"
    descriptions = {
        "take-back": f"takes {entry.subject} back",
        "file": f"file {entry.subject[:12]} released ({entry.decided_as})",
        "heading": f"the heading '{entry.subject}' is {entry.decided_as}",
        "restate": f"{entry.subject} is {entry.decided_as} by today's rules",
        "takedown": f"{about} is {entry.decided_as}",
        "withdraw": f"withdrawal of {entry.subject}: {entry.decided_as.replace('-', ' ')}",
        "area": f"all paid in '{entry.subject}' are {each.get(entry.decided_as)}",
        "value": f"'{entry.subject}' is {words.get(entry.decided_as)}",
    }
    return descriptions[entry.kind]


def _describe_review(entry: DecisionEntry) -> str:
    from piperoll.model import NO_COMPANY

    match entry.kind:
        case "reply":
            return f"reply to the figure {entry.subject}"
        case "pair":
            return f"the pair {entry.subject} is {entry.decided_as}"
        case _:
            who = "in no register" if entry.decided_as == NO_COMPANY else entry.decided_as
            return f"the supplier '{entry.subject}' is {who}"


def _describe_scope(entry: DecisionEntry) -> str:
    body = entry.body or "all bodies"
    return f"{body}, {entry.dataset}" if entry.dataset else body
