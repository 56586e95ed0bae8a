"""Checking: tables and rules to findings, dispositions and a verdict."""

from piperoll.checking.audit import require_agreement
from piperoll.checking.compared import compared, told
from piperoll.checking.examination import Examination
from piperoll.checking.examine import as_held, examine
from piperoll.checking.findings_comparison import nothing_before, same_bytes
from piperoll.checking.plausibility.reference import warm_up
from piperoll.checking.profile import Profile, Released, columns_used, profile

__all__ = [
    "Examination",
    "Profile",
    "Released",
    "as_held",
    "columns_used",
    "compared",
    "examine",
    "nothing_before",
    "profile",
    "require_agreement",
    "same_bytes",
    "told",
    "warm_up",
]
