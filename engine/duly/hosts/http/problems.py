"""Problems: what is answered instead, all in one shape: `{"error": {code, message, line, path}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duly.cases import Refused
from duly.hosts.contract import Receipt

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED, TIMEOUT = 400, 401, 403, 404, 405, 408
CONFLICT, TOO_LARGE, UNSUPPORTED, UNPROCESSABLE, TOO_MANY, TOO_LONG, UNAVAILABLE = (
    409,
    413,
    415,
    422,
    429,
    431,
    503,
)

_MALFORMED = frozenset(("E001", "E002", "E004", "E005", "E006", "E311"))
_LARGE = frozenset(("E003", "E106"))


class Problem(Exception):
    """An answer that is none: its status, a code of the catalogue, a sentence, and where it is in what was sent."""

    def __init__(
        self, status: int, code: str, message: str, path: str = "", line: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        self.error = error(code, message, path, line)
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, refused: Refused | Receipt, line: int | None = None) -> Problem:
        """What was refused, or is in conflict, as an answer of its own."""
        if isinstance(refused, Receipt) and refused.status == "conflict":
            return cls(CONFLICT, refused.code, refused.message, refused.path, line)
        return cls(status_of(refused.code), refused.code, refused.message, refused.path, line)

    def at(self, line: int) -> Problem:
        """The same, at a line of what was sent."""
        self.error["line"] = line
        return self


def error(code: str, message: str, path: str = "", line: int | None = None) -> dict[str, Any]:
    """What stands under `error`."""
    return {"code": code, "message": message, "line": line, "path": path}


def status_of(code: str) -> int:
    """400 for what is not JSON as it should be, 413 for what is too large, 422 for what says something wrong."""
    if code in _MALFORMED:
        return BAD_REQUEST
    return TOO_LARGE if code in _LARGE else UNPROCESSABLE


def busy(after_seconds: float, message: str) -> Problem:
    """Come again later: too much at once."""
    seconds = max(1, int(-(-after_seconds // 1)))
    return Problem(TOO_MANY, "E305", message, headers={"Retry-After": str(seconds)})


def unavailable() -> Problem:
    """Come again later. Why is in the log, not in the answer."""
    message = "the store is unavailable; nothing of this was taken, send it again"
    return Problem(UNAVAILABLE, "E306", message, headers={"Retry-After": "5"})
