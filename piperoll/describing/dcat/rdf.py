"""Write graphs as JSON-LD and as Turtle from the same nodes, and the vocabularies that they use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Set
from typing import Any, TypeAlias

Node: TypeAlias = dict[str, Any]
"""`@id`, `@type` and properties. A value is text, a node, text with its `@language`, or a list of these."""

_EU = "http://publications.europa.eu/resource/authority"
_XSD = "http://www.w3.org/2001/XMLSchema#"

_LINKS = (
    "adms:status",
    "dcat:catalog",
    "dcat:contactPoint",
    "dcat:dataset",
    "dcat:accessURL",
    "dcat:distribution",
    "dcat:hasCurrentVersion",
    "dcat:hasVersion",
    "dcat:isVersionOf",
    "dcat:previousVersion",
    "dcat:downloadURL",
    "dcat:inSeries",
    "dcat:landingPage",
    "dcat:mediaType",
    "dcat:prev",
    "dcat:theme",
    "dcat:themeTaxonomy",
    "dcatap:availability",
    "dct:accessRights",
    "dct:accrualPeriodicity",
    "dct:conformsTo",
    "dct:creator",
    "dct:format",
    "dct:language",
    "dct:license",
    "dct:publisher",
    "dct:spatial",
    "dct:type",
    "foaf:homepage",
    "foaf:page",
    "org:postIn",
    "org:reportsTo",
    "org:unitOf",
    "rdfs:seeAlso",
    "skos:inScheme",
    "spdx:algorithm",
    "vcard:hasEmail",
    "vcard:hasURL",
)

CONTEXT: dict[str, Any] = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": _XSD,
    **{name: {"@type": "@id"} for name in _LINKS},
    "dcat:byteSize": {"@type": "xsd:nonNegativeInteger"},
    "dcat:endDate": {"@type": "xsd:date"},
    "dcat:startDate": {"@type": "xsd:date"},
    "dct:issued": {"@type": "xsd:dateTime"},
    "dct:modified": {"@type": "xsd:dateTime"},
    "spdx:checksumValue": {"@type": "xsd:hexBinary"},
}

EU_FREQUENCIES = {
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "semiannual": "ANNUAL_2",
    "annual": "ANNUAL",
    "irregular": "IRREG",
}
"""The codes of the EU vocabulary that DCAT-AP requires, by `duties.calendar.INTERVALS`."""

ENGLISH = f"{_EU}/language/ENG"
UNITED_KINGDOM = f"{_EU}/country/GBR"
THEMES = f"{_EU}/data-theme"
GOVERNMENT = f"{_EU}/data-theme/GOVE"
PUBLIC = f"{_EU}/access-right/PUBLIC"
AVAILABLE = f"{_EU}/planned-availability/AVAILABLE"
ATTRIBUTION = "http://purl.org/adms/licencetype/Attribution"
SHA256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"

_LOCAL = "http://purl.org/adms/publishertype/LocalAuthority"
_NATIONAL = "http://purl.org/adms/publishertype/NationalAuthority"

PUBLISHER_TYPES = {
    "council": _LOCAL,
    "fire": _LOCAL,
    "police": _LOCAL,
    "department": _NATIONAL,
    "agency": _NATIONAL,
}
"""The ADMS type of each kind of body that the ADMS list has a term for; it has none for an NHS trust."""

FILE_TYPES = {".csv": f"{_EU}/file-type/CSV"}
"""File types that the EU list has a code for; the format of other files is their media type."""

MEDIA = "https://www.iana.org/assignments/media-types/"

_CONCEPTS = {
    GOVERNMENT: "Government and public sector",
    AVAILABLE: "Available",
    ATTRIBUTION: "Attribution",
    _LOCAL: "Local authority",
    _NATIONAL: "National authority",
}


def describe_terms(frequencies: Set[str], media_types: Set[str]) -> Iterator[Node]:
    """Yield the terms of other vocabularies, each with its type, so that a validator need not fetch them."""
    for name, kind in (
        (ENGLISH, "dct:LinguisticSystem"),
        (UNITED_KINGDOM, "dct:Location"),
        (PUBLIC, "dct:RightsStatement"),
        (SHA256, "spdx:ChecksumAlgorithm"),
    ):
        yield {"@id": name, "@type": kind}
    for name in FILE_TYPES.values():
        yield {"@id": name, "@type": "dct:MediaTypeOrExtent"}
    yield {"@id": THEMES, "@type": "skos:ConceptScheme", "dct:title": in_english("Data themes")}
    for name, label in _CONCEPTS.items():
        yield {"@id": name, "@type": "skos:Concept", "skos:prefLabel": in_english(label)}
    for code in sorted(frequencies):
        yield {"@id": frequency(code), "@type": "dct:Frequency"}
    for media_type in sorted(media_types):
        yield {"@id": MEDIA + media_type, "@type": ["dct:MediaType", "dct:MediaTypeOrExtent"]}


def frequency(code: str) -> str:
    """Return the EU term for a frequency code such as MONTHLY."""
    return f"{_EU}/frequency/{code}"


def in_english(text: str) -> dict[str, str]:
    """Return text marked as English."""
    return {"@language": "en", "@value": text}


_PREFIXES = {name: value for name, value in CONTEXT.items() if isinstance(value, str)}
_TYPES = {name: value["@type"] for name, value in CONTEXT.items() if isinstance(value, dict)}
_NOT_IN_AN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')


def write_json_ld(nodes: Iterable[Node]) -> bytes:
    """Write a graph as JSON-LD, one node a line; the context has all prefixes, and the terms that the graph uses."""
    lines = ",\n".join(json.dumps(node, ensure_ascii=False, separators=(",", ":")) for node in nodes)
    used = {name: value for name, value in CONTEXT.items() if name in _PREFIXES or f'"{name}":' in lines}
    return f'{{"@context":{json.dumps(used, separators=(",", ":"))},\n"@graph":[\n{lines}\n]}}\n'.encode()


def write_turtle(nodes: Iterable[Node]) -> bytes:
    """Write a graph as Turtle, in the same order."""
    prefixes = [f"@prefix {name}: <{value}> .\n" for name, value in _PREFIXES.items()]
    return "".join([*prefixes, *(f"\n{block}" for node in nodes for block in _turtle_blocks(node))]).encode()


def _turtle_blocks(node: Node) -> Iterator[str]:
    """Write the node, and after it the nodes inside it that have an `@id` of their own."""
    yield f"{_iri(node['@id'])}\n    {_turtle_properties(node, '    ')} .\n"
    for inner in _named_nodes(node):
        yield from _turtle_blocks(inner)


def _named_nodes(node: Node) -> Iterator[Node]:
    for value in node.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and "@value" not in one:
                if "@id" in one:
                    yield one
                else:
                    yield from _named_nodes(one)


def _turtle_properties(node: Node, margin: str) -> str:
    statements = []
    for name, value in node.items():
        values = value if isinstance(value, list) else [value]
        if name == "@type":
            statements.append(f"a {', '.join(values)}")
        elif name != "@id" and values:
            statements.append(f"{name} {', '.join(_turtle_object(name, one, margin) for one in values)}")
    return f" ;\n{margin}".join(statements)


def _turtle_object(name: str, value: Any, margin: str) -> str:
    match value:
        case {"@value": text, "@language": language}:
            return f"{_quote(text)}@{language}"
        case {"@id": iri}:
            return _iri(iri)
        case dict():
            deeper = f"{margin}    "
            return f"[\n{deeper}{_turtle_properties(value, deeper)}\n{margin}]"
    kind = _TYPES.get(name)
    if kind == "@id":
        return _iri(value)
    return _quote(value) if kind is None else f"{_quote(value)}^^{kind}"


def _iri(value: str) -> str:
    """Write an IRI in full; a JSON-LD reader would expand the same prefixes."""
    prefix, colon, rest = value.partition(":")
    if colon and prefix in _PREFIXES and not rest.startswith("//"):
        value = _PREFIXES[prefix] + rest
    return f"<{_NOT_IN_AN_IRI.sub(lambda found: f'%{ord(found.group()):02X}', value)}>"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
