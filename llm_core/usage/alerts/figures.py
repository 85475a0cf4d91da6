"""The figures that alerts are decided by, as plain values: what `gather` asks of the ledger, budgets and catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class BudgetFigure:
    """How a budget stands. `used` and `projected` are shares of its limit; the latter None where nothing is known."""

    id: str
    name: str
    used: float
    spent: str
    limit: str
    thresholds: tuple[float, ...]
    hard: bool
    starts_at: datetime | None
    resets_at: datetime | None
    projected: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Requests of one connection. `outages` are failures that are the provider's, or of the way to it."""

    attempts: int = 0
    errors: int = 0
    outages: int = 0
    mostly: str = ""

    @property
    def failing(self) -> float:
        return self.errors / self.attempts if self.attempts else 0.0

    @property
    def outage(self) -> float:
        return self.outages / self.attempts if self.attempts else 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """How long answers took."""

    calls: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Ending:
    """A model in use whose end is announced. `use` says in a sentence what it is used for."""

    id: str
    ends_on: date
    days_left: int
    use: str
    replacement: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it, as of `now` (aware). Money is US dollars, as a float, since it is only compared.

    `hours` maps the beginning of each hour with spend in the last eight weeks to it; `first_at` is the first of them.
    Groups are by connection, work by (connection, model, app). `unpriced` maps a model id to its calls and what is
    missing; `failed_tests` a connection to its message; `key_days` to its key's age. `title` is what people call a
    model, by its id, or a connection, by its name.
    """

    now: datetime
    tz: ZoneInfo
    title: Callable[[str], str] = str
    budgets: tuple[BudgetFigure, ...] = ()
    hours: Mapping[datetime, float] = field(default_factory=dict)
    first_at: datetime | None = None
    driver: str = ""
    """What the last two hours' spend is mostly, in a sentence."""
    last_quarter: Mapping[str, Group] = field(default_factory=dict)
    last_hour: Mapping[str, Group] = field(default_factory=dict)
    last_day: Mapping[str, Group] = field(default_factory=dict)
    last_week: Mapping[str, Group] = field(default_factory=dict)
    slow_hours: Mapping[tuple[str, str, str | None], Work] = field(default_factory=dict)
    usual_work: Mapping[tuple[str, str, str | None], Work] = field(default_factory=dict)
    unpriced: Mapping[str, tuple[int, str | None]] = field(default_factory=dict)
    failed_tests: Mapping[str, str] = field(default_factory=dict)
    key_days: Mapping[str, float] = field(default_factory=dict)
    key_days_allowed: float = 90.0
    endings: tuple[Ending, ...] = ()
