"""`ws.usage.alerts`: what is the matter and what was, the rules that decide it, and the channels that are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from ...errors import SampleWorkspace, StoreError
from ...store.home import Home
from .channels import Channels
from .events import Alert, Change, Events, as_frame, furthest
from .monitor import Monitor, Told
from .quiet import after_quiet
from .readings import SEVERITIES, readings
from .rules import Rule, Rules
from .sender import Sender, queue

if TYPE_CHECKING:
    import pandas as pd

    from ...settings import SettingsService
    from ...store.state import State
    from ..around import Around, Secrets
    from ..service import UsageService

_LAST_SECONDS = 5.0
"""How long closing waits for messages under way; what did not go out then does at the next start."""


class Alerts:
    """The alerts of one home; call it for those that are open. Safe to share between threads.

    Nothing is looked into before `evaluate`, or `keep_watching`, which does it every few minutes.
    """

    def __init__(
        self,
        home: Home,
        usage: UsageService,
        *,
        state: Callable[[], State],
        settings: Callable[[], SettingsService] | None = None,
        around: Callable[[], Around] | None = None,
        is_sample: bool = False,
    ) -> None:
        self._usage = usage
        self._settings = settings
        self._around = around
        self._is_sample = is_sample
        self._looked = not is_sample
        self._rules = Rules(state)
        self._events = Events(state)
        self._sender = Sender(state, self._secrets)
        self._channels = Channels(state, self._secrets, lambda: self._sender)
        self._monitor = Monitor(
            home.alerts_lock,
            self.evaluate,
            self._sender.start,
            self._check_seconds,
            arrived=lambda: self._sender.wait(_LAST_SECONDS),
        )

    def __call__(self) -> pd.DataFrame:
        """The open alerts, the worst and then the latest first.

        Columns: id, kind, subject, level, severity (critical, warning, info), title, text, opened_at, closed_at (None),
        seen_at (None until it is acknowledged).
        """
        return as_frame(self.open())

    def open(self) -> list[Alert]:
        """The same as objects; cheap enough for every page."""
        self._look_at_the_sample()
        worst = {severity: place for place, severity in enumerate(reversed(SEVERITIES))}
        found = sorted(furthest(self._events.open()), key=lambda alert: alert.opened_at, reverse=True)
        return sorted(found, key=lambda alert: worst[alert.severity])

    def unseen(self) -> int:
        """How many open ones nobody has acknowledged: the number in a badge."""
        return sum(alert.seen_at is None for alert in self.open())

    def history(self, limit: int = 200) -> pd.DataFrame:
        """Alerts of the last 400 days, open or not, the latest first. Columns as for the open ones."""
        self._look_at_the_sample()
        return as_frame(self._events.past(limit))

    def acknowledge(self, id: str | None = None) -> None:  # noqa: A002
        """Say that an alert was seen, or all open ones. It stays open until it is over. Raises UnknownAlert."""
        self._events.acknowledge(id, datetime.now(UTC))

    def rules(self) -> list[Rule]:
        """Each kind of alert with its switch and its numbers."""
        return list(self._rules.all().values())

    def change_rule(self, kind: str, *, enabled: bool | None = None, **options: float | None) -> Rule:
        """Switch a rule or change its numbers: `change_rule("errors", share=0.1)`. None takes a number back to its
        default. Raises InvalidAlert."""
        if self._is_sample:
            _refuse()
        return self._rules.change(kind, enabled, options)

    @property
    def channels(self) -> Channels:
        """Where alerts are sent: add, list, enable, test, remove."""
        if self._is_sample:
            return _NoChannels(self._no_state, self._secrets, lambda: self._sender)
        return self._channels

    def evaluate(self, now: datetime | None = None) -> list[Alert]:
        """Look at the figures now: begin and end alerts, and have those that began sent. Returns them.

        Raises LedgerDamaged, StoreError.
        """
        return list(self.look(now).told)

    def look(self, now: datetime | None = None) -> Change:
        """As `evaluate`; what ended is told too."""
        from .gather import Gatherer

        moment = now or datetime.now(UTC)
        rules = self._rules.all()
        figures = Gatherer(self._usage, self._around, self._setting).figures(moment, rules)
        quiet = self._setting("alerts.quiet_hours", "")
        due_at = after_quiet(moment, quiet, figures.tz)
        return self._events.settle(
            readings(figures, rules), moment, lambda transaction, told: queue(transaction, told, due_at)
        )

    def keep_watching(self) -> None:
        """From now on look every `alerts.check_minutes` and send what is due, on a thread of ours, until `close`.

        Call it as often as you like. One process of a home does it; when that ends, another takes over.
        """
        if not self._is_sample:
            self._monitor.start()

    def watch(self, told: Told = lambda alerts: None) -> None:
        """The same, and wait until Ctrl+C or another's `close`; `told` hears of each alert that begins."""
        if self._is_sample:
            _refuse()
        self._monitor.watch(told)

    def watch_once(self, seconds: float = 60.0) -> Change | None:
        """Look once, and wait for what is sent then, so long at most. None where another process watches."""
        if self._is_sample:
            _refuse()
        was_watching = self._monitor.is_watching
        if not self._monitor.take():
            return None
        try:
            made = self.look()
            self._sender.start()
            self._sender.wait(seconds)
            return made
        finally:
            if not was_watching:
                self._monitor.leave()

    @property
    def is_watching(self) -> bool:
        """Whether this process is the one that looks and sends."""
        return self._monitor.is_watching

    def close(self) -> None:
        """End the watching, and let what is being sent arrive: a thread that outlives its program can crash it."""
        self._monitor.stop()

    def _look_at_the_sample(self) -> None:
        """Nothing watches the sample: it is looked at once, when somebody wants to see its alerts."""
        if not self._looked:
            self._looked = True
            self.look()

    def _setting(self, name: str, otherwise: Any) -> Any:
        return self._settings().get(name) if self._settings else otherwise

    def _check_seconds(self) -> float:
        return 60.0 * float(self._setting("alerts.check_minutes", 5.0))

    def _secrets(self) -> Secrets:
        if self._around is None:
            raise StoreError("Channels need the vault of a workspace.", "Use Workspace.open().usage.alerts.")
        return self._around().secrets()

    @staticmethod
    def _no_state() -> NoReturn:
        _refuse()


class _NoChannels(Channels):
    """Of the sample, which sends nothing."""

    def list(self) -> list[Any]:
        return []

    def add(self, name: str, address: str) -> NoReturn:
        _refuse()


def _refuse() -> NoReturn:
    raise SampleWorkspace("The sample data sends nothing and cannot be changed.", "Leave it to work with your own.")
