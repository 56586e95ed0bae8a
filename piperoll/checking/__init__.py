"""Checking: tables and rules to findings, dispositions and a verdict."""

from piperoll.checking.examination import Examination
from piperoll.checking.examine import as_held, examine
from piperoll.checking.plausibility import warm_up

__all__ = ["Examination", "as_held", "examine", "warm_up"]
