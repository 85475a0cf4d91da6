"""Runs llama.cpp's own HTTP server inside this process, through xllamacpp: one for each model file that is in use.

It listens on 127.0.0.1, on a free port, and answers only to a random key of this process, so that other people of the
machine cannot use it. What is sent to it, and how its answers are read, is `local.py`.

xllamacpp (2026.10) has three habits that shape this file, each of them tried:
- Starting and stopping hold Python's lock: a small model takes 0.4 s, a large one seconds. So a server starts once and
  stays until nobody needs it.
- Stopping waits for the requests under way, and their reader waits for Python's lock. So a server with calls under way
  is never stopped; the last call to end stops it. At the program's end it goes with the process.
- A forked child has none of the engine's threads. Ending a server there, even its own, or running the engine's C++ exit
  handlers, waits for those threads for ever or aborts. So a child leaves the parent's servers alone, starts its own,
  and ends without that.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import secrets
import threading
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import MissingPackage, ModelFileError

SLOTS = 2
"""Calls answered at the same time, each with the whole context; more wait. One thread brings no more tokens by more."""
MOST_THREADS = 8
"""Beyond this the memory, not the cores, sets the speed of one answer."""


@dataclass(frozen=True, slots=True)
class ModelToServe:
    """`name` is what the server calls the model. `context` is in tokens, for each call."""

    path: Path
    name: str
    context: int


class LlamaServer:
    """A running server. Got by `borrow`, given back by `give_back`."""

    def __init__(self, model: ModelToServe) -> None:
        """Raises MissingPackage, ModelFileError."""
        self.model = model
        self.key = secrets.token_hex(16)
        self._engine: Any = _start(model, self.key)
        address = self._engine.listening_address
        self.base_url = f"{address}/v1"
        self.knows_tools = _knows_tools(address, self.key)
        """Whether the model's chat template has a place for tools; without one they would be dropped unseen."""
        self.borrowers = 0
        self.calls = 0

    def begin_call(self) -> None:
        """From here to `end_call` the server keeps running, also when it is given back meanwhile."""
        with _lock:
            self.calls += 1

    def end_call(self) -> None:
        with _lock:
            self.calls -= 1
            _stop_if_idle(self)

    def stop(self) -> None:
        """Only while no call is under way. In a child of a process that ran a server, it stops with the process."""
        if _forked:
            self.leave_alone()
        self._engine = None

    def leave_alone(self) -> None:
        """Keep the engine from ever being ended: Python never counts this reference down."""
        if self._engine is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._engine))


def borrow(model: ModelToServe) -> LlamaServer:
    """The server of this model, started when it is not running. Safe from many threads.

    Raises MissingPackage without xllamacpp, and ModelFileError for a file that llama.cpp cannot load.
    """
    with _lock:
        server = _running.get(model)
        if server is None:
            server = _running[model] = LlamaServer(model)
            _watch_process()
        server.borrowers += 1
        return server


def give_back(server: LlamaServer) -> None:
    """Stops the server when nobody else has borrowed it and its last call has ended."""
    with _lock:
        server.borrowers -= 1
        _stop_if_idle(server)


def running(model: ModelToServe) -> LlamaServer | None:
    """The server of this model where it runs already. Not borrowed: hold it with `begin_call` while it is asked."""
    with _lock:
        return _running.get(model)


def threads_for(cores: int) -> int:
    """Threads that compute. One on small machines: two on two cores wait for each other as soon as anything else runs,
    and were 6 to 29 times slower (measured). Else one core is left to the rest of the program."""
    return 1 if cores <= 2 else min(cores - 1, MOST_THREADS)


_lock = threading.RLock()
_running: dict[ModelToServe, LlamaServer] = {}
_watched = False
_forked = False


def _stop_if_idle(server: LlamaServer) -> None:
    if server.borrowers == 0 and server.calls == 0 and _running.get(server.model) is server:
        del _running[server.model]
        server.stop()


def _start(model: ModelToServe, key: str) -> Any:
    try:
        import xllamacpp
    except ImportError:
        raise MissingPackage(
            "Running a model on this machine needs the package xllamacpp, which is not installed.",
            'Install it with: pip install "llm-manager[local]"',
        ) from None
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(model.path)
    wanted.model_alias = {model.name}
    wanted.n_ctx = model.context * SLOTS
    wanted.n_parallel = SLOTS
    wanted.fit_params = False  # or the context asked for is cut down unseen
    wanted.cache_ram_mib = 0  # or prompts of old calls fill up to 8 GB
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = 0
    wanted.api_keys = [key]
    wanted.cors_origins = ""
    wanted.ui = False
    wanted.verbosity = 0
    for threads in (wanted.cpuparams, wanted.cpuparams_batch):
        threads.n_threads = threads_for(_cores())
    try:
        return xllamacpp.Server(wanted)
    except RuntimeError:
        raise ModelFileError(
            f"llama.cpp cannot load {model.path.name} with a context of {model.context} tokens.",
            "The file may be damaged or of a kind it does not know, or the memory too small: try a smaller context.",
        ) from None


def _knows_tools(address: str, key: str) -> bool:
    host = urlsplit(address)
    with closing(HTTPConnection(str(host.hostname), host.port, timeout=5)) as connection:
        connection.request("GET", "/props", headers={"Authorization": f"Bearer {key}"})
        told = json.loads(connection.getresponse().read())
    return bool(told.get("chat_template_caps", {}).get("supports_tools"))


def _cores() -> int:
    """Cores that this process may use, where the system says so."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _watch_process() -> None:
    global _watched
    if _watched:
        return
    _watched = True
    atexit.register(_at_exit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_in_child)


def _at_exit() -> None:
    """Stop what is idle. A server in mid-answer ends with the process instead."""
    for server in _running.values():
        if server.calls:
            server.leave_alone()
            _skip_exit_handlers()
        else:
            server.stop()
    _running.clear()


def _in_child() -> None:
    """After a fork: forget the parent's servers, and end this child without the engine's exit handlers."""
    global _lock, _forked
    _forked = True
    _lock = threading.RLock()
    for server in _running.values():
        server.leave_alone()
    _running.clear()
    _skip_exit_handlers()


def _skip_exit_handlers() -> None:
    """Let the process end, with its status, before the engine's C++ exit handlers: they wait for threads that a child
    does not have, and crash under threads that compute. Python has written out and closed everything by then.

    Possible with glibc alone; there these troubles were seen.
    """
    libc = ctypes.CDLL(None) if os.name == "posix" else None
    if libc is not None and hasattr(libc, "on_exit"):
        libc.on_exit(libc._exit, None)
