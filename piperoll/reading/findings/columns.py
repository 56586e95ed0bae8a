"""What reading has to say about which column is which. One function a code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from piperoll.model import Acts, Dataset, Field, Finding, Severity
from piperoll.reading.columns.assignment import Choice
from piperoll.reading.columns.shifted_columns import Moved
from piperoll.reading.grids.grid import letter

DRIFTED = "headings-drifted"
"""The code that holds a file until its question is answered."""


def heading_replaced(
    sheet: str | None, field: Field, choice: Choice, replaced: str, *, doubtful: bool, core: bool
) -> Finding:
    """Another heading than before stands for a field: held where it may mean something else and the field is core."""
    took = f"'{choice.heading.strip()}' (column {letter(choice.column)}) replaced '{replaced.strip()}'"
    title = field.title.lower()
    if doubtful and core:
        return Finding(
            DRIFTED,
            Severity.ERROR,
            f"{took} for the {title}: is it the same thing? We cannot tell, so the file is held until somebody says.",
            "Answer 'same', 'different', 'ignore' or the name of a field: 'piperoll mapping questions' shows how. "
            "Then run again.",
            acts=Acts.PLATFORM,
            sheet=sheet,
            column=letter(choice.column),
            field=field.name,
            value=choice.heading,
        )
    return Finding(
        "heading-replaced",
        Severity.WARNING if doubtful else Severity.INFO,
        f"{took} for the {title}. {'It may mean something else.' if doubtful else 'We took it for the same thing.'}",
        "Keep the headings the same from one period to the next.",
        sheet=sheet,
        column=letter(choice.column),
        field=field.name,
        value=choice.heading,
    )


def heading_answered(sheet: str | None, field: Field, choice: Choice) -> Finding:
    """A column was taken for a field because somebody has said that it is."""
    return Finding(
        "heading-answered",
        Severity.INFO,
        f"Column {letter(choice.column)} ('{choice.heading.strip()}') is the {field.title.lower()}: somebody has said "
        "so for this body.",
        "Nothing, if that is still right. 'piperoll mapping answer' changes it.",
        sheet=sheet,
        column=letter(choice.column),
        field=field.name,
        value=choice.heading,
    )


def column_guessed(sheet: str | None, field: Field, choice: Choice) -> Finding:
    """A column taken for a field by what it holds, with the one that could be it as well."""
    heading = f" ('{choice.heading.strip()}')" if choice.heading.strip() else ""
    other = "" if choice.runner_up is None else f" Column {letter(choice.runner_up)} could be it as well."
    return Finding(
        "column-guessed",
        Severity.WARNING,
        f"We took column {letter(choice.column)}{heading} for the {field.title.lower()} by what it holds: "
        f"{choice.why[0]}.{other}",
        f"Call the column '{field.title}'.",
        sheet=sheet,
        column=letter(choice.column),
        field=field.name,
        value=choice.heading,
    )


def column_doubtful(sheet: str | None, field: Field, choice: Choice, *, amount: bool) -> Finding:
    """Another column could be a field as well."""
    taken, other = letter(choice.column), letter(choice.runner_up or 0)
    return Finding(
        "amount-column-doubtful" if amount else "column-doubtful",
        Severity.WARNING,
        f"Both column {taken} ('{choice.heading.strip()}') and column {other} ('{choice.runner_up_heading.strip()}') "
        f"could be the {field.title.lower()}. We took column {taken}.",
        f"Call the right one '{field.title}' and the other something else.",
        sheet=sheet,
        column=letter(choice.column),
        field=field.name,
        value=choice.heading,
    )


def invoice_as_transaction(sheet: str | None, field: Field, choice: Choice) -> Finding:
    """Invoice numbers stand where a transaction number is asked for."""
    return Finding(
        "invoice-number-published",
        Severity.WARNING,
        f"Column {letter(choice.column)} ('{choice.heading.strip()}') holds invoice numbers, and they were read as the "
        f"{field.title.lower()}. Fraudsters use real invoice numbers to pass as a supplier.",
        "Send a transaction number of your own finance system in place of the invoice number.",
        sheet=sheet,
        column=letter(choice.column),
        field=field.name,
        value=choice.heading,
    )


def columns_moved(sheet: str | None, moved: Moved, headings: Sequence[str]) -> Finding:
    """The data stand beside their headings: all of them from one on, or those of a stretch."""
    side = "left" if moved.shift < 0 else "right"
    first = headings[moved.start].strip()
    if moved.end is None:
        message = f"From the heading '{first}' on, the data stand one column to the {side} of their headings."
    else:
        last = headings[moved.end - 1].strip()
        message = (
            f"From the heading '{first}' to the heading '{last}' the data do not stand below their own headings: "
            f"one column was moved, and the others stand one column to the {side}."
        )
    return Finding(
        "columns-shifted",
        Severity.WARNING,
        f"{message} We read the columns where the data stand.",
        "Put each heading above its own data.",
        sheet=sheet,
        value=first,
    )


def column_unlike(sheet: str | None, field: Field, choice: Choice) -> Finding:
    """Numbers or dates stand where names are asked for."""
    return Finding(
        "column-unlike-heading",
        Severity.WARNING,
        f"Column {letter(choice.column)} ('{choice.heading.strip()}') was read as the {field.title.lower()}, but most "
        "of its cells are numbers or dates.",
        f"Look whether the data stand below their own headings, and send the {field.title.lower()} in words.",
        sheet=sheet,
        column=letter(choice.column),
        field=field.name,
        value=choice.heading,
    )


def vat_not_said(sheet: str | None, field: Field, choice: Choice) -> Finding:
    """A column of tax whose heading does not say whether it could be claimed back."""
    return Finding(
        "vat-kind-not-said",
        Severity.WARNING,
        f"Column {letter(choice.column)} ('{choice.heading.strip()}') was read as VAT that could not be claimed back, "
        "but its heading does not say so. It may be all of the VAT.",
        f"Call the column '{field.title}' if that is what it holds, and leave it out if it is not.",
        sheet=sheet,
        column=letter(choice.column),
        field=field.name,
        value=choice.heading,
    )


def dataset_guessed(dataset: Dataset, choices: Iterable[Choice]) -> Finding:
    """Nobody said which dataset a file is of, and its headings show it only in part."""
    named = ", ".join(f"'{choice.heading.strip()}'" for choice in [*choices][:4] if choice.heading.strip())
    because = f"its headings {named} could stand in other lists as well" if named else "it has no headings"
    return Finding(
        "dataset-guessed",
        Severity.WARNING,
        f"Nobody said what the file is of. It was read as {dataset.title.lower()}, but {because}.",
        "Send the file to the dataset that it belongs to. If it is of none, do not send it.",
    )
