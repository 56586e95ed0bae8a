"""Findings explained: for `piperoll explain`, and for docs/findings.md, which `make findings-page` writes."""

from __future__ import annotations

import sys
from itertools import groupby

from piperoll.findings import FindingType, finding_types

_SEVERITIES = {"error": "Error", "warning": "Warning", "info": "Information"}
_ACTORS = {"body": "You need to act", "platform": "We need to act"}
_NO_ACTION = "You do not need to act"
_HOLDS = {"nothing": "Nothing is held", "row": "The row is held", "file": "The file is held"}

_INTRODUCTION = """\
# Findings

Every finding that a report can have, with what it means and what to do. `piperoll explain CODE` prints the same.

- An **error** must be fixed: we cannot publish a row, or the whole file, until you do.
- A **warning** should be fixed next time. The row is published, unless the entry says that it is held.
- **Information** tells you what we did with your file.

This page is made from `findings/*.toml`: change the entries there, and run `make findings-page`.
"""


def describe_finding_type(entry: FindingType) -> str:
    """An entry as Markdown: severity, who acts and what it holds on one line, then the explanation."""
    severity = " or ".join(_SEVERITIES[str(one)] for one in entry.severities).capitalize()
    informative = [str(one) for one in entry.severities] == ["info"]
    actors = "; ".join(_NO_ACTION if informative and str(one) == "body" else _ACTORS[str(one)] for one in entry.acts)
    holds = "The file is rejected" if entry.rejects else _HOLDS[entry.holds]
    return f"{severity}. {actors}. {holds}.\n\n{entry.explanation}"


def render_findings_page() -> str:
    """The content of docs/findings.md: a section for each topic, its entries in alphabetical order."""
    entries = sorted(finding_types().values(), key=lambda entry: (entry.topic, entry.code))
    parts = [_INTRODUCTION]
    for topic, group in groupby(entries, key=lambda entry: entry.topic):
        parts.append(f"## {topic.replace('_', ' ').capitalize()}\n")
        parts += [f"### {entry.code}\n\n{describe_finding_type(entry)}\n" for entry in group]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(render_findings_page())
