"""A small line of how a figure went, as a picture: a chart library would take longer than all else on the page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape
from math import isfinite

import streamlit as st

from pages.components import charts, shell

_WIDE, _HIGH, _EDGE = 100.0, 28.0, 2.0


def draw(values: Sequence[float], about: str) -> None:
    """`values` at equal steps, from 0 up; what is not finite is a gap. `about` says in words what is seen."""
    picture = b64encode(svg(values, charts.COLOURS[shell.theme()][0]).encode()).decode()
    words = escape(about, quote=True)
    st.html(
        f'<img src="data:image/svg+xml;base64,{picture}" alt="{words}" title="{words}" '
        f'style="display:block;width:100%;height:{_HIGH:.0f}px">'
    )


def svg(values: Sequence[float], colour: str) -> str:
    """Stretches to the width it is given; the line stays as thick as it is."""
    values = values if len(values) > 1 else [*values] * 2
    highest = max((value for value in values if isfinite(value)), default=0.0) or 1.0
    step = _WIDE / max(1, len(values) - 1)
    drawn = []
    for first, run in _runs(values):
        points = [
            f"{(first + place) * step:.2f},{_HIGH - _EDGE - value / highest * (_HIGH - 2 * _EDGE):.2f}"
            for place, value in enumerate(run)
        ]
        if len(points) == 1:
            points *= 2  # a dot
        begin, end = points[0].split(",")[0], points[-1].split(",")[0]
        line = " ".join(points)
        drawn.append(f'<path d="M{begin},{_HIGH:.0f} L{line} L{end},{_HIGH:.0f}Z" fill="{colour}" fill-opacity=".14"/>')
        drawn.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.75" stroke-linejoin="round" '
            'stroke-linecap="round" vector-effect="non-scaling-stroke"/>'
        )
    size = f'viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}" preserveAspectRatio="none"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(drawn)}</svg>'


def _runs(values: Sequence[float]) -> Iterator[tuple[int, list[float]]]:
    """Each piece without a gap, with the place of its first value."""
    run: list[float] = []
    for place, value in enumerate([*values, float("nan")]):
        if isfinite(value):
            run.append(value)
        elif run:
            yield place - len(run), run
            run = []
