"""Which runs of its script a page asked for, read from its websocket: the page itself shows one only once it began."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from playwright.sync_api import Page, WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

_runs: WeakKeyDictionary[Page, Runs] = WeakKeyDictionary()


class Runs:
    """Of one page, since it was last loaded."""

    def __init__(self) -> None:
        self._asked = False
        self._running = False

    @property
    def under_way(self) -> bool:
        return self._asked or self._running

    def begin(self, socket: WebSocket) -> None:
        self._asked, self._running = True, False  # a page that is loaded asks for its first run
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes) and BackMsg.FromString(frame).WhichOneof("type") == "rerun_script":
            self._asked = True

    def _received(self, frame: str | bytes) -> None:
        told = ForwardMsg.FromString(frame).WhichOneof("type") if isinstance(frame, bytes) else None
        if told == "new_session":
            self._asked, self._running = False, True
        elif told == "script_finished":
            self._running = False


def watch_runs(page: Page) -> None:
    """From the next load of the page on."""
    runs = _runs[page] = Runs()
    page.on("websocket", runs.begin)


def runs_of(page: Page) -> Runs:
    return _runs[page]
