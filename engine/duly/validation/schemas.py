"""Schemas: the JSON Schema files of the language, by name."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

BASE = "https://duly.dev/schemas/v1/"

POLICY_KINDS = {
    "PolicySet": "policy-set",
    "Vocabulary": "vocabulary",
    "Calendar": "calendar",
    "Roster": "roster",
    "Classification": "classification",
    "Routing": "routing",
    "ServiceLevel": "service-level",
    "Escalation": "escalation",
    "Survey": "survey",
    "Duty": "duty",
    "Reaction": "reaction",
    "Scorecard": "scorecard",
}
"""The kinds of policy documents, each with the name of its schema."""

KINDS = {**POLICY_KINDS, "Test": "test", "Config": "config", "Mapping": "mapping"}
"""Every `kind` that a document may have."""

NAMES = (*KINDS.values(), "event", "case", "decision", "action", "diagnostics", "calendar-request")
"""Every schema that describes something whole."""

COMMON = "common"


OTHERS: dict[str, Schema] = {}
"""Schemas of what others bring, such as the settings of a sink, by names with a `/` in them."""


def read(name: str) -> Schema:
    """The schema called `name`, such as `service-level`. KeyError where there is none.

    The same object each time: not to be changed.
    """
    return OTHERS[name] if "/" in name else _shipped(name)


@cache
def _shipped(name: str) -> Schema:
    schema: Schema = json.loads(text(name))
    return schema


def text(name: str) -> str:
    """The file of the schema called `name`, as it is shipped. KeyError where there is none."""
    if name != COMMON and name not in NAMES:
        raise KeyError(name)
    return _bytes(f"{name}.json").decode()


def resolve(name: str, reference: str) -> tuple[str, Schema]:
    """What `$ref: reference` means in the schema called `name`: the schema it leads into, and the part."""
    file, _, pointer = reference.partition("#")
    if file:
        name = file.removesuffix(".json")
    part: Any = read(name)
    for step in pointer.split("/")[1:]:
        part = part[step]
    return name, part


def _bytes(file: str) -> bytes:
    try:
        package = import_module("duly.schemas")
    except ModuleNotFoundError:
        # A source tree on the path without being installed: the folder stands beside `engine/`.
        folder = __file__.replace("\\", "/").rsplit("/", 4)[0] + "/schemas"
        with open(f"{folder}/{file}", "rb") as stream:
            return stream.read()
    data: bytes = package.__loader__.get_data(f"{package.__path__[0]}/{file}")  # type: ignore[union-attr]
    return data
