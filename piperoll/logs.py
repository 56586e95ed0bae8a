"""Structured logs: one JSON object a line on standard error, for programs that collect logs.

Nothing personal is logged: files are named by the first digits of their sha256 and errors by their kind. The text
format logs nothing, because the commands speak for themselves.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from piperoll.errors import ServerTrouble, StoreError, UsageError, describe_error

TEXT, JSON = "text", "json"

_LOGGER = logging.getLogger("piperoll")
_LOGGER.addHandler(logging.NullHandler())
_SPOKEN = (UsageError, StoreError, ServerTrouble)
"""Errors whose messages are about the platform and what it was asked: others may quote an address or a name."""


class JsonFormatter(logging.Formatter):
    """A record as a JSON object on one line; other libraries' records have their logger, and no exception's text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        document: dict[str, Any] = {"at": at, "level": record.levelname.lower()}
        values = getattr(record, "piperoll", None)
        if values is None:  # of a library: its message may have anything in it
            document |= {"event": "library", "logger": record.name}
            values = describe_exception(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        return json.dumps(document | values, ensure_ascii=False, default=str)


def configure_logs(log_format: str) -> None:
    """Log to standard error if the format is `json`; the same call again changes nothing."""
    if log_format != JSON or any(isinstance(one.formatter, JsonFormatter) for one in _LOGGER.handlers):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    for name in ("uvicorn", "prefect"):
        library = logging.getLogger(name)
        library.addHandler(handler)


def is_json() -> bool:
    """Whether `configure_logs` chose JSON: then errors and progress are logged and not printed."""
    return any(isinstance(one.formatter, JsonFormatter) for one in _LOGGER.handlers)


def log_event(event: str, *, level: int = logging.INFO, **values: Any) -> None:
    """Log one event with its values; None is left out."""
    if _LOGGER.isEnabledFor(level):
        given = {"event": event} | {name: value for name, value in values.items() if value is not None}
        _LOGGER.log(level, event, extra={"piperoll": given})


def log_error(error: BaseException) -> None:
    """Log an error that ended a command: its kind, where it was raised, and its message if that can name nobody."""
    log_event("error", level=logging.ERROR, **describe_exception(error))


def describe_exception(error: BaseException) -> dict[str, Any]:
    """An error without what it may quote: its kind, the places of its traceback, and our own messages."""
    frames = traceback.extract_tb(error.__traceback__)
    found: dict[str, Any] = {"kind": type(error).__name__}
    if isinstance(error, _SPOKEN):
        return found | {"message": describe_error(error)}
    return found | {"where": [f"{Path(one.filename).name}:{one.lineno}" for one in frames[-8:]]}
