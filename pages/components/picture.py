"""A chart as a picture: the same figure at the same place and size as plotly draws it once the browser has loaded it.

Words are HTML, which does not stretch with the card; bars and lines are one stretched image. Of plotly it knows what
the first screen of Usage has: stacked bars and lines over time, and ranked bars with a text.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape
from itertools import chain
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

_WORDS = {"light": "#808495", "dark": "#E6EAF1"}
_GRID = {"light": "#E6EAF1", "dark": "#31333F"}
_WIDE, _HIGH = 1000.0, 1000.0
_GAP = 9
"""The room that plotly leaves beside the names of an axis, in pixels."""
_DAY, _MONTH = 86_400_000.0, 2_629_800_000.0
_SUNDAY = 946_771_200_000.0
"""2 January 2000, from which plotly counts days, in milliseconds as all times here."""
_DASHES = {"dash": "9,9", "dot": "3,3"}
_STYLE = """
<style>
INSIDE { position: relative; min-height: HIGHpx }
INSIDE [data-testid=stSkeleton] { visibility: hidden }
INSIDE:has(.main-svg) .chart-picture { display: none }
.chart-picture { position: absolute; left: 0; right: 0; top: 0 }
</style>
"""


def draw(figure: go.Figure, alt: str, theme: str, inside: str) -> None:
    """Goes last into a container, `inside` as a CSS selector, and hides once plotly has drawn a chart there."""
    style = _STYLE.replace("INSIDE", inside).replace("HIGH", str(figure.layout.height))
    st.html(f'{style}<div class="chart-picture">{html(figure, alt, theme)}</div>')


def html(figure: go.Figure, alt: str, theme: str) -> str:
    """`alt` says in words what is seen. Names in the figure may be anybody's: they are shown letter by letter."""
    ranked = any(trace.type == "bar" and trace.orientation == "h" for trace in figure.data)
    drawn = _ranked(figure) if ranked else _over_time(figure, theme)
    style = f"height:{figure.layout.height}px;font-size:12px;line-height:16px;color:{_WORDS[theme]};overflow:hidden"
    return f'<div role="img" aria-label="{escape(alt, quote=True)}" style="{style}">{drawn}</div>'


def _ranked(figure: go.Figure) -> str:
    bars = figure.data[0]
    most = float(figure.layout.xaxis.range[1])
    high = (figure.layout.height - figure.layout.margin.t - figure.layout.margin.b) / max(1, len(bars.y))
    thick = high * (1 - figure.layout.bargap)
    names = "".join(_at(f"height:{high:.2f}px;line-height:{high:.2f}px", str(name).rstrip()) for name in bars.y)
    drawn = "".join(
        f'<div style="height:{high:.2f}px;display:flex;align-items:center;gap:3px">'
        f'<div style="width:{100 * float(value) / most:.3f}%;height:{thick:.2f}px;background:{colour}"></div>'
        f"<div>{escape(str(text))}</div></div>"
        for value, colour, text in zip(bars.x, bars.marker.color, bars.text, strict=True)
    )
    return _beside(names, drawn, figure.layout.margin)


def _over_time(figure: go.Figure, theme: str) -> str:
    layout = figure.layout
    at = [_milliseconds(trace.x) for trace in figure.data]
    begin, end = _milliseconds(layout.xaxis.range) if layout.xaxis.range else _ends(at)
    shapes = list(_shapes(figure, at))
    top = float(layout.yaxis.range[1]) if layout.yaxis.range else _highest(shapes) / 0.95
    across, up = _Scale(begin, end, _WIDE), _Scale(top or 1.0, 0.0, _HIGH)
    plot = layout.height - layout.margin.t - layout.margin.b
    marks = numbers(top, layout.yaxis.nticks)
    words = [_number(mark, marks, layout.yaxis) for mark in marks]
    names = "".join(
        _at(f"position:absolute;right:0;top:{up(mark) / _HIGH * plot - 8:.1f}px", word)
        for mark, word in zip(marks, words, strict=True)
    ) + _at("visibility:hidden", max(words, key=len))
    lines = "".join(
        f'<div style="position:absolute;left:0;right:0;top:{up(mark) / _HIGH * plot:.1f}px;height:1px;'
        f'background:{_GRID[theme]}"></div>'
        for mark in marks
    )
    below = "".join(
        _at(
            f"position:absolute;top:{plot + 8}px;left:{across(time) / _WIDE:.2%};transform:translateX(-50%)",
            pd.Timestamp(time, unit="ms").strftime(layout.xaxis.tickformat),
        )
        for time in times(begin, end, layout.xaxis.nticks, layout.xaxis.dtick)
    )
    image = "".join(shape.svg(across, up) for shape in shapes)
    size = f'viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}" preserveAspectRatio="none"'
    source = b64encode(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{image}</svg>'.encode()).decode()
    stretched = "position:absolute;left:0;top:0;width:100%"
    picture = f'<img alt="" src="data:image/svg+xml;base64,{source}" style="{stretched};height:{plot}px">'
    return _beside(names, lines + picture + below, layout.margin)


def _beside(names: str, drawn: str, margin: Any) -> str:
    """The names of the axis at the left, as wide as they are, and what is drawn in the room that is left."""
    left = f"position:relative;text-align:right;margin:0 {_GAP}px 0 {margin.l}px;flex:none"
    right = f"position:relative;flex:1;min-width:0;margin-right:{margin.r}px"
    return (
        f'<div style="display:flex;padding-top:{margin.t}px">'
        f'<div style="{left}">{names}</div><div style="{right}">{drawn}</div></div>'
    )


def _at(style: str, words: str) -> str:
    return f'<div style="white-space:nowrap;{style}">{escape(words)}</div>'


class _Scale:
    """From a value of an axis to its place on `length`."""

    def __init__(self, first: float, last: float, length: float) -> None:
        self._first, self._per = first, length / ((last - first) or 1.0)

    def __call__(self, value: float) -> float:
        return (value - self._first) * self._per


class _Bars(NamedTuple):
    """Each as left, right, low and high."""

    bars: Sequence[tuple[float, float, float, float]]
    colour: str

    @property
    def high(self) -> float:
        return max((high for *_, high in self.bars), default=0.0)

    def svg(self, across: _Scale, up: _Scale) -> str:
        drawn = "".join(
            f"M{across(left):.1f},{up(low):.1f}V{up(high):.1f}H{across(right):.1f}V{up(low):.1f}Z"
            for left, right, low, high in self.bars
        )
        return f'<path d="{drawn}" fill="{self.colour}"/>'


class _Line(NamedTuple):
    points: Sequence[tuple[float, float]]
    stroke: str
    fill: str

    @property
    def high(self) -> float:
        return max((y for _, y in self.points), default=0.0)

    def svg(self, across: _Scale, up: _Scale) -> str:
        points = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in self.points)
        return f'<polyline points="{points}" fill="{self.fill}" {self.stroke} vector-effect="non-scaling-stroke"/>'


def _shapes(figure: go.Figure, at: Sequence[Sequence[float]]) -> Iterator[_Bars | _Line]:
    """What the figure's traces draw, in its own units; bars stand on those before them."""
    stacks: dict[float, float] = {}
    for trace, places in zip(figure.data, at, strict=True):
        points = list(zip(places, map(float, trace.y), strict=True))
        if trace.type == "bar":
            yield _Bars(list(_stacked(points, float(trace.width) / 2, stacks)), trace.marker.color)
        else:
            yield _Line(points, _stroke(trace.line), trace.fillcolor if trace.fill == "toself" else "none")


def _stacked(
    points: Sequence[tuple[float, float]], half: float, stacks: dict[float, float]
) -> Iterator[tuple[float, float, float, float]]:
    for place, value in points:
        low = stacks.get(place, 0.0)
        stacks[place] = low + value
        yield place - half, place + half, low, low + value


def _stroke(line: Any) -> str:
    if not line.width:
        return ""
    dashes = _DASHES.get(line.dash)
    return f'stroke="{line.color}" stroke-width="{line.width:g}"' + (f' stroke-dasharray="{dashes}"' if dashes else "")


def _milliseconds(times: Sequence[Any]) -> list[float]:
    """Since 1970, as plotly reads dates: without a zone."""
    return [float(each) for each in pd.DatetimeIndex(times).as_unit("ms").asi8]


def _ends(at: Sequence[Sequence[float]]) -> tuple[float, float]:
    known = list(chain(*at))
    return min(known), max(known)


def _highest(shapes: Sequence[_Bars | _Line]) -> float:
    return max((shape.high for shape in shapes), default=0.0)


def numbers(top: float, most: int) -> list[float]:
    """The values that plotly marks on an axis from 0 to `top`, about `most` of them."""
    rough = (top or 1.0) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next((size for size in (2, 5) if rough < size * power), 10)
    return [step * place for place in range(math.floor(top / step * (1 + 1e-9)) + 1)]


def times(begin: float, end: float, most: int, step: float | str | None = None) -> list[float]:
    """The times that plotly marks on an axis from `begin` to `end`, in milliseconds, `step` apart if given: so long, or
    so many months as M6. Days are counted from a Sunday, months from January 2000.
    """
    rough = (end - begin) / most
    if step is None and 2 * rough > _MONTH:
        step = f"M{next((size for size in (1, 2, 3) if rough < size * _MONTH), 6)}"
    if isinstance(step, str):
        first, last = (pd.Timestamp(time, unit="ms") for time in (begin, end))
        starts = pd.date_range(first.normalize(), last, freq="MS")
        return _milliseconds(
            [at for at in starts if at >= first and (12 * at.year + at.month - 1) % int(step[1:]) == 0]
        )
    unit, sizes = (_DAY, (1, 2, 3, 7, 14)) if 2 * rough > _DAY else (_DAY / 24, (1, 2, 3, 6, 12))
    step = step or unit * next((size for size in sizes if rough < size * unit), sizes[-1])
    first_mark = _SUNDAY + math.ceil((begin - _SUNDAY) / step) * step
    return [first_mark + step * place for place in range(int((end - first_mark) // step) + 1)]


def _number(value: float, marks: Sequence[float], axis: Any) -> str:
    """As d3 writes it in the formats that figures use: whole, with cents, or 1.5k and 2M."""
    if axis.tickformat.endswith("~s"):
        size, unit = next(((s, u) for s, u in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if value >= s), (1.0, ""))
        written = f"{value / size:g}{unit}"
    else:
        written = f"{value:,.2f}" if ".2f" in axis.tickformat else f"{value:,.{_places(marks)}f}"
    return f"{axis.tickprefix or ''}{written}"


def _places(marks: Sequence[float]) -> int:
    step = marks[1] if len(marks) > 1 else 1.0
    return max(0, -math.floor(math.log10(step) + 1e-9))
