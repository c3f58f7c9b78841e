"""Tokens: who asks, what he may do, and how much of it."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from duly.hosts.http.problems import FORBIDDEN, UNAUTHORIZED, Problem, busy

RIGHTS = ("events", "read", "admin")


class Rate:
    """So many events a second, and at most a debt of one request beyond them. One thread at a time."""

    def __init__(self, per_second: float | None, steady: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._steady = steady
        self._left = self._most = 0.0 if per_second is None else max(per_second, 1.0)
        self._at = steady()

    def wait(self) -> float:
        """How many seconds until the next may come; 0 for now."""
        if self._per_second is None:
            return 0
        now = self._steady()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        return 0 if self._left > 0 else -self._left / self._per_second + 0.001

    def take(self, count: int) -> None:
        """So many have come."""
        if self._per_second is not None:
            self._left -= count


class Caller:
    """Somebody with a token: his name, which is the origin of his events, and his rights."""

    __slots__ = ("_secret", "may", "name", "rate")

    def __init__(self, name: str, secret: str, may: Iterable[str], per_second: float | None = None) -> None:
        self.name = name
        self.may = frozenset(may)
        self.rate = Rate(per_second)
        self._secret = secret.encode()

    def is_he(self, token: bytes) -> bool:
        """Whether it is his token; takes the same time whatever is offered."""
        return hmac.compare_digest(self._secret, token)


class Callers:
    """Everybody who may ask. Without tokens nobody may."""

    def __init__(self, callers: Sequence[Caller]) -> None:
        self._callers = tuple(callers)

    @classmethod
    def of(cls, tokens: Sequence[Mapping[str, Any]]) -> Callers:
        """Those of a configuration, whose secrets have been resolved."""
        return cls(
            [
                Caller(each["name"], each["secret"].reveal(), each["may"], each.get("events_per_second"))
                for each in tokens
            ]
        )

    def caller(self, request: Request, *rights: str) -> Caller:
        """Who asks, if he has one of the rights. Raises Problem."""
        found = self._known(request)
        if found.may.isdisjoint(rights):
            wanted = " or ".join(f"`{each}`" for each in rights)
            raise Problem(FORBIDDEN, "E302", f"the token `{found.name}` has not the right {wanted}")
        return found

    def _known(self, request: Request) -> Caller:
        given = request.headers.getlist("authorization")
        scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
        offered = token.strip().encode("utf-8", "replace")
        # All of them are compared, so that nobody learns from the time whose is near.
        matches = [each for each in self._callers if each.is_he(offered)]
        if scheme.lower() != "bearer" or not offered or not matches:
            message = "a valid token is wanted: `Authorization: Bearer …`"
            raise Problem(UNAUTHORIZED, "E301", message, headers={"WWW-Authenticate": 'Bearer realm="duly"'})
        return matches[0]


def check_rate(caller: Caller) -> None:
    """Raises Problem where somebody has sent more than he may."""
    wait = caller.rate.wait()
    if wait > 0:
        raise busy(wait, f"more events than the token `{caller.name}` may send")
