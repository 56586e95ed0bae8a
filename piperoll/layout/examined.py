"""The keys of what files were last examined by: `collected/examined-by/`."""

from __future__ import annotations

from piperoll.layout.records import COLLECTED

EXAMINED_BY = f"{COLLECTED}examined-by/"
"""The prefix of what the files of each dataset and body were last examined by. Private."""


def examined_by(dataset: str, body: str, basis: str) -> str:
    """An empty object: files of a body were last examined by these rules, register entry and answers. Private."""
    return f"{EXAMINED_BY}{dataset}/{body}/{basis}"


def parse_examined_by(key: str) -> tuple[str, str, str]:
    """The dataset, body and basis that a key made by `examined_by` names."""
    dataset, body, basis = key.removeprefix(EXAMINED_BY).split("/")
    return dataset, body, basis
