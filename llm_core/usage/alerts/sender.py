"""Sends what waits: each channel in a thread of its own, so that a dead one delays nothing; a few tries each."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...errors import ChannelFailed, LLMManagerError
from .channels import Channel, secret_name
from .events import Alert

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ...store.state import State
    from ..around import Secrets

_log = logging.getLogger(__name__)

SEND_SECONDS = 20.0
"""After this a message counts as failed. Its thread ends by itself; until then its channel is left alone."""
WAITS: tuple[timedelta, ...] = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""After each try in vain; after the last one it is given up."""
_MOST_AT_ONCE = 20
"""Messages of one channel in one go: more are one message that counts them."""


@dataclass(frozen=True, slots=True)
class _Message:
    title: str
    text: str
    severity: str = "info"


def queue(transaction: Connection, alerts: Sequence[Alert], due_at: datetime) -> None:
    """Have these alerts sent to every channel that is switched on."""
    from sqlalchemy import select

    from ...store.tables import alert_channels, alert_sends

    channels = transaction.scalars(select(alert_channels.c.id).where(alert_channels.c.enabled)).all()
    rows = [
        {"event": alert.id, "channel": channel, "due_at": due_at, "tries": 0}
        for alert in alerts
        for channel in channels
    ]
    if rows:
        transaction.execute(alert_sends.insert(), rows)


class Sender:
    """Of one process. Safe to share between threads."""

    def __init__(
        self,
        state: Callable[[], State],
        secrets: Callable[[], Secrets],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: float = SEND_SECONDS,
    ) -> None:
        self._state = state
        self._secrets = secrets
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Thread] = {}
        self._unanswered: dict[str, threading.Thread] = {}

    def start(self) -> None:
        """Begin to send all that is due, each channel at once; returns before it is sent."""
        with self._lock:
            # Before it is read what is due: that of a channel which ends in between would be sent a second time.
            busy = {channel for channel, running in self._busy.items() if running.is_alive()}
            for channel, events in self._due().items():
                if channel.id in busy:
                    continue
                thread = threading.Thread(
                    target=self._send_all, args=(channel, events), name="llm-manager-alerts-send", daemon=True
                )
                self._busy[channel.id] = thread
                thread.start()

    def wait(self, seconds: float) -> None:
        """For what is being sent, so long at most."""
        until = time.monotonic() + seconds
        with self._lock:
            running = list(self._busy.values())
        for thread in running:
            thread.join(max(0.0, until - time.monotonic()))

    def test(self, channel: Channel) -> None:
        """Raises ChannelFailed, VaultError."""
        failure = self._send(channel, _Message("A test of LLM Manager", f"The channel {channel.name} works."))
        self._note(channel, failure)
        if failure is not None:
            raise failure

    def _due(self) -> dict[Channel, list[Alert]]:
        """What each channel is to be sent now, the oldest first."""
        from sqlalchemy import select

        from ...store.tables import alert_channels, alert_events, alert_sends

        asked = (
            select(alert_channels, alert_events)
            .join(alert_sends, alert_sends.c.channel == alert_channels.c.id)
            .join(alert_events, alert_sends.c.event == alert_events.c.id)
            .where(alert_sends.c.due_at <= self._clock(), alert_channels.c.enabled)
            .order_by(alert_events.c.opened_at, alert_events.c.id)
        )
        found: dict[Channel, list[Alert]] = {}
        with self._state().read() as connection:
            for row in connection.execute(asked).all():
                width = len(alert_channels.c)
                channel = Channel(*row[:width])
                fields = dict(zip(alert_events.c.keys(), row[width:], strict=True))
                found.setdefault(channel, []).append(Alert(**fields))
        return found

    def _send_all(self, channel: Channel, alerts: Sequence[Alert]) -> None:
        try:
            for message, events in _messages(alerts):
                failure = self._send(channel, message)
                self._note(channel, failure)
                self._settle(channel, events, failed=failure is not None)
                if failure is not None:
                    _log.warning("Alerts could not be sent to %s: %s", channel.name, failure)
                    self._postpone(channel)
                    break
        except LLMManagerError as error:
            _log.warning("Alerts could not be sent to %s: %s", channel.name, error)

    def _send(self, channel: Channel, message: _Message) -> LLMManagerError | None:
        """What it failed of. It runs in a thread, since nothing else can end a service that does not answer."""
        outcome: list[LLMManagerError | None] = []

        def run() -> None:
            from .sending import send

            try:
                address = self._secrets().get(secret_name(channel.id))
                if address is None:
                    raise ChannelFailed("Its address is not known to this program.", "Remove the channel, add it anew.")
                send(address, message.title, message.text, message.severity)
                outcome.append(None)
            except LLMManagerError as error:
                outcome.append(error)

        before = self._unanswered.get(channel.id)
        if before is not None and before.is_alive():
            return ChannelFailed("It has not answered the message before.", "Look whether the service is there.")
        thread = threading.Thread(target=run, name="llm-manager-alerts-message", daemon=True)
        self._unanswered[channel.id] = thread
        thread.start()
        thread.join(self._seconds)
        if not outcome:
            return ChannelFailed(f"There was no answer for {self._seconds:g} seconds.", "Test it again.")
        return outcome[0]

    def _note(self, channel: Channel, failure: LLMManagerError | None) -> None:
        """How the channel does, for everybody to see."""
        from sqlalchemy import func

        from ...store.tables import alert_channels

        now = self._clock()
        done: Mapping[str, Any] = {"sent_at": now, "failing_since": None, "error": ""}
        if failure is not None:
            since = func.coalesce(alert_channels.c.failing_since, now, type_=alert_channels.c.failing_since.type)
            done = {"failing_since": since, "error": str(failure)}
        with self._state().write() as transaction:
            transaction.execute(alert_channels.update().where(alert_channels.c.id == channel.id).values(**done))

    def _settle(self, channel: Channel, events: Sequence[Alert], *, failed: bool) -> None:
        """Take what was sent off the list; what was not is tried later, or given up."""
        from ...store.tables import alert_sends as sends

        ours = (sends.c.channel == channel.id) & sends.c.event.in_([event.id for event in events])
        with self._state().write() as transaction:
            if not failed:
                transaction.execute(sends.delete().where(ours))
                return
            transaction.execute(sends.delete().where(ours, sends.c.tries >= len(WAITS)))
            for tries in reversed(range(len(WAITS))):
                later = {"tries": tries + 1, "due_at": self._clock() + WAITS[tries]}
                transaction.execute(sends.update().where(ours, sends.c.tries == tries).values(**later))

    def _postpone(self, channel: Channel) -> None:
        """A channel that just failed is not tried at once with its other messages."""
        from ...store.tables import alert_sends as sends

        until = self._clock() + WAITS[0]
        with self._state().write() as transaction:
            transaction.execute(
                sends.update().where(sends.c.channel == channel.id, sends.c.due_at < until).values(due_at=until)
            )


def _messages(alerts: Sequence[Alert]) -> list[tuple[_Message, Sequence[Alert]]]:
    """One for each alert, or one for all where they are too many."""
    if len(alerts) > _MOST_AT_ONCE:
        titles = "\n".join(alert.title for alert in alerts[-_MOST_AT_ONCE:])
        return [(_Message(f"{len(alerts)} alerts", f"The latest:\n{titles}", "warning"), alerts)]
    return [(_Message(alert.title, alert.text, alert.severity), [alert]) for alert in alerts]
