"""The OpenAPI description is true: requests that it allows get responses that it describes."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.serving.published_place import Served

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
)
FEW, MANY = 15, 2_000


@pytest.fixture(scope="module")
def described(api: Served) -> Any:
    return schemathesis.openapi.from_url(f"{api.address}/openapi.json")


def operations(described: Any) -> list[Any]:
    return [found.ok() for found in described.get_all_operations()]


def test_every_operation_conforms_to_its_description(described: Any, long: bool) -> None:
    for operation in operations(described):
        if operation.label == "POST /check" and not long:
            continue  # a second each: tests of its own say more

        @settings(
            max_examples=MANY if long else FEW,
            deadline=None,
            database=None,
            derandomize=not long,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def kept(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        kept()


def test_the_description_is_complete(api: Served) -> None:
    document = api.json("/openapi.json")
    assert document["openapi"] == "3.1.0"
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (path, method)
            assert operation["operationId"]
            for parameter in operation.get("parameters", ()):
                assert "example" in parameter or parameter["name"] == "cursor", parameter["name"]


def test_every_example_is_answered(api: Served) -> None:
    for path, item in api.json("/openapi.json")["paths"].items():
        for parameter in item.get("get", {}).get("parameters", ()):
            if parameter["in"] != "query" or parameter["name"] in ("cursor", "columns"):
                continue
            example = parameter["example"]
            parameters = example if isinstance(example, dict) else {parameter["name"]: example}
            if parameter["name"] == "sort":
                parameters = {"sort": example, "columns": "net_amount"}
            if parameter["name"] == "having":
                parameters = {"having": example, "group_by": "supplier_name"}
            answer = api.get(path.replace("{dataset}", "spend").replace("{measure}", "coverage"), params=parameters)
            assert answer.status_code == 200, (path, parameters, answer.text)
