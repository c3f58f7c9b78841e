"""The description of the HTTP interface: sound, complete, and kept to by the service whatever is sent.

CI tries some requests of each operation; `DULY_HTTP_EXAMPLES=60` tries many, and those at every border.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from duly.hosts.http.app import Endpoints
from duly.hosts.http.openapi import description

sys.path.insert(0, str(Path(__file__).parent))
web = importlib.import_module("web")
if TYPE_CHECKING:
    from web import Web, bearer, opened, serving
else:
    Web, bearer, opened, serving = web.Web, web.bearer, web.opened, web.serving

EXAMPLES = int(os.environ.get("DULY_HTTP_EXAMPLES", "15"))
DESCRIPTION = description()
OPERATIONS = [
    (path, method, operation)
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
]
REGISTRY: Registry[Any] = Registry().with_resource(
    "urn:duly",
    Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema", **DESCRIPTION}),
)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """What checks against a schema of the description."""
    text = json.dumps(schema).replace('"#/components', '"urn:duly#/components')
    return Draft202012Validator(json.loads(text), registry=REGISTRY)


def media(part: Any) -> Iterator[dict[str, Any]]:
    """Every content of a part of the description."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "content":
                yield from value.values()
            else:
                yield from media(value)
    elif isinstance(part, list):
        for each in part:
            yield from media(each)


def test_schemas_are_sound() -> None:
    """Each schema of the description is one, and each reference leads somewhere."""
    for name, schema in DESCRIPTION["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        list(validator({"$ref": f"#/components/schemas/{name}"}).iter_errors({}))


def test_examples_fit() -> None:
    """Each example of the description is as its schema says."""
    found = list(media(DESCRIPTION["paths"]))
    assert len(found) > 50
    for each in found:
        for example in each.get("examples", {}).values():
            assert [] == list(validator(each["schema"]).iter_errors(example["value"])), example


def test_every_operation_is_whole() -> None:
    """Each operation has a name of its own, a summary, all its answers, and an example of what it takes."""
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    for path, _, operation in OPERATIONS:
        assert operation["summary"].endswith(".")
        assert {"200", "405"} <= set(operation["responses"])
        if operation.get("security") != []:
            assert {"401", "403"} <= set(operation["responses"]), path
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["examples"], path
        for parameter in operation.get("parameters", ()):
            assert "example" in parameter, path


def test_everything_is_described() -> None:
    """The description has what the app answers to, and nothing else."""
    described = {operation["operationId"] for _, _, operation in OPERATIONS}
    endpoints = {name for name in vars(Endpoints) if not name.startswith("_")}
    assert len(described) == len(endpoints)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service with a case and a hook."""
    hook = {"hook": {"type": "http-webhook", "secret": {"env": "HOOK"}}}
    with serving(tmp_path_factory.mktemp("service"), hook) as running:
        assert 202 == running.post("/v1/events", opened("C-1001")).status_code
        yield running


@schemathesis.serializer("application/x-ndjson")
def as_it_is(context: Any, value: Any) -> bytes:
    """Lines are texts already; whatever else schemathesis makes up is one line."""
    return (
        value.encode("utf-8", "replace")
        if isinstance(value, str)
        else json.dumps(value, default=str).encode()
    )


CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
# Hundreds of cases that are made up systematically; too many for each run.
SCHEMA.config.phases.coverage.enabled = EXAMPLES > 20


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_the_service_keeps_to_it(case: Any, desk: Web) -> None:
    """Whatever is sent, right or wrong, is answered as the description says, and never with a fault of ours."""
    answer = case.call(base_url=desk.url, headers=bearer("tok-crm"))
    case.validate_response(answer, checks=CHECKS)
    assert answer.status_code < 500 or (case.path, answer.status_code) == ("/readyz", 503)
