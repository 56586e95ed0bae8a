"""What can be wrong with a request, told as RFC 9457 has it: what, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from piperoll.errors import UsageError

MEDIA_TYPE = "application/problem+json"


class Problem(UsageError):
    """A request that cannot be answered as asked: its status, what is wrong (`kind`, stable), and what to do.

    `more` are members beside those of the standard; `retry_after` says in how many seconds it is worth asking again.
    """

    def __init__(self, status: int, kind: str, detail: str, *, retry_after: int | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.retry_after = retry_after
        self.more = more

    def document(self) -> dict[str, Any]:
        """The problem as JSON has it; the type is a name, as nothing more is to be read elsewhere."""
        about = {"type": f"urn:piperoll:problem:{self.kind}", "title": HTTPStatus(self.status).phrase}
        return about | {"status": self.status, "detail": str(self)} | self.more

    def headers(self) -> dict[str, str]:
        """The headers that go with it; no problem is kept by a cache."""
        again = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"} | again


def unknown(what: str, name: str, known: Iterable[str], *, status: int = 400, see: str = "") -> Problem:
    """A name that is none of those known, with the nearest of them."""
    names = list(known)
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    hint = f": did you mean {' or '.join(near)}?" if near else f": {see}" if see else ""
    return Problem(status, f"unknown-{what}", f"there is no {what} '{shown(name)}'{hint}", did_you_mean=near)


def shown(text: str) -> str:
    """Text of a stranger as an error repeats it: short, on one line."""
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= 60 else f"{plain[:57]}..."


def unprocessable(parameter: str, detail: str, **more: Any) -> Problem:
    """A parameter whose value cannot be understood."""
    return Problem(400, "bad-parameter", detail, parameter=parameter, **more)


def described(statuses: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """The answers that are problems, as OpenAPI describes them."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        code: {"description": words, "content": {MEDIA_TYPE: {"schema": schema}}} for code, words in statuses.items()
    }
