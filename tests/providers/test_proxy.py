"""A connection's own proxy: used for that connection alone, for https by a tunnel, and in clear only where allowed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from llm_core.errors import ConnectionBroken, InvalidConnection, TimedOut, Unreachable
from llm_core.providers.registry import find
from llm_core.types import LLMProvider
from tests.wire.calls import KEY, WAYS, call, request
from tests.wire.server import WireServer

from .test_http import tls_server

VENDORS = {"openai": "/v1", "cohere": ""}
"""One on each of the two HTTP libraries."""


class Proxy:
    """Takes each request whole, keeps its head, and answers: a tunnel for CONNECT, else what it is told to say."""

    def __init__(self, answer: bytes | None = None, silent: bool = False) -> None:
        self.heads: list[str] = []
        self.answer = answer
        self.silent = silent
        self._over = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.05)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join(10)
        self._listening.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                taken, _ = self._listening.accept()
            except OSError:
                continue
            threading.Thread(target=self._take, args=(taken,), daemon=True).start()

    def _take(self, taken: socket.socket) -> None:
        with taken, suppress(OSError):
            taken.settimeout(10)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (got := taken.recv(65536)):
                    return
                head += got
            self.heads.append(head.decode("latin-1"))
            if self.silent:
                self._over.wait(30)
            elif self.answer is not None:
                taken.sendall(self.answer)
            else:
                self._pass_on(taken, head)

    def _pass_on(self, client: socket.socket, head: bytes) -> None:
        method, target, _ = head.split(b" ", 2)
        tunnel = method == b"CONNECT"
        place = target if tunnel else target.split(b"/")[2]
        host, port = place.decode().rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10) as server:
            server.settimeout(10)
            if tunnel:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(head.replace(target, b"/" + target.split(b"/", 3)[3], 1))
            other = threading.Thread(target=_copy, args=(client, server), daemon=True)
            other.start()
            _copy(server, client)
            other.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    """What comes, until either side has enough; then the target is told so."""
    with suppress(OSError):
        while got := source.recv(65536):
            target.sendall(got)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def proxy(answer: bytes | None = None, silent: bool = False) -> Iterator[Proxy]:
    made = Proxy(answer, silent)
    try:
        yield made
    finally:
        made.close()


def outcome(vendor: str, base_url: str, way: str, seconds: float = 20, **options: Any) -> Any:
    find(vendor).load_sdk()
    adapter = find(vendor).factory()(LLMProvider("test", vendor, base_url=base_url, options=options), KEY)
    try:
        return call(adapter, request(seconds=seconds), way)
    finally:
        adapter.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_https_goes_through_a_tunnel_that_sees_neither_key_nor_prompt(tmp_path: Path, vendor: str, way: str) -> None:
    with tls_server(tmp_path) as (place, bundle), proxy() as between:
        place = place.removesuffix("/v1") + VENDORS[vendor]
        found = outcome(vendor, place, way, proxy=between.url, ca_bundle=str(bundle))
    assert isinstance(found.error, ConnectionBroken)  # past TLS: the server there says nothing more
    assert between.heads
    assert all(head.startswith("CONNECT 127.0.0.1:") for head in between.heads)
    assert not any(KEY in head or "Say hello" in head for head in between.heads)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_http_goes_through_it_where_that_is_allowed(wire: WireServer, vendor: str, way: str) -> None:
    with proxy() as between:
        found = outcome(vendor, wire.url + VENDORS[vendor], way, proxy=between.url, proxy_in_clear=True)
    assert found.error is None
    assert found.answer.text == "Hello from the wire."
    assert between.heads[0].startswith(f"POST {wire.url}/")


@pytest.mark.parametrize("vendor", VENDORS)
def test_http_through_a_proxy_is_refused_where_it_is_not_allowed(wire: WireServer, vendor: str) -> None:
    with proxy() as between, pytest.raises(InvalidConnection, match="would read the key"):
        outcome(vendor, wire.url + VENDORS[vendor], "complete", proxy=between.url)
    assert not between.heads
    assert not wire.connections


@pytest.mark.parametrize("way", ["complete", "acomplete"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_proxy_that_refuses_is_told_and_nothing_was_sent(vendor: str, way: str) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
    with proxy(refusal) as between:
        found = outcome(vendor, f"https://127.0.0.1:9{VENDORS[vendor]}", way, proxy=between.url)
    assert type(found.error) is Unreachable
    assert "Its proxy answers: 407" in found.error.message
    assert not found.answer.sent


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_proxy_that_says_nothing_ends_by_the_deadline(vendor: str, way: str) -> None:
    with proxy(silent=True) as between:
        found = outcome(vendor, f"https://127.0.0.1:9{VENDORS[vendor]}", way, seconds=0.3, proxy=between.url)
    assert type(found.error) in (TimedOut, Unreachable)


def test_a_proxy_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        found = outcome("openai", "https://127.0.0.1:9/v1", "complete", proxy=nobody)
    assert type(found.error) is Unreachable


@pytest.mark.parametrize(
    "options",
    [
        {"proxy": "socks5://127.0.0.1:1080"},
        {"proxy": "http://me:secret@127.0.0.1:3128"},
        {"proxy": "http://169.254.169.254:3128"},
        {"proxy": "http://127.0.0.1:3128/path"},
        {"proxy": "127.0.0.1:3128"},
        {"proxy": 3128},
        {"proxy_in_clear": "yes"},
    ],
)
def test_what_cannot_be_a_proxy_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidConnection) as caught:
        find("openai").factory()(LLMProvider("test", "openai", options=options), None)
    assert "secret" not in str(caught.value)
