"""Graphs as JSON-LD and as Turtle, from the same nodes: dictionaries in the terms of `dcat_terms.CONTEXT`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from piperoll.describing.dcat_terms import CONTEXT

Node: TypeAlias = dict[str, Any]
"""`@id`, `@type`, and properties: text, a node, text with its `@language`, or a list of these."""

_PREFIXES = {name: value for name, value in CONTEXT.items() if isinstance(value, str)}
_TYPES = {name: value["@type"] for name, value in CONTEXT.items() if isinstance(value, dict)}
_NOT_IN_AN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')


def json_ld(nodes: Iterable[Node]) -> bytes:
    """The graph as JSON-LD, a node a line."""
    lines = ",\n".join(json.dumps(node, ensure_ascii=False) for node in nodes)
    return f'{{"@context": {json.dumps(CONTEXT)},\n"@graph": [\n{lines}\n]}}\n'.encode()


def turtle(nodes: Iterable[Node]) -> bytes:
    """The same graph as Turtle, in the same order."""
    prefixes = [f"@prefix {name}: <{value}> .\n" for name, value in _PREFIXES.items()]
    return "".join([*prefixes, *(f"\n{block}" for node in nodes for block in _blocks(node))]).encode()


def _blocks(node: Node) -> Iterator[str]:
    """The node, and after it those within it that have names of their own."""
    yield f"{_iri(node['@id'])}\n    {_body(node, '    ')} .\n"
    for inner in _named_within(node):
        yield from _blocks(inner)


def _named_within(node: Node) -> Iterator[Node]:
    for value in node.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and "@value" not in one:
                if "@id" in one:
                    yield one
                else:
                    yield from _named_within(one)


def _body(node: Node, margin: str) -> str:
    statements = []
    for name, value in node.items():
        if name == "@type":
            types = value if isinstance(value, list) else [value]
            statements.append(f"a {', '.join(types)}")
        elif name != "@id" and value != []:
            values = value if isinstance(value, list) else [value]
            statements.append(f"{name} {', '.join(_object(name, one, margin) for one in values)}")
    return f" ;\n{margin}".join(statements)


def _object(name: str, value: Any, margin: str) -> str:
    kind = _TYPES.get(name)
    match value:
        case {"@value": text, "@language": language}:
            return f"{_quoted(text)}@{language}"
        case {"@id": iri}:
            return _iri(iri)
        case dict():
            deeper = f"{margin}    "
            return f"[\n{deeper}{_body(value, deeper)}\n{margin}]"
    if kind == "@id":
        return _iri(value)
    return _quoted(value) if kind is None else f"{_quoted(value)}^^{kind}"


def _iri(value: str) -> str:
    """An IRI, in its short form if JSON-LD would read it so, too."""
    prefix, colon, rest = value.partition(":")
    if colon and prefix in _PREFIXES and not rest.startswith("//"):
        value = _PREFIXES[prefix] + rest
    return f"<{_NOT_IN_AN_IRI.sub(lambda found: f'%{ord(found.group()):02X}', value)}>"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
