"""Findings explained: for `piperoll explain`, and for docs/findings.md, which `make findings-page` writes."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

from piperoll import assets
from piperoll.findings import Holds, finding_types
from piperoll.model import Acts, Severity

_SEVERITIES = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Information"}
_HOLDS: Mapping[Holds, str] = {"nothing": "Nothing is held", "row": "The row is held", "file": "The file is held"}

_INTRODUCTION = """\
# Findings

Every finding that a report can have: what it means and what to do. `piperoll explain CODE` prints the same.

- An **error** must be fixed: we cannot publish the row, or the file, as it is.
- A **warning** should be fixed next time.
- **Information** tells you what we did with your file.

`make findings-page` writes this page from `findings/*.toml` and `expectations/*.json`: change the entries there.
"""


def explain_findings() -> dict[str, dict[str, str]]:
    """The explanation of every finding as Markdown, by topic and code."""
    topics: dict[str, dict[str, str]] = {}
    for code, entry in finding_types().items():
        severities = [_SEVERITIES[one] for one in entry.severities]
        if severities == ["Information"] and entry.acts == (Acts.BODY,):
            actor = "You do not need to act"
        else:
            actor = " or ".join("you" if one is Acts.BODY else "we" for one in entry.acts).capitalize() + " need to act"
        holds = "The file is rejected" if entry.rejects else _HOLDS[entry.holds]
        text = f"{' or '.join(severities).capitalize()}. {actor}. {holds}.\n\n{entry.explanation}"
        topics.setdefault(entry.topic, {})[code] = text
    return dict(sorted((topics | {"plausibility": _explain_expectations()}).items()))


def _explain_expectations() -> dict[str, str]:
    """The findings of the suites, which hold their own words and the reason for each limit."""
    severities = {"critical": "Error", "warning": "Warning", "info": "Information"}
    datasets: dict[str, list[str]] = {}
    expectations: dict[str, Mapping[str, Any]] = {}
    for dataset in assets.datasets():
        for expectation in json.loads(assets.suite(dataset.name))["expectations"]:
            code = expectation["meta"]["code"]
            datasets.setdefault(code, []).append(dataset.title)
            expectations[code] = expectation
    found = {}
    for code, one in sorted(expectations.items()):
        titles = datasets[code]
        heading = f"{severities[one['severity']]}. You need to act. Nothing is held. For: {', '.join(titles)}."
        reason = [f"Why this limit: {one['notes']}"] if len(titles) == 1 else []
        paragraphs = [heading, f"{one['meta']['message']} {one['meta']['fix']}", *reason]
        found[code] = "\n\n".join(textwrap.fill(text, 120) for text in paragraphs)
    return found


def render_findings_page() -> str:
    """The content of docs/findings.md: a section for each topic, with its entries in alphabetical order."""
    parts = [_INTRODUCTION]
    for topic, entries in explain_findings().items():
        parts.append(f"## {topic.replace('_', ' ').capitalize()}\n")
        parts += [f"### {code}\n\n{text}\n" for code, text in entries.items()]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(render_findings_page())
