"""An answer as it comes: iterators over its text that can be left or stopped at any moment, and are always recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing
from typing import Self

from .attempt import Attempt, Plan, after_failure
from .providers.protocol import ChatRequest, Piece, Stopped
from .providers.retry import RetryPolicy
from .types import Reply


class Stream:
    """The answer's text in pieces. Closing it, or leaving it early, stops the call; `reply` is there once it ended.

    As a context manager it is closed on the way out, whatever happened inside.
    """

    def __init__(self, plan: Plan[ChatRequest], policy: RetryPolicy) -> None:
        self._plan = plan
        self._policy = policy
        self._attempt: Attempt | None = None
        self._reply: Reply | None = None
        self._pieces = self._run()

    @property
    def reply(self) -> Reply | None:
        """None until the stream has ended, was closed or failed."""
        return self._reply

    @property
    def text(self) -> str:
        """What has arrived so far."""
        return self._attempt.answer.text if self._attempt else ""

    @property
    def reasoning(self) -> str:
        return self._attempt.answer.reasoning if self._attempt else ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for piece in self._pieces:
            if piece.text:
                return piece.text
        raise StopIteration

    def pieces(self) -> Iterator[Piece]:
        """The same stream with the model's reasoning told apart from its text."""
        return self._pieces

    def close(self) -> None:
        """Stop the call, from the thread that reads the stream."""
        self._pieces.close()

    def stop(self) -> None:
        """Stop the call, from any thread: the one that reads the stream finds it at its end."""
        self._plan.request.deadline.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _run(self) -> Generator[Piece, None, None]:
        deadline = self._plan.request.deadline
        number = 1
        while True:
            try:
                attempt = self._attempt = Attempt.begin(self._plan, number)
            except BaseException as error:
                self._reply = self._attempt.reply if self._attempt else None
                if isinstance(error, Stopped):
                    return
                raise
            given_out = False
            try:
                with closing(self._plan.adapter.stream(self._plan.request, attempt.answer)) as arriving:
                    for piece in arriving:
                        attempt.piece(piece)
                        given_out = True
                        yield piece
                        if deadline.stopped:
                            raise Stopped
            except BaseException as error:
                if deadline.stopped:
                    self._reply = attempt.end(Stopped())
                    return
                delay = after_failure(attempt, error, self._policy, given_out)
                if delay is None:
                    self._reply = attempt.reply
                    raise
            else:
                self._reply = attempt.end()
                return
            if deadline.wait(delay):
                self._reply = attempt.reply
                return
            number += 1


class AsyncStream:
    """As Stream, for an event loop: `async for`, `async with`, `await stream.close()`."""

    def __init__(self, plan: Plan[ChatRequest], policy: RetryPolicy) -> None:
        self._plan = plan
        self._policy = policy
        self._attempt: Attempt | None = None
        self._reply: Reply | None = None
        self._pieces = self._run()

    @property
    def reply(self) -> Reply | None:
        """None until the stream has ended, was closed or failed."""
        return self._reply

    @property
    def text(self) -> str:
        """What has arrived so far."""
        return self._attempt.answer.text if self._attempt else ""

    @property
    def reasoning(self) -> str:
        return self._attempt.answer.reasoning if self._attempt else ""

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        async for piece in self._pieces:
            if piece.text:
                return piece.text
        raise StopAsyncIteration

    def pieces(self) -> AsyncIterator[Piece]:
        """The same stream with the model's reasoning told apart from its text."""
        return self._pieces

    async def close(self) -> None:
        await self._pieces.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def _run(self) -> AsyncGenerator[Piece, None]:
        number = 1
        while True:
            try:
                attempt = self._attempt = await Attempt.abegin(self._plan, number)
            except BaseException:
                self._reply = self._attempt.reply if self._attempt else None
                raise
            given_out = False
            try:
                async with aclosing(self._plan.adapter.astream(self._plan.request, attempt.answer)) as arriving:
                    async for piece in arriving:
                        attempt.piece(piece)
                        given_out = True
                        yield piece
            except BaseException as error:
                delay = after_failure(attempt, error, self._policy, given_out)
                if delay is None:
                    self._reply = attempt.reply
                    raise
            else:
                self._reply = attempt.end()
                return
            await asyncio.sleep(delay)
            number += 1
