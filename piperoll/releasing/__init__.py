"""Releasing: accepted rows to the files of a release. Pure: it sees tables as Arrow batches and knows no store."""

from piperoll.releasing.adding import add_to
from piperoll.releasing.consolidating import consolidate
from piperoll.releasing.deriving import Source
from piperoll.releasing.differences import differences
from piperoll.releasing.packing import pack, with_report
from piperoll.releasing.published import document, published_line
from piperoll.releasing.templates import template_csv, template_xlsx
from piperoll.releasing.typed import typed_lines
from piperoll.releasing.verifying import faults
from piperoll.releasing.workbooks import workbook

__all__ = [
    "Source",
    "add_to",
    "consolidate",
    "differences",
    "document",
    "faults",
    "pack",
    "published_line",
    "template_csv",
    "template_xlsx",
    "typed_lines",
    "with_report",
    "workbook",
]
