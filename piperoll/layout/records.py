"""The keys of what cannot be made again: files as received, what is known of them, decisions, reports and releases."""

from __future__ import annotations

from piperoll.model import Series, Submission, Version

ARCHIVE, COLLECTED, MAPPINGS, DECISIONS, LOG = "archive/", "collected/", "mappings/", "decisions/", "log/"
REPORTS, DATA = "reports/", "data/"
DRAFTS, RECEIPTS, RETURNS = "drafts/", "receipts/", "returns/"
RECEIVED_BYTES = f"{ARCHIVE}sha256/"
READERS = "readers/"


# --- archive/: bytes as received ------------------------------------------------------------------------------------


def received_bytes(sha256: str) -> str:
    """The bytes of a file exactly as received. Written once; private; deleted only by a purge."""
    return f"{RECEIVED_BYTES}{sha256[:2]}/{sha256}"


def parse_received_bytes(key: str) -> str | None:
    """The sha256 that the key of received bytes names; None for any other key."""
    pieces = key.split("/")
    return pieces[3] if pieces[:2] == ["archive", "sha256"] and len(pieces) == 4 else None


def senders() -> str:
    """The prefix of the keys that lead from received bytes to who sent them."""
    return "archive/from/"


def senders_prefix(sha256: str) -> str:
    """The prefix of the keys that lead from a hash, or its first digits, to who sent these bytes."""
    return f"archive/from/{sha256[:2]}/{sha256}"


def sender_link(submission: Submission) -> str:
    """An empty object whose key says that a body sent these bytes for a dataset. Written once; private."""
    return f"{senders_prefix(submission.sha256)}/{submission.body}/{submission.dataset}"


def parse_sender_link(key: str) -> tuple[str, str, str]:
    """The sha256, body and dataset that a key made by `sender_link` names."""
    sha256, body, dataset = key.split("/")[3:]
    return sha256, body, dataset


def tombstones_prefix() -> str:
    """The prefix of the records of what was purged."""
    return "archive/purged/"


def tombstone(sha256: str) -> str:
    """The record that these bytes were purged: when, why, which versions. Written once; private; refuses the bytes."""
    return f"archive/purged/{sha256}.json"


# --- collected/: what is known of each file received ----------------------------------------------------------------


def submission_folder(body: str, dataset: str, sha256: str) -> str:
    """The prefix of what is kept about one file received from a body for a dataset. Private."""
    return f"collected/{body}/{dataset}/{sha256}/"


def submissions_prefix(body: str | None = None) -> str:
    """The prefix of the submissions of a body, or of all bodies (with other keys among them)."""
    return COLLECTED if body is None else f"{COLLECTED}{body}/"


def records_prefix(body: str, dataset: str, sha256: str) -> str:
    """The prefix of the records of one submission: the same bytes received again have another record."""
    return f"{submission_folder(body, dataset, sha256)}received-"


def record(submission: Submission) -> str:
    """Who sent a file, from where and when. Written once, after its bytes; private."""
    return f"{_folder_of(submission)}received-{compact_instant(submission.received)}.json"


def parse_record(key: str) -> tuple[str, str, str] | None:
    """The body, dataset and sha256 of a record's key; None for any other key below `collected/`."""
    pieces = key.split("/")
    if len(pieces) != 5 or not pieces[4].startswith("received-"):
        return None
    return pieces[1], pieces[2], pieces[3]


def full_report(submission: Submission) -> str:
    """The full report, with the values of held rows. A pointer, since rules change; private."""
    return report_in_full(submission.body, submission.dataset, submission.sha256)


def report_in_full(body: str, dataset: str, sha256: str) -> str:
    """The key of the full report of a submission that is known by its hash."""
    return f"{submission_folder(body, dataset, sha256)}report.json"


def rulings_prefix(submission: Submission) -> str:
    """The prefix of what people decided about a submission, oldest first."""
    return f"{_folder_of(submission)}decision-"


def ruling(submission: Submission, decided: str) -> str:
    """One decision about a submission, at an ISO 8601 instant. Written once; private."""
    return f"{rulings_prefix(submission)}{compact_instant(decided)}.json"


def fetches_folder(body: str, dataset: str, address_hash: str = "") -> str:
    """The prefix of the log of fetches from one web address, or from all; each entry is written once. Private."""
    return f"collected/{body}/{dataset}/fetches/{address_hash and f'{address_hash}/'}"


def inbox_record(body: str, dataset: str, inbox_hash: str) -> str:
    """What is known of a body's objects in an inbox in a bucket: ETag and sha256 of each. A pointer; private."""
    return f"collected/{body}/{dataset}/inboxes/{inbox_hash}.json"


def claims_folder(body: str, dataset: str) -> str:
    """The prefix of the records of files that claimed one series in the same run. Written once; private."""
    return f"collected/{body}/{dataset}/claims/"


def decisions_applied(body: str | None, dataset: str) -> str:
    """The decisions applied to all files of a body and dataset, or (None) of every body. A pointer; private."""
    return f"collected/{'' if body is None else f'{body}/{dataset}/'}decisions-applied.json"


def decision_uses(body: str, dataset: str) -> str:
    """The prefix of the records of which decision had an effect on which version."""
    return f"collected/{body}/{dataset}/decided/"


def decision_use(decision: str, series: Series, manifest_sha256: str) -> str:
    """An empty object: a decision had an effect on the version with this manifest. Written once, before it; private."""
    return f"{decision_uses(series.body, series.dataset)}{decision}/{str(series).split('/')[2]}/{manifest_sha256}"


def parse_decision_use(key: str) -> tuple[str, Series, str]:
    """The decision, the series and the sha256 of the manifest that a key made by `decision_use` names."""
    _, body, dataset, _, decision, name, manifest_sha256 = key.split("/")
    return decision, Series.parse(f"{dataset}/{body}/{name}"), manifest_sha256


def claim(body: str, dataset: str, digest: str) -> str:
    """The record of one claim, by the sha256 of its content. Written once; private."""
    return f"{claims_folder(body, dataset)}{digest[:20]}.json"


BUILD = f"{COLLECTED}catalogue/"
"""The prefix of what the last build of the catalogue recorded. Remade; private."""

BUILD_STATE = f"{BUILD}state.json"
"""Which build of the catalogue was the last, and what it wrote. A pointer; private."""

BUILDS_RUNNING = f"{BUILD}at-work/"
"""One object for each build that has begun and not ended. Private."""

CHANGES = f"{BUILD}changed/"
"""Empty objects that name what changed since the catalogue was last built. Private; deleted by the build."""


def change(dataset: str, body: str, what: str, mark: str) -> str:
    """One change: of a series (`what` is the period and part) or of a submission (`sha256-` and its hash).

    `mark` makes the key unique. In a change of a series and of a submission in it, it ends with `-` and that hash.
    """
    return f"{CHANGES}{dataset}/{body}/{what}/{mark}"


def parse_file_change(key: str) -> tuple[str, str, str] | None:
    """The dataset, body and sha256 of a change of a submission; None for a change of a series alone."""
    dataset, body, what, mark = key.removeprefix(CHANGES).split("/")
    sha256 = what.removeprefix("sha256-") if what.startswith("sha256-") else mark.partition("-")[2]
    return (dataset, body, sha256) if sha256 else None


RECEIVED_INDEX = f"{BUILD}received/"
"""The prefix of the files that each body sent, with the outcome of each. Changed by conditional write; private."""


def received_index(body: str) -> str:
    """Every file that a body sent, with the outcome of its report, as of the last build of the catalogue."""
    return f"{RECEIVED_INDEX}{body}.json"


def parse_received_index(key: str) -> str:
    """The body whose files are listed under a key made by `received_index`."""
    return key.removeprefix(RECEIVED_INDEX).removesuffix(".json")


# --- mappings/, decisions/ and log/ ---------------------------------------------------------------------------------


def mapping(body: str, dataset: str) -> str:
    """What the headings of a body's files mean. A pointer that people may edit too (TOML); private."""
    return f"mappings/{body}/{dataset}.toml"


def mappings_prefix(body: str | None = None) -> str:
    """The prefix of the mappings of a body, or of all bodies."""
    return MAPPINGS if body is None else f"{MAPPINGS}{body}/"


def decisions_prefix(body: str | None) -> str:
    """The prefix of the decisions about files of one body, oldest first; None: of those for all bodies."""
    return f"{DECISIONS}all/" if body is None else f"{DECISIONS}bodies/{body}/"


def decision(body: str | None, decided: str, identifier: str) -> str:
    """One decision (`DecisionEntry`), at an ISO 8601 instant. Written once; private."""
    return f"{decisions_prefix(body)}{compact_instant(decided)}-{identifier}.json"


def log_entry(instant: str, action: str, digest: str) -> str:
    """One withdrawal or purge, with its reason. Written once, before anything else is done; private."""
    return f"log/{compact_instant(instant)}-{action}-{digest}.json"


# --- drafts/, receipts/ and returns/: what bodies send through the portal ---------------------------------------------


def drafts_prefix(body: str | None = None) -> str:
    """The prefix of the drafts of a body, or of all bodies. Private."""
    return DRAFTS if body is None else f"{DRAFTS}{body}/"


def draft_folder(body: str, identifier: str) -> str:
    """The prefix of everything kept of one draft. Private; deleted when it is submitted or abandoned."""
    return f"{DRAFTS}{body}/{identifier}/"


def draft(body: str, identifier: str) -> str:
    """What is known of a draft and its attempts. A pointer; private."""
    return f"{draft_folder(body, identifier)}draft.json"


def parse_draft(key: str) -> tuple[str, str]:
    """The body and the identifier of the draft that a key below `drafts/` belongs to."""
    _, body, identifier, *_ = key.split("/")
    return body, identifier


def draft_file(body: str, identifier: str, sha256: str) -> str:
    """The bytes of a file that was uploaded to a draft. Written once; private."""
    return f"{draft_folder(body, identifier)}files/{sha256}"


def draft_check(body: str, identifier: str, number: int) -> str:
    """What checking an attempt found: its report and how it compares. Remade; private."""
    return f"{draft_folder(body, identifier)}check-{number:04}.json"


SIGNING_KEY = f"{RECEIPTS}signing-key.json"
"""The private Ed25519 key that signs receipts. The first process that signs a receipt writes it; it never changes."""

RECEIPTS_WAITING = f"{RECEIPTS}waiting/"
"""Objects that name receipts whose file is not processed yet. Private; deleted when the public report is filed."""


def receipts_prefix(body: str | None = None) -> str:
    """The prefix of the receipts of a body, or of all bodies."""
    return f"{RECEIPTS}bodies/{'' if body is None else f'{body}/'}"


def receipt(body: str, reference: str) -> str:
    """A receipt. Written once; private."""
    return f"{receipts_prefix(body)}{reference}.json"


def receipt_waiting(body: str, reference: str) -> str:
    """Which draft holds the file of a receipt that is not processed yet. Written once, before the receipt; private."""
    return f"{RECEIPTS_WAITING}{body}/{reference}.json"


def parse_receipt_waiting(key: str) -> tuple[str, str]:
    """The body and the reference that a key made by `receipt_waiting` names."""
    body, name = key.removeprefix(RECEIPTS_WAITING).split("/")
    return body, name.removesuffix(".json")


def statements_prefix(body: str | None = None) -> str:
    """The prefix of what a body, or any, said of returns that it does not send."""
    return RETURNS if body is None else f"{RETURNS}{body}/"


def statement(series: Series, reference: str) -> str:
    """A body's statement that a return is exempt or late. Written once; private, and shown on public pages."""
    return f"{statements_prefix(series.body)}{series.dataset}/{str(series).rpartition('/')[2]}/{reference}.json"


# --- readers/: what readers say about published tables --------------------------------------------------------------


def reader_reports_prefix(body: str | None = None) -> str:
    """The prefix of the reports of readers on tables of a body, or of all bodies. Private."""
    return f"{READERS}reports/{'' if body is None else f'{body}/'}"


def reader_report(series: Series, identifier: str) -> str:
    """A reader's report on a table. Written once; private."""
    return f"{reader_reports_prefix(series.body)}{series.dataset}/{_name_of(series)}/{identifier}.json"


def reader_answer_record(series: Series, identifier: str, digest: str) -> str:
    """An answer to a reader's report, with who gave it. Written once; private."""
    return f"{READERS}answers/{series.body}/{series.dataset}/{_name_of(series)}/{identifier}-{digest}.json"


# --- reports/: what the public may know of each file received -------------------------------------------------------


def public_report(dataset: str, body: str, sha256: str) -> str:
    """The public report of a submission, rejected ones too. A pointer; its presence marks the submission as done."""
    return f"reports/{dataset}/{body}/{sha256}.json"


def parse_public_report(key: str) -> tuple[str, str, str]:
    """The dataset, body and sha256 of a key made by `public_report`."""
    _, dataset, body, name = key.split("/")
    return dataset, body, name.removesuffix(".json")


def public_report_of(submission: Submission) -> str:
    """The public report of a submission."""
    return public_report(submission.dataset, submission.body, submission.sha256)


# --- data/: releases ------------------------------------------------------------------------------------------------

STORE_FORM = f"{DATA}store.json"
"""The version of the form of the store; a store without it is of form 1. Changed by conditional write; public."""

INDEX = f"{DATA}index.json"
"""The bodies of each dataset. Changed by conditional write, only when a body is new."""


MEASURES = "measures"
"""The first part of the series of measures: `measures/coverage/2026-27`. It is no dataset."""

MEASURES_INDEX = f"{DATA}{MEASURES}/index.json"
"""The measures that are published, in the form of `INDEX`. Changed by conditional write, only when one is new."""

MEASURES_STATE = f"{COLLECTED}{MEASURES}/state.json"
"""What each measure and year was last made from, to tell whether to make it again. Remade; private."""

OUTSIDE_SOURCES = f"{COLLECTED}{MEASURES}/sources.json"
"""The outside sources that measures use: the address, licence and date of each, and the sha256 of its bytes in the
archive. A pointer; private."""


def root_index(dataset: str) -> str:
    """The index that lists a dataset: measures have their own, since readers of `INDEX` expect datasets there."""
    return MEASURES_INDEX if dataset == MEASURES else INDEX


def measure_table(name: str, sha256: str, form: str) -> str:
    """A derived or outside table that measures were made from, as `csv` or `parquet`; `sha256` is of the CSV.

    Written once.
    """
    return f"{DATA}{MEASURES}/tables/{name}-{sha256[:12]}.{form}"


def body_index(dataset: str, body: str) -> str:
    """The years in which a body's periods of a dataset begin. Changed by conditional write, only for a new year."""
    return f"data/{dataset}/{body}/index.json"


def year_index(dataset: str, body: str, year: int) -> str:
    """Every series of a body, dataset and year with the version that is current. Changed by conditional write."""
    return f"data/{dataset}/{body}/index-{year}.json"


def series_folder(series: Series) -> str:
    """The prefix of everything published in a series."""
    return f"data/{series}/"


def series_prefix(dataset: str = "", body: str = "", year: int | None = None) -> str:
    """The prefix of all series; of a dataset; of a body for a dataset; of those whose period begins in a year."""
    return "/".join(["data", *filter(None, (dataset, body)), "" if year is None else f"{year}-"])


def pointer(series: Series) -> str:
    """The history of a series, which names its current version. The pointer: written last, by conditional write."""
    return f"{series_folder(series)}versions.json"


def reader_answers(series: Series) -> str:
    """What readers reported about a table and its body answered. Changed by conditional write; public."""
    return f"{series_folder(series)}answers.json"


def parse_pointer(key: str) -> Series | None:
    """The series whose pointer this key is; None for any other key."""
    if not (key.startswith(DATA) and key.endswith("/versions.json") and key.count("/") == 4):
        return None
    return Series.parse(key.removeprefix(DATA).removesuffix("/versions.json"))


def parse_version_key(key: str) -> tuple[Series, str] | None:
    """The series, and the version's folder or file of differences, of a key; None for a pointer or an index."""
    pieces = key.split("/")
    if len(pieces) < 6:
        return None
    series = Series.parse("/".join(pieces[1:4]))
    return series, (key if pieces[4] == "changes" else "/".join(pieces[:5]) + "/")


def version_name(number: int, manifest_sha256: str) -> str:
    """The name of a version's folder, below that of its series: `v3-0123456789ab`."""
    return f"v{number}-{manifest_sha256[:12]}"


def version_folder(series: Series, version: Version) -> str:
    """The prefix of the files of a version."""
    return f"{series_folder(series)}{version.path}/"


def release_file(series: Series, version: Version, name: str) -> str:
    """A file of a release: `manifest.json` or one that the manifest names. Written once; served as immutable."""
    return f"{version_folder(series, version)}{name}"


def differences_name(before: int, after: int, sha256: str = "") -> str:
    """The name, below a series' folder, of the rows that differ between two versions; without a hash, its start."""
    return f"changes/v{before}-v{after}-{f'{sha256[:12]}.csv' if sha256 else ''}"


def _folder_of(submission: Submission) -> str:
    return submission_folder(submission.body, submission.dataset, submission.sha256)


def _name_of(series: Series) -> str:
    """The period and part of a series, as the last segment of its prefix."""
    return str(series).rpartition("/")[2]


def compact_instant(instant: str) -> str:
    """An ISO 8601 instant without the characters that some file systems refuse in names."""
    return instant.replace(":", "").replace("-", "")
