"""Everything of ours that can go wrong, in one tree.

What a public body sent can be wrong in many ways; that is never an exception but a
`piperoll.model.Finding`. Only our own faults, the operator's, and the network's are raised:

    PiperollError
    ├── UsageError              what the operator asked for cannot be done as asked
    │   ├── PeriodError         text is not a period
    │   ├── UnknownDataset      no dataset of that name in datapackages/
    │   ├── UnknownSubmission   no such submission in this store
    │   ├── MappingError        a remembered mapping, or an answer for one, says something we do not understand
    │   ├── SourcesError        sources.toml says something we do not understand
    │   └── SettingsError       a PIPEROLL_ variable is unknown or its value is wrong
    ├── DescriptorError         a descriptor, heading list or suite of ours is wrong
    ├── ConservationError       rows or pounds in do not equal rows or pounds out: nothing is released
    ├── EngineDisagreement      a compiled rule and its reference say different things: nothing is released
    ├── StoreError              a folder or bucket
    │   ├── AlreadyThere        a key that may be written once holds other bytes
    │   ├── PointerMoved        the pointer changed since it was read   (retryable)
    │   ├── NotThere            no object under this key
    │   ├── BytesPurged         the submission was purged, and is refused
    │   ├── StoreCorrupt        what is read back is not what was written
    │   └── StoreUnavailable    the store does not answer                (retryable)
    ├── ServerTrouble           our own Prefect server does not start
    └── CollectError            a source on the web
        ├── AddressRefused      the address leads to this machine or a private network
        ├── TooLarge            the response is over the size limit
        ├── SourceGone          the server says no: 401, 403, 404, 410 and their like
        └── SourceUnavailable   time-out, cut connection, 429 or 5xx    (retryable)

`retryable` stands on the class: a flow asks the error, never its message.
"""

from __future__ import annotations

from typing import ClassVar


class PiperollError(Exception):
    """The root: everything Piperoll raises on purpose."""

    retryable: ClassVar[bool] = False


class UsageError(PiperollError):
    """The operator asked for something that cannot be done as asked; the message says what to do."""


class PeriodError(UsageError):
    """Text that is not a period."""


class UnknownDataset(UsageError):
    """A dataset that has no folder in datapackages/."""


class UnknownSubmission(UsageError):
    """A submission that this store has never received."""


class MappingError(UsageError):
    """A file of mappings/, or an answer to one of its questions, that does not say what we understand."""


class SourcesError(UsageError):
    """A sources file that does not say what to collect in words we know."""


class SettingsError(UsageError):
    """A PIPEROLL_ variable that is not a setting, or a value that it cannot take."""


class DescriptorError(PiperollError):
    """A descriptor, heading list, register or suite in our own data folders is wrong."""


class ConservationError(PiperollError):
    """Rows or pounds that came in are neither published, held nor excluded."""


class EngineDisagreement(PiperollError):
    """A rule says one thing over whole columns and another in Frictionless or Great Expectations, which it mirrors."""


class StoreError(PiperollError):
    """Something about a folder or bucket."""


class AlreadyThere(StoreError):
    """A key that is written once already holds other bytes."""


class PointerMoved(StoreError):
    """Someone else wrote the pointer since we read it: read again and decide again."""

    retryable = True


class NotThere(StoreError):
    """No object under this key."""


class BytesPurged(StoreError):
    """A submission that was purged came again: its bytes are refused."""


class StoreCorrupt(StoreError):
    """What was read back is not what was written."""


class StoreUnavailable(StoreError):
    """The store does not answer, or answers with a fault of its own."""

    retryable = True


class ServerTrouble(PiperollError):
    """Our own Prefect server did not start; the message holds the end of its log."""


class CollectError(PiperollError):
    """Something about a source on the web."""


class AddressRefused(CollectError):
    """The address leads to this machine or a private network, and the settings do not allow it."""


class TooLarge(CollectError):
    """The response is over the size limit."""


class SourceGone(CollectError):
    """The server refuses, and asking again will not help."""


class SourceUnavailable(CollectError):
    """The server did not answer well this time; `retry_after_seconds` is how long it asked us to wait, if it did."""

    retryable = True
    retry_after_seconds: float | None = None
