"""The sink `redis`: actions to a stream of Redis, each once for as long as its id is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import redis

from duly.sinks.base import Message, Misconfigured, Receipt, Unreachable, speakable
from duly.sinks.redis_line import FAULTS, SETTINGS, connected, why
from duly.sinks.settings import mapping

# One script is one step of the server: no crash comes between adding and remembering, and what cannot be added
# is not remembered.
_ADD = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local entry = {'XADD', KEYS[1]}
if ARGV[2] ~= '' then
  entry[3], entry[4], entry[5] = 'MAXLEN', '~', ARGV[2]
end
entry[#entry + 1] = '*'
for i = 3, #ARGV do entry[#entry + 1] = ARGV[i] end
redis.call(unpack(entry))
redis.call('SET', KEYS[2], '1', 'EX', ARGV[1])
return 1
"""


class Redis:
    """Adds each action as an entry with the fields `id`, `type`, `at`, `case` and `action`, which is its JSON.

    A repeat within `remember_seconds` changes nothing; a later one is there twice.
    """

    schema = mapping(
        {
            **SETTINGS,
            "max_length": {
                "description": "About how many entries the stream keeps; without it all.",
                "type": "integer",
                "minimum": 1,
                "examples": [1000000],
            },
            "remember_seconds": {
                "description": "For how long ids are remembered to drop repeats; a week where nothing is said.",
                "type": "integer",
                "minimum": 1,
                "examples": [604800],
            },
        },
        required=["url", "stream"],
        examples=[{"url": "redis://127.0.0.1:6379/0", "stream": "duly:actions"}],
    )

    worded = False

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._stream: str = settings["stream"]
        self._longest = str(settings.get("max_length", ""))
        self._remember = int(settings.get("remember_seconds", 7 * 86_400))
        self._client = connected(settings)
        self._add = self._client.register_script(_ADD)

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink. All go in one exchange."""
        actions = [action for message in messages for action in message.actions]
        try:
            pipe = self._client.pipeline(transaction=False)
            for action in actions:
                self._add(keys=[self._stream, self._seen(action)], args=self._entry(action), client=pipe)
            answers = iter(pipe.execute(raise_on_error=False))
        except FAULTS as error:
            return [Receipt("failed", why(error))] * len(messages)
        return [_receipt([next(answers) for _ in message.actions]) for message in messages]

    def check(self) -> str:
        """Connect, and look whether the key is a stream or free."""
        try:
            found = self._client.type(self._stream)
        except FAULTS as error:
            raise Unreachable(why(error)) from None
        if found not in (b"stream", b"none"):
            kind = found.decode() if isinstance(found, bytes) else found
            raise Misconfigured(
                f"`stream`: the key `{self._stream}` is a {kind}, not a stream; take another name"
            )
        return f"can add to {self._stream}"

    def close(self) -> None:
        """See Sink."""
        self._client.close()

    def _seen(self, action: Mapping[str, Any]) -> str:
        # In braces: a cluster then keeps it beside the stream, where the script can see both.
        return f"{{{self._stream}}}:seen:{speakable(action['id'])}"

    def _entry(self, action: Mapping[str, Any]) -> list[str | bytes | int]:
        return [
            self._remember, self._longest, "id", action["id"], "type", action["type"], "at", action["at"],
            "case", action.get("case") or "", "action", orjson.dumps(action, default=str),
        ]  # fmt: skip


def _receipt(answers: Sequence[Any]) -> Receipt:
    for answer in answers:
        if isinstance(answer, redis.RedisError):
            return Receipt("failed", why(answer))
    return Receipt("delivered", details={"repeat": not any(answers)})
