"""Sockets for the HTTP libraries (httpcore and httpcore2) that keep a call's deadline and refuse forbidden addresses.

The libraries hand each timeout down to the socket as they were given it. A `PhaseLimit` is such a timeout that also
carries the deadline of the whole call, so every single read and write ends by it, however slowly a body drips in. A
name's addresses are checked at every connect, since a name can change what it means.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import queue
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any

from ..errors import InvalidConnection
from .base_url import refusal
from .protocol import Deadline

SILENCE_SECONDS = 600.0
"""The longest silence in mid-call where the caller set no deadline: a model may think for minutes before it speaks."""


class DeadlinePassed(TimeoutError):
    """The call's deadline passed before there was a connection: nothing was sent."""


class PhaseLimit(float):
    """Seconds one phase of a request may take, and never past the deadline of the whole call."""

    deadline: Deadline

    def __new__(cls, seconds: float, deadline: Deadline) -> PhaseLimit:
        made = super().__new__(cls, seconds)
        made.deadline = deadline
        return made

    def left(self) -> float:
        """Seconds this phase may take if it begins now; 0 where the deadline has passed."""
        left = self.deadline.left()
        return float(self) if left is None else min(float(self), left)


class Backend:
    """Opens sockets that keep the deadline, to checked addresses only."""

    def __init__(self, httpcore: Any) -> None:
        self._faults = httpcore
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _Stream:
        end = time.monotonic() + _seconds(timeout, DeadlinePassed)
        addresses = _allowed(host, self._resolve(host, port, end - time.monotonic()))
        for number, address in enumerate(addresses, start=1):
            # A share for each, so that one address that swallows packets leaves time for the next.
            share = max(0.001, (end - time.monotonic()) / (len(addresses) - number + 1))
            try:
                return _Stream(
                    self._inner.connect_tcp(address, port, share, local_address, socket_options), self._faults
                )
            except (self._faults.ConnectError, self._faults.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise self._faults.ConnectError(f"The name {host} has no address.")

    def _resolve(self, host: str, port: int, seconds: float) -> list[str]:
        """The system's resolver knows no timeout: it is asked on a thread that may be left behind."""
        if _is_address(host):
            return [host]
        answers: queue.SimpleQueue[list[Any] | OSError | UnicodeError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                answers.put(error)

        threading.Thread(target=ask, name="llm-manager-resolver", daemon=True).start()
        try:
            found = answers.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise self._faults.ConnectTimeout(f"The name {host} was not resolved in time.") from None
        if isinstance(found, OSError | UnicodeError):
            raise self._faults.ConnectError(f"The name {host} does not resolve: {_reason(found)}.")
        return [entry[4][0] for entry in found]

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class _Stream:
    """A socket whose every read and write ends by the deadline its timeout carries."""

    def __init__(self, inner: Any, faults: Any) -> None:
        self._inner = inner
        self._faults = faults

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        deadline = timeout.deadline if isinstance(timeout, PhaseLimit) else None
        if deadline is not None:
            deadline.interrupt = self._shut_down  # before the time is taken: a stop in between is then seen there
        try:
            got: bytes = self._inner.read(max_bytes, _seconds(timeout, self._faults.ReadTimeout))
            return got
        finally:
            if deadline is not None:
                deadline.interrupt = None

    def _shut_down(self) -> None:
        """Called by another thread while this one reads: the read then returns at once."""
        with contextlib.suppress(OSError):
            self._inner.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _seconds(timeout, self._faults.WriteTimeout))

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        seconds = _seconds(timeout, DeadlinePassed)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, seconds), self._faults)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()


class AsyncBackend:
    """As Backend, on an event loop."""

    def __init__(self, httpcore: Any) -> None:
        self._faults = httpcore
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _AsyncStream:
        end = time.monotonic() + _seconds(timeout, DeadlinePassed)
        addresses = _allowed(host, await self._resolve(host, port, end - time.monotonic()))
        for number, address in enumerate(addresses, start=1):
            share = max(0.001, (end - time.monotonic()) / (len(addresses) - number + 1))
            try:
                opened = await self._inner.connect_tcp(address, port, share, local_address, socket_options)
                return _AsyncStream(opened, self._faults)
            except (self._faults.ConnectError, self._faults.ConnectTimeout) as error:
                if number == len(addresses):
                    raise self._told_why(error) from None
        raise self._faults.ConnectError(f"The name {host} has no address.")

    def _told_why(self, error: Exception) -> Exception:
        """anyio says only that it failed; the system's reason lies behind that."""
        number = getattr(getattr(error.__context__, "__cause__", None), "errno", None)
        return type(error)(os.strerror(number)) if number else error

    async def _resolve(self, host: str, port: int, seconds: float) -> list[str]:
        import anyio

        if _is_address(host):
            return [host]
        try:
            with anyio.fail_after(max(0.0, seconds)):
                found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise self._faults.ConnectTimeout(f"The name {host} was not resolved in time.") from None
        except (OSError, UnicodeError) as error:
            raise self._faults.ConnectError(f"The name {host} does not resolve: {_reason(error)}.") from None
        return [entry[4][0] for entry in found]

    async def sleep(self, seconds: float) -> None:
        import anyio

        await anyio.sleep(seconds)


class _AsyncStream:
    """As _Stream, on an event loop."""

    def __init__(self, inner: Any, faults: Any) -> None:
        self._inner = inner
        self._faults = faults

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        got: bytes = await self._inner.read(max_bytes, _seconds(timeout, self._faults.ReadTimeout))
        return got

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, _seconds(timeout, self._faults.WriteTimeout))

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _AsyncStream:
        seconds = _seconds(timeout, DeadlinePassed)
        return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, seconds), self._faults)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _seconds(timeout: float | None, ran_out: type[Exception]) -> float:
    if isinstance(timeout, PhaseLimit):
        timeout = timeout.left()
        if timeout <= 0:  # a socket would take 0 for: do not wait at all
            raise ran_out("The call's deadline has passed.")
    return SILENCE_SECONDS if timeout is None else timeout


def _allowed(host: str, addresses: list[str]) -> list[str]:
    """The addresses in order, each once. Raises InvalidConnection if any of them may not be called."""
    for address in addresses:
        if found := refusal(address):
            raise InvalidConnection(f"{host} leads to an address that is never called. {found}")
    return list(dict.fromkeys(addresses))


def _reason(error: OSError | UnicodeError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "it cannot be a host name"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
