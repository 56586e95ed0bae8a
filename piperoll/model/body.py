"""The public bodies that send files, and the register of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from piperoll.errors import DescriptorError

_ID = re.compile(r"([A-Z]{2}-[A-Z0-9]+-.+|gss:[EWSN]\d{8})\Z", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Body:
    """A public body that sends, with an identifier from a public register and a slug used in paths.

    `id` is `GB-GOVUK-…`, `GB-NHS-…` or `gss:E07000188` (docs/standards.md#identifiers). A provisional body, which is in
    none of our registers, has `XI-PIPEROLL-{slug}` and is marked as provisional wherever it appears. `kind` decides
    which legal duties it has (`council`, `department`, `agency`, `nhs`, `police`, `fire`, `other`). `same_as` are its
    identifiers in other registers.
    """

    id: str
    slug: str
    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()
    contact: str | None = None
    licence: str = "OGL-UK-3.0"

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise DescriptorError(f"'{self.id}' is not a body identifier: use GB-GOVUK-…, GB-NHS-… or gss:E07000188")
        if not _SLUG.match(self.slug):
            raise DescriptorError(
                f"'{self.slug}' is not a slug: use lower-case letters and digits, joined by single hyphens"
            )

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

    def with_bodies(self, more: Iterable[Body]) -> Register:
        """A register with `more` bodies too; they replace those with the same slug."""
        replaced = {body.slug: body for body in self.bodies} | {body.slug: body for body in more}
        return Register(tuple(replaced.values()))


def slugify(text: str) -> str:
    """Turn `text` into a path segment: lower-case ASCII letters and digits, joined by single hyphens; never empty."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-") or "unnamed"
