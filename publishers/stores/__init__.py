"""Stores: folders and buckets behind one protocol, and a published store read over the web."""

from __future__ import annotations

from pathlib import Path

from piperoll.errors import UsageError
from publishers.stores.folder import FolderStore
from publishers.stores.protocol import Store, StoreReader


def open_store(address: str) -> Store:
    """Open the store at `address`: a folder, or `s3://bucket/prefix`.

    Raises: UsageError: the address is of another kind. StoreError: boto3 cannot be set up.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return FolderStore(Path(address))
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise UsageError(f"cannot publish to '{address}': give a folder, or s3://bucket/prefix")
    from publishers.stores.s3 import S3Store  # noqa: PLC0415 - importing boto3 takes most of a second

    return S3Store(bucket, prefix)


def open_reader(address: str) -> StoreReader:
    """Open what is published for reading: a store, or the web address of one, such as `https://data.example`.

    Raises: UsageError: the address is of another kind.
    """
    if address.startswith(("http://", "https://")):
        from publishers.stores.web import WebReader  # noqa: PLC0415 - only readers of the web need requests

        return WebReader(address)
    return open_store(address)
