"""How this program speaks HTTP, for every provider's SDK: the policy that their own clients do not keep.

- no redirect is followed and no proxy, netrc or certificate file is taken from the environment: a key goes to its host,
  through a proxy only where its connection names one;
- a whole call ends by its deadline, also while a body drips in byte by byte, and only checked addresses are called
  (`sockets.py`);
- connections are kept and shared by up to MAX_CONNECTIONS calls at once.

Works for httpx2 (openai, anthropic, google-genai, huggingface_hub) and httpx (cohere), which have the same parts.
"""

from __future__ import annotations

import logging
import ssl
from functools import cache
from importlib import import_module
from typing import Any

from ..errors import InvalidConnection
from .drafts import hand_over
from .protocol import Deadline
from .sockets import SILENCE_SECONDS, AsyncBackend, Backend, PhaseLimit

CONNECT_SECONDS = 10.0
"""Name, TCP and TLS together have this long."""
MAX_CONNECTIONS = 1000
KEPT_CONNECTIONS = 100
KEPT_SECONDS = 30.0

_LIBRARIES = (
    "openai",
    "anthropic",
    "google_genai",
    "cohere",
    "huggingface_hub",
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
)


def timeout(deadline: Deadline, library: str = "httpx2") -> Any:
    """The library's Timeout for one request under `deadline`."""
    silence = PhaseLimit(SILENCE_SECONDS, deadline)
    waiting = PhaseLimit(SILENCE_SECONDS, deadline).left()
    return import_module(library).Timeout(
        connect=PhaseLimit(CONNECT_SECONDS, deadline), read=silence, write=silence, pool=waiting
    )


def new_client(
    base_url: str,
    *,
    ca_bundle: str | None = None,
    library: str = "httpx2",
    anonymous: bool = False,
    proxy: str | None = None,
    drafting: bool = False,
) -> Any:
    """A Client of the library that keeps our policy. Raises InvalidConnection for a bad CA bundle.

    `anonymous` takes the Authorization header out: SDKs insist on a key where an endpoint wants none. `proxy` is the
    http(s) address of one; names are then resolved there. `drafting` sends nothing: see `drafts.py`.
    """
    httpx, httpcore = _libraries(library)
    hooks = [_drop_authorization] if anonymous else []
    if drafting:
        return httpx.Client(transport=httpx.MockTransport(hand_over), trust_env=False, event_hooks={"request": hooks})
    transport = httpx.HTTPTransport(verify=_NO_TRUST, trust_env=False)
    kind = httpcore.HTTPProxy if proxy else httpcore.ConnectionPool
    # The transport has no public place for a network backend; a test of the deadline holds us to this one.
    transport._pool = kind(network_backend=Backend(httpcore), **_pool(base_url, ca_bundle, proxy))
    return httpx.Client(transport=transport, follow_redirects=False, trust_env=False, event_hooks={"request": hooks})


def new_async_client(
    base_url: str,
    *,
    ca_bundle: str | None = None,
    library: str = "httpx2",
    anonymous: bool = False,
    proxy: str | None = None,
    drafting: bool = False,
) -> Any:
    """As `new_client`, for one event loop. Drafts are made by the other kind: with `drafting` this one does nothing."""
    httpx, httpcore = _libraries(library)
    if drafting:
        return httpx.AsyncClient(transport=httpx.MockTransport(hand_over), trust_env=False)
    transport = httpx.AsyncHTTPTransport(verify=_NO_TRUST, trust_env=False)
    kind = httpcore.AsyncHTTPProxy if proxy else httpcore.AsyncConnectionPool
    transport._pool = kind(network_backend=AsyncBackend(httpcore), **_pool(base_url, ca_bundle, proxy))
    hooks = [_adrop_authorization] if anonymous else []
    return httpx.AsyncClient(
        transport=transport, follow_redirects=False, trust_env=False, event_hooks={"request": hooks}
    )


def _drop_authorization(request: Any) -> None:
    request.headers.pop("authorization", None)


async def _adrop_authorization(request: Any) -> None:
    _drop_authorization(request)


_NO_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody. For the part of a transport that we replace, and for http: endpoints, which make no TLS."""


def _libraries(library: str) -> tuple[Any, Any]:
    return import_module(library), import_module(library.replace("httpx", "httpcore"))


def _pool(base_url: str, ca_bundle: str | None, proxy: str | None) -> dict[str, Any]:
    secure = base_url.startswith("https:")
    through: dict[str, Any] = {"proxy_url": proxy} if proxy else {}
    if proxy and proxy.startswith("https:"):
        through["proxy_ssl_context"] = _trust(ca_bundle)
    return through | {
        "ssl_context": _trust(ca_bundle) if secure else _NO_TRUST,
        "max_connections": MAX_CONNECTIONS,
        "max_keepalive_connections": KEPT_CONNECTIONS,
        "keepalive_expiry": KEPT_SECONDS,
    }


@cache
def _trust(ca_bundle: str | None) -> ssl.SSLContext:
    """Whom a TLS connection believes: the system, or the named bundle alone. Made once: it costs up to 140 ms."""
    if ca_bundle is None:
        made: ssl.SSLContext = import_module("httpx2").create_ssl_context(trust_env=False)
        return made
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError) as error:
        raise InvalidConnection(
            f"The CA bundle {ca_bundle} cannot be read: {error.strerror or error}.", "Name a file of PEM certificates."
        ) from None


def quiet_libraries() -> None:
    """Keep prompts and headers out of the logs: what the SDKs and HTTP libraries tell below WARNING is not asked for.

    A level that somebody set on one of these loggers is left alone.
    """
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
