"""What waits for a review in the published tables of measures: who a supplier is, and how two contracts are related.

Both are read from the tables that the newest year was made from, without what has been reviewed since. Names are those
of organisations as bodies published them; a text that may name a person is not quoted.
"""

from __future__ import annotations

import hashlib
import heapq
import io
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import publishers
from piperoll import layout
from piperoll.checking.privacy.free_text import names_in_text
from piperoll.checking.privacy.public_texts import WITHHELD, names_person
from piperoll.enriching.identities import Tier
from piperoll.enriching.supplier_names import supplier_key
from piperoll.errors import NotThere
from piperoll.model import DecisionKind, PairDecision, Period

MOST_SUPPLIERS = 100
"""Suppliers to review that are asked about together: those that were paid most."""

SAMPLE = 200
"""Suppliers matched by name that are reviewed, too, to measure how many matches are right."""

MOST_PAIRS = 200
"""Pairs of contracts that are asked about together: those that are most alike."""

_SPELLINGS = 3
_LONGEST = 160
"""Characters of a name or title that are quoted."""


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table that the current version of a measure was made from, its year, and when the version was published."""

    rows: pa.Table
    year: Period
    published: str


@dataclass(frozen=True, slots=True)
class SupplierToReview:
    """A supplier of some bodies: is it an organisation of `proposed`?

    `bodies` are those that it is asked for, with the pounds each paid in the year, the largest first. `sampled` is True
    if the supplier has been matched, and is asked about to measure how many matches are right.
    """

    key: str
    names: tuple[str, ...]
    proposed: tuple[str, ...]
    evidence: tuple[str, ...]
    bodies: Mapping[str, Decimal]
    sampled: bool

    @property
    def pounds(self) -> Decimal:
        """What all of the bodies paid."""
        return sum(self.bodies.values(), Decimal(0))


@dataclass(frozen=True, slots=True)
class ContractToCompare:
    """One side of a pair."""

    body: str
    title: str
    suppliers: tuple[str, ...]
    value: Decimal | None
    starts: date | None
    ends: date | None


@dataclass(frozen=True, slots=True)
class PairToReview:
    """Two contracts of different bodies: what are they to each other? `guess` is what their texts show."""

    pair: str
    sides: tuple[ContractToCompare, ContractToCompare]
    score: float
    guess: PairDecision
    evidence: str


def read_newest_table(store: publishers.Store, measure: str, name: str) -> PublishedTable | None:
    """Read a table of the newest year of a measure; None if no current version names one, or it has been deleted."""
    for series in sorted(publishers.list_indexed_series_of(store, layout.MEASURES, measure), reverse=True):
        current = publishers.read_history(store, series)[0].current_version
        if current is None:
            continue
        inputs = json.loads(store.read(layout.release_file(series, current, "inputs.json")).content)
        digests = [one["sha256"] for one in inputs["shared"] if one["what"] == f"table {name}"]
        try:
            content = store.read(layout.measure_table(name, digests[0], "parquet")).content if digests else None
        except NotThere:  # the next measuring that makes it writes it again
            content = None
        return PublishedTable(pq.read_table(io.BytesIO(content)), series.period, current.published) if content else None
    return None


# --- suppliers --------------------------------------------------------------------------------------------------------


def list_suppliers(store: publishers.Store, table: pa.Table) -> list[SupplierToReview]:
    """The suppliers to review that were paid most, then a sample of those that were matched by name.

    Of `supplier_identities`. A supplier is asked about once for all bodies for which the same is proposed.
    """
    reviews = publishers.read_reviews(store, DecisionKind.SUPPLIER)
    done = {(one.body, one.subject) for one in reviews}
    to_review = table.filter(_is_one_of(table["status"], "review"))
    by_name = _is_one_of(table["tier"], Tier.NAME, Tier.PREVIOUS_NAME)
    matched = table.filter(pc.and_(_is_one_of(table["status"], "fact", "candidate"), by_name))
    largest = _describe_suppliers(to_review, _largest_keys(to_review, done), done, sampled=False)
    drawn = _draw({*map(str, matched["supplier_key"].unique().to_pylist()), *(key for _, key in done)})
    return [*largest[:MOST_SUPPLIERS], *_describe_suppliers(matched, drawn, done, sampled=True)]


def _largest_keys(table: pa.Table, done: Collection[tuple[str | None, str]]) -> set[str]:
    """The keys that were paid most by bodies for which they are not reviewed; those of equal pounds by key."""
    paid = table.select(["body", "supplier_key", "pounds"]).to_pydict()
    pounds: dict[str, Decimal] = defaultdict(Decimal)
    for body, key, amount in zip(paid["body"], paid["supplier_key"], paid["pounds"], strict=True):
        if (None, key) not in done and (body, key) not in done:
            pounds[key] += amount or 0
    return {*heapq.nsmallest(MOST_SUPPLIERS, pounds, key=lambda key: (-pounds[key], key))}


def _draw(keys: Iterable[str]) -> set[str]:
    """The sample, which is the same whenever it is drawn: the keys whose hashes are the smallest.

    Reviewed suppliers keep their place in it, so that it is not filled up again.
    """
    return {*heapq.nsmallest(SAMPLE, keys, key=lambda key: hashlib.sha256(key.encode()).hexdigest())}


def _describe_suppliers(
    table: pa.Table, keys: Collection[str], done: Collection[tuple[str | None, str]], *, sampled: bool
) -> list[SupplierToReview]:
    """Describe the suppliers of some keys, in order of pounds."""
    found: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
    for row in table.filter(_is_one_of(table["supplier_key"], *keys)).to_pylist():
        proposed = tuple((row["org_id"] if sampled else row["proposed"] or "").split())
        if (None, row["supplier_key"]) not in done and (row["body"], row["supplier_key"]) not in done:
            found[row["supplier_key"], proposed].append(row)
    described = []
    for (key, proposed), rows in found.items():
        rows.sort(key=lambda row: (-(row["pounds"] or 0), row["body"]))
        spelt = (name for row in rows for name in row["names"].split("; "))
        names = tuple(dict.fromkeys(_shorten(name) for name in spelt if supplier_key(name) == key))
        if names and supplier_key(key) == key:  # answers are recorded by it
            evidence = tuple(dict.fromkeys(row["evidence"] for row in rows if row["evidence"]))
            bodies = {row["body"]: row["pounds"] or Decimal(0) for row in rows}
            described.append(SupplierToReview(key, names[:_SPELLINGS], proposed, evidence[:2], bodies, sampled))
    return sorted(described, key=lambda one: (-one.pounds, one.key, one.proposed))


# --- pairs of contracts -----------------------------------------------------------------------------------------------


def list_pairs(store: publishers.Store, table: pa.Table) -> list[PairToReview]:
    """The pairs of `contract_pairs` that are to be reviewed, the most alike first.

    Those whose score alone does not tell that they are for the same need, and candidates whose texts leave it unclear.
    """
    reviewed = {one.subject for one in publishers.read_reviews(store, DecisionKind.PAIR)}
    unsure = pc.or_(_is_one_of(table["tier"], "review"), _is_one_of(table["type"], PairDecision.UNCLEAR))
    waiting = table.filter(pc.and_(unsure, pc.invert(_is_one_of(table["pair"], *reviewed))))
    ordered = waiting.sort_by([("score", "descending"), ("pair", "ascending")]).slice(0, MOST_PAIRS)
    return [
        PairToReview(
            row["pair"],
            (_read_side(row, "a"), _read_side(row, "b")),
            row["score"],
            PairDecision(row["type"]),
            _quote(row["evidence"]),
        )
        for row in ordered.to_pylist()
    ]


def _is_one_of(column: pa.ChunkedArray[Any], *values: str) -> pa.BooleanArray:
    return pc.is_in(column, pa.array(list(map(str, values)), pa.string()))


def _read_side(row: Mapping[str, Any], side: str) -> ContractToCompare:
    return ContractToCompare(
        row[f"body_{side}"],
        _quote(row[f"title_{side}"]),
        tuple(_name_organisations(row[f"suppliers_{side}"] or "")),
        row[f"value_{side}"],
        row[f"starts_{side}"],
        row[f"ends_{side}"],
    )


def _name_organisations(suppliers: str) -> Iterator[str]:
    """The first of the suppliers that are organisations."""
    named = [name.strip() for name in suppliers.split(";") if supplier_key(name.strip())]
    return map(_shorten, dict.fromkeys(named[:_SPELLINGS]))


def _quote(text: str) -> str:
    named = names_person(text, in_sentence=True) or names_in_text(text, in_context=True)
    return WITHHELD if named else _shorten(text)


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"
