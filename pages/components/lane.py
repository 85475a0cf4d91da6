"""One answer as it comes. A thread of its own makes the call, so that it can be stopped at any moment, also while it
still waits for the first token, and goes on while the person looks at another page. A page only looks: `fetched`,
`text`, `waited`, `done`, then `reply` or `error`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from llm_core import Reply, Stream
from llm_core.errors import FetchStopped

STOP_WITHIN = 5.0
"""Seconds to wait, after a stop, for the call to end and its record to be kept."""

Prepare = Callable[[Callable[[int, int | None], None], Callable[[], bool]], None]
"""Called first, with a function to tell (bytes done, bytes in all) to and one that says whether to stop."""


class Lane:
    """Starts at once. `open_stream` makes the stream; what goes wrong is kept in `error`."""

    def __init__(self, open_stream: Callable[[], Stream], prepare: Prepare, title: str = "") -> None:
        self.title = title
        self.stopped = False
        self.error: Exception | None = None
        self.fetched: tuple[int, int | None] | None = None
        self._open_stream = open_stream
        self._prepare = prepare
        self._stream: Stream | None = None
        self._began = time.monotonic()
        self._ended = threading.Event()
        threading.Thread(target=self._work, name="answer", daemon=True).start()

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
        """Seconds since the call began, or since the fetching of its model did."""
        return time.monotonic() - self._began

    def wait(self, seconds: float) -> bool:
        """Wait a little for the end; True once it has come."""
        return self._ended.wait(seconds)

    def stop(self) -> None:
        """End it now; returns when the record of the call is kept, or after STOP_WITHIN. An ended one stays as is."""
        if not self.done:
            self.stopped = True
            if self._stream is not None:
                self._stream.stop()
            self._ended.wait(STOP_WITHIN)

    def _work(self) -> None:
        try:
            self._prepare(self._fetching, lambda: self.stopped)
            self.fetched, self._began = None, time.monotonic()
            self._stream = self._open_stream()
            with self._stream:
                if not self.stopped:
                    for _ in self._stream.pieces():
                        pass
        except FetchStopped:
            pass
        except Exception as error:  # noqa: BLE001  shown by the page that looks at this lane
            self.error = error
        finally:
            self._ended.set()

    def _fetching(self, done: int, total: int | None) -> None:
        self.fetched = (done, total)
