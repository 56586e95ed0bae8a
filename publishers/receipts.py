"""Receipts, the key that signs them, drafts, and what bodies said of returns that they do not send."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from piperoll import layout
from piperoll.errors import AlreadyThere, NotThere, PointerMoved, UsageError
from piperoll.model import (
    Draft,
    Receipt,
    Series,
    Statement,
    from_document,
    receipt_bytes,
    to_document,
    to_json_bytes,
)
from publishers.change_log import logging_submission_change
from publishers.stores.protocol import MAX_TRIES, Store, StoreReader, delete_prefix, update_object

_REFERENCE_LETTERS = 16
"""Letters of a reference, of five bits each: nobody guesses one."""


class SigningKey:
    """The platform's Ed25519 key. It is kept in the store, so that every process of every machine signs with it."""

    def __init__(self, seed: bytes) -> None:
        # loaded here, because most commands sign nothing
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> str:
        """The public key, 64 hex digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, receipt: Receipt) -> Receipt:
        """The receipt with our key and signature."""
        receipt = replace(receipt, public_key=self.public)
        return replace(receipt, signature=self._key.sign(receipt_bytes(to_document(receipt))).hex())

    def reference(self, *content: str | None) -> str:
        """The reference of a receipt for this content: always the same, and nobody without the key can tell it."""
        digest = hmac.digest(self._seed, json.dumps(content).encode(), "sha256")
        letters = base64.b32encode(digest).decode()[:_REFERENCE_LETTERS]
        return "-".join(letters[start : start + 4] for start in range(0, _REFERENCE_LETTERS, 4))


def is_signed_by(public_key: str, signature: bytes, content: bytes) -> bool:
    """Whether the Ed25519 key, in hex, made a signature of these bytes. Raises: ValueError: it is not a key."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def signing_key(store: Store) -> SigningKey:
    """The key that signs receipts, made at the first use; its public half is published in the catalogue."""
    try:
        document = json.loads(store.read(layout.SIGNING_KEY).content)
    except NotThere:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        seed = Ed25519PrivateKey.generate().private_bytes_raw()
        with suppress(AlreadyThere):  # another process has made one
            store.create(layout.SIGNING_KEY, to_json_bytes({"algorithm": "Ed25519", "seed": seed.hex()}))
        document = json.loads(store.read(layout.SIGNING_KEY).content)
    key = SigningKey(bytes.fromhex(document["seed"]))
    if not store.exists(layout.RECEIPTS_KEY):
        store.put(layout.RECEIPTS_KEY, to_json_bytes({"algorithm": "Ed25519", "public_key": key.public}))
    return key


# --- drafts -----------------------------------------------------------------------------------------------------------


def create_draft(store: Store, draft: Draft) -> None:
    """Write a new draft. Its files are written before it."""
    store.create(layout.draft(draft.body, draft.id), to_json_bytes(to_document(draft)))


def read_draft(store: StoreReader, body: str, identifier: str) -> Draft | None:
    """Read a draft of a body; None if there is none."""
    try:
        return from_document(Draft, json.loads(store.read(layout.draft(body, identifier)).content))
    except NotThere:
        return None


def update_draft(store: Store, body: str, identifier: str, change: Callable[[Draft], Draft]) -> Draft:
    """Write a draft with a change made to it, again on what others wrote meanwhile. Raises: UsageError: it is gone."""
    key = layout.draft(body, identifier)
    for _ in range(MAX_TRIES):
        try:
            stored = store.read(key)
        except NotThere:
            raise UsageError("this draft was submitted or given up: begin again") from None
        draft = change(from_document(Draft, json.loads(stored.content)))
        content = to_json_bytes(to_document(draft))
        if content == stored.content:
            return draft
        with suppress(PointerMoved):
            store.replace(key, content, stored.tag)
            return draft
    raise PointerMoved(f"{key} was changed by other writers {MAX_TRIES} times in a row: try again later")


def list_drafts(store: Store, body: str) -> list[Draft]:
    """The drafts of a body that have not been submitted, in the order in which they were begun."""
    found = {layout.parse_draft(key)[1] for key in store.keys(layout.drafts_prefix(body))}
    drafts = [draft for one in found if (draft := read_draft(store, body, one)) and draft.reference is None]
    return sorted(drafts, key=lambda draft: (draft.begun, draft.id))


def delete_draft(store: Store, body: str, identifier: str) -> None:
    """Delete a draft with everything uploaded to it."""
    delete_prefix(store, layout.draft_folder(body, identifier))


def delete_draft_files(store: Store, body: str, identifier: str) -> None:
    """Delete what was uploaded to a draft that has been submitted; the draft still leads to its receipt."""
    kept = layout.draft(body, identifier)
    for key in list(store.keys(layout.draft_folder(body, identifier))):
        if key != kept:
            store.delete(key)


# --- receipts ---------------------------------------------------------------------------------------------------------


def record_receipt(store: Store, receipt: Receipt, draft: str | None) -> tuple[Receipt, bool]:
    """Write a receipt; return the one that stands and whether it is new. The same content has one, the first.

    `draft` holds the file that is to be processed. Which one it is, is written before the receipt: a receipt that was
    given is always found, and one that was not is of no effect.
    """
    if (before := read_receipt(store, receipt.body, receipt.reference)) is not None:
        return before, False
    if draft is not None:
        # The draft of a submission that was interrupted is not the one that is wanted now.
        store.put(layout.receipt_waiting(receipt.body, receipt.reference), to_json_bytes({"draft": draft}))
    try:
        store.create(layout.receipt(receipt.body, receipt.reference), to_json_bytes(to_document(receipt)))
    except AlreadyThere:  # the same was submitted at the same time
        before = read_receipt(store, receipt.body, receipt.reference)
        if before is None:
            raise
        return before, False
    return receipt, True


def read_receipt(store: StoreReader, body: str, reference: str) -> Receipt | None:
    """Read a receipt of a body; None if there is none."""
    try:
        return from_document(Receipt, json.loads(store.read(layout.receipt(body, reference)).content))
    except NotThere:
        return None


def list_receipts(store: Store, body: str) -> list[Receipt]:
    """The receipts of a body, newest first."""
    found = [
        from_document(Receipt, json.loads(store.read(key).content)) for key in store.keys(layout.receipts_prefix(body))
    ]
    return sorted(found, key=lambda receipt: (receipt.time, receipt.reference), reverse=True)


def list_waiting(store: Store) -> Iterator[tuple[Receipt, str]]:
    """The receipts whose file is not processed yet, each with the draft that holds the file."""
    for key in list(store.keys(layout.RECEIPTS_WAITING)):
        with suppress(NotThere):  # processed since we listed it
            draft: str = json.loads(store.read(key).content)["draft"]
            if (receipt := read_receipt(store, *layout.parse_receipt_waiting(key))) is not None:
                yield receipt, draft


def is_waiting(store: StoreReader, receipt: Receipt) -> bool:
    """Whether the file of a receipt is not processed yet."""
    return store.exists(layout.receipt_waiting(receipt.body, receipt.reference))


def end_waiting(store: Store, receipt: Receipt, draft: str) -> None:
    """Record that the file of a receipt has been processed, and delete what was uploaded."""
    delete_draft_files(store, receipt.body, draft)
    store.delete(layout.receipt_waiting(receipt.body, receipt.reference))


# --- what a purge takes out of receipts and drafts --------------------------------------------------------------------


def forget_uploads(store: Store, sha256: str) -> set[str]:
    """Remove purged bytes from every draft: the upload, its name and what checking it found; return their bodies.

    A draft with other uploads keeps those: one of them may have a receipt and not be processed yet.
    """
    bodies = set()
    for key in [key for key in store.keys(layout.DRAFTS) if key.endswith("/draft.json")]:
        body, identifier = layout.parse_draft(key)
        draft = read_draft(store, body, identifier)
        if draft is None or all(one.sha256 != sha256 for one in draft.attempts):
            continue
        bodies.add(body)
        if all(one.sha256 == sha256 for one in draft.attempts) or (draft.reference and draft.last.sha256 == sha256):
            delete_draft(store, body, identifier)
        else:
            _forget_attempts(store, draft, sha256)
        store.erase_old_versions(layout.draft_folder(body, identifier))
    # a draft that was begun and never written, or was being deleted
    for key in [key for key in store.keys(layout.DRAFTS) if key.endswith(f"/files/{sha256}")]:
        delete_draft(store, *layout.parse_draft(key))
        store.erase_old_versions(layout.draft_folder(*layout.parse_draft(key)))
    return bodies


def _forget_attempts(store: Store, draft: Draft, sha256: str) -> None:
    """Remove the attempts with these bytes from a draft that has others; the record of them last."""
    for attempt in draft.attempts:
        if attempt.sha256 == sha256:
            store.delete(layout.draft_check(draft.body, draft.id, attempt.number))
    store.delete(layout.draft_file(draft.body, draft.id, sha256))

    def drop(current: Draft) -> Draft:
        return replace(current, attempts=tuple(one for one in current.attempts if one.sha256 != sha256))

    update_draft(store, draft.body, draft.id, drop)


def forget_in_receipts(store: Store, bodies: Iterable[str], sha256: str, moment: str) -> None:
    """Remove the name of a purged file from the receipts of these bodies, and sign what is left of each again.

    Reference, hash, time and counts stay, so the receipt still proves that these bytes were received. A copy that
    someone downloaded before stays valid: the signature on it is of the whole document.
    """
    for body in bodies:
        for receipt in list_receipts(store, body):
            if receipt.sha256 == sha256 and receipt.file is not None:
                _sign_without_name(store, receipt, moment)
                store.erase_old_versions(layout.receipt(body, receipt.reference))


def _sign_without_name(store: Store, receipt: Receipt, moment: str) -> None:
    left = replace(receipt, file=None, purged=moment, public_key="", signature="")
    signed = to_json_bytes(to_document(signing_key(store).sign(left)))
    update_object(store, layout.receipt(receipt.body, receipt.reference), lambda content: content and signed)


# --- what is said of returns that are not sent ------------------------------------------------------------------------


def record_statement(store: Store, statement: Statement) -> None:
    """Write a statement, and log that the pages of the body change. The same one is written once."""
    period = f"{statement.dataset}/{statement.body}/{statement.period}"
    series = Series.parse(f"{period}--{statement.part}" if statement.part else period)
    with logging_submission_change(store, statement.dataset, statement.body, statement.reference):
        store.create(layout.statement(series, statement.reference), to_json_bytes(to_document(statement)))


def list_statements(store: Store, body: str | None = None) -> list[Statement]:
    """The statements of a body, or of all bodies, oldest first."""
    found = [
        from_document(Statement, json.loads(store.read(key).content))
        for key in store.keys(layout.statements_prefix(body))
    ]
    return sorted(found, key=lambda one: (one.made, one.reference))


def group_statements(store: Store) -> dict[str, list[Statement]]:
    """The statements of all bodies, by slug."""
    groups: dict[str, list[Statement]] = {}
    for one in list_statements(store):
        groups.setdefault(one.body, []).append(one)
    return groups
