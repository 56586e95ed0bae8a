"""Releasing: from accepted rows to the files of a release. It sees tables as Arrow batches and knows no store."""

from piperoll.releasing.adding import add_to_release
from piperoll.releasing.deriving import SourceFile
from piperoll.releasing.differences import compare_versions
from piperoll.releasing.files import find_published_line, find_source_fields, read_document, read_typed_lines
from piperoll.releasing.packing import pack_release, replace_report
from piperoll.releasing.spreadsheets import make_template_csv, make_template_xlsx, make_workbook
from piperoll.releasing.verifying import find_faults

__all__ = [
    "SourceFile",
    "add_to_release",
    "compare_versions",
    "find_faults",
    "find_published_line",
    "find_source_fields",
    "make_template_csv",
    "make_template_xlsx",
    "make_workbook",
    "pack_release",
    "read_document",
    "read_typed_lines",
    "replace_report",
]
