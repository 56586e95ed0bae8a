"""Findings by code: the wording, severity and consequences that `findings/*.toml` declares, made into `Finding`s.

Python code passes a code, an address and values; every word that a person reads is in the data folder `findings/`
(its README describes the format). `docs/findings.md`, `piperoll explain` and the API show the same entries.
"""

from __future__ import annotations

import math
import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from piperoll import assets
from piperoll.errors import DescriptorError
from piperoll.model import Acts, Address, Finding, Report, Severity, Verdict

Holds = Literal["nothing", "row", "file"]

_HEADER = re.compile(r"^\[([a-z0-9-]+)\]$", re.MULTILINE)
"""The line that starts an entry."""


@dataclass(frozen=True, slots=True)
class FindingType:
    """One entry of `findings/*.toml`.

    `severities` and `acts` list the allowed values, the default first. `messages` and `fixes` map the name of a variant
    to a template; an entry without variants has the one variant `""`. `holds` says what is not published because of the
    finding. `precedence` orders the findings that hold or reject a file: the lowest is given as the reason.
    """

    code: str
    topic: str
    severities: tuple[Severity, ...]
    acts: tuple[Acts, ...]
    messages: Mapping[str, str]
    fixes: Mapping[str, str]
    explanation: str
    holds: Holds = "nothing"
    rejects: bool = False
    precedence: int | None = None

    def fix(self, variant: str) -> str:
        """The template of the fix for a variant; most entries have one fix for all of them."""
        return self.fixes.get(variant, self.fixes.get("", ""))


def make_finding(
    code: str,
    address: Address = Address(),  # noqa: B008 - frozen
    /,
    *,
    variant: str = "",
    severity: Severity | None = None,
    acts: Acts | None = None,
    value: str | None = None,
    count: int = 1,
    **values: Any,
) -> Finding:
    """Make the finding `code` at `address`, its templates filled with `values`, `value`, `count` and the address.

    Raises: DescriptorError: no entry has this code or variant, it does not allow this severity, or a value is missing.
    """
    entry = finding_type(code)
    where = str(address)
    known = {"value": value, "count": count, "where": where, "Where": where[0].upper() + where[1:]}
    known |= {**address.values(), **values}
    try:
        message, fix = entry.messages[variant], entry.fix(variant)
        message, fix = (_FORMATTER.vformat(template, (), known) for template in (message, fix))
    except KeyError as error:
        raise DescriptorError(f"findings/{entry.topic}.toml: {code} has no variant or value {error}") from error
    chosen, actor = severity or entry.severities[0], acts or entry.acts[0]
    if chosen not in entry.severities or actor not in entry.acts:
        raise DescriptorError(f"findings/{entry.topic}.toml: {code} does not allow {chosen} for {actor}")
    return Finding(code, chosen, message, fix, acts=actor, value=value, count=count, **address.values())


def finding_type(code: str) -> FindingType:
    """The entry of `code`. Raises: DescriptorError: there is none, or it is incomplete."""
    if code not in _sections():
        raise DescriptorError(f"no file in findings/ has an entry for '{code}'")
    return _read_entry(code)


@cache
def finding_types() -> Mapping[str, FindingType]:
    """Every entry by code, in alphabetical order. Raises: DescriptorError: an entry is incomplete or given twice."""
    return {code: _read_entry(code) for code in sorted(_sections())}


def holds_file(code: str) -> bool:
    """Whether a finding holds a whole file until someone decides."""
    return code in _sections() and _read_entry(code).holds == "file"


def codes_that_hold_a_file() -> frozenset[str]:
    """The codes of all findings that hold a whole file until someone decides."""
    return frozenset(code for code, entry in finding_types().items() if entry.holds == "file")


def deciding_finding(report: Report) -> Finding | None:
    """The finding to give as the reason why `report` holds or rejects a file; None if the file is published.

    Of the errors that hold a file (or reject it) it is the one whose entry has the lowest `precedence`; if there is
    none, the first error. A file that reading gives up on is rejected by its one error, which has no precedence.
    """
    errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
    if report.verdict.publishes or not errors:
        return None

    def precedence(finding: Finding) -> float:
        entry = _read_entry(finding.code) if finding.code in _sections() else None
        decides = entry and (entry.rejects if report.verdict is Verdict.REJECTED else entry.holds == "file")
        return math.inf if not decides or entry is None or entry.precedence is None else entry.precedence

    return min(errors, key=precedence)


@cache
def _sections() -> Mapping[str, tuple[str, str]]:
    """The topic and the TOML of each entry, not parsed yet.

    Raises: DescriptorError: a code is given twice.
    """
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(assets.folder("findings").glob("*.toml")):
        _, *pieces = _HEADER.split(path.read_text("utf-8"))
        for code, text in zip(pieces[::2], pieces[1::2], strict=True):
            if code in found:
                raise DescriptorError(f"findings/{path.name}: {code} is in {found[code][0]}.toml too")
            found[code] = (path.stem, text)
    return found


@cache
def _read_entry(code: str) -> FindingType:
    """Parse one entry only: parsing all of them would cost every `piperoll check` some 10 ms."""
    topic, text = _sections()[code]
    entry = tomllib.loads(text)

    def listed(name: str) -> list[str]:
        return entry[name] if isinstance(entry[name], list) else [entry[name]]

    def variants(name: str) -> Mapping[str, str]:
        return entry[name] if isinstance(entry[name], dict) else {"": entry[name]}

    unknown = entry.keys() - {
        "severity", "acts", "message", "fix", "explanation", "holds", "rejects", "precedence",
    }  # fmt: skip
    if unknown:
        raise DescriptorError(f"findings/{topic}.toml: {code} has unknown keys: {', '.join(sorted(unknown))}")
    try:
        return FindingType(
            code=code,
            topic=topic,
            severities=tuple(Severity(one) for one in listed("severity")),
            acts=tuple(Acts(one) for one in listed("acts")),
            messages=variants("message"),
            fixes=variants("fix"),
            explanation=entry["explanation"].strip(),
            holds=entry.get("holds", "nothing"),
            rejects=entry.get("rejects", False),
            precedence=entry.get("precedence"),
        )
    except (KeyError, ValueError) as error:
        raise DescriptorError(f"findings/{topic}.toml: {code}: {error}") from error


class _MessageFormatter(string.Formatter):
    """Python's format strings, and `{rows:row is|rows are}` for one and many.

    A count of exactly 1 takes the text before the bar, any other number the text after it.
    """

    def format_field(self, value: Any, format_spec: str) -> str:
        one, bar, many = format_spec.partition("|")
        if bar:
            return one if value == 1 else many
        return str(super().format_field(value, format_spec))


_FORMATTER = _MessageFormatter()
