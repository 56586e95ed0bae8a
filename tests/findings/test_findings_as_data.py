"""`findings/*.toml`: every entry is used, every finding is declared, values match templates, and messages read well."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from piperoll.commands.findings_page import render_findings_page
from piperoll.findings import FindingType, _MessageFormatter, finding_types

ROOT = Path(__file__).parents[2]
PACKAGES = ("piperoll", "publishers", "collectors", "flows", "hosting", "serving", "portal")
ENTRIES = finding_types()

ADDRESS = {"where", "Where", "sheet", "row", "line", "column", "field"}
"""Values that a template can use without the call passing them."""
OPTIONS = {"variant", "severity", "acts", "value", "count"}
"""Arguments of `make_finding` that are not values of a template."""

COMPUTED_CODES = {
    "piperoll/checking/examine_table.py",
    "piperoll/reading/cells/decisions.py",
    "piperoll/reading/columns/assignment.py",
    "piperoll/reading/files/opening.py",
    "piperoll/reading/tables/record_batches.py",
    "piperoll/reading/tables/table_findings.py",
}
"""The modules in which one call makes findings of several codes. Their messages are covered by tests of the modules."""


@dataclass(frozen=True)
class Call:
    """A call of `make_finding` in the source. `codes` and `variants` are empty if they are computed."""

    path: str
    line: int
    codes: tuple[str, ...]
    variants: tuple[str, ...]
    values: frozenset[str]
    passes_value: bool
    unpacks: bool

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


def literals(node: ast.expr) -> tuple[str, ...]:
    """The strings that an expression can be, if it is a string or a choice of strings."""
    match node:
        case ast.Constant(str(text)):
            return (text,)
        case ast.IfExp(_, then, otherwise) if literals(then) and literals(otherwise):
            return literals(then) + literals(otherwise)
    return ()


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


@cache
def calls() -> tuple[Call, ...]:
    found = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "make_finding":
                given = {keyword.arg: keyword.value for keyword in node.keywords}
                found.append(
                    Call(
                        path,
                        node.lineno,
                        literals(node.args[0]),
                        literals(given["variant"]) if "variant" in given else ("",),
                        frozenset(name for name in given if name is not None and name not in OPTIONS),
                        "value" in given,
                        None in given,
                    )
                )
    return tuple(found)


def literal_calls() -> list[Call]:
    return [call for call in calls() if call.codes]


def fields_of(template: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(template) if name}


def strings_in_source() -> set[str]:
    """Every string constant; of an f-string such as f"structure-{kind}", the codes that it can make."""
    found: set[str] = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                start = str(node.values[0].value)
                if re.fullmatch(r"[a-z-]+-", start):
                    found |= {code for code in ENTRIES if code.startswith(start)}
    return found


def codes_in_suites() -> set[str]:
    suites = [json.loads(path.read_text("utf-8")) for path in (ROOT / "expectations").glob("*.json")]
    return {expectation["meta"]["code"] for suite in suites for expectation in suite["expectations"]}


def codes_in_dataset_files() -> set[str]:
    """Codes that dataset files name, such as the warning of a heading."""
    texts = [path.read_text("utf-8") for path in (ROOT / "datapackages").rglob("*.json")]
    return {text for content in texts for text in re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', content)}


def test_every_entry_is_used() -> None:
    assert sorted(set(ENTRIES) - strings_in_source() - codes_in_dataset_files()) == []


def test_every_finding_is_declared() -> None:
    used = {code for call in calls() for code in call.codes}
    assert sorted(used - set(ENTRIES)) == []


def test_a_code_is_declared_once() -> None:
    """In an entry of findings/*.toml or in the suites, not in both."""
    assert set(ENTRIES) & codes_in_suites() == set()


def test_codes_are_computed_in_few_modules() -> None:
    assert {call.path for call in calls() if not call.codes} <= COMPUTED_CODES


@pytest.mark.parametrize("call", literal_calls(), ids=lambda call: call.place)
def test_the_values_of_a_call_match_its_template(call: Call) -> None:
    needed: set[str] = set()
    for code in call.codes:
        entry = ENTRIES[code]
        variants = [one for one in call.variants if one in entry.messages] or list(entry.messages)
        for variant in variants:
            needed |= fields_of(entry.messages[variant]) | fields_of(entry.fix(variant))
    known = {variant for code in call.codes for variant in ENTRIES[code].messages}
    assert set(call.variants) <= known, "no such variant"
    assert "value" not in needed or call.passes_value, "a template needs value="
    if not call.unpacks:
        assert needed - ADDRESS - {"value", "count"} == call.values


class AnyValue(dict[str, Any]):
    """Values for a template: every number is `count`, and every text is a word."""

    def __init__(self, template: str, count: int) -> None:
        specs = [(name, spec or "") for _, name, spec, _ in string.Formatter().parse(template) if name]
        numbers = {name for name, spec in specs if "|" in spec or spec.endswith((",", "d", "f"))}
        super().__init__({name: count if name in numbers else "Something" for name, _ in specs})


MESSAGES = [
    pytest.param(entry, variant, id=f"{entry.code}{variant and '-'}{variant}")
    for entry in ENTRIES.values()
    for variant in entry.messages
]


ALWAYS_SEVERAL = {
    "amount-not-in-pounds cells",
    "amounts-all-negative",
    "dates-of-another-epoch",
    "dates-outside-period some-named",
    "possible-total-rows rows-below",
    "row-too-long",
    "rows-published-before some-named",
    "rows-repeated nearly-all",
}
"""Messages, by code and variant, that are never about one row or cell."""


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("entry", "variant"), MESSAGES)
def test_a_message_reads_well_for_one_and_for_several(entry: FindingType, variant: str, count: int) -> None:
    if count == 1 and f"{entry.code} {variant}".strip() in ALWAYS_SEVERAL:
        return
    for template in (entry.messages[variant], entry.fix(variant)):
        text = _MessageFormatter().vformat(template, (), AnyValue(template, count))
        assert text == " ".join(text.split()), "extra spaces or line breaks"
        assert text[0].isupper() or text[0].isdigit() or text[0] in "'\u2018\u00a3", text
        assert text[-1] in ".?" or template.endswith("}"), text
        assert not set("{}|") & set(text), text
        singular, plural = r"(row|cell|line|column|sheet|table|file|amount|value)", r"(is|has|was)"
        if count == 1:
            assert not re.search(rf"\b1 {singular}s\b(?!'|\u2019)", text), text
            assert not re.search(rf"\b1 {singular} (are|have|were)\b", text), text
        else:
            assert not re.search(rf"\b3 {singular}\b(?!'|\u2019|-)", text), text
            assert not re.search(rf"\b3 {singular}s {plural}\b", text), text


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.code)
def test_an_entry_explains_what_to_do(entry: FindingType) -> None:
    assert len(entry.explanation.split()) >= 8
    assert set(entry.fixes) <= {"", *entry.messages}
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", entry.code)


def test_the_page_in_docs_is_made_from_the_entries() -> None:
    """If it fails: run `make findings-page`."""
    assert (ROOT / "docs" / "findings.md").read_text("utf-8") == render_findings_page()


@pytest.mark.parametrize(
    "entry", [each for each in ENTRIES.values() if each.holds != "nothing"], ids=lambda each: each.code
)
def test_what_is_held_has_a_way_out_that_the_fix_names(entry: FindingType) -> None:
    """Correct the cell, or tell the platform, whose operator releases the file or decides about the value."""
    way_out = r"\b(correct|remove|replace|write|give|put|send|check|answer|tell)\b"
    for variant in entry.messages:
        assert re.search(way_out, entry.fix(variant), re.I), entry.fix(variant)
    if re.search(r"tell us|it is (a business|another number)", " ".join(entry.fixes.values())):
        assert re.search(r"piperoll (decide|release)|whether it replaces", entry.explanation + entry.fix(variant))
