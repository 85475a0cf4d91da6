"""The bar of a budget: spent and held against its limit, with its thresholds and where the pace leads."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.components import budget_words, figures, shell
from pages.components.budget_words import standing

_STATES = {
    "light": {"green": "#0F766E", "orange": "#E07A3F", "red": "#B5475B"},
    "dark": {"green": "#2DD4BF", "orange": "#F29C66", "red": "#E07F92"},
}
_TRACK = {"light": "#E4EBE9", "dark": "#24312F"}
_MARK = {"light": "#14211F", "dark": "#E6EEEC"}
_HELD = 0.45
"""How dense the held part is, beside the spent one."""
_MOST = 1.4
"""Limits up to which a bar reaches at most, for what is spent or to come beyond its own."""


def draw(row: Any, name: str) -> None:
    """`row` is one of `ws.usage.budgets.status()`."""
    st.vega_lite_chart(
        parts(row), spec(row, shell.theme()), height=26, key=f"budget.bar.{name}.{row.id}", alt=alt(row), theme=None
    )


def alt(row: Any) -> str:
    return f"{figures.share(row.used)} of {budget_words.limit(row)} is spent or held"


def parts(row: Any) -> pd.DataFrame:
    """Spent, then held, as shares of the limit; a limit of 0 is full from the start."""
    most = float(row.limit) or 1.0
    spent = float(row.spent) / most if row.limit else 1.0
    held = float(row.held) / most
    reach = _reach(row)
    pieces = [("Spent", 0.0, min(spent, reach), 1.0, budget_words.amount(row.unit, row.spent))]
    if row.held:
        pieces.append(
            ("Held", min(spent, reach), min(spent + held, reach), _HELD, budget_words.amount(row.unit, row.held))
        )
    return pd.DataFrame(pieces, columns=["what", "from", "to", "density", "amount"])


def spec(row: Any, theme: str) -> dict[str, Any]:
    """The track, the pieces on it, thin marks at thresholds and at a limit the bar goes beyond, the projection."""
    reach = _reach(row)
    scale = {"domain": [0, reach], "nice": False}
    x = {"field": "from", "type": "quantitative", "scale": scale, "axis": None}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": [{"from": 0, "to": 1}]},
            "mark": {"type": "bar", "color": _TRACK[theme], "height": 10, "cornerRadius": 3},
            "encoding": {"x": x, "x2": {"field": "to"}},
        },
        {
            "mark": {"type": "bar", "color": _STATES[theme][standing(row).colour], "height": 10, "cornerRadius": 3},
            "encoding": {
                "x": x,
                "x2": {"field": "to"},
                "opacity": {"field": "density", "type": "quantitative", "scale": None},
                "tooltip": [{"field": "what", "title": "Part"}, {"field": "amount", "title": "Amount"}],
            },
        },
    ]
    marks = [
        {"from": share, "said": f"{figures.share(share)} of the limit"} for share in row.thresholds if share < reach
    ]
    if reach > 1:
        marks.append({"from": 1.0, "said": "The limit"})
    layers.append(_ticks(marks, x, _MARK[theme], 16))
    if budget_words.figures.known(row.projection) and row.limit:
        to_come = float(row.projection) / float(row.limit)
        said = f"Projected: {budget_words.amount(row.unit, row.projection)}"
        layers.append(
            {
                "data": {"values": [{"from": min(to_come, reach), "said": said}]},
                "mark": {"type": "point", "shape": "diamond", "size": 42, "filled": True, "color": _MARK[theme]},
                "encoding": {"x": x, "tooltip": {"field": "said", "title": " "}},
            }
        )
    return {
        "layer": layers,
        "config": {"view": {"stroke": None}, "background": "transparent"},
        "padding": {"left": 2, "right": 2, "top": 3, "bottom": 3},
    }


def _ticks(values: list[dict[str, Any]], x: dict[str, Any], colour: str, size: int) -> dict[str, Any]:
    return {
        "data": {"values": values},
        "mark": {"type": "tick", "color": colour, "thickness": 1.5, "size": size, "opacity": 0.55},
        "encoding": {"x": x, "tooltip": {"field": "said", "title": " "}},
    }


def _reach(row: Any) -> float:
    """How many limits the bar is long: one, more where spend or projection is beyond it."""
    if not row.limit:
        return 1.0
    to_come = float(row.projection) / float(row.limit) if budget_words.figures.known(row.projection) else 0.0
    return min(_MOST, max(1.0, row.used * 1.02, to_come * 1.02))
