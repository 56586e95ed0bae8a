"""What there is to say about a file as a whole: its kind, its wrapping, its text. One function a code."""

from __future__ import annotations

from collections.abc import Sequence

from piperoll.model import Finding, Severity
from piperoll.reading.files.mojibake import Damage

_NAMES = {
    "csv": "a text table (CSV)",
    "xlsx": "an Excel workbook (XLSX)",
    "xls": "an Excel workbook (XLS)",
    "ods": "an OpenDocument spreadsheet (ODS)",
    "xml": "a workbook of Excel 2003 (XML)",
    "json": "a JSON document",
    "html": "a web page",
    "pdf": "a PDF document",
    "document": "a letter or a presentation of an office program",
    "picture": "a picture",
    "parquet": "a Parquet file",
    "database": "a database",
    "markup": "an XML document",
    "unknown": "a kind of file we do not know",
    "empty": "an empty file",
}
_CODES = {
    "html": "file-is-html",
    "pdf": "file-is-pdf",
    "document": "file-is-document",
    "picture": "file-is-picture",
    "parquet": "file-is-parquet",
    "database": "file-is-database",
    "markup": "file-is-xml",
    "json": "json-without-records",
    "empty": "file-empty",
    "unknown": "file-unknown",
}
_SEND = "Send the table as CSV, XLSX, XLS, ODS or JSON."
_INSTEAD = {
    "html": "The address probably gave an error page. Download the table itself and send that.",
    "pdf": "Send the table as CSV or as a spreadsheet.",
    "document": "Copy the table into a spreadsheet, or save it as CSV, and send that.",
    "picture": "Send the table that the picture shows, as CSV or as a spreadsheet.",
    "parquet": "Save the table as CSV and send that.",
    "database": "Export the table as CSV and send that.",
    "json": "Send an OCDS release package, or one list of records that name their values.",
    "empty": "Export the table again. If there was nothing to report, write 'Nil' under the headings.",
}
_TROUBLES = {
    "archive-of-several": (
        "The archive holds several files, or another archive, and we cannot tell which is meant.",
        "Send each table as a file of its own.",
    ),
    "archive-empty": ("The archive holds no file.", "Send the table itself."),
    "archive-too-large": ("The archive grows too large when it is opened.", "Send the table without packing it."),
    "archive-broken": ("The archive is damaged and cannot be opened.", "Save it again and send the new file."),
    "archive-protected": ("The archive is protected by a password.", "Send the table without packing it."),
    "archive-unknown": (
        "The file is packed in a way that we do not open, such as 7-Zip, RAR or TAR.",
        "Send the table without packing it, or in a ZIP.",
    ),
    "workbook-broken": ("The workbook is damaged and cannot be opened.", "Save it again and send the new file."),
    "workbook-protected": ("The workbook is protected by a password.", "Send a copy without a password."),
    "workbook-too-large": (
        "The workbook spans more cells than can be read, or stray cells stand far from its table.",
        "Copy the table alone into a new workbook, or save it as CSV, and send that.",
    ),
}


def not_a_table(format_: str) -> Finding:
    """The content is a web page, a PDF or something else that holds no table."""
    message = f"This is {_NAMES[format_]}, not a table."
    return Finding(_CODES[format_], Severity.ERROR, message, _INSTEAD.get(format_, _SEND))


def cannot_open(trouble: str, others: Sequence[str] = ()) -> Finding:
    """A container or workbook that cannot be opened; `others` are the files in it."""
    message, fix = _TROUBLES[trouble]
    held = f" It holds {_few(others)}." if others else ""
    return Finding(trouble, Severity.ERROR, message + held, fix)


def archive_member_taken(member: str, others: Sequence[str]) -> Finding:
    """One file of an archive was read, as no other in it is a table."""
    return Finding(
        "archive-member-taken",
        Severity.WARNING,
        f"The archive holds several files. We read '{member}', the only one with a table, and not {_few(others)}.",
        "Send the table as a file of its own.",
        value=member,
    )


def content_not_as_named(name: str, format_: str) -> Finding:
    """The extension promises another kind of file."""
    return Finding(
        "content-not-as-named",
        Severity.INFO,
        f"The name '{name}' promises another kind of file: the content is {_NAMES[format_]}, and was read as that.",
        "Give the file the extension of its content.",
        value=name,
    )


def table_in_html() -> Finding:
    """A web page that holds a table and little else, as some programs save one for Excel."""
    return Finding(
        "table-in-html",
        Severity.WARNING,
        "This is a web page that holds a table, as some programs save one for Excel. We read the table.",
        "Open the file in a spreadsheet program and save it as XLSX or CSV.",
    )


def json_broken(problem: str, line: int | None = None) -> Finding:
    """The text begins as JSON and cannot be read as that."""
    place = f" In line {line:,}:" if line else ""
    return Finding(
        "json-broken",
        Severity.ERROR,
        f"This is a JSON document that cannot be read.{place} {problem}.",
        "Export the document again, whole, and test it with any JSON reader.",
        line=line,
    )


def json_names_repeat(name: str, count: int) -> Finding:
    """A record names a value twice; the last is read, as JSON readers do."""
    return Finding(
        "json-names-repeat",
        Severity.WARNING,
        f"In {count:,} records a name stands twice (the first is '{name}'). We read the last value of each.",
        "Give each value of a record a name of its own.",
        value=name,
        count=count,
    )


def json_list_taken(path: str, others: Sequence[str]) -> Finding:
    """The document holds several lists of records; the longest was read."""
    return Finding(
        "json-list-taken",
        Severity.WARNING,
        f"The document holds several lists of records. We read the longest, '{path}', and not {_few(others)}.",
        "Send each list as a file of its own.",
        value=path,
    )


def encoding_guessed(encoding: str, runner_up: str | None, *, sure: bool) -> Finding:
    """The text is not UTF-8; the code page was told by what its characters mean."""
    doubt = "" if sure or not runner_up else f" {runner_up} fits nearly as well and would give other letters."
    return Finding(
        "encoding-guessed",
        Severity.INFO if sure else Severity.WARNING,
        f"The text is not in UTF-8. It was read as {encoding}: so its pound signs and accents make sense.{doubt}",
        "Save the file as CSV UTF-8.",
        value=encoding,
    )


def encoding_mixed(lines: int, encoding: str, other: str | None) -> Finding:
    """Most of the text is in one encoding, but some lines are not."""
    return Finding(
        "encoding-mixed",
        Severity.WARNING,
        f"Most of the text is in {encoding}, but {lines:,} lines are not; these were read as {other or 'another'}.",
        "Save the whole file as CSV UTF-8.",
        count=lines,
    )


def letters_mended(spot: Damage, sheet: str | None = None) -> Finding:
    """Letters that an earlier program garbled were put right."""
    before, after = spot.example
    return Finding(
        "letters-mended",
        Severity.WARNING,
        f"An earlier program garbled {spot.count:,} letters; we put them right. The first is {_line(spot)}: "
        f"'{before}' was read as '{after}'.",
        "Export the table again as CSV UTF-8, and open it as UTF-8.",
        sheet=sheet,
        line=spot.line,
        value=before,
        count=spot.count,
    )


def letters_garbled(spot: Damage, sheet: str | None = None) -> Finding:
    """Letters that an earlier program garbled and that nobody can put right."""
    return Finding(
        "letters-garbled",
        Severity.WARNING,
        f"An earlier program garbled {spot.count:,} letters, which cannot be put right. They were read as they stand. "
        f"The first is {_line(spot)}: '{spot.example[0]}'.",
        "Export the table again as CSV UTF-8, and correct these words.",
        sheet=sheet,
        line=spot.line,
        value=spot.example[0],
        count=spot.count,
    )


def letters_lost(spot: Damage) -> Finding:
    """Replacement characters (U+FFFD): an earlier program did not know the letter, and it is lost."""
    return Finding(
        "letters-lost",
        Severity.WARNING,
        f"{spot.count:,} letters are lost: a replacement mark stands in their place. The first is {_line(spot)}.",
        "Export the table again as CSV UTF-8, from where its letters are whole.",
        line=spot.line,
        count=spot.count,
    )


def nul_characters(spot: Damage) -> Finding:
    """NUL characters in a text."""
    return Finding(
        "nul-characters",
        Severity.WARNING,
        f"The text holds {spot.count:,} NUL characters, which no table does. The first is {_line(spot)}. "
        "We read its cells without them.",
        "Export the table again: the file may be damaged.",
        line=spot.line,
        count=spot.count,
    )


def _line(spot: Damage) -> str:
    return f"in line {spot.line:,}" if spot.line else f"in {spot.cell}"


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"
