"""Cuts a body of server-sent events into the data of each event (WHATWG HTML, section 9.2.6). For every provider."""

from __future__ import annotations

from typing import Any

LARGEST_EVENT = 64 * 2**20
"""Bytes. A larger one is no answer of a model, and would only fill the memory."""
LARGEST_STRAY = 64 * 2**10
"""Bytes of lines outside of events that are kept: enough for the words of an error."""
_FIELDS = (b":", b"event", b"data", b"id:", b"retry")
"""How a line of an event begins; the first is a comment."""


class EventCutter:
    """Fed with the bytes as they come, gives the data of the events that are whole by then."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._held = 0
        self.stray = bytearray()
        """The lines that belong to no event: Google writes an error in mid-stream as it would without one."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Raises ValueError for an event beyond LARGEST_EVENT."""
        self._rest += chunk
        if len(self._rest) + self._held > LARGEST_EVENT:
            raise ValueError("An event is too large.")
        if b"\n" not in chunk:
            return []
        lines = bytes(self._rest).splitlines(keepends=True)
        # A line without its end waits for the rest, and so does a \r whose \n may be in the next chunk.
        self._rest = bytearray() if lines[-1].endswith(b"\n") else bytearray(lines.pop())
        return [event for line in lines if (event := self._read(line.rstrip(b"\r\n"))) is not None]

    def _read(self, line: bytes) -> bytes | None:
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            self._held += len(line)
        elif not line and self._data:
            event = b"\n".join(self._data)
            self._data, self._held = [], 0
            return event
        elif line and not line.startswith(_FIELDS) and len(self.stray) < LARGEST_STRAY:
            self.stray += line
        return None

    def end(self) -> list[bytes]:
        """The last event, where the body ended without the blank line after it."""
        return self.feed(b"\n\n")


def parse_json(data: bytes) -> Any:
    """Raises ValueError. Some servers write NaN or Infinity, which JSON does not have: those are taken too."""
    import orjson

    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        import json

        return json.loads(data)
