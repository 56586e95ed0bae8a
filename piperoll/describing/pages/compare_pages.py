"""The pages and files that compare the bodies of a dataset and financial year, and the figures of all years as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from statistics import median
from typing import Any

import msgspec

from piperoll import assets, layout
from piperoll.describing import urls
from piperoll.describing.charts import DrawnChart, draw_chart
from piperoll.describing.context import Holdings, InContext
from piperoll.describing.overview import Overview
from piperoll.describing.pages.rendering import paginate, render_page
from piperoll.describing.release_summary import Bar, BarLayout, BarMeasure, Chart
from piperoll.describing.wording import format_count, name_kinds
from piperoll.describing.year_figures import (
    ALL_MONTHS,
    LEAST_MONTHS,
    PAYEES,
    BodyYear,
    RowSum,
    YearFigures,
    add_figures,
    add_sums,
    latest_first,
    months_of_year,
)
from piperoll.model import Dataset, Period, format_decimal, to_compact_json_bytes

Files = Iterator[tuple[str, bytes]]

MOST_BARS = 30
"""Bodies in the chart of a kind: those with the most pounds a month."""

LEAST_SERVICE_BODIES = 2
"""A service is compared if at least this many bodies of a kind write it alike."""


@dataclass(frozen=True, slots=True)
class ComparedBody:
    """What a body contributes to the comparison of a year."""

    name: str
    kind: str
    population: int | None
    files: Mapping[str, Mapping[str, Any]]
    figures: YearFigures


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """One body in a table: its figures, or None where its coverage is not enough for one."""

    slug: str
    body: ComparedBody
    per_month: Decimal | None
    per_head: Decimal | None

    @property
    def figures(self) -> YearFigures:
        """The figures of the body."""
        return self.body.figures

    @property
    def why_no_month(self) -> str:
        """Why there is no figure for a month."""
        if self.figures.amount is None:
            return "no pounds"
        covered = len(self.figures.covered)
        return f"not enough: {covered} of {ALL_MONTHS} months" if covered else "no month covered"

    @property
    def why_no_head(self) -> str:
        """Why there is no figure per head."""
        if self.figures.amount is None:
            return "no pounds"
        if not self.body.population:
            return "population not known"
        return f"not enough: {len(self.figures.covered)} of {ALL_MONTHS} months"


@dataclass(frozen=True, slots=True)
class ComparedKind:
    """The bodies of one kind together; `typical` is the median of their pounds a month, `enough` how many have that."""

    kind: str
    figures: YearFigures
    enough: int
    typical: Decimal | None


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """What one body paid for a service that several bodies of a kind name alike; `share` is in percent of its total."""

    service: str
    slug: str
    name: str
    months: int
    rows: int
    amount: Decimal | None
    share: Decimal | None


def describe_body(holdings: Holdings, year: BodyYear) -> Any:
    """What a body contributes to the comparison of a year, as JSON values."""
    body = holdings.body
    return msgspec.to_builtins(ComparedBody(body.name, body.kind, body.population, year.files, year.figures))


def read_figures(members: Mapping[str, Any]) -> list[YearFigures]:
    """The figures of every body of a comparison."""
    return [msgspec.convert(one, ComparedBody).figures for one in members.values()]


def render_year(context: InContext, name: str, year: str, members: Mapping[str, Any]) -> Files:
    """Render everything that compares the bodies of a dataset and year."""
    dataset = context.dataset(name)
    lines = []
    for slug, contribution in members.items():
        body = msgspec.convert(contribution, ComparedBody)
        lines.append(ComparedLine(slug, body, body.figures.per_month, body.figures.per_head(body.population)))
    lines.sort(key=lambda line: (line.body.name.casefold(), line.slug))
    comparison = _Comparison(context, dataset, year, assets.shown(name)["adds_up"], tuple(lines))
    yield layout.comparison_file(name, year, "csv"), comparison.write_csv()
    yield layout.comparison_file(name, year, "json"), comparison.write_json()
    yield from comparison.all_pages()
    for kind in comparison.kinds:
        yield from comparison.kind_pages(kind.kind)


@dataclass(frozen=True)
class _Comparison:
    """The comparison of a dataset and year; `spending` is True if pounds of different months add up."""

    context: InContext
    dataset: Dataset
    year: str
    spending: bool
    lines: tuple[ComparedLine, ...]

    @property
    def months(self) -> tuple[str, ...]:
        return months_of_year(self.year)

    @property
    def kinds(self) -> list[ComparedKind]:
        found: dict[str, list[ComparedLine]] = {}
        for line in self.lines:
            found.setdefault(line.body.kind, []).append(line)
        kinds = []
        for kind, lines in sorted(found.items()):
            monthly = [line.per_month for line in lines if line.per_month is not None]
            typical = Decimal(median(monthly)).quantize(Decimal("0.01"), ROUND_HALF_EVEN) if monthly else None
            kinds.append(ComparedKind(kind, add_figures(line.figures for line in lines), len(monthly), typical))
        return kinds

    def all_pages(self) -> Files:
        first = layout.comparison_page(self.dataset.name, self.year)
        for page in paginate(self.lines, layout.list_page(first, "bodies")):
            yield self._render(
                page.key, "compared.html", page=page, kinds=self.kinds, whole=add_figures(map(_figures, self.lines))
            )

    def kind_pages(self, kind: str) -> Files:
        lines = [line for line in self.lines if line.body.kind == kind]
        services = self._services(lines)
        orders = [""]
        if self.spending:
            orders += ["by-amount", *(["months"] if self.months else []), *(["services"] if services else [])]
        drawn = self._draw(kind, lines) if self.spending else None
        whole = next(one for one in self.kinds if one.kind == kind)
        sorted_lines: dict[str, Sequence[Any]] = {
            "": lines,
            "by-amount": sorted(lines, key=_most_a_month_first),
            "months": lines,
            "services": services,
        }
        for order in orders:
            first = layout.comparison_page(self.dataset.name, self.year, kind, order)
            for page in paginate(sorted_lines[order], layout.list_page(first, "bodies")):
                yield self._render(
                    page.key,
                    "compared_kind.html",
                    page=page,
                    kind=kind,
                    order=order,
                    orders=orders,
                    whole=whole,
                    drawn=drawn if order in ("", "by-amount") and page.number == 1 else None,
                    month_titles=[Period.parse(month).title for month in self.months],
                )

    def _render(self, key: str, template: str, **values: Any) -> tuple[str, bytes]:
        return render_page(
            self.context,
            key,
            template,
            dataset=self.dataset,
            year=self.year,
            spending=self.spending,
            months=self.months,
            **values,
        )

    def _services(self, lines: Sequence[ComparedLine]) -> list[ServiceLine]:
        """What bodies pay for each service that several of them name alike, the largest service first."""
        found: dict[str, list[ServiceLine]] = {}
        for line in lines:
            for service, one in line.figures.services.items():
                whole = line.figures.amount
                share = one.amount * 100 / whole if one.amount is not None and whole and whole > 0 else None
                entry = ServiceLine(
                    " ".join(service.split()),
                    line.slug,
                    line.body.name,
                    len(line.figures.covered),
                    one.rows,
                    one.amount,
                    None if share is None else share.quantize(Decimal("0.1"), ROUND_HALF_EVEN),
                )
                found.setdefault(entry.service.casefold(), []).append(entry)
        alike = [ones for ones in found.values() if len({one.slug for one in ones}) >= LEAST_SERVICE_BODIES]
        alike.sort(key=lambda ones: (-(add_sums(RowSum(1, one.amount) for one in ones).amount or 0), ones[0].service))
        return [one for ones in alike for one in sorted(ones, key=lambda one: (-(one.amount or 0), one.slug))]

    def _draw(self, kind: str, lines: Sequence[ComparedLine]) -> DrawnChart | None:
        """The chart of pounds a month, largest first; None if fewer than two bodies have the figure."""
        shown = [line for line in sorted(lines, key=_most_a_month_first) if line.per_month is not None]
        if len(shown) < 2:
            return None
        bars = tuple(
            Bar(line.body.name, line.per_month, line.figures.rows, (("body", "is", line.slug),))
            for line in shown[:MOST_BARS]
        )
        rows = sum(bar.rows for bar in bars)
        few = f", the {MOST_BARS} with the most" if len(shown) > MOST_BARS else ""
        chart = Chart(
            name="per-month",
            title=f"Pounds a month: {name_kinds([kind])}{few}",
            shape=BarLayout.RANKED.value,
            measure=BarMeasure.SUM.value,
            by="",
            of=self.dataset.amount[0],
            rows=rows,
            measured=rows,
            bars=bars,
        )
        here = layout.comparison_page(self.dataset.name, self.year, kind)
        link = partial(urls.link, here=here)
        drawn = draw_chart(chart, self.dataset, lambda bar: link(layout.body_page(bar.conditions[0][2])), by="Body")
        few = format_count(len(lines) - len(shown), "body", "bodies")
        left = f" {few} without enough covered months {'is' if len(lines) - len(shown) == 1 else 'are'} left out."
        return replace(
            drawn,
            measured="Pounds a month",
            coverage=f"Of the covered months of {format_count(len(shown), 'body', 'bodies')}."
            + (left if len(shown) < len(lines) else ""),
        )

    def write_csv(self) -> bytes:
        """One line for each body, with exact figures; a cell is empty where coverage is not enough."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\r\n")
        groups = [group.replace("-", "_") for group in PAYEES]
        writer.writerow(
            (
                *("body", "name", "kind", "months_covered", "rows", "amount_gbp", "per_month_gbp"),
                *("population", "per_head_gbp", *(f"to_{group}_gbp" for group in groups)),
                *("undated_rows", "undated_gbp", "left_out_rows", "left_out_gbp", "overlapping_rows", *self.months),
            )
        )
        for line in self.lines:
            figures, left_out = line.figures, line.figures.left_out_sum
            writer.writerow(
                (
                    *(line.slug, line.body.name, line.body.kind, len(figures.covered), figures.rows),
                    *(_plain(figures.amount), _plain(line.per_month)),
                    *(line.body.population or "", _plain(line.per_head)),
                    *(_plain(figures.payees.get(group, RowSum()).amount) for group in PAYEES),
                    *(figures.undated.rows, _plain(figures.undated.amount)),
                    *(left_out.rows, _plain(left_out.amount), figures.overlapping),
                    *(_plain(figures.month(month).amount) for month in self.months),
                )
            )
        return stream.getvalue().encode()

    def write_json(self) -> bytes:
        """The figures of every body, and what they were made from."""
        bodies = [
            {
                "body": line.slug,
                "name": line.body.name,
                "kind": line.body.kind,
                "per_month_gbp": _json_pounds(line.per_month),
                "per_head_gbp": _json_pounds(line.per_head),
                **figures_json(line.figures),
                "files": line.body.files,
            }
            for line in self.lines
        ]
        return to_compact_json_bytes(
            {"dataset": self.dataset.name, "year": self.year, "rules": RULES, "bodies": bodies}
        )


RULES = {
    "months_covered": "months with a line in a table whose period includes the whole month",
    "per_month_gbp": f"pounds of the covered months for each of them, if at least {LEAST_MONTHS} are covered",
    "per_head_gbp": f"pounds of the year for each head, if all {ALL_MONTHS} months are covered",
    "parts": "parts are added up; lines that recur in several tables are counted once",
}
"""The rules that figures follow, for readers of the JSON files."""


def render_index(overview: Overview) -> tuple[str, bytes]:
    """Render the page that links to the comparison of each dataset and year, with a query over all bodies."""
    listed = [
        (overview.dataset(name), [(year, years[year]) for year in latest_first(years)])
        for name, years in sorted(overview.years.items())
    ]
    return render_page(overview, layout.COMPARE, "compare.html", years=listed, base_url=overview.base_url)


def write_body_figures(holdings: Holdings) -> tuple[str, bytes]:
    """The figures of a body by dataset and year, as JSON."""
    datasets = {
        dataset: {
            year: {
                **figures_json(one.figures),
                "account": urls.address(
                    holdings.base_url, layout.consolidated_file(dataset, year, one.files["json"]["path"])
                ),
            }
            for year, one in years.items()
        }
        for dataset, years in sorted(holdings.years.items())
    }
    document = {"body": holdings.body.slug, "name": holdings.body.name, "rules": RULES, "datasets": datasets}
    return layout.body_figures(holdings.body.slug), to_compact_json_bytes(document)


def write_all_figures(overview: Overview) -> tuple[str, bytes]:
    """The figures of all bodies together by dataset and year, as JSON."""
    datasets = {}
    for name, years in sorted(overview.years.items()):
        whole = overview.whole(name)
        datasets[name] = {
            "total": None if whole is None else {"years": list(whole.years), **figures_json(whole.figures)},
            "years": {year: figures_json(figures) for year, figures in sorted(years.items())},
        }
    return layout.FIGURES, to_compact_json_bytes({"rules": RULES, "datasets": datasets})


def figures_json(figures: YearFigures) -> dict[str, Any]:
    """Figures as JSON values; pounds are exact, as text."""
    document: dict[str, Any] = {
        "bodies": figures.bodies,
        "tables": figures.tables,
        **sum_json(figures.total),
        "parts": [{"part": part or None, **sum_json(one)} for part, one in figures.parts.items()],
        "payees": {group: sum_json(figures.payees.get(group, RowSum())) for group in PAYEES if figures.payees},
        "undated": sum_json(figures.undated),
        "left_out": [
            {"because": because, "series": list(out.series), **sum_json(RowSum(out.rows, out.amount))}
            for because, out in figures.left_out.items()
        ],
        "overlapping": {"rows": figures.overlapping, "row_periods": list(figures.row_periods)},
    }
    if figures.months:
        document["months_covered"] = list(figures.covered)
        document["months"] = {
            month: {group: sum_json(one) for group, one in groups.items()} for month, groups in figures.months.items()
        }
        document["services"] = {service: sum_json(one) for service, one in figures.services.items()}
    return document


def _figures(line: ComparedLine) -> YearFigures:
    return line.figures


def _most_a_month_first(line: ComparedLine) -> tuple[bool, Decimal, str]:
    return line.per_month is None, -(line.per_month or Decimal(0)), line.body.name.casefold()


def sum_json(one: RowSum) -> dict[str, Any]:
    """Rows and pounds as JSON values."""
    return {"rows": one.rows, "amount_gbp": _json_pounds(one.amount)}


def _json_pounds(amount: Decimal | None) -> str | None:
    return None if amount is None else format_decimal(amount)


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else format_decimal(amount)
