"""The mapping commands: show what is known about a body's headings, list open questions, and answer them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll.commands.operating import local_file
from piperoll.errors import UsageError

if TYPE_CHECKING:
    from piperoll.model import BodyMapping, Question

Place = Annotated[str, typer.Option("--to", metavar="PLACE", help="A folder, or s3://bucket/prefix.")]
Body = Annotated[str, typer.Argument(help="The body's slug, identifier, name or alias.")]
Dataset = Annotated[str, typer.Argument(help="The dataset, as piperoll datasets lists them.")]
Bodies = Annotated[
    Path | None, typer.Option(metavar="FILE", parser=local_file, help="Your list of bodies, as in piperoll run.")
]


def show(body: Body, dataset: Dataset, to: Place, bodies: Bodies = None) -> None:
    """Print the mapping file of a body and dataset: which heading is which field.

    piperoll mapping show anytown spend --to published
    """
    from publishers import open_store, read_mapping

    slug, name = _find_names(body, dataset, bodies)
    mapping = read_mapping(open_store(to), slug, name)
    if not mapping.questions and not mapping.layouts:
        raise UsageError(f"there is no mapping for the {name} files of {slug} yet")
    typer.echo(mapping.to_toml(), nl=False)


def questions(to: Place) -> None:
    """List open questions about headings, each with the command that answers it.

    piperoll mapping questions --to published
    """
    from publishers import list_mappings, open_store

    found = [(mapping, question) for mapping in list_mappings(open_store(to)) for question in mapping.open_questions]
    for mapping, question in found:
        typer.echo(_format_question(mapping, question, to))
    if not found:
        typer.echo("There are no open questions.")


def answer(  # noqa: PLR0913, PLR0917 - one parameter for each option
    body: Body,
    dataset: Dataset,
    heading: Annotated[str, typer.Argument(help="The heading as the body writes it.")],
    answer: Annotated[
        str, typer.Argument(metavar="ANSWER", help="same, different, ignore, or a field's name, such as net_amount.")
    ],
    to: Place,
    because: Annotated[str, typer.Option(metavar="REASON", help="Why; kept with the answer.")],
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who answers; default: your login name.")] = None,
    bodies: Bodies = None,
) -> None:
    """Record what a heading means, asked or not. Files held for it are examined again in the next run.

    piperoll mapping answer anytown spend Gross different --to published --because "It includes VAT"
    piperoll mapping answer anytown spend "Inv Tot" net_amount --to published --because "By telephone"
    """
    from piperoll.api import login_name
    from piperoll.operations.questions import record_answer
    from piperoll.operations.run_request import current_moment
    from publishers import open_store, read_mapping

    store, (slug, name) = open_store(to), _find_names(body, dataset, bodies)
    mapping = read_mapping(store, slug, name)
    mapping = record_answer(
        store, mapping, heading, answer, because=because, moment=current_moment(), by=by or login_name()
    )
    waiting = {one for question in mapping.questions if not question.open for one in question.waiting}
    left = len(mapping.open_questions)
    typer.echo(f"Noted for {slug}, {name}: '{heading}' is {answer}." + (f" {left} more to answer." if left else ""))
    if waiting:
        typer.echo("Files held for it are examined again in the next piperoll run.")


def _format_question(mapping: BodyMapping, question: Question, to: str) -> str:
    from piperoll.terminal import clean, shell_word

    replaced = f" It replaced '{clean(question.replaced)}'." if question.replaced else ""
    held = f" Files held for it: {len(question.waiting)}." if question.waiting else ""
    part = f" ({question.part})" if question.part else ""
    asked = f"is '{clean(question.heading)}' the {question.field}?"
    word = shell_word(question.heading)
    command = f"piperoll mapping answer {mapping.body} {mapping.dataset} {word} same --to {to}"
    return (
        f"{mapping.body}, {mapping.dataset}{part}: {asked}{replaced}{held}\n"
        f'  {command} --because "…"\n'
        "  (or different, ignore, or the name of another field instead of same)"
    )


def _find_names(body: str, dataset: str, bodies: Path | None) -> tuple[str, str]:
    """The body's slug and the dataset's name. Raises: UnknownDataset."""
    from piperoll import assets
    from piperoll.operations.run_request import known_bodies

    return known_bodies(bodies).find(body).slug, assets.find_dataset(dataset)[0].name
