"""A dataset: a standard for one kind of data, as the files in `datapackages/<name>/` declare it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from piperoll.errors import DescriptorError
from piperoll.model.body import KINDS

_READING_KEYS = frozenset(("fields", "least_amount", "general_headings", "main_list", "body_fields", "parent_fields"))
"""The keys that reading.json can have."""


class Level(StrEnum):
    """How much a field matters: no table without `core`; a law or code asks for `duty`; `wanted` is welcome."""

    CORE = "core"
    DUTY = "duty"
    WANTED = "wanted"


class Origin(StrEnum):
    """Whether the body sends a field or the platform derives it."""

    SENT = "sent"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class HeadingWarning:
    """The `finding` to report when a column is read as a field although its heading suggests something else.

    It is reported when the heading contains the pattern `says`, or when it does not contain the pattern `lacks`.
    """

    finding: str
    says: str | None = None
    lacks: str | None = None

    def applies_to(self, heading: str) -> bool:
        """True if a column with this heading gets the finding; underscores count as spaces."""
        text = heading.replace("_", " ")
        if self.says is not None and re.search(self.says, text, re.IGNORECASE):
            return True
        return self.lacks is not None and not re.search(self.lacks, text, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FieldReading:
    """How to recognise and read a field's cells: its entry under `fields` in reading.json.

    docs/datasets.md#reading describes every key. All patterns are regular expressions that ignore case.
    """

    kind: Literal["identifier", "code", "name", "band"] | None = None
    characters: int | None = None
    """The length that the register gives to all its identifiers, so that lost leading zeros can be reported."""
    edge: Literal["start", "end"] | None = None
    """The day that a date means when the cell gives only a month, quarter or year."""
    code: str | None = None
    """The field that holds the codes for this field's words."""
    label: str | None = None
    """The field that holds the words for this field's codes."""
    cells_match: str | None = None
    """A pattern that most cells of the field match: the field has few values, all known."""
    only_beside: str | None = None
    """The field that must also be in the table before an ambiguous heading is read as this field."""
    unless_beside_matches: str | None = None
    """Do not read a heading as this field if most cells of the `only_beside` field match this pattern."""
    heading_warnings: tuple[HeadingWarning, ...] = ()

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> FieldReading:
        """Convert one entry under `fields` in reading.json. Raises: TypeError: it has an unknown key."""
        warnings = tuple(HeadingWarning(**warning) for warning in entry.get("heading_warnings", ()))
        return cls(**{**entry, "heading_warnings": warnings})


@dataclass(frozen=True, slots=True)
class FieldDuty:
    """A law, code or guidance (`clause`) that asks bodies of some `kinds` for a field.

    `parts` are the parts of the dataset that it is about, where None is the main list; empty means all. `nations` are
    the nations whose bodies it binds (`E`, `W`, `S`, `N`); empty means all.
    """

    kinds: tuple[str, ...]
    clause: str
    parts: tuple[str | None, ...] = ()
    nations: tuple[str, ...] = ()

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> FieldDuty:
        """Convert one entry of `x_duties`. Raises: KeyError, TypeError: a key is missing or unknown."""
        lists = {name: tuple(value) for name, value in entry.items() if name != "clause"}
        return cls(clause=entry["clause"], **lists)

    def binds(self, kind: str, part: str | None, nation: str | None) -> bool:
        """Whether the duty binds a body of this kind and nation (None: not known) for this part of the dataset."""
        there = nation is None or not self.nations or nation in self.nations
        return kind in self.kinds and there and (not self.parts or part in self.parts)


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a dataset, from its Table Schema.

    `type` is a Table Schema type. `source` names the clause or standard that asks for it. `unit` is None for a field
    without one. `privacy` is `name` (may name a person), `dependent` (an identifier to remove with the name), `area` (a
    service area that may hold a row), `text` (free text) or None. `duties` say which law asks which kinds of body
    for it. `derive` says how to make a derived field (docs/datasets.md) and is None for one that is only
    sent. `reading` says how to recognise and read its cells.
    """

    name: str
    type: str
    title: str
    description: str
    level: Level
    origin: Origin
    source: str
    unit: str | None = None
    privacy: str | None = None
    derive: Mapping[str, Any] | None = None
    constraints: Mapping[str, Any] | None = None
    duties: tuple[FieldDuty, ...] = ()
    reading: FieldReading = FieldReading()

    @property
    def is_identifier(self) -> bool:
        """Whether the cells are references that must not be read as numbers."""
        return self.reading.kind == "identifier"

    @property
    def is_code(self) -> bool:
        """Whether the cells are identifiers or codes, not words or figures."""
        return self.reading.kind in ("identifier", "code")

    @property
    def is_name(self) -> bool:
        """Whether the cells name a person, an organisation or a thing."""
        return self.privacy == "name" or self.reading.kind == "name"

    def duty(self, kind: str | None, part: str | None = None, nation: str | None = None) -> FieldDuty | None:
        """Return the first duty that binds a body of this kind for a part of the dataset; none if `kind` is None."""
        return next((duty for duty in self.duties if kind is not None and duty.binds(kind, part, nation)), None)

    @classmethod
    def from_descriptor(cls, field: Mapping[str, Any], reading: Mapping[str, Any] | None = None) -> Field:
        """Convert a Table Schema field with our `x_` properties, and its entry in reading.json if it has one.

        Raises: DescriptorError: a required property is missing, or a value is unknown.
        """
        try:
            return cls(
                name=field["name"],
                type=field["type"],
                title=field["title"],
                description=field["description"],
                level=Level(field["x_level"]),
                origin=Origin(field["x_origin"]),
                source=field["x_source"],
                unit=field.get("x_unit"),
                privacy=field.get("x_privacy"),
                derive=field.get("x_derive"),
                constraints=field.get("constraints"),
                duties=tuple(FieldDuty.from_entry(entry) for entry in _duty_entries(field)),
                reading=FieldReading.from_entry(reading or {}),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise DescriptorError(f"field {field.get('name', '?')}: missing or unknown: {error}") from error


def _duty_entries(field: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The duties of a field: its `x_duties`, or for a `duty` without them its `x_kinds` (all kinds) and `x_source`."""
    if "x_duties" in field or field["x_level"] != Level.DUTY:
        return tuple(field.get("x_duties", ()))
    return ({"kinds": field.get("x_kinds", KINDS), "clause": field["x_source"]},)


def _row_period(entry: Mapping[str, Any] | None) -> RowPeriod | None:
    if entry is None:
        return None
    return RowPeriod(entry["start"], entry["end"], tuple(tuple(key) for key in entry["of"]))


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading found in real files and the field it means; `part` limits it to one part of the dataset."""

    heading: str
    field: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One of several files that a body sends for a dataset and period.

    It is recognised when the name of the file or folder contains one of `names`, when all the fields in `marks` have
    columns, or when a column has one of its `headings`.
    """

    name: str
    title: str
    names: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowPeriod:
    """The fields with the first and last day of a row's own period, and the sets of fields that name what it is about.

    Rows about the same thing whose periods overlap (rolling years) are never added up. The first complete set of `of`
    names the thing.
    """

    start: str
    end: str
    of: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A standard for one kind of data: its fields in published order, and its rules.

    `core` lists groups of fields: a table must have one field of each group (`@period` means that a given period will
    do). `amount` and `date` are the fields for totals and date spans; the first that a table has is used. `aliases`
    maps other inbox folder names to the part each means. A `snapshot` dataset describes a day, not a stretch of time.
    `wide` are the shapes to unpivot, `ocds` the paths in an OCDS release, `duties` the legal duties with due dates.
    `keys` are sets of fields that identify a row from one version of a file to the next, the most reliable first. A
    dataset `restates` if a file repeats, for rows with the same key, what earlier files said. A line recurs if another
    table has a line with the same `recurrence` fields; empty means all of its content. `row_period` is set if rows
    have periods of their own. `function_texts` are the fields that show what
    money is for, each the most specific first: `where` it was spent, `what` on, and the `category` of the purchase;
    empty if rows are not classified.

    From reading.json: `least_amount` is the smallest amount that must be published, in pounds; `general_headings` are
    headings too common to show that a file is of this dataset; `main_list` is a pattern for names of files that are
    the main list and no part. `body_fields` name the body that sends, the most reliable first, and `parent_fields` the
    department that it belongs to. `descriptor` is the whole datapackage.json.
    """

    name: str
    title: str
    version: str
    description: str
    fields: tuple[Field, ...]
    headings: tuple[Heading, ...]
    core: tuple[tuple[str, ...], ...]
    amount: tuple[str, ...]
    date: tuple[str, ...]
    parts: tuple[Part, ...]
    aliases: Mapping[str, str | None]
    snapshot: bool
    wide: tuple[Mapping[str, Any], ...]
    ocds: Mapping[str, str]
    duties: tuple[Mapping[str, Any], ...]
    keys: tuple[tuple[str, ...], ...]
    restates: bool
    function_texts: Mapping[str, tuple[str, ...]]
    recurrence: tuple[str, ...]
    row_period: RowPeriod | None
    least_amount: Decimal | None
    general_headings: frozenset[str]
    main_list: str | None
    body_fields: tuple[str, ...]
    parent_fields: tuple[str, ...]
    descriptor: Mapping[str, Any]

    @classmethod
    def from_descriptor(
        cls, descriptor: Mapping[str, Any], headings: Iterable[Heading], reading: Mapping[str, Any] | None = None
    ) -> Dataset:
        """Convert a Data Package descriptor with an `x_piperoll` section, and the content of reading.json.

        Raises: DescriptorError: a required key is missing, a key of reading.json is unknown, or a rule names a field
        that the schema lacks.
        """
        name, reading = descriptor.get("name", "?"), reading or {}
        if unknown := reading.keys() - _READING_KEYS:
            raise DescriptorError(f"dataset {name}: reading.json has unknown keys: {', '.join(sorted(unknown))}")
        entries, least = reading.get("fields", {}), reading.get("least_amount")
        try:
            rules = descriptor["x_piperoll"]
            schema = descriptor["resources"][0]["schema"]["fields"]
            dataset = cls(
                name=descriptor["name"],
                title=descriptor["title"],
                version=descriptor["version"],
                description=descriptor["description"],
                fields=tuple(Field.from_descriptor(field, entries.get(field["name"])) for field in schema),
                headings=tuple(headings),
                core=tuple(tuple(group) for group in rules["core"]),
                amount=tuple(rules["amount"]),
                date=tuple(rules["date"]),
                parts=tuple(
                    Part(
                        part_name,
                        part["title"],
                        tuple(part.get("names", ())),
                        tuple(part.get("marks", ())),
                        tuple(part.get("headings", ())),
                    )
                    for part_name, part in rules["parts"].items()
                ),
                aliases=rules["aliases"],
                snapshot=rules["snapshot"],
                wide=tuple(rules.get("wide", ())),
                ocds=rules.get("ocds", {}),
                duties=tuple(rules.get("duties", ())),
                keys=tuple(tuple(key) for key in rules.get("keys", ())),
                restates=rules.get("restates", False),
                function_texts={kind: tuple(names) for kind, names in rules.get("functions", {}).items()},
                recurrence=tuple(rules.get("recurrence", ())),
                row_period=_row_period(rules.get("row_period")),
                least_amount=None if least is None else Decimal(least),
                general_headings=frozenset(reading.get("general_headings", ())),
                main_list=reading.get("main_list"),
                body_fields=tuple(reading.get("body_fields", ())),
                parent_fields=tuple(reading.get("parent_fields", ())),
                descriptor=descriptor,
            )
        except KeyError as error:
            raise DescriptorError(f"dataset {name}: the descriptor lacks {error}") from error
        dataset._refuse_unknown_fields(entries)
        return dataset

    def _refuse_unknown_fields(self, entries: Mapping[str, Any]) -> None:
        named = {name for group in self.core for name in group if name != "@period"}
        named |= {*self.amount, *self.date, *entries, *(heading.field for heading in self.headings)}
        named |= {*self.body_fields, *self.parent_fields, *self.recurrence}
        named |= {name for names in self.function_texts.values() for name in names}
        if self.row_period is not None:
            named |= {self.row_period.start, self.row_period.end, *(name for key in self.row_period.of for name in key)}
        named |= {mark for part in self.parts for mark in part.marks} | {name for key in self.keys for name in key}
        for field in self.fields:
            rules = field.reading
            named |= {name for name in (rules.code, rules.label, rules.only_beside) if name is not None}
        if unknown := sorted(named - {field.name for field in self.fields}):
            raise DescriptorError(f"dataset {self.name} names fields that its schema lacks: {', '.join(unknown)}")

    def field(self, name: str) -> Field:
        """Return the field called `name`. Raises: KeyError: the dataset has none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def core_fields(self) -> frozenset[str]:
        """Every field that a core group names."""
        return frozenset(name for group in self.core for name in group if name != "@period")

    @property
    def snapshot_days(self) -> frozenset[str]:
        """The days (`03-31`) that a duty asks for a snapshot of; empty for a dataset without such a duty."""
        return frozenset(day for duty in self.duties for day in duty.get("days", ()))

    def missing_core(self, columns: Iterable[str], *, period_given: bool) -> tuple[tuple[str, ...], ...]:
        """Return the core groups without a field among `columns`; a given period counts as `@period`."""
        there = {*columns, "@period"} if period_given else {*columns}
        return tuple(group for group in self.core if there.isdisjoint(group))
