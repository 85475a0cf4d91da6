"""The chances of the next token before and after parameters reshape them: DataFrame in, plotly Figure out."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from pages.components.charts import COLOURS, GROUPS

BEFORE, AFTER = "as the model has it", "with these parameters"


def bars(frame: pd.DataFrame, theme: str) -> go.Figure:
    """Two bars for each row of `token`, `before`, `after` (shares), the first row on top."""
    figure = go.Figure()
    colours = {BEFORE: COLOURS[theme][GROUPS], AFTER: COLOURS[theme][0]}
    for name, column in ((BEFORE, "before"), (AFTER, "after")):
        figure.add_bar(
            y=frame["token"],
            x=frame[column],
            orientation="h",
            name=name,
            marker={"color": colours[name], "line": {"width": 0}},
            hovertemplate=f"%{{y}} %{{x:.2%}} {name}<extra></extra>",
        )
    figure.update_layout(
        barmode="group",
        bargap=0.3,
        bargroupgap=0.05,
        height=40 + 30 * len(frame),
        margin={"l": 8, "r": 8, "t": 4, "b": 24},
        showlegend=False,
        xaxis={"title": None, "tickformat": ".0%", "rangemode": "tozero", "nticks": 6},
        yaxis={"title": None, "autorange": "reversed", "type": "category", "showgrid": False, "ticksuffix": "  "},
    )
    return figure


def legend(theme: str) -> str:
    """Both in their colours, as Markdown: plotly's own takes the room of a narrow chart."""
    named = ((BEFORE, COLOURS[theme][GROUPS]), (AFTER, COLOURS[theme][0]))
    return " ".join(f':small[:color[■]{{foreground="{colour}"}} {name}]' for name, colour in named)
