"""A bucket as a store: S3 and whatever speaks it with conditional writes. The one home of boto3."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as NotConnected,
)

from piperoll.errors import AlreadyThere, NotThere, PointerMoved, StoreCorrupt, StoreError, StoreUnavailable
from publishers.keys import cache_control, checked, content_type
from publishers.store import Stored

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PART_BYTES = 32 << 20
"""Larger objects go up in parts of this size: well over S3's least (5 MB), and a cut connection loses little."""

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)
"""Five tries with growing pauses on 5xx, 429, time-outs and cut connections, before we call the store unavailable."""

_CHUNK = 1 << 20
_CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_MISSING = ("NoSuchKey", "NotFound", "404")
_RETRYABLE = ("SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "InternalError", "ServiceUnavailable", "Throttling")


class S3Store:
    """A store in a bucket, under a prefix. Endpoint, region and credentials come by the usual AWS variables.

    A tag is the object's ETag. The bucket must honour `If-None-Match: *` and `If-Match` on writes.
    """

    def __init__(self, bucket: str, prefix: str = "", *, part_bytes: int = PART_BYTES) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._part_bytes = part_bytes
        with self._as_store_errors("the bucket"):
            self._s3: S3Client = boto3.Session().client("s3", config=_CONFIG)

    def __repr__(self) -> str:
        return f"S3Store('s3://{self._bucket}/{self._prefix}')"

    def read(self, key: str, *, first: int | None = None) -> Stored:
        """The object under `key`, or only its first bytes."""
        part: Any = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
        with self._as_store_errors(key):
            try:
                answer = self._s3.get_object(**self._at(key), **part)
            except ClientError as error:
                if _code(error) != "InvalidRange":  # an empty object has no first byte
                    raise
                answer = self._s3.get_object(**self._at(key))
            return Stored(answer["Body"].read(), answer["ETag"])

    def fetch(self, key: str, to: Path) -> None:
        """Bring an object of any size into a local file."""
        with self._as_store_errors(key), to.open("wb") as stream:
            for piece in self._s3.get_object(**self._at(key))["Body"].iter_chunks(_CHUNK):
                stream.write(piece)

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""
        try:
            self._head(key)
        except NotThere:
            return False
        return True

    def create(self, key: str, content: bytes | Path) -> None:
        """Write once, with a checksum that the server checks, and read back."""
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        try:
            with self._as_store_errors(key):
                if isinstance(content, Path) and size > self._part_bytes:
                    self._put_parts(key, content)
                else:
                    self._put(key, content if isinstance(content, bytes) else content.read_bytes(), IfNoneMatch="*")
        except PointerMoved:
            if not self._holds(key, content, size):
                raise AlreadyThere(f"{key} holds other bytes, and is written once") from None
            return
        if not self._holds(key, content, size):
            raise StoreCorrupt(f"{key} is not what was written: {self!r} does not keep what it is given")

    def replace(self, key: str, content: bytes, tag: str | None) -> str:
        """Write a pointer if its tag is still `tag`; refused, a pointer that holds these very bytes is ours."""
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            with self._as_store_errors(key):
                return self._put(key, content, **condition)
        except (PointerMoved, NotThere) as error:
            standing = self._standing(key)
            if standing is None or standing.content != content:
                raise PointerMoved(f"{key} was written by someone else") from error
            return standing.tag

    def put(self, key: str, content: bytes) -> None:
        """Write what may be made anew; S3 shows an object whole or not at all."""
        with self._as_store_errors(key):
            self._put(key, content)

    def delete(self, key: str) -> None:
        """Remove an object; no error where there is none."""
        with self._as_store_errors(key):
            self._s3.delete_object(**self._at(key))

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Every key that begins with `prefix`, in order (servers list by folder as well as by byte: we sort)."""
        pages = self._s3.get_paginator("list_objects_v2")
        found: list[str] = []
        with self._as_store_errors(prefix or "the bucket"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                found.extend(entry["Key"].removeprefix(self._prefix) for entry in page.get("Contents", ()))
        return iter(sorted(found))

    def age(self, key: str) -> float:
        """Seconds since the object was written, by the server's clock at both ends."""
        with self._as_store_errors(key):
            answer = self._s3.head_object(**self._at(key))
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return max(0.0, (now - answer["LastModified"]).total_seconds())

    def abandon(self, older_than: float) -> int:
        """End the uploads in parts that were begun so long ago and never finished: a bucket charges for them."""
        oldest = datetime.now(UTC) - timedelta(seconds=older_than)
        ended = 0
        with self._as_store_errors("the bucket"):
            for page in self._s3.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            ):
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] <= oldest:
                        self._s3.abort_multipart_upload(
                            Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        ended += 1
        return ended

    def _at(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._prefix + checked(key)}

    def _headers(self, key: str) -> dict[str, str]:
        return {"ContentType": content_type(key), "CacheControl": cache_control(key)}

    def _put(self, key: str, content: bytes, **condition: str) -> str:
        where: dict[str, Any] = self._at(key) | self._headers(key) | condition
        return self._s3.put_object(Body=content, ChecksumSHA256=_checksum(content), **where)["ETag"]

    def _put_parts(self, key: str, path: Path) -> None:
        """Upload in parts, each with its checksum; the object is there when the last call succeeds, or never."""
        headers: dict[str, Any] = self._headers(key)
        upload = self._s3.create_multipart_upload(**self._at(key), **headers, ChecksumAlgorithm="SHA256")["UploadId"]
        try:
            parts: Any = [self._put_part(key, upload, *numbered) for numbered in enumerate(self._parts(path), start=1)]
            self._s3.complete_multipart_upload(
                **self._at(key), UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
            )
        except (BotoCoreError, ClientError):
            self._s3.abort_multipart_upload(**self._at(key), UploadId=upload)
            raise

    def _put_part(self, key: str, upload: str, number: int, piece: bytes) -> dict[str, Any]:
        checksum = _checksum(piece)
        answer = self._s3.upload_part(
            **self._at(key), UploadId=upload, PartNumber=number, Body=piece, ChecksumSHA256=checksum
        )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

    def _parts(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as stream:
            while piece := stream.read(self._part_bytes):
                yield piece

    def _head(self, key: str) -> int:
        with self._as_store_errors(key):
            return self._s3.head_object(**self._at(key))["ContentLength"]

    def _holds(self, key: str, content: bytes | Path, size: int) -> bool:
        """Whether the object is there, byte for byte: its size first, then the sha256 of what is read back."""
        ours = hashlib.sha256(content).digest() if isinstance(content, bytes) else _file_digest(content)
        theirs = hashlib.sha256()
        with self._as_store_errors(key):
            answer = self._s3.get_object(**self._at(key))
            if answer["ContentLength"] != size:
                answer["Body"].close()
                return False
            for piece in answer["Body"].iter_chunks(_CHUNK):
                theirs.update(piece)
        return theirs.digest() == ours

    def _standing(self, key: str) -> Stored | None:
        try:
            return self.read(key)
        except NotThere:
            return None

    @contextmanager
    def _as_store_errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._refusal(key, error) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise StoreError("no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") from error
        except (HTTPClientError, NotConnected) as error:
            raise StoreUnavailable(f"{self!r} does not answer ({key}): {error}") from error
        except BotoCoreError as error:
            raise StoreError(f"{self!r} cannot be used ({key}): {error}") from error

    def _refusal(self, key: str, error: ClientError) -> StoreError:
        code, status = _code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _MISSING:
            return NotThere(f"there is nothing under {key}")
        if code in _CONFLICTS:
            return PointerMoved(f"{key} was written by someone else")
        if status >= 500 or status == 429 or code in _RETRYABLE:
            return StoreUnavailable(f"{self!r} answers {status} {code} ({key})")
        if code == "NoSuchBucket":
            return StoreError(f"there is no bucket '{self._bucket}': create it first")
        if code in ("BadDigest", "XAmzContentChecksumMismatch", "InvalidDigest"):
            return StoreCorrupt(f"{key} did not arrive as it was sent")
        return StoreError(f"{self!r} refuses {key}: {status} {code}")


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _checksum(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
