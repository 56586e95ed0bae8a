"""The vocabulary of Piperoll: frozen, typed dataclasses that every other package shares.

*A Body sends a Submission of one Dataset (and Part) for one Period; it is examined into a Report of Findings; what
passes is published as a Release, which is never changed, only superseded; the Catalogue lists Releases.*
"""

from piperoll.model.body import KINDS, Body, BodyMatch, Register, resolve_body, slugify, suggest_bodies
from piperoll.model.consolidated import (
    UNDATED,
    Because,
    CountedLines,
    CurrentRelease,
    LeftOutLines,
    LinesElsewhere,
    MonthTotal,
    PayeeTotal,
    RowsNotAdded,
    YearAccount,
    YearShare,
    add_pounds,
    partition_of,
)
from piperoll.model.dataset import Dataset, Field, Heading, Level, Origin, Part, RowPeriod
from piperoll.model.decision import DecidedAs, DecisionEntry, DecisionKind, PrivacyDecision, decisions_in_force
from piperoll.model.finding import Acts, Address, Finding, Severity, describe_rows
from piperoll.model.history import Cause, Changes, Differences, Effect, History, Listing, Status, Version, parse_instant
from piperoll.model.mapping import DIFFERENT, BodyMapping, Layout, Question
from piperoll.model.period import MONTHS, AmbiguousPeriod, Period, PeriodKind, describe_period, find_ambiguity
from piperoll.model.release import FileEntry, Manifest, Packed, file_entry
from piperoll.model.report import (
    EXCLUSIONS,
    AmountTotals,
    ColumnScore,
    DateSpan,
    Disposition,
    HeldValue,
    Report,
    RowCounts,
    TableReport,
    Verdict,
    What,
)
from piperoll.model.serialize import format_decimal, from_document, printable_name, to_document, to_json_bytes
from piperoll.model.series import Series
from piperoll.model.submission import Submission
from piperoll.model.table import Table

__all__ = [
    "DIFFERENT",
    "EXCLUSIONS",
    "KINDS",
    "MONTHS",
    "UNDATED",
    "Acts",
    "Address",
    "AmbiguousPeriod",
    "AmountTotals",
    "Because",
    "Body",
    "BodyMapping",
    "BodyMatch",
    "Cause",
    "Changes",
    "ColumnScore",
    "CountedLines",
    "CurrentRelease",
    "Dataset",
    "DateSpan",
    "DecidedAs",
    "DecisionEntry",
    "DecisionKind",
    "Differences",
    "Disposition",
    "Effect",
    "Field",
    "FileEntry",
    "Finding",
    "Heading",
    "HeldValue",
    "History",
    "Layout",
    "LeftOutLines",
    "Level",
    "LinesElsewhere",
    "Listing",
    "Manifest",
    "MonthTotal",
    "Origin",
    "Packed",
    "Part",
    "PayeeTotal",
    "Period",
    "PeriodKind",
    "PrivacyDecision",
    "Question",
    "Register",
    "Report",
    "RowCounts",
    "RowPeriod",
    "RowsNotAdded",
    "Series",
    "Severity",
    "Status",
    "Submission",
    "Table",
    "TableReport",
    "Verdict",
    "Version",
    "What",
    "YearAccount",
    "YearShare",
    "add_pounds",
    "decisions_in_force",
    "describe_period",
    "describe_rows",
    "file_entry",
    "find_ambiguity",
    "format_decimal",
    "from_document",
    "parse_instant",
    "partition_of",
    "printable_name",
    "resolve_body",
    "slugify",
    "suggest_bodies",
    "to_document",
    "to_json_bytes",
]
