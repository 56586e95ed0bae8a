"""Checking: tables and rules to findings, dispositions and a verdict."""

from piperoll.checking.examination import Examination

__all__ = ["Examination"]
