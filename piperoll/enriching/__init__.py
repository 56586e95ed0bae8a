"""Annotations: what the platform adds to published lines, without changing them, so that they can be grouped."""

from piperoll.enriching.annotate import annotate, annotations_version
from piperoll.enriching.payees import PayeeClass, class_of_name
from piperoll.enriching.supplier_names import group_spellings, normal_form, supplier_key

__all__ = [
    "PayeeClass",
    "annotate",
    "annotations_version",
    "class_of_name",
    "group_spellings",
    "normal_form",
    "supplier_key",
]
