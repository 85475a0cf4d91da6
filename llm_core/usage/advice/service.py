"""`ws.usage.advice`: what to do about spend, worked out anew from the records, and what people said of it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...errors import LLMManagerError, QueryError, StoreError, UnknownAlert
from .batch import batch_where_nobody_waits
from .caching import caching_that_pays
from .cheaper import cheaper_models
from .ending import models_that_end
from .failures import failures_paid_for
from .idle import idle_keys
from .piece import KINDS, Advice, Giver, Ground
from .sizes import oversized

if TYPE_CHECKING:
    from ...settings import SettingsService
    from ...store.state import State
    from ..around import Around
    from ..service import UsageService

_log = logging.getLogger(__name__)

_GIVERS: Sequence[Giver] = (
    *(cheaper_models, caching_that_pays, batch_where_nobody_waits, oversized, failures_paid_for, idle_keys),
    models_that_end,
)


class Advisor:
    """Call it for the advice there is. Safe to share between threads."""

    def __init__(
        self,
        usage: UsageService,
        *,
        state: Callable[[], State],
        settings: Callable[[], SettingsService] | None,
        around: Callable[[], Around],
    ) -> None:
        self._usage = usage
        self._state = state
        self._settings = settings
        self._around = around

    def __call__(self, *, dismissed: bool = False, now: datetime | None = None) -> list[Advice]:
        """By the records of the last 30 days: what saves most first, what is no matter of money last.

        Without what was dismissed, unless `dismissed`. Reads the month several times: seconds with millions of records.
        Raises LedgerDamaged, StoreError.
        """
        tz = self._settings().get("usage.time_zone") if self._settings else ""
        ground = Ground(self._usage, self._around(), now or datetime.now(UTC), ZoneInfo(tz or "UTC"))
        marks = self._marks()
        found: list[Advice] = []
        with self._usage.snapshot():
            for give in _GIVERS:
                found += _careful(give, ground)
        told = [dataclasses.replace(each, mark=marks.get(each.key)) for each in found]
        return sorted((each for each in told if dismissed or each.mark != "dismissed"), key=_by_money)

    def dismiss(self, key: str) -> None:
        """Do not show this piece of advice again. Raises UnknownAlert for what is no key of one."""
        self._mark(key, "dismissed")

    def keep(self, key: str) -> None:
        """Mark it as one to act on. Raises UnknownAlert."""
        self._mark(key, "kept")

    def undo(self, key: str) -> None:
        """As if nothing had been said of it. Raises UnknownAlert."""
        self._mark(key, None)

    def _mark(self, key: str, mark: str | None) -> None:
        from ...store.tables import advice_marks

        if key.partition(":")[0] not in KINDS:
            raise UnknownAlert(f"There is no advice {key!r}.", "Give the key of one that ws.usage.advice() lists.")
        with self._state().write() as transaction:
            transaction.execute(advice_marks.delete().where(advice_marks.c.key == key))
            if mark is not None:
                row: dict[str, Any] = {"key": key, "mark": mark, "marked_at": datetime.now(UTC)}
                transaction.execute(advice_marks.insert().values(row))

    def _marks(self) -> dict[str, str]:
        from sqlalchemy import select

        from ...store.tables import advice_marks

        with self._state().read() as connection:
            rows = connection.execute(select(advice_marks.c.key, advice_marks.c.mark)).all()
        return {row.key: row.mark for row in rows}


def _careful(give: Giver, ground: Ground) -> list[Advice]:
    """Without what cannot be told now, as where the vault is locked: the other advice still holds."""
    try:
        return list(give(ground))
    except (StoreError, QueryError):
        raise
    except LLMManagerError as error:
        _log.info("Some advice could not be worked out: %s", error)
        return []


def _by_money(advice: Advice) -> tuple[bool, Decimal, str]:
    return advice.saved_usd is None, -(advice.saved_usd or Decimal(0)), advice.key
