"""A proxy on loopback that spoils the answers on their way: late, cut, dripping, garbled, of a wrong length, or others.

It passes each request on to the server behind it and takes the whole answer before it sends any of it. Which fault a
request gets is told by the mark in its body (`mark(17)`, put into the prompt); one without a mark passes unspoilt.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from .replies import Raw, failing
from .server import form_for

_MARK = re.compile(rb"drill-\d{6}")


def mark(number: int) -> str:
    return f"drill-{number:06}"


@dataclass
class Answer:
    """A whole answer as the server behind gave it; `events` are the parts of one that streams."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def streams(self) -> bool:
        return "event-stream" in self.headers.get("content-type", "")

    @property
    def events(self) -> list[bytes]:
        return [event + b"\n\n" for event in self.body.split(b"\n\n") if event.strip()]


@dataclass
class Exchange:
    """One request, and the way back to whoever made it."""

    path: str
    number: int
    """Counted from 1 over the requests with this mark."""
    ask: Callable[[], Awaitable[Answer]]
    writer: asyncio.StreamWriter
    chance: random.Random

    async def send(self, answer: Answer) -> None:
        """Unspoilt."""
        parts = answer.events if answer.streams else [answer.body]
        self.head(answer, chunked=answer.streams)
        for part in parts:
            self.part(part, chunked=answer.streams)
        if answer.streams:
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def head(self, answer: Answer, *, chunked: bool = False, length: int | None = None) -> None:
        headers = dict(answer.headers)
        if chunked:
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(len(answer.body) if length is None else length)
        lines = [f"HTTP/1.1 {answer.status} Status", *(f"{name}: {value}" for name, value in headers.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def part(self, data: bytes, *, chunked: bool) -> None:
        """Raises ConnectionResetError where nobody reads any more."""
        if self.writer.transport.is_closing():
            raise ConnectionResetError
        self.writer.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)

    async def refuse(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        """With the body that this vendor writes."""
        told: Raw = getattr(form_for(self.path), "failing", failing)(status, "It did not work.")
        given = {"content-type": "application/json", **(headers or {})}
        await self.send(Answer(status, given, told.content))

    def drop(self, *, reset: bool) -> None:
        """End the connection here, in good order or with a TCP reset."""
        if reset:
            opened = self.writer.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            self.writer.transport.abort()
        raise ConnectionResetError


Fault = Callable[[Exchange], Awaitable[None]]


@dataclass
class FaultProxy:
    """Runs an event loop on a thread of its own, in front of `host` and `port`."""

    port: int
    host: str = "127.0.0.1"
    faults: dict[str, Fault] = field(default_factory=dict)
    """By mark."""
    seen: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When the requests with each mark came, on the monotonic clock."""
    seed: int = 0

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._ready = threading.Event()
        self._chance = random.Random(self.seed)
        self._serving: set[asyncio.Task[None] | None] = set()
        """Kept here, since the loop itself forgets a task that waits for the server when its client has left."""
        self._at = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._at}"

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("The fault proxy did not start.")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512))
        self._at = server.sockets[0].getsockname()[1]
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._end(server))
            self._loop.close()

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._serving.add(task)
        try:
            while True:
                head, body = await _read_message(reader)
                await self._answer(head, body, writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._serving.discard(task)

    async def _answer(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        found = _MARK.search(body)
        name = found.group().decode() if found else ""
        self.seen[name].append(time.monotonic())

        async def ask() -> Answer:
            return await self._ask(head, body)

        path = head.split(b" ", 2)[1].decode("latin-1").split("?")[0]
        exchange = Exchange(path, len(self.seen[name]), ask, writer, self._chance)
        fault = self.faults.get(name)
        if fault is None:
            await exchange.send(await ask())
        else:
            await fault(exchange)

    async def _ask(self, head: bytes, body: bytes) -> Answer:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(head + body)
            await writer.drain()
            told, content = await _read_message(reader)
        finally:
            writer.close()
        status = int(told.split(b" ", 2)[1])
        kept = {name: value for name, value in _fields(told).items() if name not in _OURS}
        return Answer(status, kept, content)


_OURS = ("content-length", "transfer-encoding", "connection", "keep-alive")


async def _read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the whole body of a request or an answer. Raises IncompleteReadError at the end."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = _fields(head)
    if fields.get("transfer-encoding") != "chunked":
        return head, await reader.readexactly(int(fields.get("content-length", "0")))
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return head, b"".join(parts)


def _fields(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:] if line)
    return {name.lower(): value.strip() for name, _, value in lines}


# The faults


async def slow(exchange: Exchange) -> None:
    """A byte every tenth of a second, none of them late."""
    answer = await exchange.ask()
    exchange.head(answer, chunked=answer.streams)
    for at in range(len(answer.body)):
        exchange.part(answer.body[at : at + 1], chunked=answer.streams)
        await exchange.writer.drain()
        await asyncio.sleep(0.1)


async def reset(exchange: Exchange) -> None:
    exchange.drop(reset=True)


async def cut(exchange: Exchange) -> None:
    """Ends within the first half, in good order or not."""
    answer = await exchange.ask()
    exchange.head(answer, chunked=answer.streams)
    for at in range(exchange.chance.randrange(len(answer.body) // 2)):
        exchange.part(answer.body[at : at + 1], chunked=answer.streams)
    await exchange.writer.drain()
    exchange.drop(reset=exchange.chance.random() < 0.5)


async def bad_json(exchange: Exchange) -> None:
    """Something in the middle is not JSON."""
    answer = await exchange.ask()
    if answer.streams:
        events = answer.events
        events[len(events) // 2] = b'data: {"text": "half a\n\n'
        answer.body = b"".join(events)
    else:
        middle = len(answer.body) // 2
        answer.body = answer.body[:middle] + b"\xff}<" + answer.body[middle:]
    await exchange.send(answer)


async def bad_sse(exchange: Exchange) -> None:
    """No events where there should be some, events run together, or events where there should be none."""
    answer = await exchange.ask()
    if not answer.streams:
        answer.body = b"event: message\ndata: " + answer.body + b"\n\n"
    elif exchange.chance.random() < 0.5:
        answer.body = b": nothing but comments\n\n" * 9
    else:
        answer.body = re.sub(rb"\n\n(?=\S)", b"\n", answer.body)
    await exchange.send(answer)


async def wrong_length(exchange: Exchange) -> None:
    """More is announced than comes, less than comes, or a chunk has a size that is none.

    Each says that it will hang up, since the HTTP libraries take what is left of an answer for the beginning of the
    next one on the same connection, whatever call that one is for.
    """
    answer = await exchange.ask()
    answer.headers["connection"] = "close"
    kind = exchange.chance.randrange(3)
    if kind == 2:
        exchange.head(answer, chunked=True)
        exchange.writer.write(b"zz\r\n" + answer.body)
    else:
        half = len(answer.body) // 2
        exchange.head(answer, length=len(answer.body) if kind == 0 else half)
        exchange.writer.write(answer.body[:half] if kind == 0 else answer.body)
    await exchange.writer.drain()
    exchange.drop(reset=False)


def late(longest: float) -> Fault:
    """Waits up to so many seconds before it says anything."""

    async def fault(exchange: Exchange) -> None:
        await asyncio.sleep(exchange.chance.uniform(0, longest))
        await exchange.send(await exchange.ask())

    return fault


def refused(status: int, times: int | None = None, headers: Mapping[str, str] | None = None) -> Fault:
    """Answers with an error, always or for the first so many requests."""

    async def fault(exchange: Exchange) -> None:
        if times is None or exchange.number <= times:
            await exchange.refuse(status, headers)
        else:
            await exchange.send(await exchange.ask())

    return fault
