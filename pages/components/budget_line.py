"""The limit of a budget as a line in a chart, where the chart shows just what the budget counts."""

from __future__ import annotations

from html import escape
from typing import Any, NamedTuple

import plotly.graph_objects as go

from pages.components import budget_words, charts
from pages.components.usage_view import View

_UNITS = {"cost_usd": "money", "calls": "calls"}
_FAR = 3.0
"""A limit more than so many times what the chart shows would press all of it flat."""


class Line(NamedTuple):
    at: float
    said: str


def lowest(view: View, measure: str, period: str) -> Line | None:
    """The lowest limit of a `period` whose scope is what the page filters by."""
    unit = _UNITS.get(measure)
    found = [
        budget
        for budget in view.ws.usage.budgets.list()
        if budget.unit == unit and budget.period == period and dict(budget.scope) == dict(view.filters)
    ]
    if not found:
        return None
    budget = min(found, key=lambda budget: budget.limit)
    said = f"{budget.name}: {budget_words.whole(budget.unit, budget.limit)} {budget_words.each(period)}"
    return Line(float(budget.limit), said)


def draw(figure: go.Figure, line: Line | None, ends: tuple[Any, Any], theme: str) -> None:
    """Add it to a figure that it does not press flat. `ends` are the first and last x."""
    if line is None or line.at > _FAR * _highest(figure):
        return
    figure.add_scatter(
        x=list(ends),
        y=[line.at] * 2,
        mode="lines",
        line={"color": charts.COLOURS[theme][3], "width": 1.5, "dash": "dash"},
        hovertemplate=f"{escape(line.said)}<extra></extra>",
        showlegend=False,
    )
    if shown := figure.layout.yaxis.range:
        figure.update_yaxes(range=[shown[0], max(shown[1], line.at * 1.05)])


def _highest(figure: go.Figure) -> float:
    """Of stacked bars the highest stack, of lines the highest point."""
    stacks: dict[Any, float] = {}
    highest = 0.0
    for trace in figure.data:
        for x, y in zip(trace.x, trace.y, strict=True):
            stacks[x] = stacks.get(x, 0.0) + float(y) if trace.type == "bar" else float(y)
            highest = max(highest, stacks[x])
    return highest
