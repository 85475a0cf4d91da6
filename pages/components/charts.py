"""Figures from tables: pure functions, DataFrame in, plotly Figure out. They know colours and axes, not the ledger.

Colours are set here because the theme's chart colours do not reach plotly. A group keeps its colour on every page: its
slot is handed out once, by size, and the eighth group and all after it share the grey of "Other".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages.components import figures
from pages.components.span import Span, buckets

OTHER = "Other"
COLOURS = {
    "light": ("#0F766E", "#E07A3F", "#3B6FB6", "#B5475B", "#7A5AA6", "#C9A227", "#4C9F70", "#6B7280"),
    "dark": ("#2DD4BF", "#F29C66", "#7AA7E8", "#E07F92", "#B49BDD", "#E5C558", "#86CFA4", "#9CA3AF"),
}
GROUPS = len(COLOURS["light"]) - 1
_MARKS, _DAY_MS = 8, 86_400_000
MARGIN = {"l": 8, "r": 20, "t": 18, "b": 32}
"""In pixels. With less at the top or the right, plotly moves or leaves out a mark at the very end of an axis."""
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
    frame: pd.DataFrame, span: Span, *, by: str, value: str, taken: Mapping[str, int], theme: str, money: bool
) -> go.Figure:
    """Stacked bars of `value` over the whole span, the largest group at the bottom. `legend` goes with it."""
    folded = fold(frame.assign(bucket=frame["bucket"].dt.tz_localize(None)), by, value, taken)
    hourly, monthly = span.bucket == "hour", span.bucket == "month"
    day = "%-d %b, %H:%M" if hourly else "%B %Y" if monthly else "%a %-d %b"
    wide = pd.Timedelta(hours=1 if hourly else 24 * 30 if monthly else 24)
    begins = buckets(span).tz_localize(None)
    cents = money and folded.groupby("bucket")[value].sum().max() < 10
    number = f"{'$' if money else ''}%{{y:,{'.4f' if cents else '.2f' if money else ''}}}"
    figure = go.Figure()
    for name in _by_size(folded, by, value):
        rows = folded[folded[by] == name]
        figure.add_bar(
            x=rows["bucket"],
            y=rows[value],
            width=wide / pd.Timedelta(milliseconds=1) * 0.75,
            name=name,
            marker={"color": colour(name, taken, theme), "line": {"width": 0}},
            customdata=[[name, f"{at:%Y-%m-%d %H:%M}"] for at in rows["bucket"]],
            hovertemplate=f"%{{x|{day}}}<br>{name}: {number}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        height=300,
        margin=MARGIN,
        showlegend=False,
        hovermode="closest",
        xaxis={
            "title": None,
            "range": [begins[0] - wide / 2, begins[-1] + wide / 2],
            "tickformat": "%H:%M" if hourly else "%b %Y" if monthly else "%-d %b",
            "showgrid": False,
            "nticks": _MARKS,
            "dtick": _apart(span.bucket, len(begins)),
        },
        yaxis={
            "title": None,
            "tickprefix": "$" if money else "",
            "tickformat": ",.2f" if cents else ",",
            "rangemode": "tozero",
            "nticks": 6,
        },
    )
    return figure


def _apart(bucket: str, count: int) -> float | str | None:
    """The step between marks where plotly's own would mark a day twice, or would turn long names of months aslant."""
    if bucket == "month":
        return f"M{next((months for months in (3, 6, 12, 24) if count <= 4 * months), 60)}"
    return _DAY_MS if bucket == "day" and count <= _MARKS else None


def legend(frame: pd.DataFrame, *, by: str, value: str, taken: Mapping[str, int], theme: str) -> list[str]:
    """The groups of `bars` in their colours, each as Markdown: plotly's own legend leaves no room to a narrow chart."""
    names = _by_size(fold(frame, by, value, taken), by, value)
    return [f':small[:color[■]{{foreground="{colour(name, taken, theme)}"}} {figures.plain(name)}]' for name in names]


def _by_size(folded: pd.DataFrame, by: str, value: str) -> list[str]:
    """Largest first; what is left of them last, however much it is."""
    names = list(folded.groupby(by)[value].sum().sort_values(ascending=False).index)
    return sorted(names, key=lambda name: name == OTHER)
