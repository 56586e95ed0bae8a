"""The fields that we derive, column by column, as `x_derive` in a descriptor says (docs/datasets.md)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from piperoll.errors import DescriptorError
from piperoll.model import Body, Field, Series, Table
from piperoll.model.columns import Cells
from piperoll.releasing.columns import join_cells

ROW = "source.row"
"""The one fact that differs from row to row."""


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
        self._counts: dict[str, int] = {}

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
        digests = (hashlib.sha256(line).hexdigest()[:20] for line in join_cells(parts).to_pylist())
        return pa.array([self.number(digest) for digest in digests], pa.string())

    def number(self, digest: str) -> str:
        """`digest` with the number of its occurrence, beginning with 1."""
        self._counts[digest] = count = self._counts.get(digest, 0) + 1
        return f"{digest}-{count}"
