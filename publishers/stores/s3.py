"""A bucket as a store: AWS S3, or any server that speaks S3 with conditional writes. The only home of boto3."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.parsers import ResponseParserError

from piperoll import layout
from piperoll.errors import AlreadyThere, NotThere, PointerMoved, StoreCorrupt, StoreError, StoreUnavailable
from publishers.stores.protocol import PARALLEL_WRITES, HashedFile, ObjectInfo, StoredObject, sha256_of

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

PART_BYTES = 32 << 20
"""Larger files are uploaded in parts of this many bytes; S3 wants at least 5 MB."""

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=PARALLEL_WRITES + 100,  # a run logs the answers of a hundred web addresses at once
)
"""Five attempts on 5xx, 429, timeouts and cut connections before we call the store unavailable."""

_MOST_DELETED = 1000
"""Keys that S3 takes in one request to delete objects."""

_CHUNK_BYTES = 1 << 20
_HOUR = 3600

_READS = 3
"""Attempts to read an object whose body is cut or altered on the way: boto3's own retries end where the body begins."""

_SHA256 = "sha256"
"""The name of the metadata in which we keep the sha256 of an object."""

_CUT = (exceptions.HTTPClientError, exceptions.IncompleteReadError)
_NO_ANSWER = (*_CUT, exceptions.FlexibleChecksumError, exceptions.ConnectionError, ResponseParserError)
_CONFLICT_CODES = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_MISSING_CODES = ("NoSuchKey", "NotFound", "404")
_RETRYABLE_CODES = (
    "SlowDown",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "InternalError",
    "ServiceUnavailable",
    "Throttling",
)
_DAMAGE_CODES = (
    "BadDigest",
    "MalformedXML",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
    "InvalidDigest",
    "InvalidPart",  # the list of parts arrived with another tag or number than we sent
    "InvalidPartOrder",
)


class S3Store:
    """A store in a bucket, below a prefix. The usual AWS variables set endpoint, region and credentials.

    A tag is the object's ETag. The bucket must honour `If-None-Match: *` and `If-Match` on writes.
    """

    def __init__(self, bucket: str, prefix: str = "", *, part_bytes: int = PART_BYTES) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._part_bytes = part_bytes
        with self._raise_store_errors("the bucket"):
            self._s3: S3Client = boto3.Session().client("s3", config=_CONFIG)

    def __repr__(self) -> str:
        return f"S3Store('s3://{self._bucket}/{self._prefix}')"

    def read(self, key: str, *, first: int | None = None) -> StoredObject:
        """Read an object, or only its first bytes."""
        content = io.BytesIO()
        part: Any = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
        with self._raise_store_errors(key):
            try:
                tag, _ = self._get(key, content, **part)
            except exceptions.ClientError as error:
                if _code_of(error) != "InvalidRange":  # an empty object has no first byte
                    raise
                tag, _ = self._get(key, content)
        return StoredObject(content.getvalue(), tag)

    def stat(self, key: str) -> ObjectInfo:
        """The size of an object and its ETag."""
        with self._raise_store_errors(key):
            answer = self._s3.head_object(**self._at(key))
        return ObjectInfo(answer["ContentLength"], answer["ETag"], answer["LastModified"].timestamp())

    def compare(self, key: str) -> None:
        """Read an object and compare it with the sha256 in its metadata."""
        with self._raise_store_errors(key):
            self._get(key, None)

    def read_range(self, key: str, start: int, stop: int, tag: str) -> bytes:
        """Read some bytes of an object; the server sends no others."""
        with self._raise_store_errors(key):
            self._get(key, content := io.BytesIO(), Range=f"bytes={start}-{stop - 1}", IfMatch=tag)
        return content.getvalue()

    def fetch(self, key: str, to: Path) -> None:
        """Copy an object of any size to a local file."""
        with self._raise_store_errors(key), to.open("wb") as stream:
            self._get(key, stream)

    def local_path(self, key: str) -> Path | None:
        """Always None: a bucket is not on this machine."""

    def exists(self, key: str) -> bool:
        """True if there is an object under `key`."""
        try:
            self.stat(key)
        except NotThere:
            return False
        return True

    def create(self, key: str, content: bytes | Path | HashedFile) -> bool:
        """Write once, with a checksum that the server checks, and be sure of what it holds.

        The server answers with the MD5 of what it has stored. Where it does not (large files, and keys of a customer
        in AWS KMS), the object is read back.

        A publisher that lost the race for a version removes its files and may remove one that we have just written and
        not yet read back: then we write it again.
        """
        if isinstance(content, HashedFile):
            if sha256_of(content.path) != content.sha256:
                raise StoreCorrupt(f"{content.path.name} is not the file that was made: run again")
            content = content.path
        for _ in range(_READS):
            try:
                return self._create(key, content)
            except NotThere:
                continue
        raise StoreUnavailable(f"{key} is removed by others each time we write it: try again later")

    def _create(self, key: str, content: bytes | Path) -> bool:
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        try:
            with self._raise_store_errors(key):
                if isinstance(content, Path) and size > self._part_bytes:
                    self._put_parts(key, content)
                else:
                    whole = content if isinstance(content, bytes) else content.read_bytes()
                    tag = self._put(key, whole, IfNoneMatch="*")
                    if tag.strip('"') == hashlib.md5(whole, usedforsecurity=False).hexdigest():
                        return True
        except PointerMoved:
            if not self._holds(key, content, size):
                raise AlreadyThere(f"{key} holds other bytes, and is written once") from None
            if self.age(key) > _HOUR:
                # Copied onto itself, the object is as young as a new one: a sweep must see that a writer relies on it.
                here: Any = self._at(key)
                with self._raise_store_errors(key):
                    headers = self._headers(key, content)
                    self._s3.copy_object(**here, CopySource=here, MetadataDirective="REPLACE", **headers)
            return False
        if not self._holds(key, content, size):
            raise StoreCorrupt(f"{key} is not what was written: {self!r} does not keep what it is given")
        return True

    def replace(self, key: str, content: bytes, tag: str | None) -> str:
        """Write a pointer if its tag is still `tag`; if refused, one with these bytes is our own earlier write."""
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            with self._raise_store_errors(key):
                return self._put(key, content, **condition)
        except (PointerMoved, NotThere) as error:
            try:
                current = self.read(key)
            except NotThere:
                current = None
            if current is None or current.content != content:
                raise PointerMoved(f"{key} was written by someone else") from error
            return current.tag

    def put(self, key: str, content: bytes) -> None:
        """Write what can be made again; S3 shows an object whole or not at all."""
        with self._raise_store_errors(key):
            self._put(key, content)

    def delete(self, key: str) -> None:
        """Delete an object; it is no error if there is none."""
        with self._raise_store_errors(key):
            self._s3.delete_object(**self._at(key))

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete objects, a thousand in a request."""
        names = [{"Key": self._prefix + layout.check_key(key)} for key in keys]
        for start in range(0, len(names), _MOST_DELETED):
            some: Any = {"Objects": names[start : start + _MOST_DELETED], "Quiet": True}
            with self._raise_store_errors("several objects"):
                answer = self._s3.delete_objects(Bucket=self._bucket, Delete=some)
            for error in answer.get("Errors", ()):
                raise StoreError(f"{self!r} does not delete {error.get('Key')}: {error.get('Message')}")

    def keys(self, prefix: str = "") -> Iterator[str]:
        """List every key that begins with `prefix`, in order; we sort, since some servers list folder by folder."""
        return iter(sorted(key for key, _ in self._list(prefix)))

    def folders(self, prefix: str) -> Iterator[str]:
        """List the folders below a prefix, a thousand with each request."""
        pages, below = self._s3.get_paginator("list_objects_v2"), self._prefix + prefix
        with self._raise_store_errors(prefix):
            listed = list(pages.paginate(Bucket=self._bucket, Prefix=below, Delimiter="/"))
        found = (entry["Prefix"] for page in listed for entry in page.get("CommonPrefixes", ()))
        return iter(sorted(one.removeprefix(below).rstrip("/") for one in found))

    def list_objects(self, prefix: str = "") -> Iterator[tuple[str, ObjectInfo]]:
        """List every key with its size, ETag and time, a thousand with each request."""
        return iter(sorted(self._list(prefix), key=itemgetter(0)))

    def _list(self, prefix: str) -> Iterator[tuple[str, ObjectInfo]]:
        pages = self._s3.get_paginator("list_objects_v2")
        with self._raise_store_errors(prefix or "the bucket"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for entry in page.get("Contents", ()):
                    about = ObjectInfo(entry["Size"], entry["ETag"], entry["LastModified"].timestamp())
                    yield entry["Key"].removeprefix(self._prefix), about

    def is_empty(self) -> bool:
        """True if the server lists no key below our prefix."""
        with self._raise_store_errors("the bucket"):
            listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        return not listed.get("Contents")

    def lacks_digest(self, key: str) -> bool:
        """True if the metadata of the object has no sha256."""
        with self._raise_store_errors(key):
            return _SHA256 not in self._s3.head_object(**self._at(key))["Metadata"]

    def store_digest(self, key: str) -> None:
        """Write the object again as it is, with its sha256, unless someone writes it meanwhile."""
        with TemporaryFile() as content, self._raise_store_errors(key):
            tag, digest = self._get(key, content)
            headers: dict[str, Any] = self._headers_of(key, str(digest))
            if content.tell() > self._part_bytes:  # it is of a kind that is written once: nobody writes it meanwhile
                here: Any = self._at(key)
                self._s3.copy_object(
                    **here, CopySource=here, CopySourceIfMatch=tag, MetadataDirective="REPLACE", **headers
                )
            else:
                content.seek(0)
                self._put(key, content.read(), IfMatch=tag)

    def old_versions(self, prefix: str = "") -> Iterator[str]:
        """List the keys of which the bucket has versions that are not current, or delete markers."""
        return iter(sorted({name.removeprefix(self._prefix) for name, _ in self._old_versions(prefix)}))

    def erase_old_versions(self, prefix: str) -> int:
        """Delete versions that are not current, and delete markers. A bucket without versioning has none."""
        old = self._old_versions(prefix)
        for name, version in old:
            with self._raise_store_errors(name):
                self._s3.delete_object(Bucket=self._bucket, Key=name, VersionId=version)
        if old and not set(old).isdisjoint(self._old_versions(prefix)):  # others may write new ones meanwhile
            raise StoreError(f"{self!r} keeps old versions below {prefix}: end their retention, and purge again")
        return len(old)

    def _old_versions(self, prefix: str) -> list[tuple[str, str]]:
        """The name and the version of each version below a prefix that is no current object."""
        pages = self._s3.get_paginator("list_object_versions")
        with self._raise_store_errors(f"old versions below {prefix} (allow s3:ListBucketVersions)"):
            listed = list(pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix))
        versions = [one for page in listed for one in page.get("Versions", ()) if not one["IsLatest"]]
        markers = [one for page in listed for one in page.get("DeleteMarkers", ())]
        return [(one["Key"], one["VersionId"]) for one in (*versions, *markers)]

    def age(self, key: str) -> float:
        """Seconds since the object was written; both times are by the server's clock."""
        with self._raise_store_errors(key):
            answer = self._s3.head_object(**self._at(key))
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return max(0.0, (now - answer["LastModified"]).total_seconds())

    def delete_if_older(self, key: str, seconds: float) -> bool:
        """Delete an object of at least this age. S3 has no lock: docs/publishing.md, Sweeping, says what can happen."""
        try:
            if self.age(key) < seconds:
                return False
        except NotThere:
            return True
        self.delete(key)
        return True

    def abort_unfinished(self, older_than: float) -> int:
        """Abort uploads in parts that were begun at least this many seconds ago: a bucket charges for them."""
        oldest = datetime.now(UTC) - timedelta(seconds=older_than)
        ended = 0
        with self._raise_store_errors("the bucket"):
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
        return {"Bucket": self._bucket, "Key": self._prefix + layout.check_key(key)}

    def _headers(self, key: str, content: bytes | Path) -> dict[str, Any]:
        """The headers stored with an object, with its sha256 so that readers can check what they get."""
        return self._headers_of(key, sha256_of(content))

    @staticmethod
    def _headers_of(key: str, digest: str) -> dict[str, Any]:
        about = {_SHA256: digest}
        return {"ContentType": layout.content_type(key), "CacheControl": layout.cache_control(key), "Metadata": about}

    def _put(self, key: str, content: bytes, **condition: str) -> str:
        where: dict[str, Any] = self._at(key) | self._headers(key, content) | condition
        return self._s3.put_object(Body=content, ChecksumSHA256=_checksum(content), **where)["ETag"]

    def _put_parts(self, key: str, path: Path) -> None:
        """Upload in parts, each with its checksum; the object appears when the last call succeeds, or never."""
        headers = self._headers(key, path)
        upload = self._s3.create_multipart_upload(**self._at(key), **headers, ChecksumAlgorithm="SHA256")["UploadId"]
        try:
            parts: Any = []
            with path.open("rb") as stream:
                while content := stream.read(self._part_bytes):
                    number, checksum = len(parts) + 1, _checksum(content)
                    answer = self._s3.upload_part(
                        **self._at(key), UploadId=upload, PartNumber=number, Body=content, ChecksumSHA256=checksum
                    )
                    parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum})
            self._s3.complete_multipart_upload(
                **self._at(key), UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
            )
        except (exceptions.BotoCoreError, exceptions.ClientError) as error:
            with suppress(exceptions.BotoCoreError, exceptions.ClientError):  # a sweep will abort what we cannot
                self._s3.abort_multipart_upload(**self._at(key), UploadId=upload)
            if not (isinstance(error, exceptions.ClientError) and _code_of(error) == "NoSuchUpload"):
                raise  # NoSuchUpload: completed and the answer lost, or aborted; reading back decides

    def _holds(self, key: str, content: bytes | Path, size: int) -> bool:
        """True if the object is there, byte for byte: its size is compared first, then the sha256 of what is read."""
        with self._raise_store_errors(key):
            _, found = self._get(key, None, size=size)
        return found == sha256_of(content)

    def _get(self, key: str, to: BinaryIO | None, *, size: int | None = None, **part: Any) -> tuple[str, str | None]:
        """Read an object into `to` and return its ETag and sha256; read again if it is cut or altered on the way.

        The sha256 is None if the object is not of the expected `size`; then it was not read.
        Raises: StoreCorrupt: each time it was read it had another sha256 than its writer stored with it.
        """
        for tries_left in reversed(range(_READS)):
            answer = self._s3.get_object(**self._at(key), **part)
            with closing(answer["Body"]) as body:
                if size is not None and answer["ContentLength"] != size:
                    return answer["ETag"], None
                try:
                    found = _copy_body(body, to)
                except _CUT:
                    if not tries_left:
                        raise
                    continue
                except exceptions.FlexibleChecksumError:
                    continue
            expected = answer["Metadata"].get(_SHA256) if not part else None
            if expected in (None, found):
                return answer["ETag"], found
        raise StoreCorrupt(f"{key} is not what was written: it has another sha256")

    @contextmanager
    def _raise_store_errors(self, key: str) -> Iterator[None]:
        """Turn what boto3 raises into our own errors, which name the store and the key."""
        try:
            yield
        except exceptions.ClientError as error:
            raise self._error_for(key, error) from error
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
            raise StoreError("no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") from error
        except _NO_ANSWER as error:
            raise StoreUnavailable(f"{self} does not answer ({key}): {error}") from error
        except exceptions.BotoCoreError as error:
            raise StoreError(f"{self} cannot be used ({key}): {error}") from error

    def _error_for(self, key: str, error: exceptions.ClientError) -> StoreError:
        code, status = _code_of(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _MISSING_CODES:
            return NotThere(f"there is nothing under {key}")
        if code in _CONFLICT_CODES:
            return PointerMoved(f"{key} was written by someone else")
        if status >= 500 or status == 429 or code in _RETRYABLE_CODES:
            return StoreUnavailable(f"{self} answers {status} {code} ({key})")
        if code == "NoSuchBucket":
            return StoreError(f"there is no bucket '{self._bucket}': create it first")
        if code in _DAMAGE_CODES:
            return StoreCorrupt(f"{key} did not arrive as it was sent")
        return StoreError(f"{self} refuses {key}: {status} {code}")


def _checksum(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _copy_body(body: StreamingBody, to: BinaryIO | None) -> str:
    """Copy a response body to the start of `to`, if it is given; return the sha256 of what was read."""
    digest = hashlib.sha256()
    if to is not None:
        to.seek(0)
        to.truncate()
    for chunk in body.iter_chunks(_CHUNK_BYTES):
        digest.update(chunk)
        if to is not None:
            to.write(chunk)
    return digest.hexdigest()


def _code_of(error: exceptions.ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
