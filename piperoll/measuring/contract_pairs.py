"""Pairs of contracts of different bodies that may be for the same need: found by their words, and typed by evidence.

The score only nominates: at 0.6 and more nearly all pairs are for the same need, but half of those are one purchase or
calls on one framework. What two contracts are to each other is decided by what their texts say.
"""

from __future__ import annotations

import hashlib
import html
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from piperoll import assets
from piperoll.measuring.inputs import Inputs
from piperoll.model import DecisionKind, PairDecision, reviews_in_force
from piperoll.scratch import scratch_folder

CANDIDATE = 0.6
"""The score from which a pair is a candidate: 33 of 33 labelled pairs were for the same need."""
TO_REVIEW = 0.45
"""The score from which a pair is to be reviewed: 17 of 33 labelled pairs from here to 0.5 were for the same need."""
_REST = 0.4
"""The length of the part of a vector that is left out when pairs to score are looked for."""
PARTNERS = 10
"""Pairs are kept if they are among this many best of one of their contracts."""
TEXT_LENGTH = 300
"""Characters of the description that are compared."""
CLOSE_DAYS = 92
"""Two notices of one joint purchase are published within this many days of each other."""

_UNITS = 10**6
"""Weights are whole millionths, so that sums do not depend on the order in which they are made."""


@dataclass(frozen=True, slots=True)
class Words:
    """The word lists by which contracts are compared; measures/duplication/words.toml."""

    stop_words: Collection[str]
    procurement_words: Collection[str]
    body_words: Collection[str]
    purchasing_bodies: Collection[str]


@dataclass(frozen=True, slots=True)
class Need:
    """A contract, or contracts of one body with the same text, as far as they are compared."""

    body: str
    body_name: str
    item: str
    title: str
    description: str = ""
    suppliers: str = ""
    value: Decimal | None = None
    day: date | None = None
    """The day of the award, or else of the notice."""
    capability: str = ""
    notices: frozenset[str] = field(default_factory=frozenset)

    @property
    def text(self) -> str:
        """What is compared."""
        return f"{html.unescape(self.title)} {html.unescape(self.description)[:TEXT_LENGTH]}".strip()


@dataclass(frozen=True, slots=True)
class PairType:
    """What two contracts are to each other, and what shows it."""

    decided_as: PairDecision
    evidence: str


# --- what two contracts are to each other ---------------------------------------------------------------------------

_TOKEN = re.compile(r"\w\w+")
_REFERENCE = re.compile(
    r"\b(RM\s?\d{3,5}|DN\d{5,7}|Y\d{5}|\d{3,4}[-_]\d{2})\b"  # Crown Commercial Service, ProContract, YPO, ESPO
    r"|\bframework (?:agreement )?(?:\(?(?:ref(?:erence)?|no|number)\b\.?:? ?)(\w[\w/-]{2,15})",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://\S+|\bwww\.\S+|\S+@\S+", re.IGNORECASE)
_LOT = re.compile(r"\b((?:[A-Z]{1,6} (?:& )?){1,4})[Ll][Oo][Tt] \d")
_JOINT = re.compile(
    r"on behalf of|\bjoint(?:ly)?\b|together referred to|\bshared\b|acting for|\b(?:and|&) \w[\w ]{2,40} councils\b",
    re.I,
)


class PairTyper:
    """Decides what pairs are; keeps what it has read of each contract."""

    def __init__(self, words: Words, body_names: Iterable[str]) -> None:
        self._words = words
        self._empty = frozenset(map(_singular, (*words.stop_words, *words.procurement_words, *words.purchasing_bodies)))
        self._places = frozenset(word for name in body_names for word in self._read_place(name))
        self._subject = cache(self._read_subject)
        self._frameworks = cache(self._read_frameworks)
        self._place = cache(self._read_place)

    def decide(self, one: Need, other: Need) -> PairType:
        """Decide by the first test that a pair passes: joint, then common framework, then the subject."""
        joint = self._joint(one, other)
        if joint:
            return PairType(PairDecision.JOINT, joint)
        mine, theirs = self._subject(one.text), self._subject(other.text)
        shared = mine & theirs
        framework = self._frameworks(one.text) & self._frameworks(other.text)
        if framework and shared:
            named = ", ".join(sorted(framework))
            return PairType(PairDecision.COMMON_FRAMEWORK, f"both name {named}; both are about {_list(shared)}")
        if not shared:
            return PairType(PairDecision.NOT_SAME, "they share only words of procurement")
        if framework:
            return PairType(PairDecision.UNCLEAR, "both name a framework")
        titles = self._subject(one.title), self._subject(other.title)
        alike = len(titles[0] & titles[1]) / max(len(titles[0] | titles[1]), 1)
        if alike >= 0.5 or (alike and _same_division(one, other)):
            return PairType(PairDecision.SEPARATE, f"both are about {_list(shared)}, and neither is part of the other")
        return PairType(PairDecision.UNCLEAR, f"both mention {_list(shared)}")

    def named_bodies(self, need: Need, names: Mapping[str, str]) -> frozenset[str]:
        """The bodies for which a contract says that it was bought, besides its own; `names` by body."""
        if not _JOINT.search(need.text):
            return frozenset()
        text = need.text.lower()
        return frozenset(
            body for body, name in names.items() if body != need.body and self._is_named(text, self._place(name))
        )

    def _joint(self, one: Need, other: Need) -> str:
        """What shows that two contracts are one purchase; empty if nothing does."""
        if both := one.notices & other.notices:
            return f"both have the notice {min(both)}"
        suppliers = _supplier_names(one.suppliers) & _supplier_names(other.suppliers)
        if suppliers and one.day is not None and one.day == other.day:
            if one.value is not None and one.value == other.value:
                return f"the same supplier, day ({one.day}) and value"
            titles = [self._without(need.title, one, other) for need in (one, other)]
            if titles[0] == titles[1]:
                return f"a shared supplier, the same day ({one.day}) and the same title but for the body"
        if one.day is not None and other.day is not None and abs((one.day - other.day).days) <= CLOSE_DAYS:
            for need, partner in ((one, other), (other, one)):
                named = self._is_named(need.text.lower(), self._place(partner.body_name))
                if named and _JOINT.search(need.text) and self._subjects_agree(one, other):
                    return f"one says that it is also for {partner.body_name}"
        return ""

    def _subjects_agree(self, one: Need, other: Need) -> bool:
        mine, theirs = self._subject(one.title), self._subject(other.title)
        return bool(mine & theirs) and 2 * len(mine & theirs) >= min(len(mine), len(theirs))

    def _without(self, title: str, one: Need, other: Need) -> list[str]:
        places = self._place(one.body_name) | self._place(other.body_name)
        return [
            token
            for token in _TOKEN.findall(title.lower())
            if token not in places and token not in self._words.body_words
        ]

    @staticmethod
    def _is_named(text: str, place: Collection[str]) -> bool:
        return bool(place) and all(re.search(rf"\b{re.escape(word)}\b", text) for word in place)

    def _read_place(self, name: str) -> frozenset[str]:
        """The words of a body's name that are its own."""
        return frozenset(_TOKEN.findall(name.lower())) - set(self._words.body_words)

    def _read_subject(self, text: str) -> frozenset[str]:
        """The words that say what is bought, without plurals, numbers, places and the names of lots."""
        plain = _LOT.sub(" ", _ADDRESS.sub(" ", text)).lower()
        tokens = {_singular(token) for token in _TOKEN.findall(plain) if token.isalpha()}
        return frozenset(tokens - self._empty - self._places)

    def _read_frameworks(self, text: str) -> frozenset[str]:
        """The frameworks and buying organisations that a text names."""
        references = {"".join(found).replace(" ", "").upper() for found in _REFERENCE.findall(text)}
        lots = {found.strip() for found in _LOT.findall(text)}
        plain = " " + " ".join(_TOKEN.findall(text.lower())) + " "
        named = {name.upper() for name in self._words.purchasing_bodies if f" {name.replace('-', ' ')} " in plain}
        return frozenset(references | lots | named) - {""}


def _singular(token: str) -> str:
    return token[:-1] if len(token) > 3 and token.endswith("s") and not token.endswith("ss") else token


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)[:5])


def _same_division(one: Need, other: Need) -> bool:
    """Whether two contracts have the same kind of goods or service: the division of CPV codes, or the same words."""
    if one.capability[:2].isdigit():
        return one.capability[:2] == other.capability[:2]
    return one.capability == other.capability


@cache
def _supplier_names(suppliers: str) -> frozenset[str]:
    """The names of suppliers that are written in one cell, in lower case and without legal forms."""
    names = (" ".join(_TOKEN.findall(part.lower())) for part in re.split(r"[,;|]", html.unescape(suppliers)))
    plain = (re.sub(r"\b(?:ltd|limited|plc|llp|uk|company|co)\b", "", name).strip() for name in names)
    return frozenset(name for name in plain if len(name) > 2 and name != "n")


# --- which pairs are compared -----------------------------------------------------------------------------------------

_VECTORS = """
CREATE TABLE tokens AS
SELECT text, list_filter(
    regexp_extract_all(lower(words), '[\\p{L}\\p{N}_]{2,}'), LAMBDA token: NOT list_contains($stop_words, token)
) AS tokens
FROM texts;

CREATE TABLE grams AS
SELECT text, gram, count(*) AS times
FROM (
    SELECT text, unnest(list_concat(tokens, list_transform(
        range(1, len(tokens)), LAMBDA place: tokens[place] || ' ' || tokens[place + 1]
    ))) AS gram FROM tokens
)
GROUP BY ALL;

CREATE TABLE weights AS
WITH frequencies AS (SELECT gram, sum(needs) AS frequency FROM grams JOIN texts USING (text) GROUP BY gram)
SELECT
    text, gram, frequency,
    round($units * (1 + ln(times)) * (1 + ln((1 + (SELECT sum(needs) FROM texts)) / (1 + frequency))))::BIGINT AS weight
FROM grams JOIN frequencies USING (gram)
WHERE frequency >= 2;

CREATE TABLE vectors AS
SELECT
    text, gram, frequency,
    round($units * weight / sqrt(sum(weight::HUGEINT * weight) OVER (PARTITION BY text)::DOUBLE))::BIGINT AS weight
FROM weights;
"""
"""The vectors of scikit-learn's TfidfVectorizer with ngram_range=(1, 2), min_df=2, sublinear_tf=True and English stop
words."""

_PAIRS = """
-- The rarest grams of a text: those before the rest of its vector is shorter than the limit. What two texts share
-- beyond their rarest grams adds less than that to their score, so only pairs are scored that share enough in these
-- (as in Bayardo, Ma and Srikant, 2007: all-pairs similarity search).
CREATE TABLE rare AS
SELECT text, gram, weight FROM (
    SELECT text, gram, weight, sum(weight::HUGEINT * weight) OVER (
        PARTITION BY text ORDER BY frequency DESC, gram DESC
    ) AS rest
    FROM vectors
)
WHERE rest >= ($rest * $units * $rest * $units)::HUGEINT;

CREATE TABLE near AS
WITH dates AS (
    SELECT
        text, min(coalesce(starts, DATE '0001-01-01')) AS starts, max(coalesce(ends, DATE '9999-12-31')) AS ends,
        count(DISTINCT body) AS bodies, min(body) AS body
    FROM needs GROUP BY text
),
dated AS (SELECT * FROM rare JOIN dates USING (text)),
met AS (
    SELECT one.text AS one, other.text AS other
    FROM dated AS one JOIN dated AS other
        ON one.gram = other.gram AND one.text < other.text
        AND one.starts <= other.ends AND other.starts <= one.ends
        AND (one.bodies > 1 OR other.bodies > 1 OR one.body <> other.body)
    GROUP BY ALL
    HAVING sum(one.weight::DOUBLE * other.weight) >= ($least - $rest - 0.001) * $units * $units
),
scored AS (
    SELECT one, other, sum(mine.weight::HUGEINT * theirs.weight)::DOUBLE / ($units::DOUBLE * $units) AS score
    FROM met
    JOIN vectors AS mine ON mine.text = met.one
    JOIN vectors AS theirs ON theirs.text = met.other AND theirs.gram = mine.gram
    GROUP BY one, other
)
SELECT one, other, round(score, 4) AS score FROM scored WHERE score >= $least
UNION ALL
SELECT DISTINCT text, text, 1 FROM vectors;

CREATE TABLE pairs AS
SELECT one.need AS one, other.need AS other, score, one.ends IS NOT NULL AND other.ends IS NOT NULL AS dated
FROM near
JOIN needs AS one ON one.text = near.one
JOIN needs AS other ON other.text = near.other
WHERE one.body <> other.body AND (near.one <> near.other OR one.need < other.need)
    AND coalesce(one.starts <= other.ends, TRUE) AND coalesce(other.starts <= one.ends, TRUE);
"""

_BEST = """
WITH sides AS (
    SELECT one AS need, other AS partner, score FROM pairs UNION ALL SELECT other, one, score FROM pairs
),
best AS (
    SELECT need, partner FROM sides
    QUALIFY row_number() OVER (PARTITION BY need ORDER BY score DESC, partner) <= $partners
)
SELECT least(one, other) AS one, greatest(one, other) AS other, score, dated FROM pairs
WHERE EXISTS (
    SELECT 1 FROM best
    WHERE (best.need = one AND best.partner = other) OR (best.need = other AND best.partner = one)
)
ORDER BY 1, 2
"""


def find_pairs(needs: pa.Table, stop_words: Sequence[str]) -> pa.Table:
    """The pairs of needs of different bodies whose texts are alike and whose dates, where known, overlap.

    `needs` has `need` (integer), `body`, `words`, `starts` and `ends` (dates, which may be null). Returns a table
    with `one`, `other`, `score` and `dated`: whether both have dates.
    """
    with scratch_folder("pairs") as spill, duckdb.connect(config={"temp_directory": str(spill)}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.register("given", needs)
        connection.execute("CREATE TABLE numbered AS SELECT *, dense_rank() OVER (ORDER BY words) AS text FROM given")
        connection.execute("CREATE TABLE needs AS SELECT need, body, starts, ends, text FROM numbered")
        connection.execute("CREATE TABLE texts AS SELECT text, words, count(*) AS needs FROM numbered GROUP BY ALL")
        values = {"stop_words": list(stop_words), "units": _UNITS, "least": TO_REVIEW, "rest": _REST}
        for statement in (*_VECTORS.split(";"), *_PAIRS.split(";")):
            if statement.strip():
                used = {name: value for name, value in values.items() if f"${name}" in statement}
                connection.execute(statement, used)
        best: pa.Table = connection.sql(_BEST, params={"partners": PARTNERS}).to_arrow_table()
    return best


# --- the derived table ------------------------------------------------------------------------------------------------

_CONTRACTS = """
SELECT
    body,
    coalesce(
        nullif(trim(contract_ref), ''), nullif(trim(ocid), ''),
        'no-reference-' || md5(concat_ws('|', body, trim(regexp_replace(
            lower(coalesce(supplier_name, title, '')), '[^a-z0-9]+', ' ', 'g')), original_value, start_date))[:12]
    ) AS item,
    trim(title) AS title, coalesce(description, '') AS description, coalesce(supplier_name, '') AS suppliers,
    CASE WHEN coalesce(current_value, original_value) > 1 AND coalesce(current_value, original_value) < 999999999
        THEN coalesce(current_value, original_value) END AS value,
    coalesce(award_date, date_signed, notice_published, release_date) AS day,
    coalesce(start_date, award_date, date_signed) AS starts,
    coalesce(end_date_actual, current_end_date, original_end_date) AS ends,
    coalesce(nullif(trim(category_code), ''), lower(trim(category_label)), '') AS capability,
    concat_ws(' ', notice_ids, ocid) AS notices
FROM contracts CROSS JOIN years
WHERE nullif(trim(title), '') IS NOT NULL AND coalesce(contract_type, '') NOT ILIKE '%dynamic%'
    AND coalesce(start_date, award_date, date_signed, years.period_end) <= years.period_end
    AND coalesce(end_date_actual, current_end_date, original_end_date, years.period_end) >= years.period_start
ORDER BY body, item, series, source_row
"""

_SIDE: Mapping[str, pa.DataType] = {
    "body": pa.string(),
    "item": pa.string(),
    "title": pa.string(),
    "suppliers": pa.string(),
    "value": pa.decimal128(38, 2),
    "starts": pa.date32(),
    "ends": pa.date32(),
}
_TYPES: Mapping[str, pa.DataType] = {
    "pair": pa.string(),
    **{f"{name}_{side}": kind for side in ("a", "b") for name, kind in _SIDE.items()},
    "bought_for": pa.string(),
    "capability": pa.string(),
    "score": pa.float64(),
    "tier": pa.string(),
    "dates": pa.string(),
    "type": pa.string(),
    "evidence": pa.string(),
    "verdict": pa.string(),
    "decided": pa.string(),
}
_COLUMNS = pa.schema(_TYPES)


def read_words() -> Words:
    """Read the word lists. Raises: TypeError: one is missing, or there is another."""
    path = assets.folder("measures") / "duplication" / "words.toml"
    return Words(**tomllib.loads(path.read_text("utf-8")))


def pair_id(one: Need, other: Need) -> str:
    """Identify a pair, whatever its score and type: a reviewer decides on it by this."""
    sides = sorted(f"{need.body}|{need.item}" for need in (one, other))
    return hashlib.sha256("|".join(sides).encode()).hexdigest()[:16]


def make_contract_pairs(inputs: Inputs) -> pa.Table:
    """The table `contract_pairs`: one row for each pair of contracts of different bodies that are alike.

    Contracts that are known to have ended before the year, or to start after it, are left out.

    `tier` is `candidate` or `review`; `type` is what the texts show and `verdict` what a reviewer decided, both as in
    `PairDecision`. `dates` is `overlap`, or `unknown` if one contract does not state its start and end.
    """
    words = read_words()
    names = {body.slug: body.name for body in inputs.bodies}
    needs, dates = _read_needs(inputs.connection, names)
    texts = pa.table(
        {
            "need": pa.array(range(len(needs)), pa.int64()),
            "body": [need.body for need in needs],
            "words": [need.text for need in needs],
            "starts": pa.array([starts for starts, _ in dates], pa.date32()),
            "ends": pa.array([ends for _, ends in dates], pa.date32()),
        }
    )
    typer = PairTyper(words, (names[body] for body in {need.body for need in needs}))
    verdicts = {one.subject: one for one in reviews_in_force(inputs.reviews, DecisionKind.PAIR)}
    rows = []
    for found in find_pairs(texts, sorted(words.stop_words)).to_pylist():
        one, other = needs[found["one"]], needs[found["other"]]
        decided = typer.decide(one, other)
        verdict = verdicts.get(pair_id(one, other))
        others = typer.named_bodies(one, names) | typer.named_bodies(other, names)
        rows.append(
            {
                "pair": pair_id(one, other),
                **_describe_side("a", one, dates[found["one"]]),
                **_describe_side("b", other, dates[found["other"]]),
                "bought_for": " ".join(sorted(others - {one.body, other.body})),
                "capability": one.capability or other.capability,
                "score": found["score"],
                "tier": "candidate" if found["score"] >= CANDIDATE else "review",
                "dates": "overlap" if found["dated"] else "unknown",
                "type": str(decided.decided_as),
                "evidence": decided.evidence,
                "verdict": verdict.decided_as if verdict else "",
                "decided": verdict.decided[:10] if verdict else "",
            }
        )
    return pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["pair"])), _COLUMNS)


def _describe_side(side: str, need: Need, dates: tuple[date | None, date | None]) -> dict[str, Any]:
    return {
        f"body_{side}": need.body,
        f"item_{side}": need.item,
        f"title_{side}": need.title,
        f"suppliers_{side}": need.suppliers,
        f"value_{side}": need.value,
        f"starts_{side}": dates[0],
        f"ends_{side}": dates[1],
    }


def _read_needs(
    connection: duckdb.DuckDBPyConnection, names: Mapping[str, str]
) -> tuple[list[Need], list[tuple[date | None, date | None]]]:
    """The contracts to compare, with their starts and ends: of one body, year and text, only the largest."""
    found: dict[tuple[str, str, int], tuple[Need, tuple[date | None, date | None]]] = {}
    seen: dict[tuple[str, str], Need] = {}
    for row in connection.execute(_CONTRACTS).fetchall():
        body, item, title, description, suppliers, value, day, starts, ends, capability, notices = row
        if body not in names:
            continue
        need = Need(
            body, names[body], item, title, description, suppliers, value, day, capability, frozenset(notices.split())
        )
        if known := seen.get((body, item)):  # a supplier or lot of the same contract
            joined = "; ".join(dict.fromkeys((known.suppliers, need.suppliers)))
            seen[body, item] = replace(known, suppliers=joined)
            continue
        seen[body, item] = need
        key = (body, need.text, starts.year if starts else 0)
        if key not in found or (found[key][0].value or 0) < (value or 0):
            found[key] = need, (starts, ends)
    kept = sorted(found.values(), key=lambda pair: (pair[0].body, pair[0].item))
    return [seen[need.body, need.item] for need, _ in kept], [dates for _, dates in kept]
