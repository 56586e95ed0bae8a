"""Load templates without the bytes that HTML does not need, since many thousand pages are made from them.

HTML gives the same document without line breaks between blocks, the end tags of cells, rows and list items, and the
quotes of attributes that are one word. A template keeps all of these, for those who edit it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jinja2 import Environment, FileSystemLoader

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_MARK = re.compile("\ue000(\\d+)\ue001")
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)\b[^<>]*>")
_WORD_ATTRIBUTE = re.compile(r'(\s[a-zA-Z-]+)="([\w.-]+)"(?=[\s>])')
_OPTIONAL_END = re.compile(r"</(?:td|th|tr|li|dt|dd)>|</thead>(?=\s*<tbody)")
"""End tags that may always be left out: only another item or the end of the table or list comes after them."""

_BLOCKS = (
    "html head body meta link script title nav header footer main form section details summary figure figcaption "
    "ul ol li div dl dt dd table caption thead tbody tfoot tr td th h1 h2 h3 h4 p br svg rect line text"
)
_BLOCK = rf"</?(?:{'|'.join(_BLOCKS.split())})\b[^<>]*>"
_BREAK_AFTER = re.compile(rf"({_BLOCK})\n+")
_BREAK_BEFORE = re.compile(rf"(?<=[^\n\ue001])\n+(?={_BLOCK})")


class CompactTemplates(FileSystemLoader):
    """Loads the templates of a folder, reduced by `compact_template`."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The source of a template, its path, and whether it is unchanged."""
        source, path, unchanged = super().get_source(environment, template)
        return (compact_template(source) if template.endswith(".html") else source), path, unchanged


def compact_template(source: str) -> str:
    """Reduce the source of an HTML template; what Jinja has between its braces stays as it is."""
    pieces: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        pieces.append(match.group())
        return f"\ue000{len(pieces) - 1}\ue001"

    marked = _JINJA.sub(set_aside, source)
    marked = _BREAK_BEFORE.sub("", _BREAK_AFTER.sub(r"\1", marked))
    marked = _OPTIONAL_END.sub("", marked)
    marked = _TAG.sub(lambda tag: _WORD_ATTRIBUTE.sub(r"\1=\2", tag.group()), marked)
    return _MARK.sub(lambda mark: pieces[int(mark[1])], marked)
