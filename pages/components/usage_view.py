"""What the Usage page looks at: a span of time and filters, as questions that share both."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from llm_core import Workspace
from pages.components import live
from pages.components.live import Asked
from pages.components.span import Span

T = TypeVar("T")
NONE = "(none)"
"""The name of what has none: records without a project, and so on."""
BUCKETED = frozenset(("series", "latency", "percentiles"))
ZONED = frozenset(("heatmap",))
MEASURES = {"Spend": "cost_usd", "Calls": "calls", "Tokens": "tokens"}


@dataclass(frozen=True)
class View:
    """`token` is the state of the ledger that is shown."""

    ws: Workspace
    token: Any
    span: Span
    filters: Mapping[str, Any]

    def about(self, question: str, **arguments: Any) -> Asked:
        """A question about this span and these filters, in this zone; over time, by the span's buckets."""
        said: dict[str, Any] = {"start": self.span.start, **self.filters}
        if self.span.end is not None:
            said["end"] = self.span.end
        if question in BUCKETED and arguments.pop("over_time", True):
            said |= {"bucket": self.span.bucket, "tz": self.span.tz}
        if question in ZONED:
            said["tz"] = self.span.tz
        return Asked(question, said | arguments)

    def before(self) -> Asked:
        """The totals of the span to compare with."""
        start, end = self.span.earlier
        return Asked("summary", {**self.filters, "start": start, "end": end})

    def ask(self, *asked: Asked, lately: Sequence[Asked] = ()) -> list[Any]:
        return live.answers(self.ws, self.token, *asked, lately=lately)

    def made(self, source: object, make: Callable[[], T], *of: Hashable) -> T:
        """What `make` makes of an answer, kept with it. `of` is its name and all else that it is made of."""
        return live.made(self.ws, (self.span, repr(self.filters), *of), source, make)

    def one(self, question: str, **arguments: Any) -> Any:
        return self.ask(self.about(question, **arguments))[0]


def measured(frame: pd.DataFrame, by: str | Sequence[str], measure: str) -> pd.DataFrame:
    """A copy with the column `measure` of MEASURES as a float, and the columns `by` as text without gaps."""
    names = [by] if isinstance(by, str) else list(by)
    found = frame.copy()
    found[measure] = found[measure].astype(float)
    for name in names:
        found[name] = [NONE if value is None or value != value else str(value) for value in found[name]]
    return found
