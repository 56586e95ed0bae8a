"""What reading has to say about how a column's numbers and references are written. One function a code."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from piperoll.model import Field, Finding, Severity
from piperoll.reading.grids.grid import letter


@dataclass(frozen=True, slots=True)
class Column:
    """One column that was taken for a field: where it stands, and the heading it was taken by.

    `amount` says that it holds the amounts that are added up, `reference` that it holds numbers of papers, `within`
    that its days lie in the time that the file covers.
    """

    field: Field
    place: int
    heading: str
    sheet: str | None = None
    amount: bool = False
    reference: bool = False
    within: bool = False
    least_amount: Decimal | None = None
    """The smallest amount in pounds that the dataset must publish."""

    @property
    def counted(self) -> bool:
        """Whether its distinct cells say something of how it is written: words and names do not."""
        return self.reference or self.field.type != "string"


def about(
    column: Column, code: str, severity: Severity, message: str, fix: str, *, value: str | None = None, count: int = 1
) -> Finding:
    """A finding about a whole column, at its place."""
    where = letter(column.place)
    field, sheet = column.field.name, column.sheet
    return Finding(code, severity, message, fix, sheet=sheet, column=where, field=field, value=value, count=count)


def amounts_decimal_comma(column: Column, example: str, proofs: int) -> Finding:
    """A whole column with commas for decimal points."""
    return about(
        column,
        "amounts-decimal-comma",
        Severity.WARNING,
        f"{proofs:,} numbers in column {letter(column.place)} (such as '{example}') have a comma where the pence "
        "begin, and none says otherwise. So a comma was read as the decimal point and a point as parting thousands. "
        "If that is wrong, the amounts are too small.",
        "Write amounts with a point before the pence: 1234.50.",
        value=example,
        count=proofs,
    )


def amounts_three_places(column: Column, example: str, other: str, count: int) -> Finding:
    """A whole column with three digits behind every point."""
    return about(
        column,
        "amounts-three-places",
        Severity.WARNING,
        f"Every point in column {letter(column.place)} has three digits behind it. We read '{example}' as pounds with "
        f"three decimals; if the point parts thousands, it is {other}, and every such amount a thousand times larger.",
        "Write amounts without marks between thousands and with two digits of pence: 1234.50.",
        value=example,
        count=count,
    )


def amounts_scale_doubtful(column: Column, scale: Decimal, count: int, *, small: bool) -> Finding:
    """A heading that says thousands or pence, over amounts in pounds and pence by their looks.

    `small` says that most of them would be too small for pounds, so that there is little doubt.
    """
    unit = "in pence" if scale < 1 else "in thousands"
    wrong = "a hundred times too small" if scale < 1 else "a thousand times too large"
    return about(
        column,
        "amount-unit-doubtful",
        Severity.INFO if small else Severity.WARNING,
        f"The heading '{column.heading.strip()}' says that amounts are {unit}, but {count:,} of them have a point and "
        f"two digits behind it, like pounds and pence. Each was multiplied by {scale:f}, as the heading says; if they "
        f"are pounds, every amount is {wrong}.",
        "Give amounts in pounds and pence, and call the column 'Amount'.",
        value=column.heading,
        count=count,
    )


def amounts_as_credits(column: Column, example: str, count: int) -> Finding:
    """Numbers with CR or DR at their side."""
    return about(
        column,
        "amounts-as-credits",
        Severity.INFO,
        f"{count:,} numbers in column {letter(column.place)} are marked CR or DR (such as '{example}'). A credit was "
        "read as negative, a debit as positive.",
        "Write credits with a minus sign: -1234.50.",
        value=example,
        count=count,
    )


def amounts_in_exponents(column: Column, example: str, read: str, count: int) -> Finding:
    """Numbers that a spreadsheet has written with an exponent, mostly rounded."""
    return about(
        column,
        "amounts-in-exponents",
        Severity.WARNING,
        f"{count:,} numbers in column {letter(column.place)} are written as a spreadsheet shows what does not fit: "
        f"'{example}' was read as {read}, but probably was rounded before it came here.",
        "Format the column as a number with two decimals before you save it as CSV.",
        value=example,
        count=count,
    )


def amounts_marked(column: Column, example: str, count: int) -> Finding:
    """Numbers with an asterisk or dagger behind them."""
    return about(
        column,
        "amounts-marked",
        Severity.INFO,
        f"{count:,} numbers in column {letter(column.place)} have a mark behind them (such as '{example}'), which was "
        "left off.",
        "Put notes into a column of their own.",
        value=example,
        count=count,
    )


def amounts_not_in_pounds(column: Column, example: str, count: int) -> Finding:
    """Every amount of a column is in another currency."""
    return about(
        column,
        "amount-not-in-pounds",
        Severity.ERROR,
        f"All {count:,} amounts in column {letter(column.place)} (such as '{example}') are in another currency than "
        "pounds. We do not exchange currencies, so none of them was taken.",
        "Give the amounts in pounds.",
        value=example,
        count=count,
    )


def amounts_all_negative(column: Column, example: str, count: int) -> Finding:
    """No amount of a column is above nought."""
    return about(
        column,
        "amounts-all-negative",
        Severity.WARNING,
        f"All {count:,} amounts in column {letter(column.place)} are negative (such as '{example}'), so the file says "
        "that money only came back. They were read as they stand; if your ledger writes payments with a minus, every "
        "amount is a payment and should be positive.",
        "Write payments as positive numbers, and refunds and credits with a minus.",
        value=example,
        count=count,
    )


def amounts_all_nought(column: Column, other: Column, count: int) -> Finding:
    """Nearly every amount of a column is nought, and another column holds sums."""
    return about(
        column,
        "amounts-nearly-all-nought",
        Severity.WARNING,
        f"{count:,} cells of column {letter(column.place)} ('{column.heading.strip()}') are 0, while column "
        f"{letter(other.place)} ('{other.heading.strip()}') holds sums. They are published as 0; if 0 only stands for "
        "what is not known, the amounts are wrong.",
        "Leave the cell empty where there is no amount.",
        value="0",
        count=count,
    )


def references_short(column: Column, example: str, width: int, count: int) -> Finding:
    """References that have lost their leading noughts, by the side of others that have theirs."""
    return about(
        column,
        "reference-zeros-lost",
        Severity.WARNING,
        f"{count:,} cells in column {letter(column.place)} (such as '{example}') have fewer digits than {width}: "
        "they have probably lost the noughts before them to a spreadsheet.",
        "Format the column as text before the references are put in.",
        value=example,
        count=count,
    )


def references_decimal(column: Column, example: str, count: int) -> Finding:
    """References that were taken for numbers on their way and came back with a point and a nought."""
    return about(
        column,
        "reference-decimal",
        Severity.WARNING,
        f"{count:,} cells in column {letter(column.place)} (such as '{example}') end in '.0': a program has taken "
        "them for numbers. They are published as they stand.",
        "Keep references as text.",
        value=example,
        count=count,
    )
