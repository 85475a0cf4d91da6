"""Asks ledger, budgets, connections and catalogue for the figures that alerts are decided by."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from ...errors import LLMManagerError, QueryError, StoreError
from ..budgets.budget import in_units
from ..filters import condition
from ..queries import series as hourly
from ..question import Query, Writer, as_found, literal, select
from .figures import BudgetFigure, Ending, Figures, Group, Work
from .projected import projected
from .rules import Rule

if TYPE_CHECKING:
    import pandas as pd

    from ...types import LLMProvider
    from ..around import Around
    from ..budgets import Budget
    from ..service import UsageService

T = TypeVar("T")

_log = logging.getLogger(__name__)

OUTAGES: tuple[str, ...] = (
    *("unreachable", "tls_failed", "timeout", "overloaded", "provider_failed", "connection_broken"),
    *("key_refused", "permission_refused", "out_of_credit", "redirect_refused", "unreadable_answer"),
)
"""Kinds of error that another prompt would meet as well."""

_QUARTER, _HOUR, _DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
_HISTORY = timedelta(weeks=8, hours=2)
_WORK = ("connection", "model", "app")
_FROM_USED = 0.2
"""Share of a budget before which its pace is not looked at."""


class Gatherer:
    """Asks for one set of figures at a time."""

    def __init__(
        self, usage: UsageService, around: Callable[[], Around] | None, setting: Callable[[str, Any], Any]
    ) -> None:
        self._usage = usage
        self._around = around
        self._setting = setting

    def figures(self, now: datetime, rules: Mapping[str, Rule]) -> Figures:
        """Of the rules that are switched on. What cannot be asked outside the ledger is left out, and logged.

        Raises LedgerDamaged and StoreError where the ledger itself cannot be read.
        """
        on = {kind for kind, rule in rules.items() if rule.enabled}
        tz = ZoneInfo(self._setting("usage.time_zone", "") or "UTC")
        found: dict[str, Any] = {"key_days_allowed": float(self._setting("keys.remind_after_days", 90))}
        with self._usage.snapshot():
            if on & {"spike", "pace"}:
                found |= self._spend(now)
            if on & {"errors", "down"}:
                spans = {"last_quarter": _QUARTER, "last_hour": _HOUR, "last_day": _DAY}
                found |= {name: self._groups(now - span, now) for name, span in spans.items()}
                found["last_week"] = self._groups(now - timedelta(days=7), now - _HOUR)
            if "latency" in on:
                since = now - timedelta(hours=3)
                found["slow_hours"] = self._work(since, now)
                if any(work.calls >= rules["latency"].options["least_calls"] for work in found["slow_hours"].values()):
                    found["usual_work"] = self._work(since - timedelta(days=14), since)
            if "unpriced" in on:
                found["unpriced"] = self._unpriced(now)
            month = self._usage.groups(["connection", "model"], now - timedelta(days=30), now)
            if on & {"budget", "pace"}:
                found["budgets"] = _careful(lambda: self._budgets(now, "pace" in on)) or ()
        found |= self._of_surroundings(now, month, on)
        return Figures(now, tz, self._title, **found)

    def _title(self, subject: str) -> str:
        return subject if self._around is None else self._around().title(subject)

    def _spend(self, now: datetime) -> dict[str, Any]:
        series = self._usage.ask(hourly(condition(now - _HISTORY, now, {}), bucket="hour"))
        hours = {
            at.to_pydatetime(): float(usd) for at, usd in zip(series["bucket"], series["cost_usd"], strict=True) if usd
        }
        first = min(series["bucket"], default=None)
        return {
            "hours": hours,
            "first_at": None if first is None else first.to_pydatetime(),
            "driver": self._driver(now),
        }

    def _driver(self, now: datetime) -> str:
        found = self._usage.groups(["app", "connection", "model"], now - 2 * _HOUR, now, limit=1)
        if not len(found) or not found["cost_usd"].iloc[0]:
            return ""
        row = found.iloc[0]
        who = f"{row['app']} on " if isinstance(row["app"], str) else ""
        model = self._title(f"{row['connection']}:{row['model']}")
        return f"Most of it: {who}{model}, {int(row['calls']):,} calls."

    def _groups(self, start: datetime, end: datetime) -> dict[str, Group]:
        rows = self._usage.ask(_failures(start, end)).to_dict("records")
        return {
            str(row["connection"]): Group(
                int(row["attempts"]), int(row["errors"]), int(row["outages"]), _text(row["mostly"]) or "unknown"
            )
            for row in rows
        }

    def _work(self, start: datetime, end: datetime) -> dict[tuple[str, str, str | None], Work]:
        ranks = self._usage.percentiles("latency_ms", _WORK, start, end, status="ok", part=0)
        return {
            (row["connection"], row["model"], _text(row["app"])): Work(
                int(row["records"]), float(row["p50"]), float(row["p95"])
            )
            for row in ranks.to_dict("records")
            if not math.isnan(row["p50"])
        }

    def _unpriced(self, now: datetime) -> dict[str, tuple[int, str | None]]:
        rows = self._usage.unpriced(now - _DAY, now).to_dict("records")
        found: dict[str, tuple[int, str | None]] = {}
        for row in rows:
            if row["reported"] and row["missing"] != "":
                model = f"{row['connection']}:{row['model']}"
                before = found.get(model, (0, row["missing"]))
                found[model] = (before[0] + int(row["calls"]), before[1])
        return found

    def _budgets(self, now: datetime, with_pace: bool) -> tuple[BudgetFigure, ...]:
        budgets = {budget.id: budget for budget in self._usage.budgets.list()}
        if not budgets:
            return ()
        rows = self._usage.budgets.status().to_dict("records")
        return tuple(
            _budget_figure(
                budgets[row["id"]], row, self._projected(budgets[row["id"]], row, now) if with_pace else None
            )
            for row in rows
            if row["id"] in budgets
        )

    def _projected(self, budget: Budget, row: Mapping[Any, Any], now: datetime) -> float | None:
        """As a share of the limit, from the hours of the last four weeks in the budget's scope."""
        if budget.period == "total" or not budget.most or not _FROM_USED <= row["used"] < 1:
            return None
        where = condition(now - timedelta(weeks=4), now, budget.scope)
        series = self._usage.ask(hourly(where, bucket="hour", tz=budget.tz))
        columns = {"money": ("cost_usd",), "tokens": ("input_tokens", "output_tokens"), "calls": ("calls",)}
        amounts = series[list(columns[budget.unit])].astype(float).fillna(0).sum(axis=1)
        hours = dict(zip((at.to_pydatetime() for at in series["bucket"]), amounts, strict=True))
        limit = float(budget.limit)
        whole = projected(hours, row["used"] * limit, row["starts_at"], row["resets_at"], now, ZoneInfo(budget.tz))
        return None if whole is None else whole / limit

    def _of_surroundings(self, now: datetime, month: pd.DataFrame, on: set[str]) -> dict[str, Any]:
        if self._around is None:
            return {}
        around, found = self._around(), dict[str, Any]()
        connections: Sequence[LLMProvider] = ()
        if on & {"down", "key_age"}:
            connections = _careful(around.connections) or ()
        used = set(month["connection"])
        if "down" in on:
            found["failed_tests"] = {
                each.name: each.message or "no reason was told."
                for each in connections
                if each.enabled and each.name in used and each.state in ("error", "cannot_decrypt")
            }
        if "key_age" in on:
            found["key_days"] = {
                each.name: (now - each.key_made_at) / _DAY for each in connections if each.key_made_at is not None
            }
        if "shutdown" in on:
            found["endings"] = _careful(lambda: _endings(around.radar(month), now)) or ()
        return found


def _failures(start: datetime, end: datetime) -> Query[pd.DataFrame]:
    """By connection: attempts, errors, those of OUTAGES, and the commonest kind."""
    where = condition(start, end, {})
    kinds = ", ".join(literal(kind) for kind in OUTAGES)
    failed = "status IN ('error', 'partial', 'interrupted')"

    def write(writer: Writer) -> str:
        return select(
            [
                "connection",
                "count(*) FILTER (part = 0) AS attempts",
                f"count(*) FILTER ({failed}) AS errors",
                f"count(*) FILTER ({failed} AND error_kind IN ({kinds})) AS outages",
                f"mode(error_kind) FILTER ({failed}) AS mostly",
            ],
            writer.usage(where, "connection", "part", "status", "error_kind"),
            writer.where(where),
            group="ALL",
        )

    return Query(write, as_found)


def _budget_figure(budget: Budget, row: Mapping[Any, Any], share: float | None) -> BudgetFigure:
    taken = row["spent"] + row["held"]
    return BudgetFigure(
        id=budget.id,
        name=budget.name,
        used=float(row["used"]),
        spent=budget.in_words(in_units(taken) if budget.unit == "money" else taken),
        limit=budget.in_words(budget.most),
        thresholds=budget.thresholds,
        hard=budget.hard,
        starts_at=row["starts_at"],
        resets_at=row["resets_at"] and row["resets_at"].astimezone(ZoneInfo(budget.tz)),
        projected=share,
    )


def _endings(radar: pd.DataFrame, now: datetime) -> tuple[Ending, ...]:
    found = []
    for row in radar.to_dict("records"):
        if row["ends_on"] is None or row["days_left"] is None:
            continue
        tasks = f" It is active for {', '.join(row['tasks'])}." if row["tasks"] else ""
        calls, spend = int(row["calls_30d"] or 0), row["spend_30d"]
        money = f", ${spend:,.2f}" if spend else ""
        use = f"{calls:,} calls in the last 30 days{money}.{tasks}"
        days = (row["ends_on"] - now.astimezone(UTC).date()).days
        found.append(Ending(row["id"], row["ends_on"], days, use, row["replacement"]))
    return tuple(found)


def _careful(ask: Callable[[], T]) -> T | None:
    """None for what cannot be told now, so that the other alerts still work."""
    try:
        return ask()
    except (StoreError, QueryError):
        raise
    except LLMManagerError as error:
        _log.info("An alert could not be looked into: %s", error)
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
