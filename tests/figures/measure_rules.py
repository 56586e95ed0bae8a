"""What proves the figures on the pages of measures and the profiles of bodies: the published measures.csv."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from tests.figures.measured_years import MeasuredYear, Row, kinds_of, measured_years
from tests.figures.proving import Page, rule
from tests.figures.scanning import Place, figures_in

Value = Decimal | int

MEASURE = r"measures/(?!index)[^/]*\.html"
LIST = r"measures/[^/]+/.*\.html"
PROFILE = r"bodies/[^/]+/profile\.html"
ANY = ".*"
ON_PROFILE = 12
"""Figures as a whole of a measure on a profile."""
PLACES = {"count": 1, "fte": 1, "years": 1, "days": 0, "ratio": 2}
"""Decimal places that pages show, by unit; whole numbers have none."""


# --- what a row shows ---------------------------------------------------------------------------------------------


def _shown(text: str, unit: str) -> Decimal:
    """A value as pages show it."""
    value = Decimal(text)
    if unit == "share":
        return (value * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    if unit.startswith("gbp"):
        return value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return (
        value if value == value.to_integral_value() else value.quantize(Decimal(1).scaleb(-PLACES[unit]), ROUND_HALF_UP)
    )


def _cell(row: Row, column: str) -> list[Value]:
    """The figures of one row in one column."""
    has_value = row["status"] != "withheld" and row["value"] != ""
    match column:
        case "Value":
            return [_shown(row["value"], row["unit"])] if has_value else []
        case "Bounds" if has_value and row["lo"] != "" and row["hi"] != "" and Decimal(row["lo"]) != Decimal(row["hi"]):
            return [_shown(row["lo"], row["unit"]), _shown(row["hi"], row["unit"])]
        case "Possible rank" if has_value and row["rank_best"]:
            band = {int(row["rank_best"]): None, int(row["rank_worst"]): None}
            return [*band, int(row["peers"])]
        case "Coverage" if row["coverage"]:
            return [_shown(row["coverage"], "share")]
        case "Item":
            return [one.value for one in figures_in(row["item_label"] or row["item"])]
    return []


def _one_of(place: Place, expected: Sequence[list[Value]]) -> Sequence[Value]:
    """The figures of the row that a line shows; several rows may have the same label."""
    assert expected, f"no row stands behind {place}"
    shown = [one.value for one in place.figures]
    return next((one for one in expected if one == shown), expected[0])


# --- the page of a measure, and its lists -------------------------------------------------------------------------


def _measured(page: Page) -> dict[str, MeasuredYear]:
    return measured_years(page.published.store)[re.split(r"[/.]", page.key)[1]]


def _listed(page: Page) -> tuple[MeasuredYear, str, str]:
    """The year, kind and figure of a list."""
    _, measure, year, name = page.key.removesuffix(".html").split("/")
    found = measured_years(page.published.store)[measure][year]
    kind, _, figure = name.partition("-")
    declared = {one["id"] for one in found.definition["figures"]}
    return found, kind, figure if figure in declared else figure.rpartition("-")[0]


def _slug(place: Place) -> str:
    return place.link.removeprefix("bodies/").removesuffix("/profile.html")


@rule(MEASURE, "cell", "bodies-caption-.*", "Value|Bounds|Possible rank|Coverage|Item")
def _first_bodies(page: Page, place: Place) -> Sequence[Value]:
    year = next(iter(_measured(page).values()))
    headlines = [one["id"] for one in year.definition["figures"] if one.get("headline")]
    rows = [row for row in year.rows if row["body"] == _slug(place) and row["figure"] in headlines]
    return _one_of(place, [_cell(row, place.names[1]) for row in rows if _is_line(row, place)])


@rule(LIST, "cell", "list-caption", "Value|Bounds|Possible rank|Coverage|Item")
def _bodies_of_list(page: Page, place: Place) -> Sequence[Value]:
    year, _, figure = _listed(page)
    rows = [row for row in year.rows if row["body"] == _slug(place) and row["figure"] == figure]
    return _one_of(place, [_cell(row, place.names[1]) for row in rows if _is_line(row, place)])


def _is_line(row: Row, place: Place) -> bool:
    label = " ".join((row["item_label"] or row["item"]).split())
    return label in place.line if row["item"] else "Item" not in place.columns


@rule(MEASURE, "cell", "kinds-.*", "Items|Bodies|With a value|Withheld|Middle half.*")
def _by_kind(page: Page, place: Place) -> Sequence[Value]:
    year = next(iter(_measured(page).values()))
    figure = place.names[0].removeprefix("kinds-")
    kind = place.link.rsplit("/", 1)[1].removesuffix(f"-{figure}.html")
    rows = _rows_of(year, figure, kind)
    shown = [row for row in rows if row["status"] != "withheld" and row["value"] != ""]
    if place.names[1].startswith("Middle"):
        row = next(row for row in rows if row["peer_median"])
        return [_shown(row[name], row["unit"]) for name in ("peer_q1", "peer_q3", "peer_median")]
    if place.names[1] in ("Items", "Bodies"):
        return [len(rows)]
    return [len(shown) if place.names[1] == "With a value" else len(rows) - len(shown)]


def _rows_of(year: MeasuredYear, figure: str, kind: str) -> list[Row]:
    """The rows of a figure as a whole, else those of its items."""
    return year.of(figure, kind, whole=True) or year.of(figure, kind, whole=False)


@rule(MEASURE, "cell", "years-caption", "Version|Figures")
def _years(page: Page, place: Place) -> Sequence[Value]:
    first = int(re.findall(r"\d{4}", place.names[2])[0])
    year = _measured(page)[f"{first}-{(first + 1) % 100:02}"]
    return [year.version if place.names[1] == "Version" else len(year.rows)]


@rule(MEASURE, "sentence", r".*# of # figures (?:is|are) withheld, each with its reason\.")
def _withheld(page: Page, place: Place) -> Sequence[Value]:
    rows = [row for row in next(iter(_measured(page).values())).rows if not row["item"]]
    return [sum(row["status"] == "withheld" or row["value"] == "" for row in rows), len(rows)]


@rule(MEASURE, "sentence", r".*made from # inputs?, each .*")
def _inputs(page: Page, place: Place) -> Sequence[Value]:
    year = next(iter(_measured(page).values()))
    document = json.loads((year.folder / "inputs.json").read_text("utf-8"))
    inputs = [*document["shared"], *(one for body in document["bodies"].values() for one in body["inputs"])]
    return [len({one["sha256"] for one in inputs})]


@rule(MEASURE, "sentence", r".*A figure with a coverage under # is withheld\.")
def _least_coverage(page: Page, place: Place) -> Sequence[Value]:
    return [_shown(next(iter(_measured(page).values())).definition["coverage"]["minimum"], "share")]


@rule(MEASURE, "term", "Version of the method")
def _method(page: Page, place: Place) -> Sequence[Value]:
    return [one.value for one in figures_in(next(iter(_measured(page).values())).definition["version"])]


@rule(MEASURE, "sentence", r"Download (?:CSV|Parquet).*# *(?:kB|MB|bytes)?")
def _size(page: Page, place: Place) -> Sequence[Value]:
    year = next(iter(_measured(page).values()))
    return [(year.folder / f"measures.{'csv' if 'CSV' in place.text else 'parquet'}").stat().st_size]


def _peers_in(place: Place, rows: Sequence[Row]) -> Sequence[Value]:
    """What a sentence says of the peers is what some row of these has."""
    names = ("peer_q1", "peer_q3", "peer_median")
    told = {
        (int(row["peers"]), *(_shown(row[name], row["unit"]) for name in names)) for row in rows if row["peer_median"]
    }
    return _one_of(place, [list(one) for one in sorted(told)])


@rule(MEASURE, "sentence", r"Half of the # .* with a value lie between # .*and #.* The middle one is at #.*")
def _peers(page: Page, place: Place) -> Sequence[Value]:
    return _peers_in(place, next(iter(_measured(page).values())).rows)


@rule(LIST, "sentence", r"# of # bod(?:y|ies) (?:has|have) a value(?:, # (?:is|are) withheld)?\..*")
def _known(page: Page, place: Place) -> Sequence[Value]:
    year, kind, figure = _listed(page)
    rows = _rows_of(year, figure, kind)
    withheld = sum(row["status"] == "withheld" or row["value"] == "" for row in rows)
    expected: list[Value] = [len(rows) - withheld, len(rows), *([withheld] if withheld else [])]
    if "Half of the" in place.text:
        peers = next(row for row in rows if row["peer_median"])
        expected.append(int(peers["peers"]))
        expected += [_shown(peers[name], peers["unit"]) for name in ("peer_q1", "peer_q3", "peer_median")]
    return expected


@rule(LIST, "page title", ".*page #.*")
@rule(LIST, "description", ".*page #.*")
@rule(LIST, "sentence", ".*, page #")
def _number(page: Page, place: Place) -> Sequence[Value]:
    return [int(page.key.removesuffix(".html").rpartition("-")[2])]


# --- pictures -----------------------------------------------------------------------------------------------------


def _scale(rows: Sequence[Row]) -> list[Value]:
    """Where a picture of these rows begins and ends."""
    known = [row for row in rows if row["status"] != "withheld" and row["value"] != ""]
    ends = [
        Decimal(row[name]) for row in known for name in ("value", "lo", "hi", "peer_q1", "peer_q3") if row[name] != ""
    ]
    low, high = min([Decimal(0), *ends]), max([Decimal(0), *ends])
    if known[0]["unit"] == "share" and low >= 0 and high <= 1:
        return [Decimal(0), Decimal(100)]
    sizes = sorted(abs(Decimal(row["value"])) for row in known if Decimal(row["value"]))
    if len(sizes) >= 3 and sizes[len(sizes) // 2]:
        far = 6 * sizes[len(sizes) // 2]
        low, high = max(low, -far), min(high, far)
    return [_shown(str(low), known[0]["unit"]), _shown(str(high if high > low else low + 1), known[0]["unit"])]


@rule(MEASURE, "sentence", r".*Scale: # .*to #.*")
def _first_scale(page: Page, place: Place) -> Sequence[Value]:
    """The scale of one of the pictures, each of the bodies that a table below lists."""
    year = next(iter(_measured(page).values()))
    return _one_of(place, [_scale(rows) for rows in _pictured(page, year, r"bodies-caption-.*")])


@rule(LIST, "sentence", r".*Scale: # .*to #.*")
def _list_scale(page: Page, place: Place) -> Sequence[Value]:
    year, kind, figure = _listed(page)
    number = re.search(r"-(\d+)\.html", page.key)
    rows = sorted(year.of(figure, kind, whole=True), key=lambda row: (row["body_name"].casefold(), row["body"]))
    start = 40 * (int(number[1]) - 1 if number and not figure.endswith(f"-{number[1]}") else 0)
    return _scale(rows[start : start + 40])


def _pictured(page: Page, year: MeasuredYear, caption: str) -> Iterator[list[Row]]:
    """The rows of each headline, by the kind of body; as many as the page shows itself."""
    for one in year.definition["figures"]:
        if not one.get("headline"):
            continue
        room = 40
        kinds = sorted({*kinds_of(page.published.store).values(), "other"})
        order = sorted(kinds, key=lambda kind: (-len({row["body"] for row in year.rows
                       if kinds_of(page.published.store).get(row["body"], "other") == kind}), kind))  # fmt: skip
        for kind in order:
            rows = sorted(
                year.of(one["id"], kind, whole=True), key=lambda row: (row["body_name"].casefold(), row["body"])
            )
            if any(row["status"] != "withheld" and row["value"] for row in rows[:room]):
                yield rows[:room]
            room -= len(rows[:room])


# --- profiles -----------------------------------------------------------------------------------------------------


def _of_body(page: Page, measure: str) -> list[tuple[str, list[Row]]]:
    """The rows of a measure about the body of a profile, by year, newest first."""
    slug = page.key.split("/")[1]
    found = []
    for name, year in measured_years(page.published.store)[measure].items():
        if rows := [row for row in year.rows if row["body"] == slug]:
            found.append((name, rows))
    return found


def _split(page: Page, name: str) -> tuple[str, str]:
    """The measure and the figure in the id of a caption."""
    for measure, years in measured_years(page.published.store).items():
        figures = {one["id"] for one in next(iter(years.values())).definition["figures"]}
        figure = name.removeprefix(f"{measure}-")
        if name.startswith(f"{measure}-") and figure in figures:
            return measure, figure
    raise AssertionError(f"{name} is no measure and figure")


@rule(PROFILE, "cell", "caption-.*", "Value|Bounds|Possible rank")
def _profile_figures(page: Page, place: Place) -> Sequence[Value]:
    measure = place.names[0].removeprefix("caption-")
    years = measured_years(page.published.store)[measure]
    titles = {one["title"]: one["id"] for one in next(iter(years.values())).definition["figures"]}
    rows = [row for row in _of_body(page, measure)[0][1] if row["figure"] == titles[place.names[2]] and not row["item"]]
    return _one_of(place, [_cell(row, place.names[1]) for row in rows])


@rule(PROFILE, "cell", "items-.*", "Value|Bounds|Item")
def _profile_items(page: Page, place: Place) -> Sequence[Value]:
    measure, figure = _split(page, place.names[0].removeprefix("items-"))
    rows = [row for row in _of_body(page, measure)[0][1] if row["figure"] == figure and row["item"]]
    return _one_of(place, [_cell(row, place.names[1]) for row in rows if _is_line(row, place)])


@rule(PROFILE, "cell", "trend-.*", "Value|Bounds")
def _profile_trend(page: Page, place: Place) -> Sequence[Value]:
    measure, figure = _split(page, place.names[0].removeprefix("trend-"))
    first = re.findall(r"\d{4}", place.names[2])[0]
    rows = next(rows for year, rows in _of_body(page, measure) if year.startswith(first))
    return _cell(next(row for row in rows if row["figure"] == figure and not row["item"]), place.names[1])


@rule(PROFILE, "caption", r".*: the (?:largest|next) # of #")
def _profile_shown(page: Page, place: Place) -> Sequence[Value]:
    """How many items of a figure a table shows, and how many there are."""
    told: list[list[Value]] = []
    for measure, years in measured_years(page.published.store).items():
        found = _of_body(page, measure)
        for one in next(iter(years.values())).definition["figures"] if found else ():
            count = sum(row["figure"] == one["id"] and row["item"] != "" for row in found[0][1])
            name = f"items-{measure}-{one['id']}"
            lines = {other.line for other in page.places if other.names[0] == name}  # a withheld item has no figure
            told += [[most, count] for most in (1, 3, 5, 8) if len(lines) <= most < count]
    return _one_of(place, told)


@rule(PROFILE, "caption", r".*# more figures? in the download")
def _profile_more(page: Page, place: Place) -> Sequence[Value]:
    counts = []
    for measure in measured_years(page.published.store):
        found = _of_body(page, measure)
        whole = sum(not row["item"] for row in found[0][1]) if found else 0
        counts.append([whole - ON_PROFILE])
    return _one_of(place, counts)


@rule(PROFILE, "sentence", r".*alf of the # .* with a value lie between # .*and #.* The middle one is at #.*")
def _profile_peers(page: Page, place: Place) -> Sequence[Value]:
    rows = [
        row
        for measure in measured_years(page.published.store)
        for _, rows in _of_body(page, measure)[:1]
        for row in rows
    ]
    return _peers_in(place, rows)


@rule(PROFILE, "sentence", r".*its bounds, from # .*to #.*")
def _profile_scale(page: Page, place: Place) -> Sequence[Value]:
    scales = []
    for measure, years in measured_years(page.published.store).items():
        figures = [one["id"] for one in next(iter(years.values())).definition["figures"]
                   if one.get("headline") and one["unit"] == "share"]  # fmt: skip
        for _, rows in _of_body(page, measure)[:1]:
            drawn = [row for row in rows if row["figure"] in figures and not row["item"]]
            if any(row["status"] != "withheld" and row["value"] for row in drawn):
                scales.append(_scale(drawn))
    return _one_of(place, scales)
