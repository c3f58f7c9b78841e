"""The app: routes, rights, and what holds for every request and answer."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from duly.hosts.contract import Health, Intake, Views
from duly.hosts.http import bodies, events, hooks, queries
from duly.hosts.http.answers import answer, plain, told
from duly.hosts.http.problems import NOT_ALLOWED, NOT_FOUND, TIMEOUT, TOO_LONG, Problem
from duly.hosts.http.settings import Hook, Limits
from duly.hosts.http.tokens import Callers
from duly.hosts.logs import Log

HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the app speaks for. `now` gives the instant in µs since 1970 UTC."""

    intake: Intake
    views: Views
    health: Health
    now: Callable[[], int]
    callers: Callers
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    public: frozenset[str] = frozenset()
    """What needs no token besides health, hooks and the description: `metrics`."""


class Endpoints:
    """A method for each route."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._described: bytes | None = None

    async def events(self, request: Request) -> Response:
        """`POST /v1/events`."""
        parts = self._parts
        return await events.post(request, parts.intake, parts.callers.caller(request, "events"), parts.limits)

    async def hook(self, request: Request) -> Response:
        """`POST /hooks/{source}`."""
        parts = self._parts
        hook = parts.hooks.get(request.path_params["source"])
        if hook is None:
            raise Problem(NOT_FOUND, "E310", "there is no such hook")
        return await hooks.post(request, hook, parts.intake, parts.limits, parts.now())

    async def decide(self, request: Request) -> Response:
        """`POST /v1/decide`."""
        self._parts.callers.caller(request, "read")
        return await queries.decided(request, self._parts.views.decide, self._parts.limits, self._parts.now())

    async def explain(self, request: Request) -> Response:
        """`POST /v1/explain`."""
        self._parts.callers.caller(request, "read")
        return await queries.decided(
            request, self._parts.views.explain, self._parts.limits, self._parts.now()
        )

    async def case(self, request: Request) -> Response:
        """`GET /v1/cases/{case}`."""
        self._parts.callers.caller(request, "read")
        return await queries.case(request, self._parts.views, self._parts.now())

    async def history(self, request: Request) -> Response:
        """`GET /v1/cases/{case}/history`."""
        self._parts.callers.caller(request, "read")
        return await queries.history(request, self._parts.views)

    async def due(self, request: Request) -> Response:
        """`GET /v1/due`."""
        self._parts.callers.caller(request, "read")
        return await queries.due(request, self._parts.views, self._parts.now())

    async def queue(self, request: Request) -> Response:
        """`GET /v1/queues/{group}`."""
        self._parts.callers.caller(request, "read")
        return await queries.queue(request, self._parts.views, self._parts.now())

    async def policy(self, request: Request) -> Response:
        """`GET /v1/policy`."""
        self._parts.callers.caller(request, "read")
        return answer(await queries.asked(self._parts.views.policy))

    async def alive(self, request: Request) -> Response:
        """`GET /healthz`."""
        return self._health(*self._parts.health.alive(), "alive")

    async def ready(self, request: Request) -> Response:
        """`GET /readyz`."""
        return self._health(*self._parts.health.ready(), "ready")

    def _health(self, fine: bool, facts: Mapping[str, Any], word: str) -> Response:
        # Why something is wrong may name paths and addresses: that is for the log, and for who has a token.
        shown = {key: value for key, value in facts.items() if not isinstance(value, str) or key == "state"}
        return answer({word: fine, **shown}, 200 if fine else 503)

    async def metrics(self, request: Request) -> Response:
        """`GET /metrics`."""
        if "metrics" not in self._parts.public:
            self._parts.callers.caller(request, "read", "admin")
        return Response(
            await queries.asked(self._parts.health.metrics), headers={"content-type": _PROMETHEUS}
        )

    async def description(self, request: Request) -> Response:
        """`GET /openapi.json`."""
        if self._described is None:
            from duly.hosts.http.openapi import description

            self._described = plain(description())
        return Response(self._described, media_type="application/json")


def app(parts: Parts) -> ASGIApp:
    """The whole app."""
    its = Endpoints(parts)
    # A case may have a `/` in its name: what is behind the last one decides.
    routes = [
        Route("/v1/events", its.events, methods=["POST"]),
        Route("/hooks/{source}", its.hook, methods=["POST"]),
        Route("/v1/decide", its.decide, methods=["POST"]),
        Route("/v1/explain", its.explain, methods=["POST"]),
        Route("/v1/cases/{case:path}/history", its.history),
        Route("/v1/cases/{case:path}", its.case),
        Route("/v1/due", its.due),
        Route("/v1/queues/{group:path}", its.queue),
        Route("/v1/policy", its.policy),
        Route("/healthz", its.alive),
        Route("/readyz", its.ready),
        Route("/metrics", its.metrics),
        Route("/openapi.json", its.description),
    ]
    handlers: Mapping[Any, Any] = {HTTPException: _unrouted, Problem: _problem, Exception: _failed}
    inner = Starlette(routes=routes, exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return Guard(inner, parts.limits)


async def _problem(request: Request, problem: Any) -> Response:
    if request.method not in ("GET", "HEAD") and problem.status != TIMEOUT:
        await bodies.drain(request)
    return told(problem)


async def _unrouted(request: Request, found: Any) -> Response:
    if found.status_code == NOT_ALLOWED:
        allowed = dict(found.headers or {})
        message = f"`{request.method[:20]}` is not for this; there is `{allowed.get('Allow', '')}`"
        problem = Problem(NOT_ALLOWED, "E310", message, headers=allowed)
    else:
        problem = Problem(NOT_FOUND, "E310", "there is nothing here; `/openapi.json` says what there is")
    return await _problem(request, problem)


async def _failed(request: Request, fault: Exception) -> Response:
    name = request.scope["duly.request"]
    return told(Problem(500, "E312", f"a fault in Duly; its log says more, at request `{name}`"))


class Guard:
    """What holds for every request: an id, a line in the log, headers; and no fault of ours is shown to others."""

    def __init__(self, inner: Callable[[Scope, Receive, Send], Awaitable[None]], limits: Limits) -> None:
        self._inner = inner
        self._limits = limits
        self._log = Log("duly.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        begun, name, status = time.perf_counter(), _request_id(scope), 0

        scope["duly.request"] = name

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *HEADERS, (b"x-request-id", name.encode())]
            # Whoever does not fetch his answer would keep it here for ever.
            await asyncio.wait_for(send(message), self._limits.answer_seconds)

        try:
            if _header_bytes(scope) > self._limits.header_bytes:
                message = f"headers of more than {self._limits.header_bytes:,} bytes"
                await told(Problem(TOO_LONG, "E307", message))(scope, receive, sent)
                return
            await self._inner(scope, receive, sent)
        except ClientDisconnect:
            self._log.debug("a request was broken off", request=name)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other side is not told
            self._log.fault("a request has failed", fault, request=name)
        route = getattr(scope.get("route"), "path", "")
        seconds = round(time.perf_counter() - begun, 4)
        self._log.debug(
            "answered", method=scope["method"], route=route, status=status, seconds=seconds, request=name
        )


def _header_bytes(scope: Scope) -> int:
    """How long the request is without its body. A server that gets all of it at once does not look itself."""
    headers = sum(len(key) + len(value) + 4 for key, value in scope["headers"])
    return headers + len(scope.get("raw_path", b"")) + len(scope.get("query_string", b""))


def _request_id(scope: Scope) -> str:
    """The id that the other side gave, if it is a plain one; else one of ours."""
    given = [value for key, value in scope["headers"] if key == b"x-request-id"]
    text = given[0].decode("latin-1") if len(given) == 1 else ""
    return text if _REQUEST_ID.fullmatch(text) else secrets.token_hex(8)
