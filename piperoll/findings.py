"""Findings by code: the wording, severity and consequences that `findings/*.toml` declares, made into `Finding`s.

Python code passes a code, an address and values; every word that a person reads is in the data folder `findings/`
(its README describes the format). `docs/findings.md`, `piperoll explain` and the API show the same entries.
"""

from __future__ import annotations

import math
import re
import string
import tomllib
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from typing import Any, Literal

from piperoll import assets
from piperoll.errors import DescriptorError
from piperoll.model import Acts, Address, Disposition, Finding, Report, Severity, Verdict, format_decimal

Holds = Literal["nothing", "row", "file"]

MOST_LISTED = 100
"""A report lists at most this many findings of one code, sheet and field; one more finding counts the rest."""

MOST_ROWS = 10_000
"""A finding lists at most this many rows; further ones get a finding of their own."""

_SHARED = "shared.toml"
"""The file in `findings/` with the words that findings of any code share; it has no entries."""

_HEADER = re.compile(r"^\[([a-z0-9-]+)\]$", re.MULTILINE)
"""The line that starts an entry."""

_FIRST_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z'])")


@dataclass(frozen=True, slots=True)
class FindingType:
    """One entry of `findings/*.toml`.

    `severities` and `acts` list the allowed values, the default first. `messages` and `fixes` map the name of a variant
    to a template; an entry without variants has the one variant `""`. `holds` says what is not published because of the
    finding. `precedence` orders the findings that hold or reject a file: the lowest is given as the reason. `explains`
    lists the codes of findings that follow from this one and are then only counted (`fold_symptoms`). `quotes` says
    what the messages quote: a `cell` (any text as sent), or `headings` and nothing else.
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
    explains: tuple[str, ...] = ()
    quotes: Literal["cell", "headings"] = "cell"

    @property
    def summary(self) -> str:
        """The first sentence of the explanation, as plain text: what the finding means, without a word anyone sent."""
        return _FIRST_SENTENCE.split(self.explanation.replace("\n", " ").replace("`", "'"), maxsplit=1)[0]

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
    count: int | None = None,
    **values: Any,
) -> Finding:
    """Make the finding `code` at `address`, its templates filled with `values`, `value`, `count` and the address.

    `count` is by default the number of rows in the address.

    Raises: DescriptorError: no entry has this code or variant, it does not allow this severity, or a value is missing.
    """
    entry = finding_type(code)
    count = max(1, len(address.rows)) if count is None else count
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


def holds_rows(finding: Finding) -> bool:
    """Whether a finding holds its rows. One that can be an error or a warning holds them as an error only.

    A code that is no longer declared holds nothing.
    """
    if finding.code not in _sections():
        return False
    entry = finding_type(finding.code)
    return entry.holds == "row" and (finding.severity is Severity.ERROR or Severity.ERROR not in entry.severities)


def quotes_headings(code: str) -> bool:
    """Whether the messages of a finding quote headings and no cells. A code that is not declared may quote anything."""
    return code in _sections() and finding_type(code).quotes == "headings"


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

    If the whole file is held or rejected, no cell is quoted; headings are where `disposition.quotable` says. Findings
    about people are only counted, by code: their address would lead a reader of the file to a person.
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
            return finding.value not in (None, report.file) or finding.row is not None
        if finding.rows:  # what it quotes is published if one of its rows is
            return all((finding.sheet, row) in unpublished for row in finding.rows)
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
            findings.append(_quote_headings(finding, disposition) if quotes_unpublished(finding) else finding)
    for finding in about_people.values():
        findings.append(replace(without_value(finding), **Address().values()))
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
    """The same finding without anything that a cell says: its message is what a finding of its kind means."""
    declared = finding.code in _sections()
    summary = finding_type(finding.code).summary if declared else f"{finding.code.replace('-', ' ').capitalize()}."
    message, fix = (shared_text("not-published", name, summary=summary) for name in ("message", "fix"))
    return replace(finding, value=None, message=message, fix=fix)


def _quote_headings(finding: Finding, disposition: Disposition) -> Finding:
    """A finding that quotes headings with those of them that may be published; any other without a value."""
    message = disposition.quotable.get(finding.message)
    if message is None:
        return without_value(finding)
    return replace(finding, message=message, value=finding.value if message == finding.message else None)


def group_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Make one finding of those that say the same of cells of one column, at the place of the first: it lists the rows.

    The sum of `count` of each code stays the same. Grouping again, with further findings, gives the same as at once.
    """
    kept: list[Finding] = []
    members, sizes = dict[Hashable, tuple[int, list[Finding]]](), Counter[int]()  # sizes: the rows of each group
    for finding in findings:
        if finding.column is None or finding.row is None or not (finding.rows or finding.count == 1):
            kept.append(finding)
            continue
        said = (_mark_address(finding.message, finding.address), _mark_address(finding.fix, finding.address))
        kind = (finding.code, finding.severity, finding.acts, finding.sheet, finding.column, finding.field)
        index, group = members.setdefault((*kind, finding.value, *said), (len(kept), []))
        if not group:
            kept.append(finding)
        group.append(finding)
        sizes[index] += len(finding.rows) or 1
        if sizes[index] >= MOST_ROWS:
            kept[index] = _join_group(members.pop((*kind, finding.value, *said))[1])
    for index, group in members.values():
        if len(group) > 1:
            kept[index] = _join_group(group)
    return kept


def _join_group(group: Sequence[Finding]) -> Finding:
    first = group[0]
    rows = tuple(sorted({row for each in group for row in each.rows or (each.row,) if row is not None}))
    if len(rows) == 1:
        return replace(first, count=sum(each.count for each in group))
    address = replace(first.address, row=rows[0], rows=rows)
    message, fix = (_unmark_address(_mark_address(text, first.address), address) for text in (first.message, first.fix))
    count = sum(each.count for each in group)
    return replace(first, row=rows[0], rows=rows, count=count, message=message, fix=fix)


def _mark_address(text: str, address: Address) -> str:
    where = str(address)
    return text.replace(where, "\0").replace(_capitalize(where), "\1")


def _unmark_address(text: str, address: Address) -> str:
    where = str(address)
    return text.replace("\0", where).replace("\1", _capitalize(where))


def _capitalize(where: str) -> str:
    return where[0].upper() + where[1:]


def cap_findings(findings: Iterable[Finding], most: int = MOST_LISTED) -> tuple[Finding, ...]:
    """Group findings, and keep at most `most` of one code, sheet and field, in order; one more counts the rest.

    The sum of `count` of each code stays the same.
    """
    kept: list[Finding] = []
    seen: Counter[Hashable] = Counter()
    rest: dict[Hashable, tuple[int, int]] = {}  # for each kind, where in `kept` its rest is counted, and the count
    for finding in group_findings(findings):
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
        kept[index] = _count_rest(kept[index], count)
    return tuple(kept)


def fold_symptoms(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out the findings that another one explains, and count them in its message: one cause, one finding.

    `explains` of an entry names the codes. A cause about a column explains findings about the column; one about a sheet
    or file explains those of the whole sheet.
    """
    found = list(findings)
    causes = [each for each in found if each.code in _sections() and finding_type(each.code).explains]
    symptoms: dict[int, list[Finding]] = {}
    left: list[Finding] = []
    for finding in found if causes else ():
        by = next((number for number, each in enumerate(causes) if _explains(each, finding)), None)
        if by is None:
            left.append(finding)
        else:
            symptoms.setdefault(by, []).append(finding)
    folded = {id(causes[number]): _with_symptoms(causes[number], own) for number, own in symptoms.items()}
    return [folded.get(id(each), each) for each in left] if causes else found


def _explains(cause: Finding, symptom: Finding) -> bool:
    """Whether a finding follows from a cause."""
    if symptom is cause or symptom.code not in finding_type(cause.code).explains:
        return False
    if symptom.sheet not in (cause.sheet, None):
        return False
    about_file = symptom.field is None and symptom.column is None
    return cause.field is None or about_file or cause.field == symptom.field


def _with_symptoms(cause: Finding, symptoms: Sequence[Finding]) -> Finding:
    """The cause, with the number of findings that follow from it in its message."""
    count = sum(each.count for each in symptoms)
    return replace(cause, message=f"{cause.message} {shared_text('symptoms', 'message', count=count)}")


class CappedFindings:
    """Collects rows by what is said of them, and makes one finding for all rows of which the same is said.

    A kind separates findings of different code, sheet or field. Of the different things that are said of one kind, only
    as many are made as `cap_findings` keeps; the rows of others are counted.
    """

    most_made = MOST_LISTED + 1
    """How many findings of a kind are made: those that are listed, and the one that counts the rest."""

    def __init__(self) -> None:
        self._said: Counter[Hashable] = Counter()
        self._rows: dict[tuple[Hashable, Hashable], tuple[array[int], Callable[[Address], Finding]]] = {}
        self._rest: Counter[Hashable] = Counter()

    def add(self, kind: Hashable, said: Hashable, address: Address, make: Callable[[Address], Finding]) -> None:
        """Add one more row. `make` makes the finding for the address of all rows of which this is said."""
        rows = self._rows.get((kind, said))
        if rows is None:
            if self._said[kind] == self.most_made:
                self._rest[kind] += 1
                return
            self._said[kind] += 1
            rows = self._rows[kind, said] = (array("q"), partial(_make_at, address, make))
        rows[0].append(address.row or 0)

    def findings(self) -> tuple[Finding, ...]:
        """One finding for each thing that is said, and those that count the rest."""
        made = [finding for rows, make in self._rows.values() for finding in make_by_row(rows.tolist(), make)]
        rests = {kind: make for (kind, _said), (_rows, make) in self._rows.items() if self._rest[kind]}
        made += [_count_rest(make(Address()), self._rest[kind]) for kind, make in rests.items()]
        return cap_findings(made)


def make_by_row(rows: Sequence[int], make: Callable[[Address], Finding]) -> Iterator[Finding]:
    """Make one finding for `rows`, which need not be in order, or several if there are very many."""
    ordered = sorted(set(rows))
    for start in range(0, len(ordered), MOST_ROWS):
        part = tuple(ordered[start : start + MOST_ROWS])
        yield make(Address(row=part[0], rows=part if len(part) > 1 else ()))


def _make_at(first: Address, make: Callable[[Address], Finding], rows: Address) -> Finding:
    """Make a finding at the address of the first row of all, moved to `rows`."""
    line = first.line if rows.row == first.row else None
    return make(replace(first, row=rows.row, line=line, rows=rows.rows))


def _count_rest(finding: Finding, count: int) -> Finding:
    """The finding that counts `count` places of the same kind, which are not listed."""
    values = {"count": count, "topic": finding.code.replace("-", " ")}
    message, fix = (shared_text("rest", name, **values) for name in ("message", "fix"))
    return replace(finding, row=None, line=None, rows=(), value=None, count=count, message=message, fix=fix)


def format_pounds(amount: Decimal) -> str:
    """Format pounds with thousands separators and every decimal place: £1,250.00, -£0.005."""
    whole, _, decimals = format_decimal(abs(amount)).partition(".")
    return f"{'-' if amount < 0 else ''}£{int(whole):,}.{decimals}"


def shorten_pounds(amount: Decimal) -> str:
    """Format pounds to three digits: £12.3 billion, -£1.8 thousand, £950."""
    for unit, word in ((10**9, " billion"), (10**6, " million"), (10**3, " thousand"), (1, "")):
        if abs(amount) >= unit or unit == 1:
            size = f"{abs(amount) / unit:,.0f}" if abs(amount) >= 100 * unit else f"{abs(amount) / unit:.3g}"
            return f"{'-' if amount < 0 else ''}£{size}{word}"
    raise AssertionError  # the last unit always fits


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
        "severity", "acts", "message", "fix", "explanation", "holds", "rejects", "precedence", "explains", "quotes",
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
            explains=tuple(entry.get("explains", ())),
            quotes=entry.get("quotes", "cell"),
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
    known = {"where": where, "Where": _capitalize(where), **address.values(), **values}
    return _FORMATTER.vformat(template, (), known)
