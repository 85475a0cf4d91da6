"""Tries to get at forbidden addresses, in a network of its own where every one of them answers.

`python -m tests.providers.forbidden_net` runs in a new network namespace, whose only device is the loopback. There the
addresses of metadata services, and the forms that wrap them, are given to it, and one listener counts who comes by
which address. Prints what happened as JSON. `test_forbidden_addresses.py` starts it and judges.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from llm_core import LLMProvider, Workspace
from llm_core.errors import InvalidConnection, LLMManagerError
from llm_core.providers import http
from llm_core.providers.protocol import Deadline
from llm_core.providers.registry import REGISTRY, find
from tests.wire.calls import call, request

from .test_base_url import REFUSED

FORBIDDEN = (
    *("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("fd00:ec2::254", "fd20:ce::254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "fe80::1"),
)
SPELLINGS = (
    *REFUSED,
    "http://169.254.169.254:80/v1",
    "HTTP://169.254.169.254/v1",
    "http://169.254.169.254",
    "http://169.254.169.254?",
    "http://169.254.169.254#@api.openai.com/v1",
    "http://api.openai.com#@169.254.169.254/v1",
    "http://api.openai.com@169.254.169.254/v1",
    "http://127.0.0.1:80@169.254.169.254/v1",
    "http://169.254.169.254\\@api.openai.com/v1",
    "http://169.254.169.254%2f@api.openai.com/v1",
    "http:/169.254.169.254/v1",
    "http:169.254.169.254/v1",
    "http:///169.254.169.254/v1",
    "http:\\\\169.254.169.254\\v1",
    "\thttp://169.254.169.254/v1",
    "http://169.254.169.254\u200b/v1",
    "http://169.254\u3002169.254/v1",
    "http://0xa9fea9fe/v1",
    "http://0xA9.254.0251.254/v1",
    "http://025177524776/v1",
    "http://169.16689662/v1",
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]/v1",
    "http://[::169.254.169.254]/v1",
    "http://[fe80::1%lo]/v1",
    "http://[FD00:EC2::254]/v1",
    "http://[fd00:0ec2:0:0:0:0:0:254]/v1",
    "http://[fd20:ce::254]/v1",
    "http://192.0.0.192/v1",
    "http://MetaData.Google.Internal/v1",
    "http://instance-data.ec2.internal/v1",
)
HIDDEN = {"rebind.example": FORBIDDEN, "metadata.google.internal": FORBIDDEN, "metadata": FORBIDDEN}
"""Names that lead to forbidden addresses here."""
LIBRARIES = ("httpx2", "httpx")


class Listener:
    """Answers every request on port 80 of every address, and counts by which address it came."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self._listening = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            taken, _ = self._listening.accept()
            with taken, suppress(OSError):
                address = taken.getsockname()[0].removeprefix("::ffff:").partition("%")[0]
                self.hits[address] += 1
                taken.settimeout(5)
                taken.recv(65536)
                taken.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")


class Resolver:
    """Stands in for the machine's resolver, which knows no names here. Numeric hosts are left to the system."""

    def __init__(self) -> None:
        self._real = socket.getaddrinfo
        self.answers: dict[str, Iterator[tuple[str, ...]]] = {
            name: itertools.repeat(addresses) for name, addresses in HIDDEN.items()
        }

    def __call__(self, host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else str(host)
        found = self.answers.get(name.lower().rstrip("."))
        if found is None:
            return self._real(host, port, *rest, **named)
        return [self._real(address, port, type=socket.SOCK_STREAM)[0] for address in next(found)]


def make_network() -> None:
    """Raises CalledProcessError where this process may not."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, capture_output=True)
    for address in FORBIDDEN:
        length = "32" if "." in address else "128"
        add = ["ip", "addr", "add", f"{address}/{length}", "dev", "lo"]
        subprocess.run(add, check=True, capture_output=True)


def reach(address: str) -> None:
    """Without any of our care."""
    family, kind, number, _, place = socket.getaddrinfo(address, 80, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, number) as direct:
        direct.settimeout(5)
        if address.startswith("fe80"):
            place = (address, 80, 0, socket.if_nametoindex("lo"))
        direct.connect(place)
        direct.sendall(b"GET / HTTP/1.1\r\n\r\n")
        direct.recv(100)


def fetch(library: str, url: str, use_async: bool, **options: Any) -> None:
    """One GET by a client of ours, whatever comes of it; nobody looked at the URL before."""
    limits = http.timeout(Deadline(3), library)

    async def afetch() -> None:
        async with http.new_async_client(url, library=library, **options) as client:
            await client.get(url, timeout=limits)

    try:
        if use_async:
            asyncio.run(afetch())
        else:
            with http.new_client(url, library=library, **options) as client:
                client.get(url, timeout=limits)
    except Exception:  # noqa: BLE001  # refused, unreadable, unreachable: all that counts is who was asked
        return


def from_an_old_row(provider: str, url: str, **options: Any) -> None:
    """A call by an adapter whose connection was saved by something that did not look at its address."""
    with suppress(LLMManagerError):
        adapter = find(provider).factory()(
            LLMProvider("old", provider, base_url=url, options=options), "sk-canary-0123"
        )
        call(adapter, request(seconds=3))
        adapter.close()


def typed(ws: Workspace, url: str) -> bool:
    """Whether a person may connect to it; tested then."""
    for provider in ("openai", "compatible"):
        try:
            ws.providers.connect(provider, "sk-canary-0123456789", base_url=url, name="typed")
        except InvalidConnection:
            continue
        ws.providers.test("typed")
        ws.providers.disconnect("typed")
        return True
    return False


def flip(resolver: Resolver, listener: Listener) -> dict[str, int]:
    """A name whose answers change between looks: some good, some forbidden, some both."""
    answers = (
        ("127.0.0.1",),
        ("169.254.169.254",),
        ("127.0.0.1", "169.254.169.254"),
        ("::1", "fd00:ec2::254"),
        ("64:ff9b::a9fe:a9fe",),
        ("::1",),
    )
    resolver.answers["flips.example"] = itertools.cycle(answers)
    before = sum(listener.hits.values())
    asked = 0
    for library, use_async in itertools.product(LIBRARIES, (False, True)):
        for _ in range(2 * len(answers)):
            fetch(library, "http://flips.example/v1/models", use_async)
            asked += 1
    return {"asked": asked, "answered": sum(listener.hits.values()) - before}


def main() -> None:
    make_network()
    listener, resolver = Listener(), Resolver()
    for address in FORBIDDEN:
        reach(address)
    control = dict(listener.hits)
    listener.hits.clear()
    socket.getaddrinfo = resolver  # type: ignore[assignment]
    accepted, attempts = [], 0
    with TemporaryDirectory() as folder, Workspace.open(Path(folder) / "home") as ws:
        for url in SPELLINGS:
            if typed(ws, url):
                accepted.append(url)
            from_an_old_row("openai", url)
            for library, use_async in itertools.product(LIBRARIES, (False, True)):
                fetch(library, url, use_async)
            attempts += 6
    vendors = [name for name, row in REGISTRY.items() if row.base_url or row.capabilities.needs_base_url]
    for provider, address in itertools.product(vendors, ("169.254.169.254", "[fd00:ec2::254]", "rebind.example")):
        from_an_old_row(provider, f"http://{address}/v1")
        from_an_old_row(provider, "http://127.0.0.1/v1", proxy=f"http://{address}", proxy_in_clear=True)
        attempts += 2
    for library, use_async in itertools.product(LIBRARIES, (False, True)):
        for address in ("169.254.169.254", "[fd00:ec2::254]", "rebind.example"):
            fetch(library, "http://127.0.0.1/v1", use_async, proxy=f"http://{address}")
            attempts += 1
    flips = flip(resolver, listener)
    told = {
        "control": control,
        "hits": {address: count for address, count in listener.hits.items() if address not in ("127.0.0.1", "::1")},
        "spellings": len(set(SPELLINGS)),
        "attempts": attempts,
        "accepted": accepted,
        "flips": flips,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
