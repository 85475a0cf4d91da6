"""The HTTP policy, for both libraries, sync and async: deadline, redirects, proxies, addresses, pooling, TLS."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from llm_core.errors import ConnectionBroken, InvalidConnection, TimedOut, TLSFailed, Unreachable
from llm_core.providers import http, sockets
from llm_core.providers import openai as openai_module
from llm_core.providers.protocol import Deadline
from llm_core.types import LLMProvider
from tests.waiting import PATIENCE_S, until
from tests.wire.calls import KEY, WAYS, adapter_to, call, kept_waiting, request
from tests.wire.replies import Raw, Say
from tests.wire.server import WireServer

LIBRARIES = ("httpx2", "httpx")
SLOW = Raw(body=b"x" * 400, drip=1, pause=0.05)
"""Twenty seconds of bytes, none of them late."""


def fetch(library: str, url: str, seconds: float | None, use_async: bool) -> Any:
    """One GET by a client of ours."""

    async def afetch() -> Any:
        async with http.new_async_client(url, library=library) as client:
            return await client.get(url, timeout=http.timeout(Deadline(seconds), library))

    if use_async:
        return asyncio.run(afetch())
    with http.new_client(url, library=library) as client:
        return client.get(url, timeout=http.timeout(Deadline(seconds), library))


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_dripping_body_ends_by_the_deadline(wire: WireServer, library: str, use_async: bool) -> None:
    wire.script(SLOW)
    with pytest.raises(import_module(library).ReadTimeout):
        fetch(library, f"{wire.url}/v1/models", 1.5, use_async)
    until(lambda: wire.requests[0].ended == "left")


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("library", LIBRARIES)
def test_dripping_headers_end_by_the_deadline(library: str, use_async: bool) -> None:
    with dripping_headers() as url, pytest.raises(import_module(library).ReadTimeout):
        fetch(library, url, 1.5, use_async)


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_drips_past_the_deadline_is_timed_out(wire: WireServer, way: str) -> None:
    wire.script(Say(text="word " * 400, pause=0.05, drip=1))
    with adapter_to(wire) as adapter:
        outcome = kept_waiting(lambda seconds: call(adapter, request(seconds=seconds), way))
    assert isinstance(outcome.error, TimedOut)
    until(lambda: wire.requests[0].ended == "left")


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("library", LIBRARIES)
def test_no_redirect_is_followed(wire: WireServer, library: str, use_async: bool) -> None:
    with WireServer() as elsewhere:
        wire.script(Raw(status=307, headers={"location": f"{elsewhere.url}/v1/models"}))
        assert fetch(library, f"{wire.url}/v1/models", 30, use_async).status_code == 307
        assert elsewhere.connections == 0


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("library", LIBRARIES)
def test_no_proxy_of_the_environment_is_used(
    wire: WireServer, monkeypatch: pytest.MonkeyPatch, library: str, use_async: bool
) -> None:
    with WireServer() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert fetch(library, f"{wire.url}/v1/models", 30, use_async).status_code == 200
        assert proxy.connections == 0


def test_nothing_of_the_sdks_own_environment_is_sent(wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-of-the-environment")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-ambient")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-ambient")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Ambient: 1\nAuthorization: Bearer ambient\nUser-Agent: ambient")
    for provider, key in (("openai", KEY), ("compatible", None)):
        with adapter_to(wire, provider, key) as adapter:
            for way in WAYS:
                assert call(adapter, request(), way).error is None
                headers = wire.requests[-1].headers
                assert headers.get("authorization") == (f"Bearer {KEY}" if key else None)
                assert "ambient" not in str(headers)
                assert "environment" not in str(headers)
                assert "x-ambient" not in headers


def test_headers_organization_and_query_of_the_connection_are_sent(wire: WireServer) -> None:
    options = {"organization": "org-1", "project": "proj-1", "headers": {"X-Title": "Mine"}, "query": {"v": "2"}}
    with adapter_to(wire, **options) as adapter:
        assert call(adapter, request()).error is None
    asked = wire.requests[-1]
    assert asked.path == "/v1/responses?v=2"
    assert (asked.headers["openai-organization"], asked.headers["openai-project"]) == ("org-1", "proj-1")
    assert asked.headers["x-title"] == "Mine"


def test_forty_threads_call_at_once(wire: WireServer) -> None:
    wire.usual = Say(hold_after=0)
    with adapter_to(wire) as adapter:
        outcomes: list[Any] = []
        threads = [
            threading.Thread(target=lambda: outcomes.append(call(adapter, request(), "stream"))) for _ in range(40)
        ]
        for thread in threads:
            thread.start()
        until(lambda: len(wire.requests) == 40)
        wire.release()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert [outcome.error for outcome in outcomes] == [None] * 40


def test_forty_tasks_call_at_once(wire: WireServer) -> None:
    wire.usual = Say(hold_after=0)

    async def run(adapter: Any) -> list[Any]:
        from llm_core.providers.protocol import Answer

        answers = [Answer() for _ in range(40)]
        tasks = [asyncio.create_task(adapter.acomplete(request(), answer)) for answer in answers]
        while len(wire.requests) < 40:
            await asyncio.sleep(0.005)
        wire.release()
        await asyncio.gather(*tasks)
        return answers

    with adapter_to(wire) as adapter:
        assert all(answer.text for answer in asyncio.run(run(adapter)))


def test_calls_one_after_another_share_a_connection(wire: WireServer) -> None:
    with adapter_to(wire) as adapter:
        for _ in range(10):
            assert call(adapter, request()).error is None
    assert wire.connections == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_the_server_closed_while_idle_is_replaced(wire: WireServer, way: str) -> None:
    with adapter_to(wire) as adapter:
        assert call(adapter, request()).error is None
        wire.hang_up()
        assert call(adapter, request(), way).error is None


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_leads_to_a_metadata_address_is_never_called(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """The machine's resolver is stood in for: no name on it leads there."""

    def resolve(host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    adapter = openai_module.connect(LLMProvider("test", "openai", base_url="http://innocent.example/v1"), KEY)
    outcome = call(adapter, request(), way)
    adapter.close()
    assert isinstance(outcome.error, InvalidConnection)
    assert "link-local" in str(outcome.error)


@pytest.mark.parametrize("way", ["complete", "stream"])
def test_a_resolver_that_hangs_does_not_hold_the_call(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    answered = threading.Event()

    def hang(*rest: Any, **named: Any) -> list[Any]:
        answered.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    adapter = openai_module.connect(LLMProvider("test", "openai", base_url="http://slow.example/v1"), KEY)
    outcome = call(adapter, request(seconds=0.3), way)
    assert not answered.is_set()
    answered.set()
    adapter.close()
    assert isinstance(outcome.error, (Unreachable, TimedOut))


def test_the_next_address_is_tried_when_one_does_not_answer(wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One name is stood in for, that leads first to an address where nobody listens; addresses resolve as ever."""
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
        if "two-homes" not in str(host):
            return real(host, port, *rest, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.9.9.9", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    place = f"http://two-homes.example:{wire.port}/v1"
    adapter = openai_module.connect(LLMProvider("test", "openai", base_url=place), KEY)
    for way in WAYS:
        assert call(adapter, request(), way).error is None
    adapter.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path, way: str) -> None:
    with tls_server(tmp_path) as (place, _):
        adapter = openai_module.connect(LLMProvider("test", "openai", base_url=place), KEY)
        outcome = call(adapter, request(), way)
        adapter.close()
    assert isinstance(outcome.error, TLSFailed)
    assert "ca_bundle" in outcome.error.hint
    assert not outcome.error.retryable


@pytest.mark.parametrize("way", ["complete", "acomplete"])
def test_a_ca_bundle_of_the_connection_is_believed(tmp_path: Path, way: str) -> None:
    with tls_server(tmp_path) as (place, bundle):
        options = {"ca_bundle": str(bundle)}
        adapter = openai_module.connect(LLMProvider("test", "openai", base_url=place, options=options), KEY)
        outcome = call(adapter, request(), way)
        adapter.close()
    assert isinstance(outcome.error, ConnectionBroken)  # past TLS: the server there says nothing more


def test_a_ca_bundle_that_cannot_be_read_is_told(wire: WireServer, tmp_path: Path) -> None:
    place = "https://127.0.0.1:1/v1"
    options = {"ca_bundle": str(tmp_path / "missing.pem")}
    adapter = openai_module.connect(LLMProvider("test", "openai", base_url=place, options=options), KEY)
    assert isinstance(call(adapter, request()).error, InvalidConnection)


def test_a_phase_limit_never_outlasts_the_deadline() -> None:
    assert sockets.PhaseLimit(5, Deadline(None)).left() == 5
    assert sockets.PhaseLimit(5, Deadline(60)).left() == 5
    assert sockets.PhaseLimit(5, Deadline(1)).left() <= 1
    assert sockets.PhaseLimit(5, Deadline(0)).left() == 0


@contextmanager
def dripping_headers() -> Iterator[str]:
    """A server that sends one header byte every 50 ms, for ever."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            taken, _ = listening.accept()
            with taken:
                taken.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
                while not over.wait(0.05):
                    try:
                        taken.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        over.set()
        thread.join(10)


@contextmanager
def tls_server(folder: Path) -> Iterator[tuple[str, Path]]:
    """(base URL, its certificate): a server that makes TLS with a certificate of its own, then hangs up."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    taken, _ = listening.accept()
                    taken.settimeout(5)
                    with context.wrap_socket(taken, server_side=True) as secure:
                        secure.recv(65536)
                except OSError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/v1", pem
        over.set()
        thread.join(10)
