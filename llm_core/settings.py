"""What a person may choose for the whole workspace, kept in the state and shared by every process that has it open."""

from __future__ import annotations

import difflib
import logging
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .errors import InvalidSetting, LLMManagerError

if TYPE_CHECKING:
    from .store.state import State

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
Watcher = Callable[[str, Any], object]


@dataclass(frozen=True, slots=True)
class Setting:
    """One choice: its name, its default (whose type it keeps) and its meaning. `low` and `high` bound a number."""

    name: str
    default: int | float | str
    meaning: str
    low: float = 0
    high: float = math.inf
    check: Callable[[str], str | None] | None = None
    """For text: says what is wrong with it, or None."""

    def parse(self, value: Any) -> Any:
        """The value as it is kept. Raises InvalidSetting."""
        wanted = type(self.default)
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            raise self._wrong(value, f"It must be {_KIND[wanted]}.")
        if not isinstance(value, str):
            if not (math.isfinite(value) and self.low <= value <= self.high):
                raise self._wrong(value, f"It must be from {self.low:g} to {self.high:g}.")
        elif self.check and (problem := self.check(value)):
            raise self._wrong(value, problem)
        return value

    def _wrong(self, value: Any, hint: str) -> InvalidSetting:
        return InvalidSetting(f"The setting {self.name} cannot be {value!r}.", hint)


_KIND: dict[type, str] = {int: "a whole number", float: "a number", str: "text"}


def _zone(name: str) -> str | None:
    try:
        if name:
            ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # KeyError: no such zone; the others: not a name that could be one
        return "Use a name like Europe/Berlin or UTC, or leave it empty for the browser's zone."
    return None


def _quiet(text: str) -> str | None:
    if not text or re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", text):
        return None
    return "Write it as 22:00-07:00, or leave it empty for none."


def _short(text: str) -> str | None:
    return None if len(text) <= 500 else "It must be at most 500 letters."


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("call.timeout", 120.0, "Seconds a call may take in all, retries included.", 0.1, 86_400),
        Setting(
            "call.attempts", 3, "Requests one call may make when the provider is busy or cannot be reached.", 1, 10
        ),
        Setting(
            "usage.keep_spool_days", 7, "Days that spool files are kept after all of them is in the ledger.", 1, 3_650
        ),
        Setting("usage.time_zone", "", "The zone that days begin in; empty for the browser's.", check=_zone),
        Setting("keys.remind_after_days", 90, "Age from which a key is shown as due for rotation.", 1, 3_650),
        Setting(
            "models.check_hours",
            24.0,
            "Hours after which a running app asks each connection again for its models; 0 for never.",
            0,
            8_760,
        ),
        Setting(
            "alerts.check_minutes",
            5.0,
            "Minutes after which a running app looks for alerts again; 0 for never.",
            0,
            1_440,
        ),
        Setting(
            "alerts.quiet_hours",
            "",
            "Hours in which no alert is sent, as 22:00-07:00 in usage.time_zone (UTC where that is empty).",
            check=_quiet,
        ),
        Setting("ui.model", "", "The model id last chosen on a page.", check=_short),
        Setting("ui.preset", "", "The preset last chosen on a page.", check=_short),
        Setting("ui.span", "", "The span of time last chosen on a page.", check=_short),
        Setting("ui.workload", "", "The workload last typed on the Models page, as JSON.", check=_short),
    )
}
"""Every setting there is, by name."""


class SettingsService:
    """Reads and writes settings, and tells watchers of changes made by any process within two seconds."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._known: tuple[int, dict[str, Any]] | None = None
        self._watchers: list[Watcher] = []
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def get(self, name: str) -> Any:
        """The chosen value, else the default. Raises InvalidSetting for an unknown name."""
        setting = _setting(name)
        return self._chosen().get(name, setting.default)

    def all(self) -> dict[str, Any]:
        """Every setting with its value."""
        return {name: setting.default for name, setting in SETTINGS.items()} | self._chosen()

    def set(self, name: str, value: Any) -> None:
        """Choose a value for every process. Raises InvalidSetting."""
        from sqlalchemy import delete, insert

        from .store.tables import settings

        kept = _setting(name).parse(value)
        if self._chosen().get(name) == kept:
            return
        with self._state.write() as connection:
            connection.execute(delete(settings).where(settings.c.name == name))
            connection.execute(insert(settings).values(name=name, value=kept, changed_at=datetime.now(UTC)))

    def watch(self, callback: Watcher) -> Callable[[], None]:
        """Call `callback(name, value)` on a thread of ours after each change. Returns a function that stops it."""

        def stop() -> None:
            with self._lock:
                if callback in self._watchers:
                    self._watchers.remove(callback)

        seen = self.all()
        with self._lock:
            self._watchers.append(callback)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._poll, args=(seen,), name="llm-manager-settings", daemon=True
                )
                self._thread.start()
        return stop

    def close(self) -> None:
        """End the watching thread."""
        self._closed.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _chosen(self) -> dict[str, Any]:
        """What is kept in the state, read again only after a change. A value this version does not take is left out."""
        version = self._state.version()
        known = self._known
        if known is None or known[0] != version:
            known = self._known = (version, self._read())
        return known[1]

    def _read(self) -> dict[str, Any]:
        from sqlalchemy import select

        from .store.tables import settings

        with self._state.read() as connection:
            rows = connection.execute(select(settings.c.name, settings.c.value)).all()
        chosen = {}
        for name, value in rows:
            try:
                chosen[name] = _setting(name).parse(value)
            except InvalidSetting as error:
                log.debug("A kept setting is not used: %s", error)
        return chosen

    def _poll(self, seen: dict[str, Any]) -> None:
        failing = False
        while not self._closed.wait(POLL_SECONDS):
            try:
                now = self.all()
                failing = False
            except LLMManagerError as error:
                if not failing:
                    log.warning("Settings cannot be read and are not watched until they can: %s", error)
                failing = True
                continue
            for name in [name for name, value in now.items() if value != seen[name]]:
                self._tell(name, now[name])
            seen = now

    def _tell(self, name: str, value: Any) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for callback in watchers:
            try:
                callback(name, value)
            except Exception:  # a watcher's failure must not end the watch of all others
                log.exception("A watcher of settings failed on %s", name)


def _setting(name: str) -> Setting:
    found = SETTINGS.get(name)
    if found is None:
        near = difflib.get_close_matches(str(name), SETTINGS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known ones: {', '.join(SETTINGS)}."
        raise InvalidSetting(f"There is no setting {name!r}.", hint)
    return found
