"""A replay server on loopback that speaks the providers' wire formats, and keeps a log of what it was asked.

    with WireServer() as server:
        server.script(Say(text="Hi."), failing(429, headers={"retry-after": "1"}))
        ... base_url=server.base_url ...
        assert server.requests[0].body["model"] == "m"

Requests take the script in order; with the script empty, what `answer(model, ...)` was told; else `server.usual`. Each
format is a module with PATH, problem, plain and events, named in FORMATS. It also runs alone, for loads from other
processes: `python -m tests.wire.server`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from . import anthropic_messages, cohere_chat, google_generate, multipart, openai_chat, openai_responses, strict
from .counts import anthropic_counts, cohere_counts, google_counts, openai_counts
from .embeddings import cohere_embeddings, google_embeddings, huggingface_embeddings, openai_embeddings
from .replies import Raw, Say, Step, failing
from .transcriptions import cohere_transcriptions, huggingface_transcriptions, openai_transcriptions

FORMATS: dict[str, Any] = {
    form.PATH: form  # type: ignore[attr-defined]  # modules and objects alike
    for form in (
        openai_chat,
        openai_responses,
        openai_embeddings,
        openai_transcriptions,
        anthropic_messages,
        cohere_chat,
        cohere_embeddings,
        cohere_transcriptions,
        google_generate.generate,
        google_generate.stream,
        google_embeddings,
        huggingface_embeddings,
        huggingface_transcriptions,
        openai_counts,
        anthropic_counts,
        google_counts,
        cohere_counts,
    )
}
"""Path -> what speaks there; * stands for a model. Beside PATH, problem, plain and events it may have `failing` (how
its vendor writes an error), REQUEST_ID (the header with a request's id), STREAMED where the path and not the body tells
whether to stream, TAKES where a body is no object, and `asks` and `model_list` for a list of models of its own.
"""
_MODEL_IN_PATH = re.compile(r"(?<=/models/)[^:]+?(?=:|/pipeline/|$)")


@dataclass
class Received:
    """One request, as it came. `ended` is None while it is answered, then: done, cut, reset or left (by the client)."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    content: bytes = b""
    """The body before it was read."""
    ended: str | None = None

    @property
    def model(self) -> str | None:
        """Named in the body or in the path."""
        named = self.body.get("model") if isinstance(self.body, dict) else None
        found = _MODEL_IN_PATH.search(self.path.split("?")[0])
        return named or (found.group() if found else None)


def form_for(path: str) -> Any:
    """What speaks at that path; None where nothing does."""
    return FORMATS.get(path) or FORMATS.get(_MODEL_IN_PATH.sub("*", path))


@dataclass
class WireServer:
    """Runs an event loop on a thread of its own. Every attribute may be set while it runs."""

    usual: Step = field(default_factory=Say)
    models: list[str] = field(default_factory=lambda: ["gpt-6-luna", "gpt-6-luna-mini"])
    key: str | None = None
    """The only key that is let in; None lets everybody in."""
    lenient: bool = False
    """Take the extra fields of compatible servers too."""
    check: bool = True
    """Refuse requests that the real API would refuse."""
    strict: str | None = None
    """Refuse, beyond `check`, what this vendor's documents do not say that it takes: see `tests.wire.strict`."""
    missing: set[str] = field(default_factory=set)
    """Paths that answer 404, as an endpoint without them does."""

    requests: list[Received] = field(default_factory=list, repr=False)
    connections: int = 0
    """Connections accepted so far: fewer than requests, where they are kept alive."""
    port: int = 0

    def __post_init__(self) -> None:
        self._script: deque[Step] = deque()
        self._by_model: dict[str, deque[Step]] = {}
        self._loop = asyncio.new_event_loop()
        self._released = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, name="wire-server", daemon=True)
        self._ready = threading.Event()

    def start(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("The replay server did not start.")
        return self

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """As the OpenAI SDK wants it."""
        return f"{self.url}/v1"

    def script(self, *steps: Step) -> None:
        """The answers to the next requests for an answer, in order, after those already waiting."""
        self._script.extend(steps)

    def answer(self, model: str, *steps: Step) -> None:
        """The answers for one model, in order; the last one stays."""
        self._by_model[model] = deque(steps)

    def release(self) -> None:
        """Let answers that wait at `hold_after` go on."""
        self._loop.call_soon_threadsafe(self._released.set)

    def hang_up(self) -> None:
        """Close every open connection, as a server does with idle ones."""
        done = threading.Event()

        def close() -> None:
            for writer in list(self._open):
                writer.close()
            self._loop.call_soon(done.set)

        self._loop.call_soon_threadsafe(close)
        done.wait(10)

    def asked(self, path: str = "") -> list[Received]:
        """The requests whose path ends with `path`."""
        return [request for request in self.requests if request.path.split("?")[0].endswith(path)]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self.port = server.sockets[0].getsockname()[1]
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
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while (request := await _read_request(reader)) is not None:
                self.requests.append(request)
                step = self._choose(request)
                try:
                    request.ended = await _Sending(self, request, step, reader, writer).run()
                except (ConnectionError, TimeoutError):
                    request.ended = "left"
                if request.ended != "done":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    def _choose(self, request: Received) -> Step:
        path = request.path.split("?")[0]
        if path in self.missing:
            return Raw(status=404, body="<html>Not Found</html>", headers={"content-type": "text/html"})
        form = form_for(path)
        fail = getattr(form, "failing", failing)
        sent_key = request.headers.get("authorization", "").removeprefix("Bearer ")
        sent_key = request.headers.get("x-goog-api-key", sent_key)
        if self.key is not None and sent_key != self.key:
            told = f"Incorrect API key provided: {sent_key}. You can find your API key at https://example.invalid/keys."
            return fail(401, told, code="invalid_api_key")
        if path in ("/v1/models", "/v1beta/models"):
            return self._next(None) if self._scripted_models else Raw(body=self._list(request))
        if form is None or request.method != "POST":
            return fail(404, f"Invalid URL ({request.method} {path})", code=None)
        if not isinstance(request.body, getattr(form, "TAKES", dict)):
            return fail(400, "We could not parse the JSON body of your request.")
        if self.check and (found := form.problem(request.body, self.lenient)):
            return fail(400, found)
        if self.strict is not None and (found := strict.problem(path, request.body, self.strict)):
            return fail(400, found)
        return self._next(request.model)

    def _next(self, model: str | None) -> Step:
        if self._script:
            return self._script.popleft()
        own = self._by_model.get(model or "")
        if own:
            return own.popleft() if len(own) > 1 else own[0]
        return self.usual

    @property
    def _scripted_models(self) -> bool:
        """A script of exact bytes also serves the model list; one of answers waits for a call."""
        return bool(self._script) and isinstance(self._script[0], Raw)

    def _list(self, request: Received) -> dict[str, Any]:
        if request.path.startswith("/v1beta/"):
            return google_generate.model_list(self.models)
        for form in FORMATS.values():
            if hasattr(form, "asks") and form.asks(request.headers):
                made: dict[str, Any] = form.model_list(self.models)
                return made
        entries = [
            {"id": name, "object": "model", "created": 1_780_000_000, "owned_by": "wire"} for name in self.models
        ]
        return {"object": "list", "data": entries}


class _Sending:
    """One answer on its way."""

    def __init__(
        self,
        server: WireServer,
        request: Received,
        step: Step,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._server = server
        self._request = request
        self._step = step
        self._reader = reader
        self._writer = writer

    async def run(self) -> str:
        step = self._step
        if step.delay:
            await asyncio.sleep(step.delay)
        if step.reset and step.cut_after is None:
            return self._drop()
        if isinstance(step, Say):
            form = form_for(self._request.path.split("?")[0])
            streamed = form.STREAMED if hasattr(form, "STREAMED") else self._request.body.get("stream")
            if streamed:
                return await self._stream(200, step.headers, form.events(step, self._request.body))
            return await self._plain(200, step.headers, json.dumps(form.plain(step, self._request.body)).encode())
        if step.events is not None:
            return await self._stream(step.status, step.headers, step.events)
        return await self._plain(step.status, step.headers, step.content)

    async def _plain(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        given = {"content-type": "application/json", self._id_header: "req_wire", **_lower(headers)}
        given["content-length"] = str(len(body))
        head = _head(status, given)
        step = self._step
        if not (step.drip or step.hold_after is not None or step.cut_after is not None):
            self._writer.write(head + body)
            await self._writer.drain()
            return "done"
        self._writer.write(head)
        size = step.drip or 1
        for start in range(0, len(body), size):
            if ended := await self._before(start):
                return ended
            self._writer.write(body[start : start + size])
            await self._writer.drain()
        return "done"

    async def _stream(self, status: int, headers: Mapping[str, str], events: Iterable[str]) -> str:
        given = {"content-type": "text/event-stream; charset=utf-8", self._id_header: "req_wire", **_lower(headers)}
        given["transfer-encoding"] = "chunked"
        self._writer.write(_head(status, given))
        for number, event in enumerate(events):
            if ended := await self._before(number):
                return ended
            data = f"{event}\n\n".encode()
            self._writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await self._writer.drain()
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
        return "done"

    @property
    def _id_header(self) -> str:
        form = form_for(self._request.path.split("?")[0])
        return getattr(form, "REQUEST_ID", "x-request-id")

    async def _before(self, sent: int) -> str | None:
        """Called before each event or drip with the number already sent; how it ended, where it ends here."""
        step = self._step
        if step.cut_after is not None and sent >= step.cut_after:
            return self._drop()
        if step.hold_after is not None and sent == step.hold_after:
            while not self._server._released.is_set():
                if self._client_left:
                    return "left"
                await asyncio.sleep(0.005)
        if step.pause and sent:
            await asyncio.sleep(step.pause)
        return "left" if self._client_left else None

    @property
    def _client_left(self) -> bool:
        """In good order, or with a reset, as closing a socket with unread bytes does."""
        return self._reader.at_eof() or self._reader.exception() is not None

    def _drop(self) -> str:
        if self._step.reset:
            opened = self._writer.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            self._writer.transport.abort()
            return "reset"
        return "cut"


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    try:
        if headers.get("content-type", "").startswith("multipart/form-data"):
            body = multipart.parse(headers["content-type"], content)
        else:
            body = json.loads(content) if content else None
    except ValueError:
        body = content
    return Received(method, path, headers, body, content)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Lower-case names, without those that this server must set itself."""
    ours = {"content-length", "transfer-encoding", "content-encoding", "connection"}
    return {name.lower(): value for name, value in headers.items() if name.lower() not in ours}


def main() -> None:
    """Serve the usual answer until the process is ended; the first line printed is the base URL."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--text", default=Say().text)
    given = parser.parse_args()
    with WireServer(port=given.port, usual=Say(text=given.text, delay=given.delay)) as server:
        sys.stdout.write(server.base_url + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
