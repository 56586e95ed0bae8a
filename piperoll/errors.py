"""Every error that Piperoll raises on purpose, in one tree.

What is wrong with a file that a public body sent is never an exception but a `piperoll.model.Finding`. These errors are
for faults of ours, of the operator and of the network:

    PiperollError
    ├── UsageError              the operator asked for something that cannot be done
    │   ├── PeriodError         a text is not a period
    │   ├── UnknownDataset      datapackages/ has no dataset of this name
    │   ├── UnknownSubmission   this store has not received this submission
    │   ├── MappingError        a remembered mapping, or an answer for one, is not valid
    │   ├── SourcesError        sources.toml is not valid
    │   └── SettingsError       a PIPEROLL_ variable is unknown or its value is not valid
    ├── DescriptorError         a descriptor, heading list, finding or suite of ours is wrong
    ├── ConservationError       rows or pounds read do not equal those published, held and excluded: nothing is released
    ├── EngineDisagreement      a compiled rule and its reference give different results: nothing is released
    ├── StoreError              a folder or bucket failed
    │   ├── AlreadyThere        a key that is written only once has other content
    │   ├── PointerMoved        the pointer has changed since it was read    (retryable)
    │   ├── NotThere            there is no object with this key
    │   ├── BytesPurged         the submission was purged, so it is refused
    │   ├── StoreTooNew         a newer version of Piperoll wrote the store
    │   ├── StoreCorrupt        the content read back is not the content written
    │   └── StoreUnavailable    the store does not answer                    (retryable)
    ├── ServerTrouble           our own Prefect server does not start
    └── CollectError            a source on the web failed
        ├── AddressRefused      the address is of this machine or a private network
        ├── TooLarge            the response is larger than the limit
        ├── SourceGone          the server refuses: 401, 403, 404, 410 and similar
        ├── ProxyFailed         the operator's own proxy does not answer, or refuses us  (retryable)
        └── SourceUnavailable   time-out, broken connection, 429 or 5xx      (retryable)

`retryable` is an attribute of the class: a flow asks the error, and never reads its message.
"""

from __future__ import annotations

import errno
import os
from typing import ClassVar


class PiperollError(Exception):
    """The base class of every error that Piperoll raises on purpose."""

    retryable: ClassVar[bool] = False


class UsageError(PiperollError):
    """The operator asked for something that cannot be done; the message says what to do instead."""


class PeriodError(UsageError):
    """A text is not a period."""


class UnknownDataset(UsageError):
    """A dataset has no folder in datapackages/."""


class UnknownSubmission(UsageError):
    """This store has never received a submission."""


class MappingError(UsageError):
    """A file of mappings/, or an answer to one of its questions, is not valid."""


class SourcesError(UsageError):
    """A sources file is not valid."""


class SettingsError(UsageError):
    """A PIPEROLL_ variable is not a setting, or its value is not valid."""


class DescriptorError(PiperollError):
    """A descriptor, heading list, register, finding or suite in our own data folders is wrong."""


class ConservationError(PiperollError):
    """Rows or pounds that were read are neither published, held nor excluded."""


class EngineDisagreement(PiperollError):
    """A compiled rule gives another result than Frictionless or Great Expectations, which define it."""


class StoreError(PiperollError):
    """A folder or bucket failed."""


class AlreadyThere(StoreError):
    """A key that is written only once already has other content."""


class PointerMoved(StoreError):
    """Another process wrote the pointer after we read it: read it again and decide again."""

    retryable = True


class NotThere(StoreError):
    """There is no object with this key."""


class BytesPurged(StoreError):
    """A submission that was purged was sent again: its bytes are refused."""


class StoreCorrupt(StoreError):
    """The content read back is not the content written."""


class StoreTooNew(StoreError):
    """The store is of a form that this version does not know; the message says what to do."""


class StoreUnavailable(StoreError):
    """The store does not answer, or answers with an error of its own."""

    retryable = True


class ServerTrouble(PiperollError):
    """Our own Prefect server did not start; the message has the end of its log."""


class CollectError(PiperollError):
    """A source on the web failed."""


class AddressRefused(CollectError):
    """The address is of this machine or a private network, and the settings do not allow that."""


class TooLarge(CollectError):
    """The response is larger than the limit."""


class SourceGone(CollectError):
    """The server refuses, and would refuse again."""


class ProxyFailed(CollectError):
    """The proxy that the operator has set does not answer or does not let us in: no site is at fault."""

    retryable = True


class SourceUnavailable(CollectError):
    """The server failed this time; `retry_after_seconds` is how long it asked us to wait, None if it did not."""

    retryable = True
    retry_after_seconds: float | None = None


_ROOM = "make room on the disk of the store and of TMPDIR, and run again"
_FILES = "raise the limit of open files (ulimit -n), and run again"
_ALLOWED = "check the permissions and the owner, or run as another user"
_ADVICE = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "raise the limit of the size of files (ulimit -f), and run again",
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.EACCES: _ALLOWED,
    errno.EPERM: _ALLOWED,
    errno.EROFS: "mount it so that it can be written to, or choose another place",
}
_NO_FOLDER = "No usable temporary directory"  # of `tempfile`, which tried each and does not say why none would do
_DUCKDB_LIMITS = ("IOException", "OutOfMemoryException")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this process had too little memory: also to load a library or to begin a thread."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    # a library in C that could not allocate may return an error without saying which
    signs = ["failed to map segment", "annot allocate memory", "can't start new thread", "exception set"]
    signs += ["Failed to launch worker thread", "failed to allocate", "Out of Memory Error"]
    may_be = isinstance(error, (ImportError, RuntimeError, SystemError)) or _library_of(error) in {"pyarrow", "duckdb"}
    return isinstance(error, MemoryError) or (may_be and any(sign in str(error) for sign in signs))


def is_of_machine(error: BaseException) -> bool:
    """Whether an error is of this machine: its disk, its memory, or a limit of them, also if a library says it."""
    of_duckdb = _library_of(error) == "duckdb" and type(error).__name__ in _DUCKDB_LIMITS
    return isinstance(error, OSError) or is_out_of_memory(error) or of_duckdb


def is_bug(error: BaseException) -> bool:
    """Whether an error is none of ours and none of the machine's."""
    return not isinstance(error, PiperollError) and not is_of_machine(error)


def advise(error: OSError) -> str:
    """What to do about an error of the system, as the end of a sentence; empty if there is nothing to say."""
    if _NO_FOLDER in str(error):
        return ": make room in one of them, or set TMPDIR to a folder that can be written to"
    return f": {_ADVICE[error.errno]}" if error.errno in _ADVICE else ""


def _library_of(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0].lstrip("_")


def describe_error(error: BaseException) -> str:
    """What went wrong, for the person who can do something about it: one of our errors, the machine's, or a bug."""
    if isinstance(error, PiperollError):
        return str(error)
    if is_out_of_memory(error):
        return "there was not enough memory: raise its limit, or run with fewer files at a time"
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}{advise(error)}"
    if is_of_machine(error):
        number = next((one for one in _ADVICE if os.strerror(one) in str(error)), None)
        return f"{str(error).splitlines()[0]}{advise(OSError(number, ''))}"
    return f"a bug in Piperoll: {type(error).__name__}: {error}"
