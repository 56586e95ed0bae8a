"""The public bodies that send files, and the register of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

from piperoll.errors import DescriptorError

_ID = re.compile(r"([A-Z]{2}-[A-Z0-9]+-.+|gss:[EWSN]\d{8})\Z", re.ASCII)
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
    which legal duties it has (`council`, `department`, `agency`, `nhs`, `police`, `fire`, `other`). `same_as` are its
    identifiers in other registers. `valid_from` and `valid_to` are its first and last day; None if not known, or if it
    still exists. `successor` are the slugs of the bodies that took over its work.
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

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise DescriptorError(f"'{self.id}' is not a body identifier: use GB-GOVUK-…, GB-NHS-… or gss:E07000188")
        if not _SLUG.match(self.slug):
            raise DescriptorError(
                f"'{self.slug}' is not a slug: use lower-case letters and digits, joined by single hyphens"
            )
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

    @classmethod
    def provisional_for(cls, sender: str) -> Body:
        """Make a body for a sender that is not registered, with the sender's name and the kind `other`."""
        slug = slugify(sender)
        return cls(id=f"XI-PIPEROLL-{slug}", slug=slug, name=sender, kind="other")


@dataclass(frozen=True)
class Register:
    """The registered bodies, found by slug, identifier, name or alias."""

    bodies: tuple[Body, ...]
    _by_key: Mapping[str, Body] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys: dict[str, Body] = {}
        for body in self.bodies:
            for key in (body.slug, slugify(body.id), slugify(body.name), *map(slugify, (*body.aliases, *body.same_as))):
                if keys.setdefault(key, body) != body:
                    raise DescriptorError(f"the register has two bodies under '{key}': {keys[key].id} and {body.id}")
        object.__setattr__(self, "_by_key", keys)

    def __iter__(self) -> Iterator[Body]:
        return iter(self.bodies)

    def find(self, sender: str) -> Body:
        """Find a body by its slug, identifier, name or alias; make a provisional one if it is not registered."""
        return self._by_key.get(slugify(sender)) or Body.provisional_for(sender)

    def recognise(self, name: str) -> Body | None:
        """Find the body that a text names: as `find` does, also with `&` for "and" and without a leading "the"."""
        key = slugify(name.replace("&", " and "))
        keys = (slugify(name), key, key.removeprefix("the-"), f"the-{key}")
        return next((self._by_key[each] for each in keys if each in self._by_key), None)

    def suggest(self, name: str) -> list[Body]:
        """Return the bodies whose slug, name or alias is most like `name`, the closest first; often none."""
        wanted = slugify(name)
        containing = [key for key in self._by_key if wanted in key.split("-") or key.startswith(f"{wanted}-")]
        close = get_close_matches(wanted, self._by_key, n=2 * _CLOSEST, cutoff=_CLOSE_ENOUGH)
        found = {self._by_key[key].slug: self._by_key[key] for key in (*close, *containing)}
        return list(found.values())[:_CLOSEST]

    def with_bodies(self, more: Iterable[Body]) -> Register:
        """A register with `more` bodies too; they replace those with the same slug."""
        replaced = {body.slug: body for body in self.bodies} | {body.slug: body for body in more}
        return Register(tuple(replaced.values()))


def slugify(text: str) -> str:
    """Turn `text` into a path segment: lower-case ASCII letters and digits, joined by single hyphens; never empty."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-") or "unnamed"
