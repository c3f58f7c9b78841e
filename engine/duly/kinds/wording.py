"""Wording: the fields that the texts of a policy speak of, which go along with the actions that name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from duly.conditions.fields import Vocabulary

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^\W\d][\w.-]*)\}")


def spoken_of(template: Any, vocabulary: Vocabulary) -> dict[str, str]:
    """What a template names, in whatever language: fields with their types, "" for what is not declared."""
    texts = template.values() if isinstance(template, Mapping) else (template,)
    named = {name for text in texts for name in _PLACEHOLDER.findall(str(text)) if name}
    fields = vocabulary.fields
    return {name: fields[name].type if name in fields else "" for name in sorted(named)}
