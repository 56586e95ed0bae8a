"""Checking: tables and rules to findings, dispositions and a verdict."""

from piperoll.checking.audit import require_agreement
from piperoll.checking.examination import Examination
from piperoll.checking.examine import as_held, examine
from piperoll.checking.history.compared import compared, told
from piperoll.checking.history.findings import nothing_before, same_bytes
from piperoll.checking.history.profile import Profile, Released, columns_used, profile
from piperoll.checking.plausibility.reference import warm_up

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
