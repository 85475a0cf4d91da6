"""One answer as it comes. An event loop on a thread of its own reads it, so that a page can stop it at any moment, also
while it still waits for the first token. The page only looks: `text`, `waited`, `done`, then `reply` or `error`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from llm_core import Reply

STOP_WITHIN = 5.0
"""Seconds to wait, after a stop, for the call to end and its record to be kept."""


class Lane:
    """Starts at once. `open_stream` makes the AsyncStream; what it raises is kept in `error`."""

    def __init__(self, open_stream: Callable[[], Any]) -> None:
        self.stopped = False
        self.error: Exception | None = None
        self._open_stream = open_stream
        self._stream: Any = None
        self._began = time.monotonic()
        self._cancel: Callable[[], object] = lambda: None
        self._ended = threading.Event()
        threading.Thread(target=self._work, name="answer", daemon=True).start()

    @classmethod
    def failed(cls, error: Exception) -> Lane:
        """A lane whose call could not even begin."""

        def refuse() -> Any:
            raise error

        return cls(refuse)

    @property
    def text(self) -> str:
        return self._stream.text if self._stream else ""

    @property
    def reasoning(self) -> str:
        return self._stream.reasoning if self._stream else ""

    @property
    def reply(self) -> Reply | None:
        return self._stream.reply if self._stream else None

    @property
    def done(self) -> bool:
        return self._ended.is_set()

    @property
    def waited(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def wait(self, seconds: float) -> bool:
        """Wait a little for the end; True once it has come."""
        return self._ended.wait(seconds)

    def stop(self) -> None:
        """End the call now; returns when its record is kept, or after STOP_WITHIN. Nothing happens to an ended one."""
        if not self.done:
            self.stopped = True
            self._cancel()
            self._ended.wait(STOP_WITHIN)

    def _work(self) -> None:
        try:
            asyncio.run(self._read())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001  shown by the page that looks at this lane
            self.error = error
        finally:
            self._ended.set()

    async def _read(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self.stopped:
            return
        self._stream = self._open_stream()
        async with self._stream:
            async for _ in self._stream.pieces():
                if self.stopped:
                    return
