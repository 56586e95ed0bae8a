"""What boto3 raises, as the errors of a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as NotConnected,
)
from botocore.parsers import ResponseParserError

from piperoll.errors import NotThere, PointerMoved, StoreCorrupt, StoreError, StoreUnavailable

CUT = (HTTPClientError, IncompleteReadError)
"""The body of an answer was cut."""

_UNCLEAR = (*CUT, FlexibleChecksumError, NotConnected, ResponseParserError)
_CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_MISSING = ("NoSuchKey", "NotFound", "404")
_RETRYABLE = ("SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "InternalError", "ServiceUnavailable", "Throttling")
_MANGLED = ("BadDigest", "MalformedXML", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch", "InvalidDigest")


@contextmanager
def as_store_errors(store: str, bucket: str, key: str) -> Iterator[None]:
    """Raise what boto3 raises within as errors of `store`, by its name, about `key`."""
    try:
        yield
    except ClientError as error:
        raise _refusal(store, bucket, key, error) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StoreError("no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") from error
    except _UNCLEAR as error:
        raise StoreUnavailable(f"{store} does not answer ({key}): {error}") from error
    except BotoCoreError as error:
        raise StoreError(f"{store} cannot be used ({key}): {error}") from error


def code_of(error: ClientError) -> str:
    """What S3 calls the error."""
    return error.response.get("Error", {}).get("Code", "")


def _refusal(store: str, bucket: str, key: str, error: ClientError) -> StoreError:
    code, status = code_of(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _MISSING:
        return NotThere(f"there is nothing under {key}")
    if code in _CONFLICTS:
        return PointerMoved(f"{key} was written by someone else")
    if status >= 500 or status == 429 or code in _RETRYABLE:
        return StoreUnavailable(f"{store} answers {status} {code} ({key})")
    if code == "NoSuchBucket":
        return StoreError(f"there is no bucket '{bucket}': create it first")
    if code in _MANGLED:
        return StoreCorrupt(f"{key} did not arrive as it was sent")
    return StoreError(f"{store} refuses {key}: {status} {code}")
