"""The fields that we derive, column by column, as a descriptor's `x_derive` says (docs/datasets.md)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from piperoll.errors import DescriptorError
from piperoll.model import Body, Field, Series, Table
from piperoll.model.columns import Cells, pc

SEPARATOR = "\x1f"
"""U+001F, the unit separator: it stands between the cells of a hash."""

ROW = "source.row"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The submission that a release is made from: the sha256 of its bytes and the file's name as sent."""

    sha256: str
    name: str


@dataclass(frozen=True, slots=True)
class DerivationFacts:
    """What one table's derived fields may draw on besides its cells.

    `named` holds the values that `{"from": …}` may name, `headings` the heading as sent of each mapped field.
    """

    named: Mapping[str, str | None]
    headings: Mapping[str, str]
    part: str | None

    @classmethod
    def of(cls, body: Body, series: Series, source: SourceFile, table: Table[pa.RecordBatch]) -> DerivationFacts:
        """The facts about one table of a submission."""
        named = {
            "body.id": body.id,
            "body.name": body.name,
            "period.start": series.period.start.isoformat(),
            "period.end": series.period.end.isoformat(),
            "part": series.part,
            "source.name": source.name,
            "source.sheet": table.sheet,
            "source.sha256": source.sha256,
        }
        return cls(named, table.columns, series.part)

    def value(self, name: str) -> str | None:
        """The fact called `name`. Raises: DescriptorError: there is no such fact."""
        if name not in self.named:
            raise DescriptorError(f"x_derive names '{name}': those known are {', '.join((*self.named, ROW))}")
        return self.named[name]


def is_hash(field: Field) -> bool:
    """Whether a field is made last, from the other fields of its line."""
    return field.derive is not None and "hash_of" in field.derive


def is_provenance(field: Field) -> bool:
    """Whether a field says where a line came from, and so is no part of what the line says."""
    return field.derive is not None and str(field.derive.get("from", "")).startswith("source.")


def derived(field: Field, facts: DerivationFacts, rows: Cells, redactions: Cells) -> Cells:
    """The derived column of a batch: strings, one for each of `rows`.

    `redactions` has the kind of redaction of each row, or `none`.
    Raises: DescriptorError: the descriptor's `x_derive` is not in the vocabulary of docs/datasets.md.
    """
    match field.derive:
        case {"from": name} if name == ROW:
            return rows.cast(pa.string())
        case {"redaction_of": _}:
            return redactions
        case rule:
            return pa.repeat(pa.scalar(_same_for_all(field.name, rule or {}, facts), pa.string()), len(rows))


def _same_for_all(name: str, rule: Mapping[str, object], facts: DerivationFacts) -> str | None:
    match rule:
        case {"constant": str(value)}:
            return value
        case {"from": str(fact)}:
            return facts.value(fact)
        case {"part": dict(wordings), "otherwise": otherwise}:
            return str(wordings.get(facts.part, otherwise))
        case {"heading_of": str(of), "patterns": list(patterns), "otherwise": otherwise}:
            return _by_heading(facts.headings.get(of), patterns, str(otherwise))
    raise DescriptorError(f"field {name}: x_derive {dict(rule)} is not one of those in docs/datasets.md")


def _by_heading(heading: str | None, patterns: Iterable[Sequence[str]], otherwise: str) -> str:
    if heading is None:
        return otherwise
    return next((value for pattern, value in patterns if re.search(pattern, heading, re.IGNORECASE)), otherwise)


class Occurrences:
    """Hashes of lines, each with the number of times that it has been met in this release.

    `{first 20 hex digits of the sha256 of the cells}-{n}`: genuine repeats stay apart, and an identifier
    stays the same when other lines of the file are corrected.
    """

    def __init__(self) -> None:
        self._met: dict[str, int] = {}

    def column(self, rule: Mapping[str, Sequence[str]], facts: DerivationFacts, columns: Mapping[str, Cells]) -> Cells:
        """The identifiers of a batch whose other columns are `columns`."""
        size = len(next(iter(columns.values())))
        parts = [_part(name, facts, columns, size) for name in rule["hash_of"]]
        texts = pc.binary_join_element_wise(*parts, SEPARATOR, null_handling="replace", null_replacement="")
        digests = (hashlib.sha256(text).hexdigest()[:20] for text in texts.cast(pa.binary()).to_pylist())
        return pa.array([self.number(digest) for digest in digests], pa.string())

    def number(self, digest: str) -> str:
        """`digest` with the number of its occurrence, the first being 1."""
        self._met[digest] = count = self._met.get(digest, 0) + 1
        return f"{digest}-{count}"


def _part(name: str, facts: DerivationFacts, columns: Mapping[str, Cells], size: int) -> Cells:
    if "." in name:
        return pa.repeat(pa.scalar(facts.value(name), pa.string()), size)
    if name not in columns:
        raise DescriptorError(f"x_derive hash_of names '{name}', which is no field that is made before it")
    return columns[name]
