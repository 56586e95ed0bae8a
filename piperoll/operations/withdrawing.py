"""Withdrawal as bodies ask for it: an operator confirms, unless personal data is the reason; then it is done at once.

Every step is an entry of the log of decisions (`DecisionKind.WITHDRAW`), written before anything is done. What a killed
process left undone, `finish_withdrawals` does.
"""

from __future__ import annotations

from dataclasses import dataclass

import publishers
from piperoll.checking.privacy.public_texts import names_person
from piperoll.errors import UsageError
from piperoll.model import DecisionEntry, DecisionKind, Series, Status, WithdrawalStep

PERSONAL_DATA = "the body asked for it because of personal data"
"""The published reason of a version that is removed because of personal data: the body's own words may quote it."""

ANSWERS = {
    WithdrawalStep.ASKED: (WithdrawalStep.CONFIRMED, WithdrawalStep.REFUSED),
    WithdrawalStep.PERSONAL_DATA: (WithdrawalStep.PURGED, WithdrawalStep.REFUSED),
}
"""What an operator can answer to what a body asked."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was asked about one version, and what has become of it: the steps in order, the last one decides."""

    series: Series
    number: int
    steps: tuple[DecisionEntry, ...]

    @property
    def step(self) -> WithdrawalStep:
        """The last step."""
        return WithdrawalStep(self.steps[-1].decided_as)

    @property
    def asked(self) -> DecisionEntry:
        """The entry by which the body asked, the last time it did."""
        asking = (WithdrawalStep.ASKED, WithdrawalStep.PERSONAL_DATA)
        return next(entry for entry in reversed(self.steps) if entry.decided_as in asking)


def ask_to_withdraw(
    store: publishers.Store,
    series: Series,
    number: int,
    *,
    because: str,
    personal_data: bool,
    by: str,
    moment: str,
) -> Withdrawal:
    """Record that a body asks to withdraw a version; if `personal_data` is the reason, remove its files at once.

    With personal data, every version of the table is removed, since a correction may hold the same lines. The file as
    received stays in the private archive until an operator purges it.
    Raises: UsageError: there is no such version, it is withdrawn already, or no reason is given.
    """
    because = " ".join(because.split())
    if not because:
        raise UsageError("give a reason: it is kept with the request")
    if not personal_data and names_person(because, in_sentence=True):
        raise UsageError("the reason seems to name a person, and it is published: give it without the name")
    version = publishers.read_history(store, series)[0].version(number)
    if version is None or version.status in (Status.WITHDRAWN, Status.PURGED):
        raise UsageError(f"version {number} of {publishers.describe_series(series)} is not published")
    known = find_withdrawal(store, series, number)
    if known and known.step is WithdrawalStep.ASKED and not personal_data:
        return known
    step = WithdrawalStep.PERSONAL_DATA if personal_data else WithdrawalStep.ASKED
    _record(store, series, number, step, because, by, moment)
    if personal_data:
        _remove_all(store, series, moment)
    found = find_withdrawal(store, series, number)
    assert found is not None, "it has just been recorded"  # noqa: S101
    return found


def answer_withdrawal(
    store: publishers.Store, series: Series, number: int, step: WithdrawalStep, *, because: str, by: str, moment: str
) -> Withdrawal:
    """Record an operator's answer to what a body asked, and act on it; the reason that is published is the body's.

    A version that was removed because of personal data waits for an answer too: `PURGED` removes the file as received,
    `REFUSED` keeps it in the private archive.
    Raises: UsageError: nobody asked, it was answered before, it is no answer, or a reason is missing.
    """
    known = find_withdrawal(store, series, number)
    if known is None or step not in ANSWERS.get(known.step, ()):
        raise UsageError(f"nobody waits for this answer about version {number} of {publishers.describe_series(series)}")
    if not because.strip():
        raise UsageError("give a reason: it is kept with the answer")
    _record(store, series, number, step, because.strip(), by, moment)
    finish_withdrawals(store, series.body, moment=moment)
    found = find_withdrawal(store, series, number)
    assert found is not None, "it has just been recorded"  # noqa: S101
    return found


def list_withdrawals(store: publishers.Store, body: str) -> list[Withdrawal]:
    """What a body asked to withdraw, by table and version."""
    steps: dict[tuple[Series, int], list[DecisionEntry]] = {}
    for entry in publishers.list_decisions(store, body):
        if entry.kind is DecisionKind.WITHDRAW:
            series, _, number = entry.subject.rpartition("/v")
            steps.setdefault((Series.parse(series), int(number)), []).append(entry)
    return [Withdrawal(*key, tuple(entries)) for key, entries in sorted(steps.items())]


def find_withdrawal(store: publishers.Store, series: Series, number: int) -> Withdrawal | None:
    """What was asked about a version; None if nothing was."""
    asked = list_withdrawals(store, series.body)
    return next((one for one in asked if (one.series, one.number) == (series, number)), None)


def finish_withdrawals(store: publishers.Store, body: str, *, moment: str) -> int:
    """Do what was recorded and not done, because a process was killed in between; return how many were unfinished."""
    unfinished = 0
    for one in list_withdrawals(store, body):
        said = {WithdrawalStep(entry.decided_as) for entry in one.steps}
        version = publishers.read_history(store, one.series)[0].version(one.number)
        if version is None:
            continue
        if WithdrawalStep.PERSONAL_DATA in said and version.status is not Status.PURGED:
            _remove_all(store, one.series, moment, until=one.number)
            unfinished += 1
        elif one.step is WithdrawalStep.CONFIRMED and version.status not in (Status.WITHDRAWN, Status.PURGED):
            publishers.mark_withdrawn(store, one.series, one.number, because=one.asked.because, now=moment)
            unfinished += 1
        if one.step is WithdrawalStep.PURGED:
            for sha256 in version.sources:
                if publishers.read_tombstone(store, sha256) is None:
                    publishers.remove_submission(store, sha256, because=PERSONAL_DATA, now=moment)
                    unfinished += 1
    return unfinished


def _remove_all(store: publishers.Store, series: Series, moment: str, *, until: int | None = None) -> None:
    """Remove the files of every version of a table, or of those up to a number: a later file may be right."""
    history, _ = publishers.read_history(store, series)
    numbers = {
        version.version
        for version in history.versions
        if version.status is not Status.PURGED and (until is None or version.version <= until)
    }
    publishers.remove_versions(store, series, numbers, because=PERSONAL_DATA, now=moment)


def _record(
    store: publishers.Store, series: Series, number: int, step: WithdrawalStep, because: str, by: str, moment: str
) -> None:
    entry = DecisionEntry(
        DecisionKind.WITHDRAW, f"{series}/v{number}", str(step), because, by, moment, series.body, series.dataset
    )
    publishers.record_decision(store, entry)
