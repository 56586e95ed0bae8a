"""Stores: folders and buckets behind one protocol, and a published store read over the web."""

from __future__ import annotations

from pathlib import Path

from piperoll.errors import StoreCorrupt, StoreError, StoreTooNew, UsageError
from publishers.stores.folder import FolderStore
from publishers.stores.form import require_known_form
from publishers.stores.protocol import Store, StoreReader

_known: set[str] = set()
"""Addresses of buckets whose form this process knows: asking costs a request."""


def open_store(address: str) -> Store:
    """Open the store at `address`: a folder, or `s3://bucket/prefix`.

    Raises: UsageError: the address is of another kind. StoreTooNew: a newer version of Piperoll wrote the store.
    StoreCorrupt: the store does not say its form as it should. StoreError: boto3 cannot be set up.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        folder = FolderStore(Path(address))
        require_known_form(folder, address)
        return folder
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise UsageError(f"cannot publish to '{address}': give a folder, or s3://bucket/prefix")
    from publishers.stores.s3 import S3Store  # noqa: PLC0415 - importing boto3 takes most of a second

    store = S3Store(bucket, prefix)
    if address not in _known:
        try:
            require_known_form(store, address)
        except (StoreTooNew, StoreCorrupt):
            raise
        except StoreError:  # it cannot be reached: whatever is done with it next says so
            return store
        _known.add(address)
    return store


def open_reader(address: str) -> StoreReader:
    """Open what is published for reading: a store, or the web address of one, such as `https://data.example`.

    Raises: UsageError: the address is of another kind.
    """
    if address.startswith(("http://", "https://")):
        from publishers.stores.web import WebReader  # noqa: PLC0415 - only readers of the web need requests

        return WebReader(address)
    return open_store(address)
