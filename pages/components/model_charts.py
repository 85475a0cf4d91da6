"""Figures of the Models page: pure functions like those in `charts`, whose colours they use."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd
import plotly.graph_objects as go

from pages.components import charts, figures
from pages.components.model_words import CLASSES

_BEFORE, _AFTER = timedelta(days=180), timedelta(days=60)


def price_steps(history: pd.DataFrame, today: date, *, theme: str) -> go.Figure:
    """Dollars per million tokens over time, a step line for each class; what is announced is dashed, today is marked.

    `history` as `ws.models.prices.history` gives it, of one mode and without tiers.
    """
    known = history[["effective_from", "effective_to"]].stack().dropna()
    first = min([*known, today]) - _BEFORE / 3
    last = max([*known, today]) + _AFTER
    figure = go.Figure()
    for name, rows in history.groupby("rate", sort=False):
        slot = list(CLASSES).index(str(name)) if name in CLASSES else charts.GROUPS
        line = {"color": charts.COLOURS[theme][min(slot, charts.GROUPS)], "width": 2.5, "shape": "hv"}
        for announced, part in _runs(rows.sort_values("effective_from", na_position="first")):
            figure.add_scatter(
                x=[*(start if figures.known(start) else first for start in part["effective_from"]), _end(part, last)],
                y=[*part["usd"], part["usd"].iloc[-1]],
                mode="lines",
                name=CLASSES.get(str(name), str(name)),
                line=line | ({"dash": "dot"} if announced else {}),
                hovertemplate=f"%{{x|%-d %b %Y}}<br>{CLASSES.get(str(name), name)}: $%{{y:.4~g}} per M<extra></extra>",
            )
    figure.add_vline(
        today.isoformat(), line={"color": charts.COLOURS[theme][charts.GROUPS], "width": 1, "dash": "dash"}
    )
    figure.add_annotation(
        x=today.isoformat(), y=1, yref="paper", yanchor="bottom", text="today", showarrow=False, font={"size": 11}
    )
    figure.update_layout(
        height=230,
        margin=charts.MARGIN | {"t": 20},
        showlegend=False,
        hovermode="closest",
        xaxis={"title": None, "range": [first, last], "showgrid": False, "nticks": 6, "tickformat": "%b %Y"},
        yaxis={"title": None, "tickprefix": "$", "rangemode": "tozero", "nticks": 5},
    )
    return figure


def legend(history: pd.DataFrame, *, theme: str) -> list[str]:
    """The classes of `price_steps` in their colours, as Markdown."""
    slots = {name: min(place, charts.GROUPS) for place, name in enumerate(CLASSES)}
    return [
        f':small[:color[■]{{foreground="{charts.COLOURS[theme][slots[name]]}"}} {CLASSES[name]}]'
        for name in CLASSES
        if name in set(history["rate"])
    ]


def cost_against_latency(points: pd.DataFrame, *, theme: str) -> go.Figure:
    """Each model as a point: dollars a month across, own median latency in seconds up. Better is lower left.

    `points` has `model`, `usd` and `seconds`, all known; their colours follow their order, as in `names`. An axis on
    which they lie far apart is logarithmic.
    """
    figure = go.Figure()
    for place, point in enumerate(points.itertuples()):
        figure.add_scatter(
            x=[point.usd],
            y=[point.seconds],
            mode="markers",
            name=point.model,
            marker={"size": 16, "color": charts.COLOURS[theme][place], "opacity": 0.9},
            hovertemplate=f"{point.model}<br>$%{{x:,.2f}} a month<br>%{{y:.2f}} s<extra></extra>",
        )
    figure.update_layout(
        height=280,
        margin=charts.MARGIN | {"l": 48, "b": 48},
        showlegend=False,
        hovermode="closest",
        xaxis={"title": "US dollars a month", "tickprefix": "$", **_scale(points["usd"], "${:,g}".format)},
        yaxis={"title": "p50 latency here", "ticksuffix": " s", **_scale(points["seconds"], "{:,g} s".format)},
    )
    return figure


def names(models: list[str], *, theme: str) -> list[str]:
    """The models of `cost_against_latency` in their colours, as Markdown."""
    return [
        f':small[:color[●]{{foreground="{charts.COLOURS[theme][place]}"}} {figures.plain(model)}]'
        for place, model in enumerate(models)
    ]


def _scale(values: pd.Series, word: Callable[[float], str]) -> dict[str, object]:
    """From 0, or, where the largest is over ten times the least, logarithmic with round ticks."""
    low, high = float(values.min()), float(values.max())
    if not (low > 0 and high > 10 * low):
        return {"range": [0, high * 1.3 or 1], "nticks": 5}
    first, last = math.floor(math.log10(low / 2)), math.ceil(math.log10(high * 2))
    ticks = [step * 10.0**power for power in range(first, last + 1) for step in (1, 3)]
    return {
        "type": "log",
        "range": [math.log10(low / 2), math.log10(high * 2)],
        "tickvals": ticks,
        "ticktext": [word(tick) for tick in ticks],
    }


def _runs(rows: pd.DataFrame) -> list[tuple[bool, pd.DataFrame]]:
    """The rows up to now, and those announced, led by the row that they replace."""
    announced = rows["announced"].astype(bool).to_numpy()
    now, coming = rows[~announced], rows[announced]
    if not coming.empty and not now.empty:
        begin = now.iloc[[-1]].assign(effective_from=coming["effective_from"].iloc[0])
        coming = pd.concat([begin, coming])
    return [(told, part) for told, part in ((False, now), (True, coming)) if not part.empty]


def _end(part: pd.DataFrame, last: date) -> date:
    until = part["effective_to"].iloc[-1]
    return until if figures.known(until) else last
