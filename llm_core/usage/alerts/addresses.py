"""Addresses of channels, as apprise has them, from what people know of a mail server or a webhook."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from ...errors import InvalidAlert


def mail(host: str, to: str, *, port: int = 587, user: str = "", password: str = "", sender: str = "") -> str:
    """Sent over TLS. `sender` is `user` where that is an address. Raises InvalidAlert where one of them is missing."""
    host, to, user, sender = host.strip(), to.strip(), user.strip(), sender.strip()
    sender = sender or (user if "@" in user else "")
    if not host or any(letter in host for letter in "/@?# "):
        raise InvalidAlert("The mail server's name is missing.", "Write it as smtp.example.com.")
    for name, address in (("to", to), ("from", sender)):
        if "@" not in address:
            raise InvalidAlert(f"The address to send {name} is missing.", "Write it as ann@example.com.")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    return f"mailtos://{login}{host}:{port}?{urlencode({'from': sender, 'to': to, 'smtp': host})}"


def webhook(url: str) -> str:
    """For a URL that takes a JSON body by POST. Raises InvalidAlert for what is no http address."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidAlert("This is no address of a webhook.", "Write it as https://example.com/hook.")
    scheme = "json" if parts.scheme == "http" else "jsons"
    asked = urlencode([(f"-{name}", value) for name, value in parse_qsl(parts.query, keep_blank_values=True)])
    return f"{scheme}://{parts.netloc}{quote(parts.path, safe='/%')}{'?' + asked if asked else ''}"
