"""Figures from tables: pure functions, DataFrame in, plotly Figure out. They know colours and axes, not the ledger.

Colours are set here because the theme's chart colours do not reach plotly. A group keeps its colour on every page: its
slot is handed out once, by size, and the eighth group and all after it share the grey of "Other".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

OTHER = "Other"
COLOURS = {
    "light": ("#0F766E", "#E07A3F", "#3B6FB6", "#B5475B", "#7A5AA6", "#C9A227", "#4C9F70", "#6B7280"),
    "dark": ("#2DD4BF", "#F29C66", "#7AA7E8", "#E07F92", "#B49BDD", "#E5C558", "#86CFA4", "#9CA3AF"),
}
GROUPS = len(COLOURS["light"]) - 1
NO_TOOLBAR: dict[str, Any] = {"displayModeBar": False}


def slots(names: Sequence[str], taken: Mapping[str, int]) -> dict[str, int]:
    """The colour slot of each name: the one it has, else the next free one. `names` come in order of size."""
    given = dict(taken)
    for name in names:
        if name not in given:
            given[name] = len(given)
    return given


def colour(name: str, taken: Mapping[str, int], theme: str) -> str:
    return COLOURS[theme][GROUPS if name == OTHER else min(taken.get(name, GROUPS), GROUPS)]


def fold(frame: pd.DataFrame, by: str, value: str, taken: Mapping[str, int], when: str = "bucket") -> pd.DataFrame:
    """One row per bucket and group, the groups without a colour of their own added up as "Other"."""
    named = frame[by].map(lambda name: name if taken.get(name, GROUPS) < GROUPS else OTHER)
    return frame.assign(**{by: named}).groupby([when, by], as_index=False, observed=True)[value].sum()


def bars(
    frame: pd.DataFrame, *, by: str, value: str, taken: Mapping[str, int], theme: str, money: bool, hourly: bool = False
) -> go.Figure:
    """Stacked bars of `value` over the column `bucket`, the largest group at the bottom."""
    folded = fold(frame, by, value, taken)
    order = folded.groupby(by)[value].sum().sort_values(ascending=False).index
    day = "%d %b, %H:%M" if hourly else "%a %d %b"
    number = "$%{y:,.2f}" if money else "%{y:,}"
    figure = go.Figure()
    for name in order:
        rows = folded[folded[by] == name]
        figure.add_bar(
            x=rows["bucket"],
            y=rows[value],
            name=name,
            marker={"color": colour(name, taken, theme), "line": {"width": 0}},
            hovertemplate=f"%{{x|{day}}}<br>{name}: {number}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        height=320,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "yanchor": "top", "y": -0.14, "x": 0, "traceorder": "normal", "title": None},
        showlegend=len(order) > 1,
        hovermode="closest",
        xaxis={"title": None, "tickformat": "%H:%M" if hourly else "%d %b", "showgrid": False, "nticks": 8},
        yaxis={"title": None, "tickprefix": "$" if money else "", "rangemode": "tozero", "nticks": 6},
    )
    return figure
