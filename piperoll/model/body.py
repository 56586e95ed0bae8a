"""The public bodies that send files, and the register of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from typing import Any

from piperoll.errors import DescriptorError

_ID = re.compile(r"([A-Z]{2}-[A-Z0-9]+-.+|gss:[EWSN]\d{8})\Z", re.ASCII)
_AREA = re.compile(r"[EWSN]\d{8}\Z", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z", re.ASCII)

KINDS = ("council", "department", "agency", "nhs", "police", "fire", "other")
"""The kinds of body. They decide which legal duties a body has; `other` has none that we know."""

_CLOSEST = 3
"""Suggest at most this many bodies for a name that is not in the register."""

_CLOSE_ENOUGH = 0.6
"""Suggest a body whose name is at least this similar, as difflib measures it: from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Body:
    """A public body that sends, with an identifier from a public register and a slug used in paths.

    `id` is `GB-GOVUK-…`, `GB-NHS-…` or `gss:E07000188` (docs/standards.md#identifiers). A provisional body, which is in
    none of our registers, has `XI-PIPEROLL-{slug}` and is marked as provisional wherever it appears. `kind` decides
    which legal duties it has (`council`, `department`, `agency`, `nhs`, `police`, `fire`, `other`). `short_name` is its
    usual abbreviation, `former_names` what it was called before, `aliases` other names. `same_as` are its identifiers
    in other registers. `region` is the region of England, or the nation, that it serves, and `area_code` the GSS code
    of its area; None for a body of the whole country, or if not known. `valid_from` and `valid_to` are its first and
    last day; None if not known, or if it still exists. `successor` are the slugs of the bodies that took over its work.
    `expected` is False for a body that we know but that need not send anything. `population` is the number of people in
    its area, for figures per head; None if not known.
    """

    id: str
    slug: str
    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()
    contact: str | None = None
    licence: str = "OGL-UK-3.0"
    valid_from: date | None = None
    valid_to: date | None = None
    successor: tuple[str, ...] = ()
    short_name: str | None = None
    former_names: tuple[str, ...] = ()
    region: str | None = None
    area_code: str | None = None
    expected: bool = True
    population: int | None = None

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise DescriptorError(f"'{self.id}' is not a body identifier: use GB-GOVUK-…, GB-NHS-… or gss:E07000188")
        if not _SLUG.match(self.slug):
            raise DescriptorError(
                f"'{self.slug}' is not a slug: use lower-case letters and digits, joined by single hyphens"
            )
        if self.kind not in KINDS:
            raise DescriptorError(f"{self.slug}: '{self.kind}' is no kind of body: use {', '.join(KINDS)}")
        if self.area_code is not None and not _AREA.match(self.area_code):
            raise DescriptorError(f"{self.slug}: '{self.area_code}' is not a GSS code such as E07000188")
        if self.population is not None and self.population < 1:
            raise DescriptorError(f"{self.slug}: a population of {self.population} is not possible")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise DescriptorError(f"{self.slug}: valid_to {self.valid_to} is before valid_from {self.valid_from}")

    def existed_in(self, start: date, end: date) -> bool:
        """Whether the body existed on a day from `start` to `end`, as far as the register knows."""
        return (self.valid_from is None or self.valid_from <= end) and (self.valid_to is None or start <= self.valid_to)

    @property
    def known_kind(self) -> str | None:
        """The kind of a registered body; None if it is provisional, so that we do not know."""
        return None if self.provisional else self.kind

    @property
    def nation(self) -> str | None:
        """`E`, `W`, `S` or `N` for England, Wales, Scotland or Northern Ireland, if the identifier is a GSS code."""
        return self.id[4] if self.id.startswith("gss:") else None

    @property
    def provisional(self) -> bool:
        """Whether we made up the identifier because the sender is in none of our registers."""
        return self.id.startswith("XI-PIPEROLL-")

    def to_document(self) -> dict[str, Any]:
        """The body as JSON, in the form of `catalogue/bodies.json`."""
        return {
            "body": self.slug,
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "provisional": self.provisional,
            "short_name": self.short_name,
            "former_names": list(self.former_names),
            "aliases": list(self.aliases),
            "same_as": list(self.same_as),
            "region": self.region,
            "area_code": self.area_code,
            "valid_from": self.valid_from and self.valid_from.isoformat(),
            "valid_to": self.valid_to and self.valid_to.isoformat(),
            "successor": list(self.successor),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Body:
        """Read what `to_document` wrote; keys that are missing have no value."""

        def texts(key: str) -> tuple[str, ...]:
            return tuple(document.get(key) or ())

        def day(key: str) -> date | None:
            return date.fromisoformat(document[key]) if document.get(key) else None

        return cls(
            id=document["id"],
            slug=document["body"],
            name=document["name"],
            kind=document["kind"],
            aliases=texts("aliases"),
            same_as=texts("same_as"),
            valid_from=day("valid_from"),
            valid_to=day("valid_to"),
            successor=texts("successor"),
            short_name=document.get("short_name"),
            former_names=texts("former_names"),
            region=document.get("region"),
            area_code=document.get("area_code"),
        )

    @classmethod
    def provisional_for(cls, sender: str) -> Body:
        """Make a body for a sender that is not registered, with the sender's name and the kind `other`."""
        slug = slugify(sender)
        return cls(id=f"XI-PIPEROLL-{slug}", slug=slug, name=sender, kind="other")


@dataclass(frozen=True, slots=True)
class BodyMatch:
    """The body that a text names, or None and the bodies whose names are most like it, the closest first."""

    body: Body | None
    suggestions: tuple[Body, ...] = ()


@dataclass(frozen=True)
class Register:
    """The registered bodies, found by slug, identifier, name, short name, former name or alias.

    Raises: DescriptorError: two bodies share one of these. Capitals, spaces and punctuation do not matter.
    """

    bodies: tuple[Body, ...]
    _by_key: Mapping[str, Body] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys: dict[str, Body] = {}
        for body in self.bodies:
            for key in _keys_of(body):
                if keys.setdefault(key, body) is not body:
                    raise DescriptorError(f"the register has two bodies under '{key}': {keys[key].id} and {body.id}")
        object.__setattr__(self, "_by_key", keys)

    def __iter__(self) -> Iterator[Body]:
        return iter(self.bodies)

    @property
    def expected(self) -> Register:
        """The bodies of the register that are expected to send something."""
        return Register(tuple(body for body in self.bodies if body.expected))

    def find(self, sender: str) -> Body:
        """Find a body by any of its names; make a provisional one if it is not registered."""
        return self._by_key.get(_key(sender)) or Body.provisional_for(sender)

    def at_slug(self, slug: str) -> Body:
        """The body with this slug, which other bodies may have as an alias; provisional if it is not registered."""
        found = self._by_key.get(slug)
        return found if found is not None and found.slug == slug else Body.provisional_for(slug)

    def recognise(self, name: str) -> Body | None:
        """Find the body that a text names: as `find` does, also with or without a leading "the".

        A short name such as LEASE or ICE counts only as it is written in the register, since it can be a word too.
        """
        key = _key(name)
        keys = (key, key.removeprefix("the-"), f"the-{key}")
        found = next((self._by_key[each] for each in keys if each in self._by_key), None)
        if found is None or found.short_name is None or _key(found.short_name) not in keys or found.slug in keys:
            return found
        return found if name.strip() == found.short_name else None

    def suggest(self, name: str) -> list[Body]:
        """Return the bodies one of whose names is most like `name`, the closest first; often none."""
        return list(_suggest(name, self._by_key))

    def with_bodies(self, more: Iterable[Body]) -> Register:
        """A register with `more` bodies too.

        They replace those with the same slug, and take over names that others share with them.
        """
        added = {body.slug: body for body in more}
        if not added:
            return self
        taken = {key for body in added.values() for key in _keys_of(body)}
        kept = (_without_names(body, taken) for body in self.bodies if body.slug not in added)
        return Register((*(body for body in kept if body is not None), *added.values()))


def resolve_body(text: str, register: Register, known: Iterable[str] = ()) -> BodyMatch:
    """The body that a person means by `text`, or the closest few.

    `known` are the slugs of bodies that have sent something: one of them is found by its slug, also if it is not
    registered. Otherwise it is the body of `register` that has the text as a slug, identifier, name, short name, former
    name or alias; case, accents, punctuation, `&` for "and" and a leading "the" do not matter. Suggestions are taken
    from the bodies that are known before all others.
    """
    slugs = {slug: register.at_slug(slug) for slug in known}
    if (slug := slugify(text)) in slugs:
        return BodyMatch(slugs[slug])
    body = register.find(text)
    if body.provisional:
        found = register.recognise(text)
        return BodyMatch(found) if found else BodyMatch(None, suggest_bodies(text, register, slugs.values()))
    return BodyMatch(body)


def suggest_bodies(text: str, register: Register, known: Iterable[Body] = ()) -> tuple[Body, ...]:
    """The few bodies whose names are most like `text`: of those that are `known`, and then of the register."""
    near = _suggest(text, {key: body for body in known for key in _keys_of(body)})
    others = (body for body in register.suggest(text) if body not in near)
    return (*near, *others)[:_CLOSEST]


def _key(name: str) -> str:
    """What a name is looked up by: a slug with "and" for `&`, in which an apostrophe does not divide a word."""
    return slugify(name.replace("'", "").replace("&", " and "))


def _keys_of(body: Body) -> tuple[str, ...]:
    """Everything that a body is found by."""
    names = (body.id, body.name, *body.former_names, *body.aliases, *body.same_as)
    return (body.slug, *map(_key, names), *([_key(body.short_name)] if body.short_name else ()))


def _without_names(body: Body, taken: Container[str]) -> Body | None:
    """The body without names that are taken; None if its slug, identifier or name is, so that it is the same body."""
    if any(key in taken for key in (body.slug, _key(body.id), _key(body.name))):
        return None
    if not any(key in taken for key in _keys_of(body)):
        return body

    def free(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if _key(name) not in taken)

    return replace(
        body,
        former_names=free(body.former_names),
        aliases=free(body.aliases),
        same_as=free(body.same_as),
        short_name=next(iter(free((body.short_name,) if body.short_name else ())), None),
    )


def _suggest(name: str, by_key: Mapping[str, Body]) -> tuple[Body, ...]:
    """The bodies whose key is like `name` or has it as a word, the closest first."""
    wanted = _key(name)
    containing = [key for key in by_key if wanted in key.split("-") or key.startswith(f"{wanted}-")]
    close = get_close_matches(wanted, by_key, n=2 * _CLOSEST, cutoff=_CLOSE_ENOUGH)
    found = {by_key[key].slug: by_key[key] for key in (*close, *containing)}
    return tuple(found.values())[:_CLOSEST]


_NO_LETTERS = re.compile(r"[^a-z0-9]+")


def slugify(text: str) -> str:
    """Turn `text` into a path segment: lower-case ASCII letters and digits, joined by single hyphens; never empty."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NO_LETTERS.sub("-", text.lower()).strip("-") or "unnamed"
