"""A bucket as a store: S3 and whatever speaks it with conditional writes. With s3_errors the one home of boto3."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

from piperoll import layout
from piperoll.errors import AlreadyThere, NotThere, PointerMoved, StoreCorrupt, StoreUnavailable
from publishers.s3_errors import CUT, as_store_errors, code_of
from publishers.stores.protocol import ObjectInfo, StoredObject

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

PART_BYTES = 32 << 20
"""Larger objects go up in parts of this size: well over S3's least (5 MB)."""

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=10, read_timeout=60)
"""Five tries on 5xx, 429, time-outs and cut connections, before we call the store unavailable."""

_CHUNK = 1 << 20
_HOUR = 3600
_TRIES = 3  # reads of what is cut or changed on its way, beside boto3's own tries, which end where a body begins
_META = "sha256"


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

    def read(self, key: str, *, first: int | None = None) -> StoredObject:
        """The object under `key`, or only its first bytes."""
        content = io.BytesIO()
        part: Any = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
        with self._as_store_errors(key):
            try:
                tag, _ = self._get(key, content, **part)
            except ClientError as error:
                if code_of(error) != "InvalidRange":  # an empty object has no first byte
                    raise
                tag, _ = self._get(key, content)
        return StoredObject(content.getvalue(), tag)

    def look(self, key: str) -> ObjectInfo:
        """The size of an object and its ETag."""
        with self._as_store_errors(key):
            answer = self._s3.head_object(**self._at(key))
        return ObjectInfo(answer["ContentLength"], answer["ETag"])

    def read_range(self, key: str, start: int, stop: int, tag: str) -> bytes:
        """Some bytes of an object; the server sends no others."""
        with self._as_store_errors(key):
            self._get(key, content := io.BytesIO(), Range=f"bytes={start}-{stop - 1}", IfMatch=tag)
        return content.getvalue()

    def fetch(self, key: str, to: Path) -> None:
        """Bring an object of any size into a local file."""
        with self._as_store_errors(key), to.open("wb") as stream:
            self._get(key, stream)

    def local(self, key: str) -> Path | None:
        """Nowhere."""

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""
        try:
            self.look(key)
        except NotThere:
            return False
        return True

    def create(self, key: str, content: bytes | Path) -> None:
        """Write once, with a checksum that the server checks, and read back.

        What someone else removes before we have read it back (who lost the race for a number clears up) we write again.
        """
        for _ in range(_TRIES):
            try:
                return self._create(key, content)
            except NotThere:
                continue
        raise StoreUnavailable(f"{key} is removed by others as often as we write it: try again later")

    def _create(self, key: str, content: bytes | Path) -> None:
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
            if self.age(key) > _HOUR:
                self._renew(key, content)  # a sweep must see that someone counts on it again
            return
        if not self._holds(key, content, size):
            raise StoreCorrupt(f"{key} is not what was written: {self!r} does not keep what it is given")

    def _renew(self, key: str, content: bytes | Path) -> None:
        """Make an object as young as if it were written now, by copying it onto itself."""
        with self._as_store_errors(key):
            source: Any = self._at(key)
            self._s3.copy_object(
                **source, CopySource=source, MetadataDirective="REPLACE", **self._headers(key, content)
            )

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

    def discard(self, key: str, older_than: float) -> bool:
        """Remove an object if it is so old. Between looking and removing lies one request: see docs/publishing.md."""
        try:
            if self.age(key) < older_than:
                return False
        except NotThere:
            return True
        self.delete(key)
        return True

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
        return {"Bucket": self._bucket, "Key": self._prefix + layout.check_key(key)}

    def _headers(self, key: str, content: bytes | Path) -> dict[str, Any]:
        """What is said of an object; its sha256 too, so that whoever reads it can tell that it is whole."""
        about = {_META: _digest(content)}
        return {"ContentType": layout.content_type(key), "CacheControl": layout.cache_control(key), "Metadata": about}

    def _put(self, key: str, content: bytes, **condition: str) -> str:
        where: dict[str, Any] = self._at(key) | self._headers(key, content) | condition
        return self._s3.put_object(Body=content, ChecksumSHA256=_checksum(content), **where)["ETag"]

    def _put_parts(self, key: str, path: Path) -> None:
        """Upload in parts, each with its checksum; the object is there when the last call succeeds, or never."""
        headers = self._headers(key, path)
        upload = self._s3.create_multipart_upload(**self._at(key), **headers, ChecksumAlgorithm="SHA256")["UploadId"]
        try:
            parts: Any = [self._put_part(key, upload, *numbered) for numbered in enumerate(self._parts(path), start=1)]
            self._s3.complete_multipart_upload(
                **self._at(key), UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
            )
        except (BotoCoreError, ClientError) as error:
            with suppress(BotoCoreError, ClientError):  # what cannot be ended now a sweep will end
                self._s3.abort_multipart_upload(**self._at(key), UploadId=upload)
            if not (isinstance(error, ClientError) and code_of(error) == "NoSuchUpload"):
                raise  # otherwise it was completed and the answer lost, or ended: reading back will tell

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

    def _holds(self, key: str, content: bytes | Path, size: int) -> bool:
        """Whether the object is there, byte for byte: its size first, then the sha256 of what is read back."""
        with self._as_store_errors(key):
            _, found = self._get(key, None, size=size)
        return found == _digest(content)

    def _get(self, key: str, to: BinaryIO | None, *, size: int | None = None, **part: Any) -> tuple[str, str | None]:
        """Read an object into `to`, again if it is cut or is not what its writer said; its ETag and sha256.

        None for the sha256: it has not the size that was expected, and was not read. Raises: StoreCorrupt: however
        often it is read, it is not what its writer said.
        """
        for tries_left in reversed(range(_TRIES)):
            answer = self._s3.get_object(**self._at(key), **part)
            with closing(answer["Body"]) as body:
                if size is not None and answer["ContentLength"] != size:
                    return answer["ETag"], None
                try:
                    found = _copied(body, to)
                except CUT:
                    if not tries_left:
                        raise
                    continue
                except FlexibleChecksumError:
                    continue
            meant = answer["Metadata"].get(_META) if not part else None
            if meant in (None, found):
                return answer["ETag"], found
        raise StoreCorrupt(f"{key} is not what was written: what is read has another sha256")

    def _standing(self, key: str) -> StoredObject | None:
        try:
            return self.read(key)
        except NotThere:
            return None

    @contextmanager
    def _as_store_errors(self, key: str) -> Iterator[None]:
        with as_store_errors(repr(self), self._bucket, key):
            yield


def _checksum(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _digest(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copied(body: StreamingBody, to: BinaryIO | None) -> str:
    """Copy a body from the beginning of `to`, if there is one; the sha256 of what was read."""
    digest = hashlib.sha256()
    if to is not None:
        to.seek(0)
        to.truncate()
    for piece in body.iter_chunks(_CHUNK):
        digest.update(piece)
        if to is not None:
            to.write(piece)
    return digest.hexdigest()
