"""Keeps an adapter's SDK clients: one for threads, one for each event loop, each made when first used.

An async client's connections belong to the loop that opened them, so another `asyncio.run` needs a client of its own.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Generic, TypeVar

S = TypeVar("S")
A = TypeVar("A")


class Clients(Generic[S, A]):
    """Lends clients to calls. `close` lets running calls finish, and a call that comes late still gets a client."""

    def __init__(
        self,
        make: Callable[[], S],
        end: Callable[[S], None],
        make_async: Callable[[], A],
        end_async: Callable[[A], Awaitable[None]],
    ) -> None:
        self._make = make
        self._end = end
        self._make_async = make_async
        self._end_async = end_async
        self._lock = threading.Lock()
        self._client: S | None = None
        self._of_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Any, A]] = weakref.WeakKeyDictionary()
        self._ending: set[asyncio.Task[None]] = set()
        self._running = 0
        self._closing = False

    @contextmanager
    def use(self) -> Iterator[S]:
        with self._lock:
            self._running += 1
            try:
                client = self._client = self._client or self._make()
            except BaseException:
                self._running -= 1
                raise
        try:
            yield client
        finally:
            self._one_less()

    @asynccontextmanager
    async def ause(self) -> AsyncIterator[A]:
        with self._lock:
            self._running += 1
        try:
            yield await self._for_this_loop()
        finally:
            self._one_less()

    def close(self) -> None:
        """Close the clients as soon as no call uses them. May be called from any thread."""
        with self._lock:
            self._closing = True
            if self._running == 0:
                self._end_all()

    def _one_less(self) -> None:
        with self._lock:
            self._running -= 1
            if self._closing and self._running == 0:
                self._end_all()

    async def _for_this_loop(self) -> A:
        loop = asyncio.get_running_loop()
        found = self._of_loop.get(loop)
        if found is None:
            keeper = self._keep()
            client = await anext(keeper)
            with self._lock:
                for closed in [other for other in self._of_loop if other.is_closed()]:
                    del self._of_loop[closed]
                found = self._of_loop[loop] = (keeper, client)
        return found[1]

    async def _keep(self) -> AsyncGenerator[A, None]:
        """Holds a client for its loop. A loop that ends closes its async generators, and so the client, by itself."""
        client = self._make_async()
        try:
            yield client
        finally:
            self._of_loop.pop(asyncio.get_running_loop(), None)
            await self._end_async(client)

    def _end_all(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._end(client)
        for loop, (keeper, _) in list(self._of_loop.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._end_on, loop, keeper)

    def _end_on(self, loop: asyncio.AbstractEventLoop, keeper: AsyncGenerator[A, None]) -> None:
        task = loop.create_task(keeper.aclose())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
