"""The search index: everything is found by its words, shards are small, and only changed shards change."""

import gzip
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from piperoll.describing.search import (
    MOST_BYTES,
    SHORTEST,
    index_tokens,
    render_shards,
    split_search_parts,
    split_words,
)
from piperoll.model import Body, Period, Series, describe_period

ANYTOWN = Body("gss:E07000999", "anytown", "Anytown Borough Council", "council", aliases=("ABC",))
BRACKWATER = Body("gss:E06000998", "brackwater", "Brackwater Council", "council")
OCTOBER = Series("spend", "anytown", Period.parse("2026-10"))
Held = Mapping[str, int]


def members(*bodies: tuple[Body, Held]) -> dict[str, dict[str, Any]]:
    """The parts of several bodies, by group and body."""
    groups: dict[str, dict[str, Any]] = {}
    for body, names in bodies:
        series = Series("spend", body.slug, OCTOBER.period)
        for letters, part in split_search_parts(body, [(series, names)]).items():
            groups.setdefault(letters, {})[body.slug] = part
    return groups


def index(*bodies: tuple[Body, Held]) -> dict[str, bytes]:
    return {
        key: content for letters, group in members(*bodies).items() for key, content in render_shards(letters, group)
    }


def found(files: Mapping[str, bytes], word: str) -> list[Any]:
    """The shard a browser reaches for one word: from the first two letters down until one is complete."""
    letters = word[:SHORTEST]
    while True:
        shard = json.loads(gzip.decompress(files[f"catalogue/search/{letters}.json.gz"]))
        if shard["complete"] or len(letters) == len(word):
            return list(shard["entries"])
        letters = word[: len(letters) + 1]


def test_words_lose_accents_case_and_apostrophes() -> None:
    assert split_words("Ŵyn’s CAFÉ & Sons (2019)") == ("wyns", "cafe", "sons", "2019")
    assert index_tokens("The Oak Ltd") == {"oak", "theoakltd"}
    assert index_tokens("Co of the Ltd") >= {"co", "of", "ltd"}


def test_a_name_is_found_with_the_bodies_and_tables_that_hold_it() -> None:
    files = index((ANYTOWN, {"Oak & Ash Ltd": 3}), (BRACKWATER, {"Oak & Ash Ltd": 9, "Quill": 1}))
    [oak] = found(files, "ash")
    assert oak[:4] == ["name", "Oak & Ash Ltd", 2, 12]
    assert oak[4] == [["brackwater", [["spend/brackwater/2026-10", 9]]], ["anytown", [["spend/anytown/2026-10", 3]]]]
    assert found(files, "abc")[0][:2] == ["body", "Anytown Borough Council"]


def test_a_body_was_not_found_by_its_short_name_or_by_what_it_was_called_before() -> None:
    rain = Body(
        "GB-GOVUK-department_for_rainy_days",
        "department-for-rainy-days",
        "Department for Rainy Days",
        "department",
        short_name="DfRD",
        former_names=("Ministry of Weather",),
    )
    files = index((rain, {}), (ANYTOWN, {}))
    for word in ("dfrd", "weather", "rainy"):
        assert [entry[1] for entry in found(files, word)] == ["Department for Rainy Days"]


@given(st.dictionaries(st.text(min_size=2, max_size=30), st.integers(1, 9), max_size=20))
def test_every_name_is_found_by_each_of_its_words(names: dict[str, int]) -> None:
    files = index((ANYTOWN, names))
    for name in names:
        for token in index_tokens(name):
            assert name in [entry[1] for entry in found(files, token)]


def test_thousands_of_similar_names_are_in_small_shards_and_each_is_found() -> None:
    names = {f"Care {n:04} of Wells Ltd": 1 for n in range(3000)}
    files = index((ANYTOWN, names))
    assert max(len(gzip.decompress(content)) for content in files.values()) < MOST_BYTES * 1.1
    assert not json.loads(gzip.decompress(files["catalogue/search/ca.json.gz"]))["complete"]
    for name in list(names)[::250]:
        whole = "".join(split_words(name))
        assert name in [entry[1] for entry in found(files, whole)]


def test_a_new_name_touches_only_the_shards_of_its_own_letters() -> None:
    before, after = index((ANYTOWN, {"Oak": 1, "Quill": 1})), index((ANYTOWN, {"Oak": 1, "Quill": 1, "Zinc": 1}))
    assert {key for key in after if after[key] != before.get(key)} == {"catalogue/search/zi.json.gz"}


def test_the_order_of_bodies_changes_nothing() -> None:
    one, other = (ANYTOWN, {"Oak": 1, "Elm": 2}), (BRACKWATER, {"Oak": 1})
    assert index(one, other) == index(other, one)


PERIODS = (
    *("2026-10", "2012-01", "2011-12", "2026-Q4", "2026-27", "1999-00", "2011-04--2012-03", "2026-04--2026-09"),
    *("2011-04--2013-08", "2024-03-31"),
)


def test_the_search_called_a_financial_year_by_its_first_month_and_a_part(tmp_path: Path) -> None:
    """`2011-04--2012-03` was April 2011, of the part 2012-03. Pages and scripts use the same words."""
    script = (Path(__file__).parents[2] / "catalogue/scripts/search.js").read_text("utf-8")
    [months] = re.findall(r"  const MONTHS = \[.*?\]", script, re.DOTALL)
    [function] = re.findall(r"  function period\(text\) \{.*?\n  \}\n", script, re.DOTALL)
    names = [name for one in PERIODS for name in (one, f"{one}--card")]
    code = f"{months}\n{function}\nconsole.log(JSON.stringify({json.dumps(names)}.map(period)))"
    (tmp_path / "periods.js").write_text(code, "utf-8")
    done = subprocess.run(["node", tmp_path / "periods.js"], capture_output=True, check=True, text=True)
    words = [describe_period(one) for one in PERIODS]
    assert json.loads(done.stdout) == [text for word in words for text in (word, f"{word} (card)")]
