"""Waiting for what has to come, with a bound that only what never comes passes, however busy the machine is."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable

PATIENCE_S = 60.0

_chance = random.SystemRandom()


def until(condition: Callable[[], bool]) -> None:
    """Look every 10 ms."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def free_port() -> int:
    """For a server that is told its port. The system gives nobody one of these who asks for any: no test side by side
    gets it before the server does."""
    while True:
        port = _chance.randrange(20_000, 32_000)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
