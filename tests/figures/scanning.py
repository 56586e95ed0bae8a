"""Find every figure that a reader of a page sees, and where it stands.

A figure is a number in the visible text of a page, other than in dates, periods, names of files and code. Its place is
what a reader would call it: the column and the line of a table, the term of a list, or the sentence with `#` for each
figure. So a figure that is new on a page is found without anyone having marked it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from lxml import html

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_SHORT = "|".join(name[:3] for name in _MONTHS.split("|"))
_NO_FIGURES = re.compile(
    rf"""
    \d{{4}}-\d\d-\d\dT[\d:.]+Z              # instants
    | \d{{4}}-\d\d--\d{{4}}-\d\d           # ranges of months
    | \d{{4}}-(?:\d\d-\d\d|\d\d|Q\d)\b     # days, months, years, quarters
    | (?<![.,])\b\d{{1,2}}\ (?:{_MONTHS})(?:\ \d{{4}})?   # not the pence before a month
    | \b(?:{_MONTHS})\ \d{{4}}(?:-\d\d\b)?
    | \b\d{{1,2}}\ (?:{_SHORT})\b | \b(?:{_SHORT})\ \d\d\b   # 5 Oct and Oct 26 below columns
    | \b[\w()+-]+\.(?:csv|xlsx|xls|ods|json|parquet|html)\b
    | \bUTF-8\b | \bsha256\b | \bDCAT\ \d | \bA\ to\ Z\b
    """,
    re.VERBOSE,
)
_FIGURE = re.compile(
    r"(?P<sign>[-+]?)(?P<pounds>£?)(?P<digits>\d[\d,]*(?:\.\d+)?)"
    r"(?P<unit>\s?%| ?(?:thousand|million|billion|[kMGT]B)\b)?"
)
_SKIPPED = {"script", "style", "code", "pre", "template", "noscript", "option", "head"}
_BLOCKS = {
    *("td", "th", "dt", "dd", "p", "li", "caption", "h1", "h2", "h3", "h4", "summary", "figcaption", "label", "div"),
    *("a", "small", "button", "text", "title"),
}
"""Elements whose text is read on its own; `a` and `small` only where they are not within a sentence."""
_INLINE = {"a", "small", "button"}


@dataclass(frozen=True)
class Figure:
    """A number as it is shown: exact pounds or counts, or rounded to `unit`."""

    text: str
    value: Decimal
    unit: str = ""

    @property
    def exact(self) -> bool:
        return self.unit == ""

    def shows(self, value: Decimal | int) -> bool:
        """Whether this is how `value` is shown: exactly, or rounded to the last digit that is shown."""
        scale = {"": 1, "%": 1, "thousand": 1000, "million": 10**6, "billion": 10**9}
        size = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | scale
        step = Decimal(1).scaleb(int(self.value.as_tuple().exponent)) * size[self.unit]
        shown = self.value * size[self.unit]
        return shown == Decimal(value) if self.exact else abs(shown - Decimal(value)) * 2 <= step


@dataclass(frozen=True)
class Place:
    """Where figures stand: the page, the kind of place, its names, and the figures in their order."""

    page: str
    kind: str
    names: tuple[str, ...]
    figures: tuple[Figure, ...]
    text: str
    columns: tuple[str, ...] = ()
    """For a cell, the headings of its table."""
    link: str = ""
    """For a cell, where the heading of its line leads: a key below `catalogue/`."""
    line: tuple[str, ...] = ()
    """For a cell, the texts of all cells of its line."""
    heading: str = ""
    """The last heading before it."""

    def __str__(self) -> str:
        return f"{self.page}: {self.kind} {' | '.join(self.names)} = {' '.join(one.text for one in self.figures)}"


def figures_in(text: str) -> tuple[Figure, ...]:
    """The figures of a text, in their order."""
    found = []
    for match in _FIGURE.finditer(_NO_FIGURES.sub(" ", text)):
        digits = match["digits"].rstrip(",")
        value = Decimal(digits.replace(",", "")) * (-1 if match["sign"] == "-" and _signed(match) else 1)
        found.append(Figure(match[0].strip(), value, (match["unit"] or "").strip()))
    return tuple(found)


def _signed(match: re.Match[str]) -> bool:
    """Whether a dash before the digits is a sign, and not a hyphen of a word."""
    return not re.search(r"[\w)]\Z", match.string[: match.start()])


def pattern_of(text: str) -> str:
    """A text with `#` in place of each figure."""
    return re.sub(r"\s+", " ", _FIGURE.sub("#", _NO_FIGURES.sub("@", text))).strip()


def scan_page(page: str, content: bytes, quoted: Sequence[str] = ()) -> Iterator[Place]:
    """Yield every place on a page that shows figures other than those in the texts that are `quoted`, longest first."""
    for place in _scan(page, content):
        text = place.text
        for quote in quoted:
            if quote in text:
                text = text.replace(quote, " @ ")
        if text == place.text:
            yield place
        elif found := figures_in(text):
            own = pattern_of(text)
            names = place.names if place.kind == "cell" else (*place.names[:-1], own)
            yield replace(place, names=names, figures=found, text=text)


def _scan(page: str, content: bytes) -> Iterator[Place]:
    document = html.fromstring(content)
    (main,) = document.xpath("//main") or [document]
    heading = ""
    for element in main.iter():
        if isinstance(element.tag, str):
            heading = read_text(element) if element.tag in ("h1", "h2", "h3") else heading
            for place in _scan_element(page, element):
                yield replace(place, heading=heading)
    title = document.findtext(".//title") or ""
    yield from _place(page, "page title", (pattern_of(title),), title)
    for meta in document.xpath("//meta[@name='description' or starts-with(@property, 'og:')]"):
        text = meta.get("content") or ""
        yield from _place(page, "description", (pattern_of(text),), text)


def _scan_element(page: str, element: html.HtmlElement) -> Iterator[Place]:
    if element.tag == "table":
        yield from _scan_table(page, element)
    elif element.tag == "caption":
        yield from _place(page, "caption", (pattern_of(read_text(element)),), read_text(element))
    elif element.tag == "dl":
        for item in element.findall("div"):
            term, values = item.find("dt"), item.findall("dd")
            name = pattern_of(read_text(term, without={"small"}))
            yield from _place(page, "term", (name,), " ".join(read_text(one) for one in values))
            yield from _place(page, "aside", (name,), " ".join(read_text(one) for one in term.iter("small")))
    if not _within(element, {"table", "dl"} | _SKIPPED):
        if label := element.get("aria-label"):
            yield from _place(page, "drawn", (_figure_id(element), pattern_of(label)), label)
        if element.tag in _BLOCKS - _INLINE:
            yield from _scan_block(page, element)


def _scan_block(page: str, element: html.HtmlElement) -> Iterator[Place]:
    nested = _BLOCKS - _INLINE
    if element.tag == "div" and not (element.text or "").strip():
        return
    text = read_text(element, without=nested - {"title"} | {"table", "dl", "svg", "ul", "ol", "details", "nav"})
    kind = {"text": "drawn", "title": "drawn"}.get(element.tag, "sentence")
    names = (_figure_id(element), pattern_of(text)) if kind == "drawn" else (pattern_of(text),)
    yield from _place(page, kind, names, text)


def _scan_table(page: str, table: html.HtmlElement) -> Iterator[Place]:
    caption = table.find("caption")
    name = caption.get("id") or "" if caption is not None else ""
    columns = [read_text(cell) for cell in table.xpath("./thead/tr[last()]/*")]
    spanned: dict[int, tuple[int, str]] = {}
    for row in table.xpath("./tbody/tr | ./tfoot/tr"):
        cells: list[tuple[int, html.HtmlElement]] = []
        position = 0
        line = []
        for cell in row:
            while spanned.get(position, (0, ""))[0] > 0:
                left, text = spanned[position]
                spanned[position] = (left - 1, text)
                if text:
                    line.append(text)
                position += 1
            cells.append((position, cell))
            if (rows := int(cell.get("rowspan") or 1)) > 1:
                spanned[position] = (rows - 1, read_text(cell) if cell.tag == "th" else "")
            if cell.tag == "th":
                line.append(read_text(cell))
            position += int(cell.get("colspan") or 1)
        for at, cell in cells:
            column = columns[at] if at < len(columns) else ""
            names = (name, column, " / ".join(line))
            for place in _place(page, "cell", names, read_text(cell)):
                line_cells = tuple(read_text(one) for _, one in cells)
                yield replace(place, columns=tuple(columns), link=_link_of(page, row), line=line_cells)


def _place(page: str, kind: str, names: tuple[str, ...], text: str) -> Iterator[Place]:
    if found := figures_in(text):
        yield Place(page, kind, names, found, text)


def _link_of(page: str, row: html.HtmlElement) -> str:
    """The key that the first link in the headings of a line leads to; else that of its first link."""
    for address in [*row.xpath("./th//a/@href"), *row.xpath(".//a/@href")]:
        if "://" not in address:
            return posixpath.normpath(posixpath.join(posixpath.dirname(page), address.split("#")[0]))
    return ""


def read_text(element: html.HtmlElement, *, without: set[str] | frozenset[str] = frozenset()) -> str:
    """The visible text of an element, without code and hashes and the elements named."""
    pieces: list[str] = []

    def read(one: html.HtmlElement, *, top: bool = False) -> None:
        hidden = not isinstance(one.tag, str) or one.tag in _SKIPPED or "hash" in (one.get("class") or "").split()
        if not hidden and (top or one.tag not in without):
            pieces.append(" " if one.tag == "br" else one.text or "")
            for child in one:
                read(child)
        else:
            pieces.append(" ")
        if not top:
            pieces.append(one.tail or "")

    read(element, top=True)
    return re.sub(r"\s+", " ", "".join(pieces)).strip()


def _within(element: html.HtmlElement, tags: set[str]) -> bool:
    return any(one.tag in tags for one in (element, *element.iterancestors()))


def _figure_id(element: html.HtmlElement) -> str:
    """The id of the picture that an element is drawn in."""
    return next((one.get("id") or "" for one in element.iterancestors("figure")), "")
