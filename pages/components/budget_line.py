"""The limit of a budget as a line in a chart, where the chart shows just what the budget counts."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from pages.components import budget_words, charts
from pages.components.usage_view import View

_UNITS = {"cost_usd": "money", "calls": "calls"}
_FAR = 3.0
"""A limit more than so many times what the chart shows would press all of it flat."""


def draw(figure: go.Figure, view: View, measure: str, period: str, ends: tuple[Any, Any], theme: str) -> None:
    """Add the lowest limit of a `period` whose scope is what the page filters by. `ends` are the first and last x."""
    unit = _UNITS.get(measure)
    found = [
        budget
        for budget in view.ws.usage.budgets.list()
        if budget.unit == unit and budget.period == period and dict(budget.scope) == dict(view.filters)
    ]
    lowest = min(found, key=lambda budget: budget.limit, default=None)
    if lowest is None or float(lowest.limit) > _FAR * _highest(figure):
        return
    said = f"{lowest.name}: {budget_words.whole(lowest.unit, lowest.limit)} {budget_words.each(period)}"
    figure.add_scatter(
        x=list(ends),
        y=[float(lowest.limit)] * 2,
        mode="lines",
        line={"color": charts.COLOURS[theme][3], "width": 1.5, "dash": "dash"},
        hovertemplate=f"{escape(said)}<extra></extra>",
        showlegend=False,
    )


def _highest(figure: go.Figure) -> float:
    """Of stacked bars the highest stack, of lines the highest point."""
    stacks: dict[Any, float] = {}
    highest = 0.0
    for trace in figure.data:
        for x, y in zip(trace.x, trace.y, strict=True):
            stacks[x] = stacks.get(x, 0.0) + float(y) if trace.type == "bar" else float(y)
            highest = max(highest, stacks[x])
    return highest
