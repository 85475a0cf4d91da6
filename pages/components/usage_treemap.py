"""A treemap, drawn as bars with a base: plotly tells clicks on bars alone. DataFrame in, plotly Figure out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go

Words = Callable[[Any], str]
Rectangle = tuple[float, float, float, float]
"""x, y, width and height."""


def treemap(
    frame: pd.DataFrame, path: tuple[str, str], value: str, words: Words, colour: Words, *, theme: str
) -> go.Figure:
    """A tile for each row, as large as its `value`, those with the same first part of the path side by side."""
    tiles = _tiles(frame[frame[value] > 0], path, value)
    outer, inner = path
    total = float(frame[value].sum()) or 1.0
    said = [f"{row[inner]}<br>{row[outer]}<br>{words(row[value])} · {row[value] / total:.1%}" for row, *_ in tiles]
    figure = go.Figure(
        go.Bar(
            x=[x + width / 2 for _, x, _, width, _ in tiles],
            width=[width for *_, width, _ in tiles],
            base=[y for _, _, y, *_ in tiles],
            y=[height for *_, height in tiles],
            marker={"color": [colour(row[outer]) for row, *_ in tiles], "line": {"width": 1.5, "color": _GAPS[theme]}},
            text=[_label(str(row[inner]), words(row[value]), width, height) for row, _, _, width, height in tiles],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"size": 12},
            customdata=[[row[outer], row[inner]] for row, *_ in tiles],
            hovertext=said,
            hoverinfo="text",
        )
    )
    figure.update_layout(
        height=340,
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
        showlegend=False,
        hovermode="closest",
        barmode="overlay",
        xaxis={"visible": False, "range": [0, _WIDE]},
        yaxis={"visible": False, "range": [_HIGH, 0]},
    )
    return figure


_WIDE, _HIGH = 100.0, 50.0
_GAPS = {"light": "#FFFFFF", "dark": "#0E1514"}
_LETTERS = 0.55
"""Of a tile's name for each hundredth of the width."""
_LINE = 2.6
"""The height of a line of it."""


def _label(name: str, amount: str, width: float, height: float) -> str:
    """As much of it as fits into a tile, broken at its spaces and hyphens where need be; nothing in a small one."""
    room = int(width * _LETTERS)
    if room < 5 or height < 7:
        return ""
    lines = _broken(name, room)
    if any(len(line) > room for line in lines) or (len(lines) + 1) * _LINE > height:
        lines = [name[: room - 1] + "…"]
    return "<br>".join([*lines, amount])


def _broken(name: str, room: int) -> list[str]:
    """Into lines of so many letters, each part of the name whole, even where it is longer."""
    lines = [""]
    for part in re.findall(r"[^ -]+[ -]*|[ -]+", name):
        if lines[-1] and len(lines[-1] + part.rstrip()) > room:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]


def _tiles(frame: pd.DataFrame, path: tuple[str, str], value: str) -> list[tuple[Any, float, float, float, float]]:
    """Each row with x, y, width and height: outer groups as squarified rectangles, and rows inside of them."""
    sums = frame.groupby(path[0], sort=False)[value].sum().sort_values(ascending=False)
    found = []
    for name, rectangle in zip(sums.index, _squarified(sums.tolist(), (0.0, 0.0, _WIDE, _HIGH)), strict=True):
        rows = frame[frame[path[0]] == name].sort_values(value, ascending=False)
        for row, inner in zip(rows.to_dict("records"), _squarified(rows[value].tolist(), rectangle), strict=True):
            found.append((row, *inner))
    return found


def _squarified(sizes: list[float], area: Rectangle) -> list[Rectangle]:
    """Rectangles with these sizes, largest first, as near to squares as rows of them can be (Bruls et al., 2000)."""
    x, y, width, height = area
    found: list[Rectangle] = []
    left = list(sizes)
    while left:
        total, side = sum(left), min(width, height)
        scale = width * height / total
        count, best = 1, math.inf
        for number in range(1, len(left) + 1):
            row = sum(left[:number]) * scale
            worst = max(
                max(side**2 * size * scale / row**2, row**2 / (side**2 * size * scale)) for size in left[:number]
            )
            if worst > best:
                break
            count, best = number, worst
        row = sum(left[:count]) * scale / side
        along = 0.0
        for size in left[:count]:
            length = size * scale / row
            found.append((x, y + along, row, length) if width >= height else (x + along, y, length, row))
            along += length
        if width >= height:
            x, width = x + row, width - row
        else:
            y, height = y + row, height - row
        left = left[count:]
    return found
