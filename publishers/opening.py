"""From the name of a place to its store."""

from __future__ import annotations

from pathlib import Path

from piperoll.errors import UsageError
from publishers.stores.folder import FolderStore
from publishers.stores.protocol import Store, StoreReader


def open_store(place: str) -> Store:
    """The store at `place`: a folder, or `s3://bucket/prefix`.

    Raises: UsageError: `place` is an address of another kind; StoreError: boto3 cannot be set up.
    """
    scheme, mark, rest = place.partition("://")
    if not mark:
        return FolderStore(Path(place))
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise UsageError(f"'{place}' is no place to publish: write a folder, or s3://bucket/prefix")
    from publishers.stores.s3 import S3Store  # noqa: PLC0415 - boto3 takes most of a second to import: only who needs it waits

    return S3Store(bucket, prefix)


def open_reader(place: str) -> StoreReader:
    """Where to read what is published: a store, or the web address of one, for example `https://data.example`.

    Raises: UsageError: `place` is an address of another kind.
    """
    if place.startswith(("http://", "https://")):
        from publishers.stores.web import WebReader  # noqa: PLC0415 - requests is only for who needs it

        return WebReader(place)
    return open_store(place)
