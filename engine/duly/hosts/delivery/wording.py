"""Wording: the title and the text of what a sink sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from duly.calendars.localtime import Zone
from duly.hosts.delivery.sorting import Action
from duly.sinks.base import Escape, Misconfigured
from duly.sinks.templates import Localized, Template, localized, of_policy, read, render

_SEVERAL = {"en": "{count} messages: {title}", "zh": "{count} 条消息：{title}"}
_PARTED: Mapping[Escape, str] = {
    "plain": "\n\n",
    "html": "<hr>\n",
    "markdown": "\n\n---\n\n",
    "json": "\\n\\n",
}


class Wording:
    """How one sink says things: its own templates by name of a template or type of action, else the policy's, else
    those that every type has.

    `policy` gives the templates of the policy in force, by name, and the zone that times are shown in.
    """

    def __init__(
        self, settings: Mapping[str, Any], escape: Escape, folder: Path,
        policy: Callable[[], tuple[Mapping[str, Localized], Zone]],
    ) -> None:  # fmt: skip
        self._lang: str = settings.get("language", "en")
        self._escape = escape
        self._policy = policy
        self._own: dict[str, Template] = {}
        for name, file in (settings.get("templates") or {}).items():
            try:
                content = (folder / file).read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
                raise Misconfigured(f"{file}: the template cannot be read: {reason}") from None
            template = self._own[name] = read(content, file)
            if template.markup not in ("plain", escape):
                raise Misconfigured(
                    f"{file}: a template in {template.markup} does not suit this sink, which wants {escape}"
                )

    def __call__(self, actions: Sequence[Action]) -> tuple[str, str]:
        """The title and the text of these actions; several are told one after the other."""
        templates, zone = self._policy()
        said = [self._one(action, templates, zone) for action in actions]
        if len(said) == 1:
            return said[0]
        title = localized(_SEVERAL, self._lang).format(count=len(said), title=said[0][0])
        return title, _PARTED[self._escape].join(text for _, text in said)

    def _one(self, action: Action, templates: Mapping[str, Localized], zone: Zone) -> tuple[str, str]:
        name = action["data"].get("template")
        template = self._own.get(name) if name is not None else None
        if template is None and name is not None and name in templates:
            template = of_policy(templates[name], self._lang)
        if template is None:
            template = self._own.get(action["type"])
        return render(action, template, self._lang, self._escape, action["data"].get("fields"), zone)
