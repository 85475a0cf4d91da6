"""A port for a server that has to be told one."""

from __future__ import annotations

import random
import socket

_chance = random.SystemRandom()


def free_port() -> int:
    """The system gives nobody one of these who asks for any: no test side by side gets it before the server does."""
    while True:
        port = _chance.randrange(20_000, 32_000)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
