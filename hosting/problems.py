"""Errors of the API as problem documents (RFC 9457): what is wrong, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from piperoll.errors import UsageError

MEDIA_TYPE = "application/problem+json"


class Problem(UsageError):
    """A request that cannot be answered.

    `kind` identifies the problem in its `type` (`urn:piperoll:problem:KIND`) and never changes, since programs compare
    it. `retry_after` is the number of seconds after which a retry can succeed. `members` are added to the document.
    """

    def __init__(self, status: int, kind: str, detail: str, *, retry_after: int | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.retry_after = retry_after
        self.members = members

    def document(self) -> dict[str, Any]:
        """The problem as JSON. Its `type` is a URN and not a URL, because there is no further page to read."""
        standard = {
            "type": f"urn:piperoll:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
        }
        return standard | self.members

    def headers(self) -> dict[str, str]:
        """The headers of the response; caches must not store a problem."""
        headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers


def unknown_name(what: str, name: str, known: Iterable[str], *, status: int = 400, see: str = "") -> Problem:
    """The problem for a name that does not exist. It suggests the nearest known names, or says where to `see` them."""
    near = get_close_matches(name, list(known), n=3, cutoff=0.6)
    hint = f": did you mean {' or '.join(near)}?" if near else f": {see}" if see else ""
    return Problem(status, f"unknown-{what}", f"there is no {what} '{printable(name)}'{hint}", did_you_mean=near)


def bad_parameter(parameter: str, detail: str) -> Problem:
    """The problem for a parameter whose value is not valid."""
    return Problem(400, "bad-parameter", detail, parameter=parameter)


def given_twice(parameter: str) -> Problem:
    """The problem for a parameter that takes one value and has several."""
    return bad_parameter(parameter, f"{parameter} is given twice: give it once")


def printable(text: str, most: int = 60) -> str:
    """Text from a request, shortened and on one line, so that an error message can quote it."""
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."
