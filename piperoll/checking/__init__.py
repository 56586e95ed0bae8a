"""Checking: from tables and rules to findings, a verdict, and what happens to each row."""

from piperoll.checking.audit import MOST_LINES_TOGETHER, AuditSample, audit_together, require_agreement, sample_tables
from piperoll.checking.examine import Examination, add_findings, examine, hold_file
from piperoll.checking.history.compare import compare_with_earlier_releases, find_differences, longest_gap
from piperoll.checking.history.profile import ReleaseIdentity, ReleaseProfile, columns_profiled, profile_release
from piperoll.checking.plausibility.reference import warm_up

__all__ = [
    "MOST_LINES_TOGETHER",
    "AuditSample",
    "Examination",
    "ReleaseIdentity",
    "ReleaseProfile",
    "add_findings",
    "audit_together",
    "columns_profiled",
    "compare_with_earlier_releases",
    "examine",
    "find_differences",
    "hold_file",
    "longest_gap",
    "profile_release",
    "require_agreement",
    "sample_tables",
    "warm_up",
]
