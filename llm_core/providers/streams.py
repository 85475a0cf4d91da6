"""A streamed answer from its bytes to its pieces, for every format that sends server-sent events with JSON in them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from itertools import takewhile
from types import TracebackType
from typing import Any, Protocol, Self

from .failures import ErrorInside
from .protocol import Answer, ChatRequest, Deadline, Piece
from .sse import EventCutter, parse_json

LAST_BYTES_SECONDS = 0.25
"""How long the end of a body is waited for after its last event, so that the connection can be used again."""


class Format(Protocol):
    """How one API writes requests and answers. It makes no I/O, and may raise anything at an answer it cannot read."""

    path: str

    def body(self, request: ChatRequest, stream: bool) -> dict[str, Any]:
        """Raises InvalidInput."""
        ...

    def read(self, data: Any, into: Answer) -> None:
        """A whole answer, from its JSON."""
        ...

    def reader(self, into: Answer) -> StreamReader: ...


class StreamReader(Protocol):
    """Reads the events of one streamed answer."""

    done: bool
    """The stream said that it is over."""

    def read(self, event: Any) -> Piece | None:
        """One event's JSON; None stands for [DONE]. What it brings goes into the answer, and out as a piece."""
        ...

    def end(self) -> None:
        """The body is over. Raises AnswerCutShort where the answer was not."""
        ...


class Arriving:
    """Reads one body as it comes. Once the answer is whole, how its body ends is of no interest.

    `limits` is the Timeout of the request (`http.timeout`), shortened when nothing but the end is to come.
    """

    def __init__(self, form: Format, into: Answer, headers: Mapping[str, str], limits: Any) -> None:
        self._form = form
        self._into = into
        self._reader = form.reader(into)
        self._limits = limits
        self._cutter = EventCutter()
        kind = headers.get("content-type", "")
        self._plain: list[bytes] | None = [] if "application/json" in kind or "html" in kind else None
        """The parts of a body that is no stream: an endpoint that cannot stream answers plainly."""

    def pieces(self, chunks: Iterable[bytes]) -> Iterator[Piece]:
        with self:
            for chunk in chunks:
                yield from self._feed(chunk)
        yield from self._end()

    async def apieces(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[Piece, None]:
        with self:
            async for chunk in chunks:
                for piece in self._feed(chunk):
                    yield piece
        for piece in self._end():
            yield piece

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        return isinstance(error, Exception) and self._reader.done

    def _feed(self, chunk: bytes) -> Iterator[Piece]:
        if self._plain is not None:
            self._plain.append(chunk)
        else:
            yield from self._read(self._cutter.feed(chunk))

    def _end(self) -> Iterator[Piece]:
        if self._plain is not None:
            self._form.read(parse_json(b"".join(self._plain)), self._into)
            yield Piece(self._into.text, self._into.reasoning)
            return
        yield from self._read(self._cutter.end())
        if not self._reader.done:
            _require_no_error(bytes(self._cutter.stray))
        self._reader.end()

    def _read(self, events: list[bytes]) -> Iterator[Piece]:
        for data in takewhile(lambda _: not self._reader.done, events):
            piece = self._reader.read(None if data == b"[DONE]" else parse_json(data))
            if self._reader.done:
                self._limits.read.deadline = Deadline(LAST_BYTES_SECONDS)
            if piece is not None:
                yield piece


def _require_no_error(stray: bytes) -> None:
    """Raises ErrorInside for one that came outside of all events."""
    try:
        found = parse_json(stray)
    except ValueError:
        return
    found = found[0] if isinstance(found, list) and found else found
    if isinstance(found, Mapping) and found.get("error"):
        raise ErrorInside(found)
