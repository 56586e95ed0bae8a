"""Render templates: the template environment, lists divided into pages, static files and security policies.

Everything is escaped, links are relative, and a name that a template does not know is an error.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Generic, TypeVar

from jinja2 import Environment, StrictUndefined

from piperoll import assets, layout
from piperoll.describing import measure_wording, page_wording, urls, wording, year_figures
from piperoll.describing.context import InContext
from piperoll.describing.overview import describe_outstanding, describe_waiting_pounds
from piperoll.describing.pages.compact_templates import CompactTemplates
from piperoll.model import KINDS, Report, Series, describe_period

T = TypeVar("T")

PAGE_LINES = 100
"""Lines of a list on one page: about 40 kB."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Content-Security-Policy of every page: nothing loads from another server, and no inline script runs."""

FILTERS: dict[str, Callable[..., Any]] = {
    "pounds": wording.format_pounds,
    "number": wording.format_number,
    "held_pounds": wording.format_held,
    "waiting_pounds": describe_waiting_pounds,
    "outstanding": describe_outstanding,
    "shorten": page_wording.shorten,
    "statement": page_wording.describe_statement,
    "cell": page_wording.format_cell,
    "share": page_wording.format_share,
    "source": page_wording.describe_source,
    "change": wording.format_change,
    "counted": wording.format_count,
    "day": wording.format_day,
    "size": wording.format_size,
    "missing_address": wording.describe_missing_address,
    "held_value": wording.describe_held_value,
    "in_words": wording.explain_report,
    "excluded": wording.describe_excluded,
    "purpose": wording.describe_file,
    "kind": wording.name_kind,
    "kinds": wording.name_kinds,
    "kind_of_body": wording.describe_kind,
    "period": describe_period,
    "lower_first": wording.lower_first,
    "capitalize_first": wording.capitalize_first,
    "interval": wording.describe_interval,
    "due_rule": wording.describe_due_rule,
    "large_pounds": year_figures.round_large_pounds,
    "year": year_figures.year_title,
    "measured": measure_wording.format_value,
    "bounds": measure_wording.describe_bounds,
    "rank_band": measure_wording.describe_rank,
    "peers": measure_wording.describe_peers,
    "sentence": measure_wording.write_sentence,
}

GLOBALS: dict[str, Any] = {
    "layout": layout,
    "urls": urls,
    "policy": POLICY,
    "part_title": wording.part_title,
    "states": wording.STATES,
    "statuses": wording.STATUSES,
    "levels": wording.LEVELS,
    "verdicts": wording.VERDICTS,
    "waits_for": page_wording.WAITS_FOR,
    "causes": wording.CAUSES,
    "concerns": wording.CONCERNS,
    "describe_changes": wording.describe_changes,
    "describe_ending": wording.describe_ending,
    "series_of": Series.parse,
    "payee_field": year_figures.payee_field,
    "payee_groups": year_figures.PAYEES,
    "because_words": year_figures.BECAUSE,
    "least_months": year_figures.LEAST_MONTHS,
    "most_services": year_figures.MOST_SERVICES,
    "class_words": year_figures.PAYEE_CLASSES,
    "figure_statuses": measure_wording.STATUS_WORDS,
    "unit_words": measure_wording.UNIT_WORDS,
    "shared_reasons": measure_wording.shared_reasons,
    "coverage_words": measure_wording.describe_coverage,
}

_STATIC_FILES = (
    *("style.css", "icon.svg", "scripts/copy.js", "scripts/rows.js", "scripts/search.js", "scripts/sort.js"),
    *("vendor/parquet.js", "vendor/README.md"),
)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=CompactTemplates(assets.folder("catalogue")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False, "separators": (",", ":")}
    environment.filters |= FILTERS
    environment.globals |= GLOBALS
    return environment


def render_page(source: InContext, key: str, template: str, **values: Any) -> tuple[str, bytes]:
    """Render the page under `key`; the template gets `source` as `holdings`, and `values`.

    `link` makes a link to a key; by default a relative one.
    """
    page = _environment().get_template(template)
    return key, page.render(**{"holdings": source, "here": key, "link": partial(urls.link, here=key)} | values).encode()


_CONTROLS = dict.fromkeys({*range(32), *range(127, 160)} - {*b"\t\n\r"}, "\ufffd")
"""Control characters, which HTML does not allow; the name of a file can have them."""


def render_report_page(report: Report) -> str:
    """Render a report as one self-contained HTML file, for the officer who sent the file."""
    style = read_style()
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'none'; base-uri 'none'"
    page = _environment().get_template("report.html").render(report=report, style=style, own_policy=policy)
    return page.translate(_CONTROLS)


def render_upload_page(max_bytes: int) -> str:
    """Render the page of the API to upload a file. It works without scripts, by keyboard and on a phone."""
    return (
        _environment()
        .get_template("check.html")
        .render(
            datasets=assets.datasets(),
            bodies=sorted((body for body in assets.register() if body.valid_to is None), key=lambda body: body.name),
            body_kinds=KINDS,
            style=read_style(),
            megabytes=max_bytes // 1_000_000,
        )
    )


def render_problem_page(kind: str, message: str) -> str:
    """Render an error of the upload page for a person: what is wrong, and what to do. `kind` is that of the problem."""
    heading, steps = page_wording.describe_problem(kind)
    sentence = message[:1].upper() + message[1:].rstrip(".") + "."
    return (
        _environment()
        .get_template("problem.html")
        .render(heading=heading, steps=steps, sentence=sentence, style=read_style())
    )


def read_style() -> str:
    """Read the stylesheet of all pages."""
    return (assets.folder("catalogue") / "style.css").read_text("utf-8")


def list_static_files() -> Iterator[tuple[str, bytes]]:
    """Yield the stylesheet, the scripts, and vendored scripts with their licences as plain text."""
    folder = assets.folder("catalogue")
    for name in _STATIC_FILES:
        yield layout.CATALOGUE + name.replace("README.md", "LICENCES.txt"), (folder / name).read_bytes()


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """One page of a list: its number from 1, the keys of all pages, its lines, and the number of lines in all."""

    number: int
    keys: tuple[str, ...]
    lines: Sequence[T]
    total: int

    @property
    def key(self) -> str:
        """The key of this page."""
        return self.keys[self.number - 1]


def paginate(lines: Sequence[T], key: Callable[[int], str], most: int = PAGE_LINES) -> list[ListPage[T]]:
    """Divide a list into pages of `most` lines; an empty list has one page.

    `key` makes the key of a page from its number.
    """
    count = max(1, -(-len(lines) // most))
    keys = tuple(key(number) for number in range(1, count + 1))
    return [ListPage(n + 1, keys, lines[n * most : (n + 1) * most], len(lines)) for n in range(count)]
