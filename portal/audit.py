"""The log of what people do: requests that change something or hand out held values, and those that were refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.settings import PortalSettings
from publishers.access import AccessEvent, log_access

_REFUSED = (403, 404, 413, 429)
_PLAIN = re.compile(r"[\w.-]{1,100}", re.ASCII)


class AccessLog:
    """Writes an entry before the answer is sent, so that nobody is told of what is not in the log.

    It has the opaque identifier of the person or key, the route, the body and references in the address, and the
    status. What a stranger does is not logged: anyone could fill the log.
    """

    def __init__(self, app: ASGIApp, settings: PortalSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_after_log(message: Message) -> None:
            if message["type"] == "http.response.start" and (event := self._event(scope, message["status"])):
                await run_in_threadpool(log_access, self._settings.opened, event)
            await send(message)

        await self._app(scope, receive, send_after_log)

    def _event(self, scope: Scope, status: int) -> AccessEvent | None:
        """The entry for a request; None if it needs none."""
        state = scope["state"]
        who, outcome = state.get("noted") or (None, "")
        signed, session = state.get("signed"), state.get("session")
        who = who or (signed.person if signed else session.person if session else None)
        changes = scope["method"] not in ("GET", "HEAD", "OPTIONS")
        hands_out = getattr(scope.get("endpoint"), "is_logged", False)
        if who is None or not (changes or hands_out or outcome or status in _REFUSED):
            return None
        parameters = scope.get("path_params", {})
        plain = {name: value for name, value in parameters.items() if name != "key" and _PLAIN.fullmatch(str(value))}
        named = (f"{name}={value}" for name, value in plain.items())
        instant = datetime.fromtimestamp(self._settings.clock(), UTC).isoformat(timespec="microseconds")
        what = f"{scope['method']} {_template(scope) if 'endpoint' in scope else '(no such page)'}"
        return AccessEvent(instant.replace("+00:00", "Z"), who, what, " ".join(named), f"{status} {outcome}".strip())


def _template(scope: Scope) -> str:
    """The path of a request with the names of its parameters in place of their values."""
    path = str(scope["path"])
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path
