"""Findings by code: the wording, severity and consequences that `findings/*.toml` declares, made into `Finding`s.

Python code passes a code, an address and values; every word that a person reads is in the data folder `findings/`
(its README describes the format). `docs/findings.md`, `piperoll explain` and the API show the same entries.
"""

from __future__ import annotations

import math
import re
import string
import tomllib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, Literal

from piperoll import assets
from piperoll.errors import DescriptorError
from piperoll.model import Acts, Address, Disposition, Finding, Report, Severity, Verdict

Holds = Literal["nothing", "row", "file"]

MOST_LISTED = 100
"""A report lists at most this many findings of one code, sheet and field; one more finding counts the rest."""

_SHARED = "shared.toml"
"""The file in `findings/` with the words that findings of any code share; it has no entries."""

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
    values |= {"value": value, "count": count}
    try:
        message, fix = (_fill(text, address, values) for text in (entry.messages[variant], entry.fix(variant)))
    except KeyError as error:
        raise DescriptorError(f"findings/{entry.topic}.toml: {code} has no variant or value {error}") from error
    chosen, actor = severity or entry.severities[0], acts or entry.acts[0]
    if chosen not in entry.severities or actor not in entry.acts:
        raise DescriptorError(f"findings/{entry.topic}.toml: {code} does not allow {chosen} for {actor}")
    return Finding(code, chosen, message, fix, acts=actor, value=value, count=count, **address.values())


def shared_text(section: str, name: str, address: Address = Address(), /, **values: Any) -> str:  # noqa: B008 - frozen
    """Fill one template of `findings/shared.toml` with `values` and the address."""
    return _fill(_shared_templates()[section][name], address, values)


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
    """Whether a finding holds a whole file until someone decides; expectations hold nothing.

    Raises: DescriptorError: neither `findings/` nor a suite has this code.
    """
    return code not in assets.expectation_codes() and finding_type(code).holds == "file"


def deciding_finding(report: Report) -> Finding | None:
    """The finding to give as the reason why `report` holds or rejects a file; None if the file is published.

    Of the errors that hold a file (or reject it) it is the one whose entry has the lowest `precedence`; if there is
    none, the first error. A file that reading gives up on is rejected by its one error, which has no precedence.
    """
    errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
    if report.verdict.publishes or not errors:
        return None

    def precedence(finding: Finding) -> float:
        if finding.code not in _sections():  # an expectation, or a code of an older version in a stored report
            return math.inf
        entry = finding_type(finding.code)
        decides = entry.rejects if report.verdict is Verdict.REJECTED else entry.holds == "file"
        return entry.precedence if decides and entry.precedence is not None else math.inf

    return min(errors, key=precedence)


def public_report(report: Report, disposition: Disposition) -> Report:
    """The report for the public: without anything that a cell of a held or redacted row says, and without decisions.

    If the whole file is held or rejected, no cell is quoted. Findings about people are only counted, by code: their
    address would lead a reader of the body's own file to a person.
    """
    unpublished = {
        (report.tables[number].sheet, row)
        for rows_by_table in (disposition.held, disposition.redacted, disposition.cut)
        for number, rows in rows_by_table.items()
        for row in rows
    }
    whole_file = report.verdict in (Verdict.HELD, Verdict.REJECTED)

    def quotes_unpublished(finding: Finding) -> bool:
        if whole_file:
            return finding.value is not None or finding.row is not None
        if any((finding.sheet, row) in unpublished for row in finding.rows):
            return finding.value is not None
        if finding.row is None:  # the sample of a column may come from any row
            return finding.value is not None and not (finding.field is None and finding.column is None)
        return (finding.sheet, finding.row) in unpublished

    findings: list[Finding] = []
    about_people: dict[str, Finding] = {}
    for finding in report.findings:
        if finding.private:
            known = about_people.get(finding.code)
            about_people[finding.code] = replace(known, count=known.count + finding.count) if known else finding
        else:
            findings.append(without_value(finding) if quotes_unpublished(finding) else finding)
    for finding in about_people.values():
        findings.append(replace(without_value(finding), rows=(), **Address().values()))
    public = replace(report, findings=tuple(findings), held_values=(), decided={})
    return replace_texts(public, disposition.withheld) if disposition.withheld else public


def replace_texts(value: Any, replacements: Mapping[str, str]) -> Any:
    """Replace texts wherever they stand in a dataclass, mapping or sequence, the longest first."""
    if isinstance(value, str) and not isinstance(value, Enum):
        for old in sorted(replacements, key=len, reverse=True):
            value = value.replace(old, replacements[old])
        return value
    if is_dataclass(value) and not isinstance(value, type):
        made = {one.name: replace_texts(getattr(value, one.name), replacements) for one in fields(value)}
        return replace(value, **made)
    if isinstance(value, Mapping):
        return {replace_texts(key, replacements): replace_texts(each, replacements) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(replace_texts(each, replacements) for each in value)
    return value


def without_value(finding: Finding) -> Finding:
    """The same finding without anything that a cell says, for a row that is not published."""
    topic = finding.code.replace("-", " ").capitalize()
    message, fix = (shared_text("not-published", name, topic=topic) for name in ("message", "fix"))
    return replace(finding, value=None, message=message, fix=fix)


def cap_findings(findings: Iterable[Finding], most: int = MOST_LISTED) -> tuple[Finding, ...]:
    """Keep at most `most` findings of one code, sheet and field, in order; one more finding counts the rest.

    The sum of `count` of each code stays the same.
    """
    kept: list[Finding] = []
    seen: Counter[Hashable] = Counter()
    rest: dict[Hashable, tuple[int, int]] = {}  # for each kind, where in `kept` its rest is counted, and the count
    for finding in findings:
        kind = (finding.code, finding.sheet, finding.field)
        seen[kind] += 1
        if seen[kind] <= most:
            kept.append(finding)
            continue
        if kind not in rest:
            rest[kind] = (len(kept), 0)
            kept.append(finding)
        index, count = rest[kind]
        rest[kind] = (index, count + finding.count)
    for index, count in rest.values():
        values = {"count": count, "topic": kept[index].code.replace("-", " ")}
        message, fix = (shared_text("rest", name, **values) for name in ("message", "fix"))
        kept[index] = replace(kept[index], row=None, line=None, value=None, count=count, message=message, fix=fix)
    return tuple(kept)


class CappedFindings:
    """Collects findings and makes only those that `cap_findings` keeps; it counts the others.

    A kind separates findings of different code, sheet or field; each finding is about one place.
    """

    most_made = MOST_LISTED + 1
    """How many findings of a kind are made: those that are listed, and the one that counts the rest."""

    def __init__(self) -> None:
        self._counts: Counter[Hashable] = Counter()
        self._last: dict[Hashable, int] = {}
        self._made: list[Finding] = []

    def add(self, kind: Hashable, make: Callable[[], Finding]) -> None:
        """Add one more finding of a kind."""
        self._counts[kind] += 1
        if self._counts[kind] <= self.most_made:
            self._last[kind] = len(self._made)
            self._made.append(make())

    def set_count(self, kind: Hashable, count: int) -> None:
        """Set how many findings of a kind there are, once all that are to be made have been added."""
        self._counts[kind] = count

    def findings(self) -> tuple[Finding, ...]:
        """The findings that `cap_findings` would keep, had all of them been made."""
        made = list(self._made)
        for kind, count in self._counts.items():
            if count > self.most_made:
                made[self._last[kind]] = replace(made[self._last[kind]], count=count - self.most_made + 1)
        return cap_findings(made)


@cache
def _sections() -> Mapping[str, tuple[str, str]]:
    """The topic and the TOML of each entry, not parsed yet.

    Raises: DescriptorError: a code is given twice.
    """
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(assets.folder("findings").glob("*.toml")):
        if path.name == _SHARED:
            continue
        _, *pieces = _HEADER.split(path.read_text("utf-8"))
        for code, text in zip(pieces[::2], pieces[1::2], strict=True):
            if code in found:
                raise DescriptorError(f"findings/{path.name}: {code} is in {found[code][0]}.toml too")
            found[code] = (path.stem, text)
    return found


@cache
def _shared_templates() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((assets.folder("findings") / _SHARED).read_text("utf-8"))


@cache
def _read_entry(code: str) -> FindingType:
    """Parse one entry only: parsing all of them would cost every `piperoll check` some 10 ms."""
    topic, text = _sections()[code]
    entry = tomllib.loads(text)

    def as_list(name: str) -> list[str]:
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
            severities=tuple(Severity(one) for one in as_list("severity")),
            acts=tuple(Acts(one) for one in as_list("acts")),
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


def _fill(template: str, address: Address, values: Mapping[str, Any]) -> str:
    """Fill a template with `values` and the address, in parts and in words (`where`, and `Where` for a sentence)."""
    where = str(address)
    known = {"where": where, "Where": where[0].upper() + where[1:], **address.values(), **values}
    return _FORMATTER.vformat(template, (), known)
