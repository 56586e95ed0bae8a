"""The fields that we derive, column by column, as `x_derive` in a descriptor says (docs/datasets.md)."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import pyarrow as pa

from piperoll.errors import DescriptorError
from piperoll.model import Body, Field, Series, Table
from piperoll.model.columns import Cells, offsets, pc, texts_from_buffers
from piperoll.releasing.columns import sha256_lines

ROW = "source.row"
"""The one fact that differs from row to row."""

_DIGEST_BYTES = 10
"""Bytes of the sha256 of a line that its identifier has."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The submission that a release is made from: the sha256 of its bytes, and the file's name as sent."""

    sha256: str
    name: str


@dataclass(frozen=True, slots=True)
class DerivationFacts:
    """What the derived fields of one table may use besides its cells.

    `named` holds the values that `{"from": …}` may name, `headings` the heading as sent of each mapped field.
    """

    named: Mapping[str, str | None]
    headings: Mapping[str, str]
    part: str | None

    @classmethod
    def of(
        cls, body: Body, series: Series, source: SourceFile, table: Table[pa.RecordBatch], sheet: str | None
    ) -> DerivationFacts:
        """The facts about one table of a submission; `sheet` is the name under which its sheet is published."""
        named = {
            "body.id": body.id,
            "body.name": body.name,
            "period.start": series.period.start.isoformat(),
            "period.end": series.period.end.isoformat(),
            "part": series.part,
            "source.name": source.name,
            "source.sheet": sheet,
            "source.sha256": source.sha256,
        }
        return cls(named, table.columns, series.part)

    def value(self, name: str) -> str | None:
        """The fact called `name`. Raises: DescriptorError: there is no such fact."""
        if name not in self.named:
            raise DescriptorError(f"x_derive names '{name}': the known names are {', '.join((*self.named, ROW))}")
        return self.named[name]


def is_hash(field: Field) -> bool:
    """True if a field is a hash of other fields of its line, and so is made last."""
    return field.derive is not None and "hash_of" in field.derive


def is_provenance(field: Field) -> bool:
    """True if a field says where a line came from, and so is no part of what the line says."""
    return field.derive is not None and str(field.derive.get("from", "")).startswith("source.")


def derive_column(field: Field, facts: DerivationFacts, rows: Cells, redactions: Cells) -> Cells:
    """Make the derived column of a batch, as strings, one for each of `rows`.

    `redactions` has the kind of redaction of each row, or `none`.
    Raises: DescriptorError: the descriptor's `x_derive` is not one of those in docs/datasets.md.
    """
    match field.derive:
        case {"from": name} if name == ROW:
            return rows.cast(pa.string())
        case {"redaction_of": _}:
            return redactions
        # All other derivations give the same value in every row of a table.
        case {"constant": str(value)}:
            cell: str | None = value
        case {"from": str(fact)}:
            cell = facts.value(fact)
        case {"part": dict(values), "otherwise": otherwise}:
            cell = str(values.get(facts.part, otherwise))
        case {"heading_of": str(of), "patterns": list(patterns), "otherwise": otherwise}:
            cell, heading = str(otherwise), facts.headings.get(of)
            if heading is not None:
                matching = (value for pattern, value in patterns if re.search(pattern, heading, re.IGNORECASE))
                cell = next(matching, cell)
        case rule:
            raise DescriptorError(
                f"field {field.name}: x_derive {dict(rule or {})} is not one of those in docs/datasets.md"
            )
    return pa.repeat(pa.scalar(cell, pa.string()), len(rows))


class LineIdentifiers:
    """Identifiers of lines: the hash of some fields, and how many times it has occurred in this release.

    `{first 20 hex digits of the sha256 of the cells}-{n}`: genuine repeats get different numbers, and an identifier
    stays the same when other lines of the file are corrected.
    """

    def __init__(self) -> None:
        self._seen: set[Hashable] = set()
        self._repeated: dict[Hashable, int] = {}

    def make_column(
        self, rule: Mapping[str, Sequence[str]], facts: DerivationFacts, columns: Mapping[str, Cells]
    ) -> Cells:
        """The identifiers of a batch whose other columns are `columns`."""
        size = len(next(iter(columns.values())))
        parts = []
        for name in rule["hash_of"]:
            if "." in name:
                parts.append(pa.repeat(pa.scalar(facts.value(name), pa.string()), size))
            elif name in columns:
                parts.append(columns[name])
            else:
                raise DescriptorError(f"x_derive hash_of names '{name}', which is not a field that is made before it")
        digests = [digest[:_DIGEST_BYTES] for digest in sha256_lines(parts)]
        edges = offsets(repeat(2 * _DIGEST_BYTES, size))
        return self.number(digests, texts_from_buffers(edges, b"".join(digests).hex().encode()))

    def number(self, digests: Sequence[Hashable], texts: Cells) -> Cells:
        """The identifiers of lines with these digests: the text of each, and the number of its occurrence, from 1."""
        fresh = set(digests)
        if len(fresh) == len(digests) and self._seen.isdisjoint(fresh):  # by far the most
            self._seen |= fresh
            return pc.binary_join_element_wise(texts, "1", "-")
        numbers = pa.array([str(self._count(digest)) for digest in digests], pa.string())
        return pc.binary_join_element_wise(texts, numbers, "-")

    def _count(self, digest: Hashable) -> int:
        if digest not in self._seen:
            self._seen.add(digest)
            return 1
        self._repeated[digest] = count = self._repeated.get(digest, 1) + 1
        return count
