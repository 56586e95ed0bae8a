"""Two columns about the payee of each line: `supplier_key` and `payee_class`.

They are annotations of ours in consolidated files and never change a release. Both are functions of the line's own
cells and of the lists in `datapackages/`, whose version is `annotations_version`.
"""

from __future__ import annotations

import hashlib
from functools import cache

import pyarrow as pa

from piperoll import assets
from piperoll.enriching.payees import PayeeClass, class_of_name
from piperoll.enriching.supplier_names import FOLDER, read_list, supplier_key
from piperoll.model import Dataset
from piperoll.model.columns import Cells, pc

RULES_VERSION = 1
"""The version of the rules in this package: raise it with every change of what a name or number is given."""

_ROLES = ("name", "company_number", "charity_number", "organisation_id", "type", "redaction")
"""What `payee` in catalogue.json can name a field for."""


def payee_fields(dataset: Dataset) -> dict[str, str]:
    """The fields of a dataset that say who is paid, by their role; empty if it declares no payee."""
    declared: dict[str, str] = assets.shown(dataset.name).get("payee", {})
    return declared


def annotate(dataset: Dataset, batch: pa.RecordBatch) -> tuple[Cells, Cells]:
    """The `supplier_key` and the `payee_class` of each line of `batch`, two columns of strings.

    `batch` has fields of `dataset` as strings, which may be dictionary-encoded; those that it lacks count as empty. A
    line without a supplier's name, or whose name is redacted, a placeholder or a private person's, has no key. Both are
    null in a dataset without a payee.
    """
    fields = payee_fields(dataset)
    if not fields:
        return pa.nulls(len(batch), pa.string()), pa.nulls(len(batch), pa.string())
    cells = {role: _column(batch, fields.get(role)) for role in _ROLES}
    names = cells["name"]
    spellings = names.dictionary.to_pylist()
    keys = pa.array([supplier_key(name) for name in spellings], pa.string()).take(names.indices)
    classes = pa.array([str(class_of_name(name)) for name in spellings], pa.string()).take(names.indices)
    classes = pc.fill_null(classes, str(PayeeClass.NOT_KNOWN))
    return _hide_redacted(keys, _with_identifiers(classes, cells), cells["redaction"])


def _with_identifiers(classes: Cells, cells: dict[str, Cells]) -> Cells:
    """Classes that also heed published numbers: they decide where the name alone shows no public body and no person."""
    organisation = cells["organisation_id"]
    charity = [*_flags(cells["charity_number"], "[1-9]"), *_flags(organisation, "^GB-(CHC|SC|NIC)-")]
    company = [*_flags(cells["company_number"], "[1-9]"), *_flags(organisation, "^GB-COH-")]
    public = _flags(organisation, "^(GB-(GOVUK|GOR|NHS|LAE|LAS|LANI|PLR|SHPE)-|gss:)")
    types = cells["type"]
    by_type = pa.array([_class_of_type(each) for each in types.dictionary.to_pylist()], pa.string())
    found = classes
    if by_type.null_count < len(by_type):
        named = pc.equal(classes, str(PayeeClass.NOT_KNOWN))
        by_type = by_type.take(types.indices)
        found = pc.if_else(pc.and_(named, pc.is_valid(by_type)), by_type, classes)
    for flags, each in ((company, PayeeClass.COMPANY), (charity, PayeeClass.CHARITY), (public, PayeeClass.PUBLIC_BODY)):
        for mask in flags:
            settled = pc.is_in(classes, pa.array([str(PayeeClass.PUBLIC_BODY), str(PayeeClass.PERSON_OR_REDACTED)]))
            found = pc.if_else(pc.and_(mask, pc.invert(settled)), str(each), found)
    return found


def _flags(encoded: Cells, pattern: str) -> list[Cells]:
    """Which cells of an encoded column a pattern matches; an empty list if it matches none.

    "[1-9]" tells a number of an organisation from "N/A" and "0".
    """
    matches = pc.match_substring_regex(encoded.dictionary, pattern)
    return [pc.fill_null(matches.take(encoded.indices), False)] if pc.any(matches).as_py() else []


def _hide_redacted(keys: Cells, classes: Cells, redaction: Cells) -> tuple[Cells, Cells]:
    is_redacted = pc.not_equal(redaction.dictionary, "none")
    if not pc.any(is_redacted).as_py():
        return keys, classes
    redacted = pc.fill_null(is_redacted.take(redaction.indices), False)
    keys = pc.if_else(redacted, pa.scalar(None, pa.string()), keys)
    return keys, pc.if_else(redacted, str(PayeeClass.PERSON_OR_REDACTED), classes)


@cache
def _class_of_type(cell: str) -> str | None:
    """The class that a body's own word for the type of supplier shows; None if it shows none."""
    return _types().get(" ".join(cell.upper().split()))


@cache
def _types() -> dict[str, str]:
    return {row["type"].upper(): str(PayeeClass(row["class"])) for row in read_list("types.csv", "type", "class")}


def _column(batch: pa.RecordBatch, name: str | None) -> Cells:
    """The column of a field, encoded."""
    if name is None or name not in batch.schema.names:
        return pa.nulls(len(batch), pa.string()).dictionary_encode()
    cells = batch.column(name)
    return cells if pa.types.is_dictionary(cells.type) else cells.cast(pa.string()).dictionary_encode()


@cache
def annotations_version() -> str:
    """Identify the rules and the lists that `annotate` goes by; it changes if a line may be annotated differently."""
    shared = assets.folder("datapackages")
    lists = [*sorted((shared / FOLDER).glob("*.csv")), shared / "bodies" / "bodies.csv"]
    lists += [*sorted((shared / "privacy").glob("*.csv")), shared / "privacy" / "name-model.bin"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in lists)).hexdigest()
    return f"{RULES_VERSION}+{digest[:12]}"
