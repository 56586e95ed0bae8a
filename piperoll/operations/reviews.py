"""Reviews that measures are made of: who a supplier is, how two contracts are related, and a body's reply to a figure.

They are entries of the log of decisions (`publishers.record_decision`), are taken back like other decisions
(`piperoll.operations.decisions.take_back`), and count when measures are next made.
"""

from __future__ import annotations

import re

import publishers
from piperoll.checking.privacy.personal_data import personal_rules
from piperoll.checking.privacy.public_texts import names_person
from piperoll.enriching.company_numbers import NumberForm, parse_company_number
from piperoll.enriching.supplier_names import supplier_key
from piperoll.errors import UsageError
from piperoll.model import NO_COMPANY, DecisionEntry, DecisionKind, PairDecision, reviews_in_force

LONGEST_NOTE = 600
"""Characters of a reply: it stands beside a figure, on pages and in rows."""

_FIGURE = re.compile(r"[0-9a-f]{16}")
_PAIR = re.compile(r"[0-9a-z][0-9a-z-]{5,79}")
_ORG_ID = re.compile(r"[A-Z]{2}-[A-Z0-9]{2,8}-[A-Za-z0-9][A-Za-z0-9.-]{0,40}")
_COMPANY = "GB-COH-"
_REPLY = "reply"


def record_reply(
    store: publishers.Store, figure_id: str, note: str, *, by: str, moment: str, body: str
) -> DecisionEntry:
    """Record what a body says about a figure. The note is published beside it, if the figure is the body's own.

    `own_figures.reply_to_figure` first looks whether it is.
    Raises: UsageError: the identifier is not that of a figure; the note is empty, too long or may name a person.
    """
    subject = parse_figure_id(figure_id)
    entry = DecisionEntry(DecisionKind.REPLY, subject, _REPLY, _check_note(note), by, moment, body)
    return _record_once(store, entry)


def parse_figure_id(text: str) -> str:
    """The identifier of a figure, as it is written in rows. Raises: UsageError: it is not one."""
    identifier = text.strip().lower()
    if not _FIGURE.fullmatch(identifier):
        raise UsageError(f"'{identifier}' is not the identifier of a figure: it has 16 letters and digits (0-9, a-f)")
    return identifier


def record_supplier(
    store: publishers.Store,
    supplier: str,
    org_id: str,
    *,
    because: str,
    by: str,
    moment: str,
    body: str | None,
) -> DecisionEntry:
    """Record which organisation a supplier is, or (`NO_COMPANY`) that it is in no register.

    `supplier` is a name as published or a supplier key; `body` None is every body.
    Raises: UsageError: the supplier names no organisation, or the identifier has a wrong form.
    """
    key = supplier_key(supplier)
    if key is None:
        raise UsageError(f"'{supplier}' is not the name of an organisation: reviews are about organisations only")
    decided_as = org_id if org_id == NO_COMPANY else _check_org_id(org_id)
    entry = DecisionEntry(DecisionKind.SUPPLIER, key, decided_as, _require(because), by, moment, body)
    return _record_once(store, entry)


def record_pair(
    store: publishers.Store, pair: str, decided_as: str, *, because: str, by: str, moment: str
) -> DecisionEntry:
    """Record how two contracts of different bodies are related.

    Raises: UsageError: the identifier of the pair or `decided_as` is not valid, or there is no reason.
    """
    if not _PAIR.fullmatch(pair):
        raise UsageError(f"'{pair}' is not the identifier of a pair of contracts")
    if decided_as not in set(PairDecision):
        raise UsageError(f"'{decided_as}' is not a decision about a pair: use {', '.join(PairDecision)}")
    return _record_once(store, DecisionEntry(DecisionKind.PAIR, pair, decided_as, _require(because), by, moment, None))


def _record_once(store: publishers.Store, entry: DecisionEntry) -> DecisionEntry:
    """Record an entry, unless the same is in force already."""
    if not entry.by.strip():
        raise UsageError("give the name of who decided (--by): it is kept with the decision")
    for known in reviews_in_force(publishers.list_decisions(store, entry.body), entry.kind):
        same_note = entry.kind is not DecisionKind.REPLY or known.because == entry.because
        if (known.subject, known.decided_as) == (entry.subject, entry.decided_as) and same_note:
            return known
    return publishers.record_decision(store, entry)


def _check_note(note: str) -> str:
    """The note on one line. Raises: UsageError: it cannot be published."""
    note = " ".join(note.split())
    if not note:
        raise UsageError("give the note (--note): it is published beside the figure")
    if len(note) > LONGEST_NOTE:
        raise UsageError(f"the note has {len(note)} characters, and at most {LONGEST_NOTE} are published: shorten it")
    if not note.isprintable():
        raise UsageError("the note has characters that cannot be printed: type it again")
    if found := sorted(personal_rules(note)):
        raise UsageError(
            f"the note is published, and may hold personal data ({', '.join(found)}): leave it out, sign with a role"
        )
    if names_person(note, in_sentence=True):
        raise UsageError("the note is published, and may name a person: leave the name out, and sign with a role")
    return note


def _check_org_id(text: str) -> str:
    """An organisation's identifier in its usual form. Raises: UsageError: it has none."""
    text = text.strip()
    if text.upper().startswith(_COMPANY) or "-" not in text:
        parsed = parse_company_number(text)
        if parsed.form is NumberForm.SHORT and text.upper().startswith(_COMPANY):
            raise UsageError(f"'{text}' has too few digits: write all eight of the company number")
        if parsed.number:
            return parsed.org_id
    elif _ORG_ID.fullmatch(text):
        return text
    raise UsageError(
        f"'{text}' is no identifier of an organisation: give a company number, an identifier of org-id.guide such as"
        f" GB-COH-01234567, or '{NO_COMPANY}'"
    )


def _require(because: str) -> str:
    if not because.strip():
        raise UsageError("give a reason: it is kept with the decision")
    return because.strip()
