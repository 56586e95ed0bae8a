"""The pages about suppliers: one for each, the lists of a group, and the index of all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from piperoll import assets, layout
from piperoll.describing import urls
from piperoll.describing.charts import DrawnChart, draw_chart, rows_link
from piperoll.describing.context import InContext
from piperoll.describing.overview import Overview
from piperoll.describing.pages.compare_pages import sum_json
from piperoll.describing.pages.rendering import paginate, render_page
from piperoll.describing.release_summary import Bar, BarLayout, BarMeasure, Chart
from piperoll.describing.suppliers import (
    KNOWN_CLASSES,
    LEAST_BODIES,
    LEAST_POUNDS,
    Payee,
    Supplier,
    SupplierDigest,
    digest_supplier,
    find_largest,
    latest_series,
)
from piperoll.describing.wording import format_count, format_number
from piperoll.describing.year_figures import RowSum
from piperoll.model import Period, Series, format_decimal, to_compact_json_bytes

MOST_LARGEST = 100
"""Suppliers in the list of the largest."""

MOST_YEARS = 4
"""Financial years that a page has a column for: the latest. The JSON file has all."""

MOST_MONTHS = 24
"""Months in the chart and its table: the latest."""

MOST_LINKS = 2
"""Links to rows for each body: to those of the latest year."""

MOST_LINKS_OF_ONE = 3
"""Links to rows in the list, for a supplier that one body pays."""

MOST_LISTED = 50
"""Suppliers on a page of a list: those that are shown whole take up to 2 kB each."""

MOST_SPELLINGS = 40
"""Spellings that a page shows, the most common first. The JSON file has all."""

MOST_CONTRACTS = 60
"""Contracts that a page shows, those that end last first. The JSON file has more."""


@dataclass(frozen=True, slots=True)
class Payer:
    """One body that pays a supplier: in all, by year and month, and links to its rows."""

    slug: str
    name: str
    total: RowSum
    years: dict[str, RowSum]
    months: dict[str, RowSum]
    rows: list[tuple[Series, str, int]]


@dataclass(frozen=True, slots=True)
class ListedSupplier:
    """A supplier in the list of its group: the bodies that pay it, and other spellings, of one that `fits_list`."""

    digest: SupplierDigest
    payers: Sequence[Payer] = ()
    spellings: Sequence[str] = ()


def render_suppliers(
    context: InContext, letters: str, suppliers: Collection[Supplier], changed: Collection[str]
) -> Iterator[tuple[str, bytes | None]]:
    """Render the pages of a group: the content of those of suppliers that have not `changed` is None.

    Suppliers whose line in the list shows all of them have, at the address of their page, a link to the line.
    """
    listed = sorted((one for one in suppliers if one.has_page), key=lambda one: (one.title.casefold(), one.key))
    public = [one for one in suppliers if one.has_page or one.payee_class in KNOWN_CLASSES]
    yield layout.supplier_figures(letters), _write_figures(letters, public)
    for page in paginate(listed, layout.supplier_list(letters), MOST_LISTED) if listed else ():
        lines = [_list_supplier(one) for one in page.lines]
        figures = layout.supplier_figures(letters)
        values = {"lines": lines, "letters": letters, "figures": figures, "rows_of": partial(_rows_of, page.key)}
        yield render_page(context, page.key, "supplier_list.html", page=page, **values)
        for supplier in page.lines:
            if supplier.fits_list:
                own = layout.supplier_page(supplier.key)
                yield render_page(context, own, "supplier_listed.html", supplier=supplier, list=page.key)
            elif supplier.key in changed:
                yield from _render_supplier(context, supplier)
            else:
                yield from ((key, None) for key in _supplier_keys(supplier))


def find_supplier_pages(letters: str, suppliers: Iterable[Supplier]) -> Iterator[tuple[Supplier, str]]:
    """Yield the suppliers of a group that have a page, each with the key that shows it: its own, or its line."""
    listed = sorted((one for one in suppliers if one.has_page), key=lambda one: (one.title.casefold(), one.key))
    for page in paginate(listed, layout.supplier_list(letters), MOST_LISTED):
        for supplier in page.lines:
            own = layout.supplier_page(supplier.key)
            yield supplier, f"{page.key}#{layout.supplier_slug(supplier.key)}" if supplier.fits_list else own


def _list_supplier(supplier: Supplier) -> ListedSupplier:
    digest = digest_supplier(supplier)
    if not supplier.fits_list:
        return ListedSupplier(digest)
    links = MOST_LINKS if len(supplier.payers) > 1 else MOST_LINKS_OF_ONE
    payers = [_describe_payer(supplier.names[slug], slug, supplier.payees[slug], [], links) for slug in supplier.payers]
    others = [spelling for spelling, _ in supplier.spellings if spelling != supplier.title]
    return ListedSupplier(digest, payers, others)


def render_index(overview: Overview) -> Iterator[tuple[str, bytes]]:
    """Render the index of all suppliers: the largest, and for each letter the lists of groups."""
    by_letter: dict[str, list[tuple[str, int]]] = {}
    for letters, group in sorted(overview.suppliers.items()):
        if group.suppliers:
            by_letter.setdefault(letters[0], []).append((letters, group.suppliers))
    counts = {letter: sum(count for _, count in groups) for letter, groups in by_letter.items()}
    largest = find_largest(overview.suppliers.values(), MOST_LARGEST)
    rule = {"bodies": LEAST_BODIES, "pounds": LEAST_POUNDS}
    yield render_page(overview, layout.SUPPLIERS, "suppliers.html", counts=counts, largest=largest, rule=rule)
    for letter, groups in by_letter.items():
        page = layout.supplier_letter_page(letter)
        yield render_page(overview, page, "supplier_letter.html", letter=letter, groups=groups, counts=counts)


def _supplier_keys(supplier: Supplier) -> list[str]:
    first = layout.supplier_page(supplier.key)
    return [page.key for page in paginate(supplier.payers, layout.list_page(first, "bodies"))]


def _render_supplier(context: InContext, supplier: Supplier) -> Iterator[tuple[str, bytes]]:
    first = layout.supplier_page(supplier.key)
    years = supplier.years[:MOST_YEARS]
    payers = [_describe_payer(supplier.names[slug], slug, supplier.payees[slug], years) for slug in supplier.payers]
    months = {month: one for month, one in supplier.month_sums().items() if month}
    for page in paginate(payers, layout.list_page(first, "bodies")):
        yield render_page(
            context,
            page.key,
            "supplier.html",
            supplier=supplier,
            page=page,
            years=[(year, supplier.year_sum(year)) for year in years],
            further_years=len(supplier.years) - len(years),
            drawn=_draw_months(context, months),
            months=(next(iter(months), None), next(reversed(months), None)),
            without_month=supplier.month_sums().get("", RowSum()),
            spellings=supplier.spellings[:MOST_SPELLINGS],
            further_spellings=len(supplier.spellings) - MOST_SPELLINGS,
            contracts=supplier.contracts[:MOST_CONTRACTS],
            further_contracts=len(supplier.contracts) - MOST_CONTRACTS,
            contract_page=partial(_contract_page, page.key),
            rows_of=partial(_rows_of, page.key),
            figures=layout.supplier_figures(layout.supplier_letters(supplier.key)),
        )


def _describe_payer(name: str, slug: str, payee: Payee, years: list[str], links: int = MOST_LINKS) -> Payer:
    latest = [one for year in sorted(payee.years, reverse=True) for one in latest_series(payee.years[year])]
    return Payer(
        slug=slug,
        name=name,
        total=payee.total,
        years={year: payee.years[year].total for year in years if year in payee.years},
        months=payee.month_sums(),
        rows=latest[:links],
    )


def _rows_of(here: str, series: Series, spelling: str) -> str:
    """The link to the rows of a series with a spelling of the supplier."""
    search = assets.shown(series.dataset)["search"]
    bar = Bar(spelling, None, 0, ((search, "is", spelling),))
    return urls.link(layout.series_page(series), here) + rows_link(bar)


def _contract_page(here: str, series: str) -> str:
    return urls.link(layout.series_page(Series.parse(series)), here)


def _draw_months(context: InContext, months: dict[str, RowSum]) -> DrawnChart | None:
    """The chart of pounds by month, of all bodies; None if there are fewer than two months."""
    names = sorted(months)[-MOST_MONTHS:]
    if len(names) < 2:
        return None
    dataset = next(one for one in context.datasets if assets.shown(one.name)["adds_up"])
    every = Period.months_of(Period.parse(names[0]).start, Period.parse(names[-1]).end)
    shown = [str(month) for month in every.months()][-MOST_MONTHS:]
    bars = tuple(
        Bar(Period.parse(month).title, months[month].amount, months[month].rows, ())
        if month in months
        else Bar(Period.parse(month).title, None, 0, ())
        for month in shown
    )
    rows = sum(bar.rows for bar in bars)
    chart = Chart(
        name="months",
        title="Pounds by month, from all bodies",
        shape=BarLayout.TIME.value,
        measure=BarMeasure.SUM.value,
        by="",
        of=dataset.amount[0],
        rows=rows,
        measured=rows,
        bars=bars,
    )
    drawn, whole = draw_chart(chart, dataset, lambda _: "", by="Month"), sum(one.rows for one in months.values())
    if rows == whole:
        return drawn
    coverage = f"Covers the latest {MOST_MONTHS} months: {format_number(rows)} of {format_count(whole, 'row')}."
    return replace(drawn, coverage=coverage)


def _write_figures(letters: str, suppliers: Iterable[Supplier]) -> bytes:
    """The figures of the suppliers of a group, as JSON: all organisations, also those too small for a page."""
    return to_compact_json_bytes({"letters": letters, "suppliers": {one.key: _supplier_json(one) for one in suppliers}})


def _supplier_json(supplier: Supplier) -> dict[str, Any]:
    return {
        "title": supplier.title,
        "payee_class": supplier.payee_class,
        "page": supplier.has_page,
        **sum_json(supplier.total),
        "spellings": dict(supplier.spellings),
        "bodies": {
            slug: {
                year: {
                    **sum_json(one.total),
                    "months": {month or "unknown": sum_json(paid) for month, paid in one.months.items()},
                    "series": {series: sum(names.values()) for series, names in one.series.items()},
                }
                for year, one in payee.years.items()
            }
            for slug, payee in supplier.payees.items()
            if payee.years
        },
        "contracts": [
            {
                "body": slug,
                "title": one.title,
                "reference": one.reference,
                "value_gbp": None if one.value is None else format_decimal(one.value),
                "start": one.start or None,
                "end": one.end or None,
                "series": one.series,
            }
            for slug, one in supplier.contracts
        ],
    }
