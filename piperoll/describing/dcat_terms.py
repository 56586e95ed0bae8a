"""The vocabularies that our DCAT speaks: prefixes, and the terms of other lists that it names."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

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
"""The codes of the EU vocabulary that DCAT-AP asks for, by `piperoll.duties.calendar.INTERVALS`."""

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

# the kinds of body that the ADMS list has a word for; an NHS trust is neither
PUBLISHER_TYPES = {
    "council": _LOCAL,
    "fire": _LOCAL,
    "police": _LOCAL,
    "department": _NATIONAL,
    "agency": _NATIONAL,
}

# the file types that we know the EU list to have a code for; of others the media type stands for the format
FILE_TYPES = {".csv": f"{_EU}/file-type/CSV"}

MEDIA = "https://www.iana.org/assignments/media-types/"

_CONCEPTS = {
    GOVERNMENT: "Government and public sector",
    AVAILABLE: "Available",
    ATTRIBUTION: "Attribution",
    _LOCAL: "Local authority",
    _NATIONAL: "National authority",
}


def typed(frequencies: Set[str], media_types: Set[str]) -> Iterator[dict[str, Any]]:
    """The terms that the graph names, each with its type; EU frequency codes and media types as they are used."""
    for name, kind in (
        (ENGLISH, "dct:LinguisticSystem"),
        (UNITED_KINGDOM, "dct:Location"),
        (PUBLIC, "dct:RightsStatement"),
        (SHA256, "spdx:ChecksumAlgorithm"),
    ):
        yield {"@id": name, "@type": kind}
    for name in FILE_TYPES.values():
        yield {"@id": name, "@type": "dct:MediaTypeOrExtent"}
    yield {"@id": THEMES, "@type": "skos:ConceptScheme", "dct:title": english("Data themes")}
    for name, label in _CONCEPTS.items():
        yield {"@id": name, "@type": "skos:Concept", "skos:prefLabel": english(label)}
    for code in sorted(frequencies):
        yield {"@id": frequency(code), "@type": "dct:Frequency"}
    for media_type in sorted(media_types):
        yield {"@id": MEDIA + media_type, "@type": ["dct:MediaType", "dct:MediaTypeOrExtent"]}


def frequency(code: str) -> str:
    """The EU term for a frequency code such as MONTHLY."""
    return f"{_EU}/frequency/{code}"


def english(text: str) -> dict[str, str]:
    """Text that is told to be English."""
    return {"@language": "en", "@value": text}
