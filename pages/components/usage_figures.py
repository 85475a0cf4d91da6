"""Figures of Usage: pure functions, DataFrame in, plotly Figure out. Marks carry in `customdata` what a click means.

A heatmap is drawn as bars with a base: plotly tells clicks on bars alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages.components import charts, figures
from pages.components.charts import COLOURS, GROUPS

SCALES = {
    "light": ("#EDF3F2", "#BBDAD6", "#7DB8B0", "#3E958B", "#0F766E", "#0A4F4A"),
    "dark": ("#1A2725", "#1D423E", "#206159", "#24877B", "#2AB3A2", "#6FF0DE"),
}
_FAR = 3.0
"""An interval that goes beyond so many times what is expected is cut off: it would press the line flat."""
Words = Callable[[Any], str]


def ranked(frame: pd.DataFrame, by: str, value: str, words: Words, *, colours: Sequence[str], other: str) -> go.Figure:
    """A bar for each row, the first on top, with its share of all. `other` is the name of the last one, if any."""
    total = float(frame[value].sum()) or 1.0
    names = [str(name) for name in frame[by]]
    figure = go.Figure(
        go.Bar(
            y=[short(name) for name in names],
            x=frame[value],
            orientation="h",
            marker={"color": list(colours), "line": {"width": 0}},
            text=[f"{words(amount)} · {figures.share(amount / total)}" for amount in frame[value]],
            textposition="outside",
            cliponaxis=False,
            customdata=[[""] if name == other else [name] for name in names],
            hovertext=[f"{name}: {words(amount)}" for name, amount in zip(names, frame[value], strict=True)],
            hoverinfo="text",
        )
    )
    figure.update_layout(
        height=24 + 30 * max(2, len(names)),
        margin={"l": 8, "r": 8, "t": 4, "b": 4},
        showlegend=False,
        hovermode="closest",
        bargap=0.35,
        xaxis={"visible": False, "range": [0, float(frame[value].max() or 1) * 1.6]},
        yaxis={"title": None, "autorange": "reversed", "type": "category", "showgrid": False, "ticksuffix": "  "},
    )
    return figure


def hours(frame: pd.DataFrame, words: Words, days: Sequence[str], *, theme: str) -> go.Figure:
    """A cell for each hour of the week: `weekday`, `hour`, `average` in an hour; darker is more."""
    highest = float(frame["average"].max() or 0) or 1.0
    figure = go.Figure()
    for weekday, rows in frame.groupby("weekday"):
        shown = rows["average"].astype(float)
        figure.add_bar(
            x=rows["hour"],
            y=[0.9] * len(rows),
            base=[float(weekday) - 0.45] * len(rows),
            width=0.92,
            marker={
                "color": shown.fillna(0),
                "colorscale": [[place / 5, colour] for place, colour in enumerate(SCALES[theme])],
                "cmin": 0,
                "cmax": highest,
                "line": {"width": 0},
            },
            customdata=[[int(weekday), int(hour)] for hour in rows["hour"]],
            hovertext=[
                f"{days[int(weekday)]} {int(hour):02d}:00<br>{words(average)} an hour"
                for hour, average in zip(rows["hour"], shown, strict=True)
            ],
            hoverinfo="text",
        )
    figure.update_layout(
        height=270,
        margin=charts.MARGIN | {"b": 28},
        showlegend=False,
        hovermode="closest",
        barmode="overlay",
        xaxis={"title": None, "showgrid": False, "range": [-0.5, 23.5], "tickvals": list(range(0, 24, 3))},
        yaxis={
            "title": None,
            "showgrid": False,
            "range": [6.5, -0.5],
            "tickvals": list(range(7)),
            "ticktext": list(days),
            "zeroline": False,
        },
    )
    figure.update_xaxes(ticktext=[f"{hour:02d}:00" for hour in range(0, 24, 3)])
    return figure


def lines(frame: pd.DataFrame, columns: dict[str, str], *, unit: str, scale: float, theme: str) -> go.Figure:
    """A line over `bucket` for each column; the dictionary says what each is called."""
    figure = go.Figure()
    at = frame["bucket"].dt.tz_localize(None)
    for place, (column, name) in enumerate(columns.items()):
        figure.add_scatter(
            x=at,
            y=frame[column].astype(float) * scale,
            mode="lines+markers" if len(frame) < 3 else "lines",
            name=name,
            line={"color": COLOURS[theme][place], "width": 2.5},
            hovertemplate=f"%{{x|%-d %b, %H:%M}}<br>{name}: %{{y:,.3~g}} {unit}<extra></extra>",
        )
    figure.update_layout(
        height=260,
        margin=charts.MARGIN,
        showlegend=False,
        hovermode="closest",
        xaxis={"title": None, "showgrid": False, "nticks": 8, "tickformat": "%-d %b"},
        yaxis={"title": None, "rangemode": "tozero", "ticksuffix": f" {unit}", "nticks": 5},
    )
    if len(frame) and (at.max() - at.min()) <= pd.Timedelta(days=2):
        figure.update_xaxes(tickformat="%H:%M")
    return figure


def line_legend(columns: dict[str, str], *, theme: str) -> list[str]:
    return [
        f':small[:color[■]{{foreground="{COLOURS[theme][place]}"}} {name}]'
        for place, name in enumerate(columns.values())
    ]


def histogram(frame: pd.DataFrame, words: Words, *, theme: str) -> go.Figure:
    """Bars for bins from `low` up to `high`, equally wide on their log scale, with the share of `records`."""
    total = int(frame["records"].sum()) or 1
    frame = frame[frame["low"] > 0]
    figure = go.Figure(
        go.Bar(
            x=[math.log10(low) for low in frame["low"]],
            y=frame["records"] / total,
            width=[math.log10(high) - math.log10(low) for low, high in zip(frame["low"], frame["high"], strict=True)],
            offset=0,
            marker={"color": COLOURS[theme][0], "line": {"width": 0}},
            hovertext=[
                f"{words(row.low)} to {words(row.high)}: {row.records:,} requests, {row.records / total:.1%}"
                for row in frame.itertuples()
            ],
            hoverinfo="text",
        )
    )
    first = math.floor(math.log10(frame["low"].min())) if len(frame) else 0
    last = math.ceil(math.log10(frame["high"].max())) if len(frame) else 1
    ticks = [power + step for power in range(first, last + 1) for step in (0, math.log10(3))]
    figure.update_layout(
        height=260,
        margin=charts.MARGIN,
        showlegend=False,
        hovermode="closest",
        bargap=0.06,
        xaxis={
            "title": None,
            "showgrid": False,
            "tickvals": ticks,
            "ticktext": [words(10**tick) for tick in ticks],
            "range": [math.log10(frame["low"].min()), math.log10(frame["high"].max())] if len(frame) else [0, 1],
        },
        yaxis={"title": None, "tickformat": ".0%", "nticks": 5},
    )
    return figure


def projection(path: pd.DataFrame, today: pd.Timestamp, *, theme: str, money: bool) -> go.Figure:
    """A month's sum up to `today`, then what is to come with its interval: day, cumulative, low and high."""
    day = pd.to_datetime(path["day"])
    past, coming = path[day <= today], path[day >= today]
    accent, second = COLOURS[theme][0], COLOURS[theme][1]
    sign = "$" if money else ""
    top = min(float(coming["high"].max()), _FAR * float(path["cumulative"].max())) * 1.05
    figure = go.Figure()
    figure.add_scatter(
        x=[*coming["day"], *coming["day"][::-1]],
        y=[*coming["high"], *coming["low"][::-1]],
        fill="toself",
        fillcolor=_faded(second),
        mode="lines",
        line={"width": 0},
        hoverinfo="skip",
    )
    for rows, colour, dash, name in ((past, accent, "solid", "so far"), (coming, second, "dot", "projected")):
        figure.add_scatter(
            x=rows["day"],
            y=rows["cumulative"],
            mode="lines",
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"%{{x|%-d %b}}<br>{name}: {sign}%{{y:,.2f}}<extra></extra>",
        )
    figure.update_layout(
        height=200,
        margin=charts.MARGIN,
        showlegend=False,
        hovermode="closest",
        xaxis={"title": None, "showgrid": False, "nticks": 5, "tickformat": "%-d %b"},
        yaxis={"title": None, "tickprefix": sign, "range": [0, top or 1], "nticks": 4, "tickformat": ",~s"},
    )
    return figure


def paint(names: Sequence[str], taken: dict[str, int]) -> dict[str, int]:
    """Colour slots for one chart: those that names have; names beyond the last colour get one that is not in use."""
    fixed = {name: taken[name] for name in names if taken.get(name, GROUPS) < GROUPS}
    free = iter(slot for slot in range(GROUPS) if slot not in fixed.values())
    return fixed | {
        name: slot
        for name in names
        if name not in fixed and name != charts.OTHER and (slot := next(free, None)) is not None
    }


def short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:22]}…"


def _faded(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"
