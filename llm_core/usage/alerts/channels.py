"""Channels: where alerts are sent. Their addresses hold tokens and passwords, so they lie in the vault.

An address is one of apprise: `mailto://user:password@host`, `slack://...`, `msteams://...`, `json://host/path` for a
webhook; https://appriseit.com lists them all. What may be seen of one is its service, and the host where that is none.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import InvalidAlert, LLMManagerError, UnknownAlert

if TYPE_CHECKING:
    from ...store.state import State
    from ..around import Secrets
    from .sender import Sender

_log = logging.getLogger(__name__)

_HOST_MAY_BE_SEEN = ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos", "ntfys", "gotify", "gotifys")
"""Addresses whose host is a host. Elsewhere a token may stand in its place."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel without its address: `shown` is what may be seen of it. `error` is why the last sending failed, empty
    where it did not; it has been failing since `failing_since`. `waiting` alerts are still to be sent."""

    id: str
    name: str
    service: str
    shown: str
    enabled: bool
    created_at: datetime
    sent_at: datetime | None
    failing_since: datetime | None
    error: str
    waiting: int = 0


class Channels:
    """The channels of one home: `ws.usage.alerts.channels`."""

    def __init__(
        self, state: Callable[[], State], secrets: Callable[[], Secrets], sender: Callable[[], Sender]
    ) -> None:
        self._state = state
        self._secrets = secrets
        self._sender = sender

    def add(self, name: str, address: str) -> Channel:
        """Keep a channel; nothing is sent. Raises InvalidAlert for a name that is taken and an address that apprise
        does not know, InvalidInput, VaultError."""
        from ...store.tables import alert_channels
        from .sending import service_of

        name = name.strip() if isinstance(name, str) else ""
        if not name or len(name) > 100 or not name.isprintable():
            raise InvalidAlert(f"{name!r} cannot be a channel's name.", "Give up to 100 letters.")
        _require_free(name, self.list())
        service = service_of(address)
        channel = Channel(os.urandom(8).hex(), name, service, shown(address), True, datetime.now(UTC), None, None, "")
        self._secrets().keep(secret_name(channel.id), address.strip())
        row = {field: getattr(channel, field) for field in Channel.__slots__ if field != "waiting"}
        with self._state().write() as transaction:
            transaction.execute(alert_channels.insert().values(row))
        return channel

    def list(self) -> list[Channel]:
        """The oldest first."""
        from sqlalchemy import func, select

        from ...store.tables import alert_channels, alert_sends

        waiting = select(func.count()).where(alert_sends.c.channel == alert_channels.c.id).scalar_subquery()
        asked = select(alert_channels, waiting.label("waiting")).order_by(alert_channels.c.created_at)
        with self._state().read() as connection:
            return [Channel(**row) for row in connection.execute(asked).mappings().all()]

    def get(self, name: str) -> Channel:
        """By name or id. Raises UnknownAlert."""
        found = self.list()
        for channel in found:
            if name in (channel.name, channel.id):
                return channel
        there = ", ".join(channel.name for channel in found)
        raise UnknownAlert(f"There is no channel {name!r}.", f"There are: {there}." if there else "Add one first.")

    def enable(self, name: str, on: bool) -> Channel:
        """A channel that is switched off gets nothing, also not what waits. Raises UnknownAlert."""
        self._change(self.get(name).id, {"enabled": bool(on)})
        return self.get(name)

    def test(self, name: str) -> None:
        """Send one message now and wait for it. Raises UnknownAlert, ChannelFailed, VaultError."""
        self._sender().test(self.get(name))

    def remove(self, name: str) -> None:
        """Forget the channel, its address and what waits for it. Raises UnknownAlert."""
        from ...store.tables import alert_channels

        channel = self.get(name)
        with self._state().write() as transaction:
            transaction.execute(alert_channels.delete().where(alert_channels.c.id == channel.id))
        try:
            self._secrets().forget(secret_name(channel.id))
        except LLMManagerError as error:
            _log.warning("The address of a removed channel stays in the vault, encrypted: %s", error)

    def _change(self, id: str, fields: Mapping[str, Any]) -> None:  # noqa: A002
        from ...store.tables import alert_channels

        with self._state().write() as transaction:
            transaction.execute(alert_channels.update().where(alert_channels.c.id == id).values(**fields))


def secret_name(id: str) -> str:  # noqa: A002
    """The name of a channel's address in the vault."""
    return f"channel/{id}"


def shown(address: str) -> str:
    """What may be seen of an address: `slack://***`, `json://example.com/***`."""
    scheme, _, _ = address.strip().partition("://")
    try:
        host = urlsplit(address.strip()).hostname if scheme.lower() in _HOST_MAY_BE_SEEN else None
    except ValueError:
        host = None
    return f"{scheme.lower()}://{host}/***" if host else f"{scheme.lower()}://***"


def _require_free(name: str, there: list[Channel]) -> None:
    if any(channel.name == name for channel in there):
        raise InvalidAlert(f"There is a channel {name!r} already.", "Give another name, or remove that one first.")
