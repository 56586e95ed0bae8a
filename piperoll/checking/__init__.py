"""Checking: from tables and rules to findings, a verdict, and what happens to each row."""

from piperoll.checking.audit import require_agreement, sample_tables
from piperoll.checking.examine import Examination, add_findings, examine, hold_file
from piperoll.checking.history.compare import compare_with_earlier_releases, longest_gap
from piperoll.checking.history.profile import ReleaseIdentity, ReleaseProfile, columns_profiled, profile_release
from piperoll.checking.plausibility.reference import warm_up

__all__ = [
    "Examination",
    "ReleaseIdentity",
    "ReleaseProfile",
    "add_findings",
    "columns_profiled",
    "compare_with_earlier_releases",
    "examine",
    "hold_file",
    "longest_gap",
    "profile_release",
    "require_agreement",
    "sample_tables",
    "warm_up",
]
