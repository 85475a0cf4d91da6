"""Charts whose marks can be clicked, each with a menu that shows its SQL and gives its table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.components import charts, feedback, first_screen, picture, shell
from pages.components.live import Asked
from pages.components.usage_view import View

Click = Callable[[Any], None]
"""Told the `customdata` of the mark."""


def chart(figure: go.Figure, name: str, alt: str, click: Click | None = None) -> None:
    """After each click the charts are drawn anew: what is chosen is said by the filters, not by faded marks.

    On the page's first screen it is a picture, which stays until the browser has drawn the chart in its place.
    """
    with st.container(key=f"usage-chart-{name}", gap=None):
        if first_screen.alone("usage"):
            st.empty()
        else:
            _drawn(figure, f"usage.{name}.{st.session_state.get('usage.clicks', 0)}", alt, click)
        if first_screen.shown("usage"):
            picture.draw(figure, alt, shell.theme(), f".st-key-usage-chart-{name}")


def _drawn(figure: go.Figure, key: str, alt: str, click: Click | None) -> None:
    if click is None:
        st.plotly_chart(figure, config=charts.NO_TOOLBAR, alt=alt, key=key)
        return
    if figure.layout.dragmode is None:
        figure.update_layout(dragmode=False)
    st.plotly_chart(
        figure,
        config=charts.NO_TOOLBAR,
        alt=alt,
        key=key,
        selection_mode="points",
        on_select=feedback.callback(partial(_clicked, key, click)),
    )


def _clicked(key: str, click: Click) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points and points[0].get("customdata"):
        st.session_state["usage.clicks"] = st.session_state.get("usage.clicks", 0) + 1
        click(points[0]["customdata"])


def titled(title: str, view: View, name: str, asked: Asked | None = None, table: pd.DataFrame | None = None) -> None:
    """A card's title, and at its right the menu of a question and its answer."""
    with _row():
        st.markdown(f"**{title}**", width="content")
        if asked is not None and table is not None:
            _menu(view, name, asked, table)


@contextmanager
def titled_control(title: str, view: View, name: str, asked: Asked, table: pd.DataFrame) -> Iterator[None]:
    """As `titled`. What is drawn in the block comes between the two."""
    with _row():
        st.markdown(f"**{title}**", width="content")
        with controls(view, name, asked, table):
            yield


def leaves_room(width: int, height: int = 40) -> bool:
    """On the page's first screen it keeps a control's place free, and says so: the control comes with the charts."""
    if first_screen.alone("usage"):
        st.html(f'<div style="height:{height}px"></div>', width=width)
        return True
    return False


@contextmanager
def controls(view: View, name: str, asked: Asked, table: pd.DataFrame) -> Iterator[None]:
    """The menu of a question and its answer, at the right of what is drawn in the block."""
    with st.container(horizontal=True, width="content", vertical_alignment="center", gap="xsmall", wrap=False):
        yield
        _menu(view, name, asked, table)


def choice(label: str, options: list[str], key: str) -> None:
    """A box beside a card's title, kept in the URL."""
    if not leaves_room(124):
        st.selectbox(label, options, key=key, bind="query-params", label_visibility="collapsed", width=124)


def _row() -> Any:
    return st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small")


def _menu(view: View, name: str, asked: Asked, table: pd.DataFrame) -> None:
    if leaves_room(29):
        return
    menu = st.popover(
        "",
        icon=":material/code:",
        type="tertiary",
        help="Show the SQL, download the data",
        key=f"usage.menu.{name}",
        on_change="rerun",
    )
    if not menu.open:
        return
    with menu:
        st.caption("Give this to `ws.usage.sql` in a notebook: it has the same numbers.")
        st.code(asked.sql(view.ws), language="sql", height=260)
        st.download_button(
            "Data as CSV",
            lambda: as_csv(table),
            file_name=f"usage-{name}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key=f"usage.data.{name}",
        )


def as_csv(table: pd.DataFrame) -> bytes:
    """A small table as CSV of which a spreadsheet runs nothing.

    Names of calls may come from anybody, so text that begins with no letter or digit gets an apostrophe in front.
    """
    safe = table.map(
        lambda value: f"'{value}" if isinstance(value, str) and value and not value[0].isalnum() else value
    )
    return safe.to_csv(index=False).encode()
