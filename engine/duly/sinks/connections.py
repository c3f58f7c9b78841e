"""Connections: HTTP to the addresses that a guard permits, and done by a deadline."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from duly.sinks.guard import Guard

SocketOptions = Iterable[Any] | None


class Guarded(httpcore.NetworkBackend):
    """Connects only where the guard permits, and to the very address that it looked at.

    The name goes on being what the certificate is checked against. Whatever is done over a connection must be
    done by `deadline`, so that nobody can hold a sender up by answering a byte at a time.
    """

    def __init__(self, guard: Guard, steady: Callable[[], float] = time.monotonic) -> None:
        self.guard = guard
        self.steady = steady
        self.deadline = 0.0
        self._network = httpcore.SyncBackend()

    def allow(self, seconds: float) -> None:
        """From now on, everything must be done within so many seconds."""
        self.deadline = self.steady() + seconds

    def left(self, timeout: float | None) -> float:
        """How many seconds the next step may take."""
        left = max(0.001, self.deadline - self.steady())
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """A connection to the first address that takes it. Raises Forbidden, httpcore.ConnectError."""
        try:
            addresses = self.guard.resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(
                f"the name `{host}` is not known: {error.strerror or error}"
            ) from error
        for address in addresses[:-1]:
            try:
                return self._connect(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(addresses[-1], port, timeout, local_address, socket_options)

    def _connect(
        self,
        address: str,
        port: int,
        timeout: float | None,
        local_address: str | None,
        options: SocketOptions,
    ) -> httpcore.NetworkStream:
        stream = self._network.connect_tcp(address, port, self.left(timeout), local_address, options)
        return _Timed(stream, self)


class _Timed(httpcore.NetworkStream):
    """A connection each step of which ends by the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, backend: Guarded) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._backend.steady() > self._backend.deadline:
            raise httpcore.ReadTimeout("the answer took too long")
        return self._stream.read(max_bytes, self._backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._backend.left(timeout))
        return _Timed(stream, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
