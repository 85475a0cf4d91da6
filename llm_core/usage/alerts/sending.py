"""Sends one message through apprise, and tells why it failed. Apprise is loaded here, at the first message."""

from __future__ import annotations

import logging
import threading
import warnings
from typing import Any

from ...errors import ChannelFailed, InvalidAlert

_NOTICES = {"info": "info", "warning": "warning", "critical": "failure"}
_loading = threading.Lock()
_silent = logging.NullHandler()


def service_of(address: object) -> str:
    """The service's name, as Slack or E-Mail. Raises InvalidAlert for what is no address of apprise."""
    text = address.strip() if isinstance(address, str) else ""
    made = _made(text) if "://" in text else None
    if made is None:
        raise InvalidAlert(
            "This is not an address that alerts can be sent to.",
            "Write it as apprise does: mailto://user:password@host, slack://..., json://host/path for a webhook.",
        )
    return str(made.service_name)


def send(address: str, title: str, text: str, severity: str = "info") -> None:
    """Returns when the service took it. Raises ChannelFailed with the reason, without the address."""
    made = _made(address)
    if made is None:
        raise ChannelFailed("The address is not one that alerts can be sent to.", "Remove the channel and add it anew.")
    with _Reasons(address) as reasons:
        try:
            taken = made.notify(body=text, title=title, notify_type=_NOTICES[severity])
        except Exception as error:  # noqa: BLE001  # a service's plugin may raise anything
            taken = False
            reasons.add(f"{type(error).__name__}: {error}")
    if not taken:
        raise ChannelFailed(f"{made.service_name} did not take the message. {reasons.told}".strip(), "Test it again.")


def _made(address: str) -> Any:
    with _loading, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it looks for imghdr, which Python 3.13 has no more
        import apprise

        logger = logging.getLogger("apprise")  # its words may hold parts of the address: only _Reasons hears them
        logger.propagate = False
        logger.setLevel(logging.WARNING)  # below, it writes whole addresses
        logger.addHandler(_silent)
        asset = apprise.AppriseAsset(
            app_id="LLM Manager",
            app_desc="Alerts of LLM Manager",
            app_url="",
            async_mode=False,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        asset.http_redirects = False
        return apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


class _Reasons(logging.Handler):
    """What apprise has to say of this thread's message, without any part of its address."""

    def __init__(self, address: str) -> None:
        super().__init__(logging.WARNING)
        self._address = address
        self._thread = threading.get_ident()
        self._found: list[str] = []

    def add(self, text: str) -> None:
        from ...keys import redacted

        self._found.append(redacted(text, self._address))

    @property
    def told(self) -> str:
        return " ".join(dict.fromkeys(self._found))[:300]

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.add(record.getMessage())

    def __enter__(self) -> _Reasons:
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *failure: object) -> None:
        logging.getLogger("apprise").removeHandler(self)
