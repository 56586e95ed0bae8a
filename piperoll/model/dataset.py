"""A standard for one kind of data, as its descriptor declares it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from piperoll.errors import DescriptorError


class Level(StrEnum):
    """What a field is for: without `core` there is no table; law or code asks for `duty`; the rest is `wanted`."""

    CORE = "core"
    DUTY = "duty"
    WANTED = "wanted"


class Origin(StrEnum):
    """Whether the body sends a field or we derive it."""

    SENT = "sent"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a dataset, from its Table Schema.

    `type` is a Table Schema type. `source` names the clause or standard. `unit` is null where the
    field has none. `privacy` is `name` (may name a person), `dependent` (an identifier that goes
    with the name), `area` (a service area that may trigger a hold), `text` (free text) or None.
    `kinds` are the kinds of body that a duty falls on, none for all. `derive` says how to make a
    derived field (docs/datasets.md); None for one that is only sent.
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
    kinds: tuple[str, ...] = ()

    @property
    def is_identifier(self) -> bool:
        """Whether the field is a reference, by the naming rule of docs/datasets.md: text, and its name ends so."""
        return self.type == "string" and self.name.rsplit("_", 1)[-1] in ("number", "ref", "id", "ocid")

    @classmethod
    def from_descriptor(cls, field: Mapping[str, Any]) -> Field:
        """The field that a Table Schema field with our `x_` properties declares.

        Raises: DescriptorError: a property that every field of ours has is missing or unknown.
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
                kinds=tuple(field.get("x_kinds", ())),
            )
        except (KeyError, ValueError) as error:
            raise DescriptorError(
                f"field {field.get('name', '?')}: {error} is missing or not a value we know"
            ) from error


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading seen in the wild and the field it stands for; `part` narrows it to one part of the dataset."""

    heading: str
    field: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One of the several files a body sends for a dataset and period.

    It is recognised when the file's or folder's name holds one of `names`, when all of the
    fields in `marks` are among the columns, or when one of the columns bears one of its `headings`.
    """

    name: str
    title: str
    names: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """A standard for one kind of data: its fields in published order and the rules that are its own.

    `core` are the groups of fields without which there is no table: of each group one must be there
    (`@period` stands for a period that is given). `amount` and `date` are the fields that totals and
    date spans are taken of, the first that a table has. `aliases` are other inbox folder names, each with the
    part that it means. `snapshot` datasets describe a day, not a stretch of time. `wide` are the shapes that
    are unpivoted, `ocds` the paths in an OCDS release, `duties` the legal duties with their due dates.
    `keys` are the sets of fields that name a row from one version of a file to the next, the surest first. A dataset
    `restates` if a file says again, of the rows that it names by key, what earlier files said.
    `descriptor` is the whole datapackage.json.
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
    descriptor: Mapping[str, Any]

    @classmethod
    def from_descriptor(cls, descriptor: Mapping[str, Any], headings: Iterable[Heading]) -> Dataset:
        """The dataset that a Data Package descriptor with our `x_piperoll` section declares.

        Raises: DescriptorError: the section is missing or names a field that the schema lacks.
        """
        try:
            rules = descriptor["x_piperoll"]
            dataset = cls(
                name=descriptor["name"],
                title=descriptor["title"],
                version=descriptor["version"],
                description=descriptor["description"],
                fields=tuple(Field.from_descriptor(field) for field in descriptor["resources"][0]["schema"]["fields"]),
                headings=tuple(headings),
                core=tuple(tuple(group) for group in rules["core"]),
                amount=tuple(rules["amount"]),
                date=tuple(rules["date"]),
                parts=tuple(
                    Part(
                        name,
                        part["title"],
                        tuple(part.get("names", ())),
                        tuple(part.get("marks", ())),
                        tuple(part.get("headings", ())),
                    )
                    for name, part in rules["parts"].items()
                ),
                aliases=rules["aliases"],
                snapshot=rules["snapshot"],
                wide=tuple(rules.get("wide", ())),
                ocds=rules.get("ocds", {}),
                duties=tuple(rules.get("duties", ())),
                keys=tuple(tuple(key) for key in rules.get("keys", ())),
                restates=rules.get("restates", False),
                descriptor=descriptor,
            )
        except KeyError as error:
            raise DescriptorError(f"dataset {descriptor.get('name', '?')}: the descriptor lacks {error}") from error
        dataset._refuse_unknown_fields()
        return dataset

    def _refuse_unknown_fields(self) -> None:
        named = {name for group in self.core for name in group if name != "@period"}
        named |= {*self.amount, *self.date, *(heading.field for heading in self.headings)}
        named |= {mark for part in self.parts for mark in part.marks} | {name for key in self.keys for name in key}
        if unknown := sorted(named - {field.name for field in self.fields}):
            raise DescriptorError(f"dataset {self.name} names fields that its schema lacks: {', '.join(unknown)}")

    def field(self, name: str) -> Field:
        """The field called `name`. Raises: KeyError: the dataset has none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def core_fields(self) -> frozenset[str]:
        """Every field that some core group names."""
        return frozenset(name for group in self.core for name in group if name != "@period")

    def missing_core(self, columns: Iterable[str], *, period_given: bool) -> tuple[tuple[str, ...], ...]:
        """The core groups of which `columns` holds no field; a given period stands for `@period`."""
        there = {*columns, "@period"} if period_given else {*columns}
        return tuple(group for group in self.core if there.isdisjoint(group))
