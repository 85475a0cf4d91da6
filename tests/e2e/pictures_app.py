"""A page of charts with their pictures below them: figures of the first screen of Usage, of many sizes and times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.components import charts, picture, usage_figures
from pages.components.span import CUSTOM, Span, buckets, span_of

WIDTHS = 326, 700
"""Of a card on a phone and on a wide screen."""
_TZ = "Europe/Berlin"
_HIGHEST = (0.004, 0.19, 0.95, 3.79, 9.5, 9.99, 10.0, 37.9, 38.1, 47.4, 94.9, 95.1, 190.0, 1_140.0, 23_800.0, 1.9e6)
"""Most are close to where a mark comes to the upper end of an axis, at either side of it."""
_SPANS: tuple[tuple[str, tuple[date, date] | None], ...] = (
    *((name, None) for name in ("24 h", "7 d", "30 d", "90 d", "This month", "Last month")),
    *((CUSTOM, (first, date(2026, 11, 10))) for first in (date(2025, 12, 10), date(2025, 8, 20), date(2022, 1, 1))),
)
"""The last two are so long that a bar is a month."""
_TIMES = (
    datetime(2026, 11, 30, 22, 50, tzinfo=UTC),
    *(datetime(2026, 10, 22, 9, tzinfo=UTC) + timedelta(days=day, hours=day) for day in range(7)),
)
"""Each weekday, before and after the clocks go back, and the end of a month."""


def figures() -> Iterator[go.Figure]:
    for place, highest in enumerate(_HIGHEST):
        for name, dates in _SPANS[place % 3 :: 3]:
            yield _bars(span_of(name, _TZ, _TIMES[place % len(_TIMES)], dates), highest)
    for days_so_far in (1, 2, 15, 30):
        yield _month(date(2026, 11, 1), days_so_far, 3.3, money=True)
        yield _month(date(2026, 12, 1), days_so_far, 930.0, money=False)


def _bars(span: Span, highest: float) -> go.Figure:
    """Two groups, their sum highest in the middle of the span."""
    rows = [
        (start, name, part * highest * (1.0 if place == span.count // 2 else 0.1 + 0.8 * place / span.count))
        for place, start in enumerate(buckets(span))
        for name, part in (("a", 0.75), ("b", 0.25))
    ]
    frame = pd.DataFrame(rows, columns=["bucket", "model", "value"])
    taken = {"a": 0, "b": 1}
    return charts.bars(frame, span, by="model", value="value", taken=taken, theme="light", money=highest < 1_000)


def _month(first: date, days_so_far: int, each_day: float, *, money: bool) -> go.Figure:
    days = pd.date_range(first, periods=pd.Period(first, "M").days_in_month).date
    sums = pd.Series(range(1, len(days) + 1)) * each_day
    path = pd.DataFrame({"day": days, "cumulative": sums, "low": sums * 0.9, "high": sums * 1.2})
    return usage_figures.projection(path, pd.Timestamp(days[days_so_far - 1]), theme="light", money=money)


if __name__ == "__main__":
    for place, figure in enumerate(figures()):
        for width in WIDTHS:
            with st.container(key=f"figure-{place}-{width}", gap=None, width=width):
                st.plotly_chart(figure, config=charts.NO_TOOLBAR, key=f"chart-{place}-{width}")
                st.html(f'<div class="chart-picture">{picture.html(figure, "", "light")}</div>')
