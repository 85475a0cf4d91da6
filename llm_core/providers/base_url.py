"""Which addresses a connection may point at: http(s) endpoints on the internet, a private network or this machine.

Link-local addresses and cloud metadata services never: a key or a prompt has no business there, and they answer with
credentials. What is typed is checked here once; the name's addresses are checked again at every connect (`http.py`),
since a name can change what it means.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from ..errors import InvalidConnection

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA_NAMES = frozenset({"metadata", "instance-data", "metadata.google.internal", "instance-data.ec2.internal"})
_METADATA_ADDRESSES: frozenset[Address] = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "fd00:ec2::254",  # Amazon EC2, IPv6
        "fd20:ce::254",  # Google Cloud, IPv6
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure host
        "192.0.0.192",  # Oracle Cloud, classic
    )
)
_TRANSLATED = tuple(ipaddress.IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96"))
"""NAT64, and the older translation of RFC 2765: the last 32 bits are an IPv4 address."""
_LOOKS_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def checked_base_url(text: str) -> str:
    """The base URL in one spelling: lower-case scheme and host, no default port, no slash at the end.

    Raises InvalidConnection for anything but a plain http(s) URL to an allowed host.
    """
    text = text.strip()
    if not text or any(letter <= " " or letter == "\\" or letter == "\x7f" for letter in text):
        raise _wrong(text, "It is empty, or holds a blank, a backslash or a control character.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong(text, "It cannot be read as a URL.") from None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise _wrong(text, "It must begin with https:// or http://.")
    _require_plain(text, parts)
    if not host or port == 0:
        raise _wrong(text, "It names no host, or port 0.")
    host = _checked_host(text, host)
    place = host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    return f"{scheme}://{place}{parts.path.rstrip('/')}"


def refusal(address: str) -> str | None:
    """Why nothing may be sent to this IP address, or None. Takes the forms that wrap an IPv4 address in an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    for form in (ip, *_inside(ip)):
        if form in _METADATA_ADDRESSES:
            return f"{address} is a cloud metadata service."
        if form.is_link_local:
            return f"{address} is a link-local address."
        if form.is_unspecified:
            return f"{address} means every address of this machine."
        if form.is_multicast or form == ipaddress.IPv4Address("255.255.255.255"):
            return f"{address} is not the address of one machine."
    return None


def _require_plain(text: str, parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise _wrong(text, "It holds a name or password: give the key on its own.")
    if parts.fragment or text.endswith("#"):
        raise _wrong(text, "It has a part after #.")
    if parts.query or text.endswith("?"):
        raise _wrong(text, "It has a part after ?. Put that into the connection's options, as query.")
    if any(segment in (".", "..") or "%2e" in segment.lower() for segment in parts.path.split("/")):
        raise _wrong(text, "Its path goes up or stands still (. or ..).")
    if "//" in parts.path or not parts.path.isascii():
        raise _wrong(text, "Its path has an empty part or letters outside ASCII.")


def _checked_host(text: str, host: str) -> str:
    """The host as it is sent. Only the usual spelling of an address is taken: programs read the others differently."""
    if ":" in host:
        return f"[{_checked_address(text, host)}]"
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            raise _wrong(text, "Its host name cannot be written in ASCII.") from None
    host = host.lower().removesuffix(".")
    if all(_LOOKS_NUMERIC.fullmatch(label) for label in host.split(".")) or _LOOKS_NUMERIC.fullmatch(
        host.rpartition(".")[2]
    ):
        return _checked_address(text, host)
    if not _HOST_NAME.fullmatch(host):
        raise _wrong(text, "Its host is neither a name nor an address.")
    if host in _METADATA_NAMES:
        raise _wrong(text, "It is a cloud metadata service.")
    return host


def _checked_address(text: str, host: str) -> str:
    if "%" in host:
        raise _wrong(text, "An address with a zone is link-local.")
    try:
        found = refusal(host)
        plain = str(ipaddress.ip_address(host))
    except ValueError:
        raise _wrong(text, "Write the address in the usual form, as 127.0.0.1 or [::1].") from None
    if found:
        raise _wrong(text, found)
    return plain


def _inside(ip: Address) -> list[Address]:
    """The IPv4 addresses that an IPv6 one stands for."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    found: list[Address | None] = [ip.ipv4_mapped, ip.sixtofour]
    if ip.teredo:
        found.append(ip.teredo[1])
    if any(ip in network for network in _TRANSLATED) or int(ip) >> 32 == 0:
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return [form for form in found if form is not None and ip not in (_LOOPBACK, _ANY)]


_LOOPBACK = ipaddress.IPv6Address("::1")
_ANY = ipaddress.IPv6Address("::")


def _wrong(text: str, why: str) -> InvalidConnection:
    """Without what may be a secret: a name and password, or anything after ? or #."""
    shown = re.sub(r"//.*@", "//***@", re.split(r"[?#]", text)[0])[:120]
    return InvalidConnection(f"The base URL {shown!r} cannot be used. {why}", "As https://api.example.com/v1.")
