"""An inbox in a bucket: `s3://bucket/prefix`, laid out like a folder. What is known and done is not downloaded again.

What we know of a body's objects is kept in the store: the ETag that each had and the sha256 of its bytes, by a hash of
its key, which may name a person.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias, TypeVar

import collectors
from collectors import Arrival, QueuedFetch, SkippedPath
from piperoll import assets, layout
from piperoll.errors import TooLarge
from piperoll.model import Submission
from piperoll.operations import steps
from piperoll.operations.bugs import explain_error
from piperoll.operations.run_request import Run, RunRequest
from piperoll.operations.run_summary import MissedAddress
from publishers import ObjectInfo, Store, open_store, read_json, update_json

_AT_ONCE = 16
"""Objects that are downloaded at once."""

_T = TypeVar("_T")
_BodyKey: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class BucketFiles:
    """What an inbox has of one body and dataset, by key."""

    arrivals: dict[str, Arrival] = field(default_factory=dict)
    unchanged: dict[str, Submission] = field(default_factory=dict)
    missed: dict[str, MissedAddress] = field(default_factory=dict)


def list_bucket(run: Run, request: RunRequest) -> tuple[dict[_BodyKey, dict[str, ObjectInfo]], tuple[SkippedPath, ...]]:
    """The objects of the inbox to collect, by dataset and body, and what is left out.

    Raises: StoreError: the bucket cannot be listed.
    """
    found: dict[_BodyKey, dict[str, ObjectInfo]] = {}
    left_out: dict[str, str] = {}
    for key, about in open_store(str(request.inbox)).list_objects():
        if key.endswith("/"):  # some tools make an empty object for each folder
            continue
        if skipped := collectors.why_not_collected(key):
            left_out[skipped.path] = skipped.why
            continue
        dataset, sender = key.split("/")[:2]
        whose = assets.find_dataset(dataset)[0].name, run.register.find(sender).slug
        if run.keeps(whose[1]):
            found.setdefault(whose, {})[key] = about
    return found, tuple(SkippedPath(path, why) for path, why in sorted(left_out.items()))


def fetch_bucket(
    run: Run, request: RunRequest, found: Mapping[_BodyKey, Mapping[str, ObjectInfo]]
) -> Iterator[BucketFiles]:
    """Download what is new to the scratch folder; yield the files of a body and dataset when it has all of them."""
    inbox = _Inbox(run, request)
    queued = [fetch for whose, objects in sorted(found.items()) for fetch in inbox.begin(whose, objects)]
    for whose in collectors.run_fetches(queued, at_once=_AT_ONCE, per_host=_AT_ONCE):
        yield inbox.take(whose)  # type: ignore[arg-type]  # groups are the keys that we queued


class _Inbox:
    """The objects of an inbox on their way to the scratch folder."""

    def __init__(self, run: Run, request: RunRequest) -> None:
        self._run, self._period = run, str(request.period) if request.period else None
        self._address = str(request.inbox)
        self._store: Store = open_store(self._address)
        self._files: dict[_BodyKey, BucketFiles] = {}
        self._known: dict[_BodyKey, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def begin(self, whose: _BodyKey, objects: Mapping[str, ObjectInfo]) -> Iterator[QueuedFetch]:
        """The work for a body and dataset: first what is known of its objects, then a download of each other one."""
        self._files[whose] = BucketFiles()
        yield QueuedFetch(whose, self._address, partial(self._begin_body, whose, objects))

    def take(self, whose: _BodyKey) -> BucketFiles:
        """What came of a body and dataset, in order; what was learnt of its objects is kept for the next run."""
        files, known = self._files.pop(whose), self._known.pop(whose, {})
        if known:
            update_json(self._run.store, self._record(whose), lambda before: before | known)
        return BucketFiles(_in_order(files.arrivals), _in_order(files.unchanged), _in_order(files.missed))

    def _begin_body(self, whose: _BodyKey, objects: Mapping[str, ObjectInfo]) -> list[QueuedFetch]:
        known = read_json(self._run.store, self._record(whose))
        queued = []
        for number, (key, about) in enumerate(sorted(objects.items())):
            seen = known.get(_hash(key), {})
            done = self._find_done(key, seen) if seen.get("etag") == about.tag else None
            if done is not None:
                self._files[whose].unchanged[key] = done
            else:
                path = self._run.scratch / "bucket" / _hash(f"{whose}") / str(number)
                queued.append(QueuedFetch(whose, self._address, partial(self._download, whose, key, about, path)))
        return queued

    def _find_done(self, key: str, seen: Mapping[str, Any]) -> Submission | None:
        """The submission of an object whose bytes are known, if it needs no more work."""
        arrival = self._make_arrival(key, Path())
        submission = steps.make_submission(self._run, arrival, sha256=seen["sha256"], size=seen["bytes"])
        return submission if steps.find_final_report(self._run, submission) else None

    def _download(self, whose: _BodyKey, key: str, about: ObjectInfo, path: Path) -> list[QueuedFetch]:
        try:
            self._require_size(key, about.size)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._store.fetch(key, path)
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except Exception as error:  # noqa: BLE001 - one object's fault stays one object's
            self._files[whose].missed[key] = self._missed(whose, key, error)
            return []
        with self._lock:
            known = {"etag": about.tag, "sha256": digest, "bytes": path.stat().st_size}
            self._known.setdefault(whose, {})[_hash(key)] = known
        self._files[whose].arrivals[key] = self._make_arrival(key, path)
        return []

    def _require_size(self, key: str, size: int) -> None:
        if size > (limit := self._run.settings.max_download_bytes):
            raise TooLarge(f"{key} is {size:,} bytes: over the limit of {limit:,}")

    def _make_arrival(self, key: str, path: Path) -> Arrival:
        """The arrival of an object; its origin is its path in the inbox, as if that were a folder."""
        dataset, sender = key.split("/")[:2]
        return Arrival(path, PurePosixPath(key).name, dataset, sender, key, self._run.moment, self._period)

    def _missed(self, whose: _BodyKey, key: str, error: Exception) -> MissedAddress:
        why = explain_error(self._run, error, whose[1], whose[0])
        address, kind = f"{self._address.rstrip('/')}/{key}", type(error).__name__
        too_large = isinstance(error, TooLarge)
        return MissedAddress(address, *whose, why, retryable=not too_large, kind=kind, ours=not too_large)

    def _record(self, whose: _BodyKey) -> str:
        return layout.inbox_record(whose[1], whose[0], _hash(self._address.rstrip("/")))


def _in_order(found: Mapping[str, _T]) -> dict[str, _T]:
    return dict(sorted(found.items()))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
