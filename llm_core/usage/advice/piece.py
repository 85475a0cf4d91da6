"""What a piece of advice is, and what those who give it have to go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...errors import LLMManagerError
from ..filters import Condition, condition

if TYPE_CHECKING:
    import pandas as pd

    from ...types import LLMModel, Usage
    from ..around import Around
    from ..service import UsageService

DAYS = 30
LEAST_USD = Decimal(1)
"""A month: less is not worth a word."""
LEAST_CALLS = 100
"""Calls of a kind below which nothing is said of their habits."""

KINDS: tuple[str, ...] = ("cheaper", "caching", "batch", "sizes", "failures", "idle", "ending")


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to do, and what it is worth.

    `saved_usd` is US dollars a month, by the records of the last 30 days: `basis` says how it is reckoned; None where
    it is no matter of money. `evidence` are the figures behind it, and `sql` what shows them in `ws.usage.sql`.
    `untested`: whether quality stays the same is not known. `mark` is `kept` or `dismissed`, where a person said so, by
    `key`.
    """

    kind: str
    key: str
    subject: str
    title: str
    action: str
    saved_usd: Decimal | None
    basis: str
    evidence: pd.DataFrame = field(compare=False, repr=False)
    sql: str = field(repr=False)
    untested: bool = False
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """The records of the last 30 days, and the rest of the program."""

    ledger: UsageService
    around: Around
    now: datetime
    tz: ZoneInfo

    @property
    def start(self) -> datetime:
        return self.now - timedelta(days=DAYS)

    def where(self, **filters: Any) -> Condition:
        return condition(self.start, self.now, filters)

    def model(self, connection: str, name: str) -> LLMModel | None:
        try:
            return self.around.model(f"{connection}:{name}")
        except LLMManagerError:  # a connection that is gone
            return None

    def title(self, subject: str) -> str:
        """What people call a model, by its id, or a connection, by its name."""
        return self.around.title(subject)

    def usd(self, model: str, usage: Usage, mode: str = "standard") -> Decimal | None:
        """What it costs today; None where that is not known."""
        try:
            return self.around.price(model, usage, at=self.now, mode=mode).usd
        except LLMManagerError:
            return None


Giver = Callable[[Ground], Iterable[Advice]]


def key_of(kind: str, *subject: object) -> str:
    """The same for the same advice, from month to month."""
    return ":".join((kind, *("" if part is None else str(part) for part in subject)))


def cents(usd: Decimal) -> Decimal:
    return usd.quantize(Decimal("0.01"))


def text(value: object) -> str | None:
    """Text of a DataFrame's cell, where missing values take several forms."""
    return value if isinstance(value, str) else None


def whole(value: Any) -> int:
    return 0 if value is None or value != value else int(value)


def work_in_words(app: str | None, task: str | None, model: str) -> str:
    """ "helpdesk", "the summarize calls", "the calls of GPT-6 Luna"."""
    return app or (f"the {task} calls" if task else f"the calls of {model}")
