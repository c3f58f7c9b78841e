"""OpenAPI: the description of the HTTP interface, made of the schemas that ship with Duly."""

from __future__ import annotations

from typing import Any

from duly.hosts.http.shapes import reference, shapes

_EVENT = {
    "id": "e-17", "type": "case.opened", "case": "C-1001", "customer": "K-7", "at": "2026-03-02T09:00:00+08:00",
    "data": {"channel": "phone"},
}  # fmt: skip
_CLOUD_EVENT = {
    "specversion": "1.0", "id": "e-17", "source": "/crm", "type": "case.opened", "subject": "case:C-1001",
    "time": "2026-03-02T01:00:00Z", "data": {"channel": "phone"},
}  # fmt: skip
_CASE = {"id": "C-1001", "opened_at": "2026-03-02T09:00:00+08:00", "fields": {"channel": "phone"}}
_ACCEPTED = {"status": "accepted", "id": "e-17"}
_COUNTS = {"accepted": 1, "duplicate": 0, "conflict": 0, "refused": 0}
_PROBLEMS = {
    400: ("What was sent cannot be read.", "E001", "not JSON: it ends too early"),
    401: ("No token, or a wrong one.", "E301", "a valid token is wanted: `Authorization: Bearer …`"),
    403: ("The token has not this right.", "E302", "the token `crm` has not the right `read`"),
    404: ("There is no such thing.", "E310", "no case `C-1001`"),
    405: ("This method is not for this path.", "E310", "`GET` is not for this; there is `POST`"),
    408: ("The body came too slowly.", "E309", "nothing came for 30 seconds"),
    409: (
        "Another event of this id was accepted before.",
        "E108",
        "another event with the id `e-17` was accepted before",
    ),
    413: ("What was sent is too large.", "E003", "an event of 300,000 bytes; at most 262,144"),
    415: ("The content type is not one of those that are read.", "E308", "send `application/json`"),
    422: ("What was sent says something that cannot be.", "E101", "`id` is missing; every event has one"),
    429: (
        "Too much at once; send it again after the seconds of `Retry-After`.",
        "E305",
        "more has come in than can be taken",
    ),
    503: (
        "The store is unavailable; send it again.",
        "E306",
        "the store is unavailable; nothing of this was taken, send it again",
    ),
}


def description() -> dict[str, Any]:
    """The whole description, in OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Duly",
            "version": "v1",
            "description": "Events in; decisions, clocks, queues and health out. See docs/http.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in ("in", "decide", "look", "operate")],
        "security": [{"token": []}],
        "paths": {**_in(), **_decide(), **_look(), **_operate()},
        "components": {
            "schemas": shapes(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _media(schema: dict[str, Any], **examples: Any) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in examples.items()}
    return {"schema": schema, **({"examples": shown} if shown else {})}


def _answer(text: str, schema: dict[str, Any], **examples: Any) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": _media(schema, **examples)}}


def _problems(*statuses: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status in (*statuses, 405):
        text, code, message = _PROBLEMS[status]
        example = {"error": {"code": code, "message": message, "line": None, "path": ""}}
        found[str(status)] = _answer(text, reference("problem"), problem=example)
        if status in (429, 503):
            schema = {"type": "integer", "minimum": 1}
            found[str(status)]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": schema}}
    return found


def _operation(
    id: str, tag: str, summary: str, responses: dict[str, Any], problems: tuple[int, ...], **more: Any
) -> dict[str, Any]:
    answers = {**responses, **_problems(*problems)}
    return {"operationId": id, "tags": [tag], "summary": summary, **more, "responses": answers}


def _lines(schema: dict[str, Any], example: str) -> dict[str, Any]:
    """A body of lines; each of them is as the schema says."""
    return {"schema": {"type": "string"}, "examples": {"lines": {"value": example}}, "x-line": schema}


def _in() -> dict[str, Any]:
    receipt, receipts = reference("receipt"), reference("receipts")
    shown = {"receipts": [_ACCEPTED], "counts": _COUNTS}
    taken = {
        "description": "What became of each event; all that are accepted are durable.",
        "content": {
            "application/json": _media({"anyOf": [receipt, receipts]}, one=_ACCEPTED, several=shown),
            "application/x-ndjson": _lines(receipt, '{"status":"accepted","id":"e-17","line":1}\n'),
        },
    }
    one_or_more = {"anyOf": [reference("event"), {"type": "array", "items": reference("event")}]}
    body = {
        "required": True,
        "content": {
            "application/json": _media(one_or_more, one=_EVENT, several=[_EVENT]),
            "application/x-ndjson": _lines(
                reference("event"),
                '{"id":"e-17","type":"case.opened","case":"C-1001","at":"2026-03-02T01:00:00Z"}\n',
            ),
            "application/cloudevents+json": _media(reference("event"), one=_CLOUD_EVENT),
            "application/cloudevents-batch+json": _media(
                {"type": "array", "items": reference("event")}, several=[_CLOUD_EVENT]
            ),
        },
    }
    problems = (400, 401, 403, 408, 409, 413, 415, 422, 429, 503)
    which = {
        "name": "receipts", "in": "query", "description": "For lines: receipts of all, or of what was not taken.",
        "schema": {"enum": ["all", "faults"]}, "example": "faults",
    }  # fmt: skip
    source = _path("source", "A source of type `http-webhook`.", "zendesk")
    hook = {"required": True, "content": {"application/json": _media({}, any={"ticket": {"id": 1}})}}
    return {
        "/v1/events": {
            "post": _operation(
                "postEvents", "in", "Hand in events.", {"200": taken, "202": taken}, problems,
                parameters=[which], requestBody=body,
            )
        },
        "/hooks/{source}": {
            "post": _operation(
                "postHook", "in", "Take the signed webhook of another system.", {"200": taken, "202": taken},
                (400, 401, 404, 408, 409, 413, 415, 422, 429, 503), parameters=[source], requestBody=hook,
                security=[],
            )
        },
    }  # fmt: skip


def _path(name: str, text: str, example: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 500}
    return {
        "name": name, "in": "path", "required": True, "description": text, "schema": schema, "example": example
    }  # fmt: skip


def _at() -> dict[str, Any]:
    return {
        "name": "at", "in": "query", "description": "The instant that counts as now; without it now.",
        "schema": {"type": "string", "format": "date-time"}, "example": "2026-03-02T09:30:00+08:00",
    }  # fmt: skip


def _decide() -> dict[str, Any]:
    body = {
        "required": True,
        "content": {
            "application/json": _media(reference("case"), one=_CASE),
            "application/x-ndjson": _lines(
                reference("case"), '{"id":"C-1001","opened_at":"2026-03-02T01:00:00Z"}\n'
            ),
        },
    }
    found = {}
    for name, schema, summary in (
        ("decide", "decision.decision", "What the policy in force says of a case that is given whole."),
        ("explain", "explained", "The same, with its trace and an account of each clock's time."),
    ):
        decided = _answer("The decision.", reference(schema))
        decided["content"]["application/x-ndjson"] = _lines(
            reference(schema), '{"case":"C-1001","at":"2026-03-02T01:30:00Z"}\n'
        )
        found[f"/v1/{name}"] = {
            "post": _operation(
                name, "decide", summary, {"200": decided}, (400, 401, 403, 408, 413, 415, 422, 503),
                parameters=[_at()], requestBody=body,
            )
        }  # fmt: skip
    return found


def _look() -> dict[str, Any]:
    problems = (400, 401, 403, 404, 503)
    case = _path("case", "The id of a case.", "C-1001")
    group = _path("group", "A group or a queue: `vip-desk`, `group:vip-desk`, `queue:night`.", "vip-desk")
    limit = {
        "name": "limit", "in": "query", "description": "At most so many.", "example": 50,
        "schema": {"type": "integer", "minimum": 1, "maximum": 1000},
    }  # fmt: skip
    rows: tuple[tuple[str, str, str, str, list[dict[str, Any]], tuple[int, ...]], ...] = (
        (
            "/v1/cases/{case}",
            "getCase",
            "decision.decision",
            "A case and its clocks.",
            [case, _at()],
            problems,
        ),
        ("/v1/cases/{case}/history", "getHistory", "history", "Its events and actions.", [case], problems),
        ("/v1/due", "getDue", "due", "What happens next by itself.", [limit], (400, 401, 403, 503)),
        ("/v1/queues/{group}", "getQueue", "queue", "What waits, in the desk's order.", [group], problems),
        ("/v1/policy", "getPolicy", "policy", "The policy in force.", [], (401, 403, 503)),
    )
    return {
        path: {
            "get": _operation(
                id,
                "look",
                summary,
                {"200": _answer(summary, reference(schema))},
                problems,
                parameters=parameters,
            )
        }
        for path, id, schema, summary, parameters, problems in rows
    }


def _operate() -> dict[str, Any]:
    health = reference("health")
    found: dict[str, Any] = {}
    for path, id, text in (
        ("/healthz", "getAlive", "Whether it is alive: its threads run, its timers are on time."),
        ("/readyz", "getReady", "Whether it can take events."),
    ):
        answers = {"200": _answer("It is.", health), "503": _answer("It is not.", health)}
        found[path] = {"get": _operation(id, "operate", text, answers, (), security=[])}
    lines = {"schema": {"type": "string"}}
    page = {"description": "Metrics in the text format of Prometheus.", "content": {"text/plain": lines}}
    found["/metrics"] = {"get": _operation("getMetrics", "operate", "Metrics.", {"200": page}, (401, 403))}
    this = _answer("This description.", {"type": "object"})
    found["/openapi.json"] = {
        "get": _operation("getDescription", "operate", "This description.", {"200": this}, (), security=[])
    }
    return found
