"""The sample workspace: made-up connections and calls in a home of their own, to look around in.

It lies in the user's cache, is made in a few seconds, and made anew once it is a day old, so that its last calls are
recent. A marker file keeps it apart from real homes: neither can be opened as the other. Nothing in it calls anybody.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from .catalog import ModelService
from .catalog.price_changes import PriceUpdate
from .catalog.price_lists import Prices
from .errors import SampleWorkspace
from .keys import APIKeyManager
from .providers import ProviderService
from .store.home import SAMPLE_MARKER, Home, cache_folder, open_home
from .types import LLMProvider

VERSION = 5
"""Raised when the sample's content or the layout of a home changes."""
GOOD_FOR = timedelta(days=1)


def open_sample_home() -> Home:
    """The home with the sample, made first where there is none of this version and day. Processes make it once.

    Raises OSError (no room), UnsafeFolder.
    """
    from filelock import FileLock

    folder = cache_folder("sample")
    found = _newest(folder)
    if found is None:
        with FileLock(folder / "making.lock"):
            found = _newest(folder) or _make(folder, datetime.now(UTC))
    return open_home(found, sample=True)


def _newest(folder: Path) -> Path | None:
    """The sample to use: the newest that is whole, of this version, and neither old nor from the future."""
    now = datetime.now(UTC)
    for path in sorted(folder.glob("made-*"), reverse=True):
        made_at = _made_at(path)
        if made_at is not None and timedelta(0) <= now - made_at < GOOD_FOR:
            return path
    return None


def _made_at(path: Path) -> datetime | None:
    try:
        marker = json.loads((path / SAMPLE_MARKER).read_text(encoding="utf-8"))
        return datetime.fromisoformat(marker["made_at"]) if marker["version"] == VERSION else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _make(folder: Path, now: datetime) -> Path:
    """Beside its last name, which it gets when it is whole. The one before stays for those who have it open."""
    from .sample_data.alerts import write_alerts
    from .sample_data.budgets import write_budgets
    from .sample_data.connections import write_connections
    from .sample_data.ledger import write_calls
    from .store.state import State

    older = sorted(folder.glob("made-*"))
    for leftover in (*folder.glob("making-*"), *older[:-1]):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
    making = folder / f"making-{os.getpid()}"
    making.mkdir(mode=0o700)
    marker = {"version": VERSION, "made_at": now.isoformat()}
    (making / SAMPLE_MARKER).write_text(json.dumps(marker), encoding="utf-8")
    home = open_home(making, sample=True)
    state = State(home)
    try:
        write_connections(state, now)
        write_calls(home, now)
        write_alerts(home, state, now)
        write_budgets(state, now)  # which stand as they do now, and not as they did in those days
    finally:
        state.close()
    path = folder / f"made-{now:%Y%m%dT%H%M%S%f}"
    making.rename(path)
    return path


class SampleKeys(APIKeyManager):
    """Shows where the sample's keys would come from. There are none."""

    def key_for(self, connection: LLMProvider) -> NoReturn:
        _refuse()

    def describe(self, connection: LLMProvider) -> tuple[str | None, str | None]:
        from .sample_data.work import CONNECTIONS

        for each in CONNECTIONS:
            if each.name == connection.name:
                return each.key_source, each.key_hint
        return None, None

    def hold(self, connection_name: str, key: str) -> None:
        _refuse()

    def forget(self, connection_name: str) -> None:
        _refuse()


class SampleProviders(ProviderService):
    """Shows the sample's connections, and neither changes nor uses them."""

    def connect(
        self,
        provider: str,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        name: str | None = None,
        options: Mapping[str, Any] | None = None,
        test: bool = False,
    ) -> NoReturn:
        _refuse()

    def test(self, name: str) -> NoReturn:
        _refuse()

    def edit(self, name: str, **changes: Any) -> NoReturn:
        _refuse()

    def test_all(self, progress: Any = None) -> NoReturn:
        _refuse()

    def rotate(self, name: str, api_key: str, *, test: bool = True) -> NoReturn:
        _refuse()

    def import_key(self, name: str, variable: str) -> NoReturn:
        _refuse()

    def disconnect(self, name: str) -> NoReturn:
        _refuse()

    def enable(self, name: str, on: bool) -> NoReturn:
        _refuse()

    def adapter(self, name: str) -> NoReturn:
        _refuse()


class SamplePrices(Prices):
    """Shows prices, and neither fetches nor changes any."""

    def set_own(self, *arguments: Any, **named: Any) -> NoReturn:
        _refuse()

    def remove_own(self, key: str) -> NoReturn:
        _refuse()

    def accept(self, digest: str) -> NoReturn:
        _refuse()

    def check(self, fetch: bool = False) -> PriceUpdate | None:
        return _refuse() if fetch else self.update()


class SampleModels(ModelService):
    """Shows the sample's models; it asks nobody and learns nothing."""

    _PRICES = SamplePrices

    def refresh(self, connection: str) -> NoReturn:
        _refuse()

    def refresh_all(self, progress: Any = None) -> NoReturn:
        _refuse()

    def keep_checking(self) -> None:
        """Nothing in the sample changes."""

    def add_own(self, connection: str, name: str, **facts: Any) -> NoReturn:
        _refuse()

    def edit_own(self, id: str, **facts: Any) -> NoReturn:  # noqa: A002
        _refuse()

    def remove_own(self, id: str) -> NoReturn:  # noqa: A002
        _refuse()


def _refuse() -> NoReturn:
    raise SampleWorkspace("The sample data calls nobody and cannot be changed.", "Leave it to work with your own.")
