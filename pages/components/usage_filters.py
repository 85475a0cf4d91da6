"""The filters of Usage, kept in the URL: boxes for columns, days and hours chosen by a click, chips to drop them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import streamlit as st

from llm_core import Workspace
from pages.components import figures, live
from pages.components.choices import choice
from pages.components.live import Asked
from pages.components.span import CUSTOM, NAMES, USUAL, Span
from pages.components.usage_view import NONE

FREQUENT = {"model": "All models", "project": "All projects", "user": "Everyone", "task": "All tasks"}
MORE = {
    "connection": "All connections",
    "provider": "All providers",
    "app": "All apps",
    "preset": "All presets",
    "tag": "All tags",
    "status": "Any status",
}
EVERYTHING = FREQUENT | MORE
"""Each filter with what it says when it is off."""
DAYS_OF_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FIRST, LAST, HOUR = "from", "to", "hour"
"""Of the URL: the dates of a custom span, and an hour of the week as 0-14."""

_VALUES = 200
_SHARED = {"connection": "via"}
"""Keys that are not the column's name: the Models page has a filter with that one."""


def key(column: str) -> str:
    return _SHARED.get(column, column)


def options(ws: Workspace, span: Span, columns: Iterable[str]) -> dict[str, list[str]]:
    """What the columns had in this span, the most frequent first; `tags` is for the names of tags."""
    end = {} if span.end is None else {"end": span.end}
    asked = {name: Asked("values", {"column": name, "start": span.start, **end, "limit": _VALUES}) for name in columns}
    return dict(zip(asked, live.answers(ws, None, lately=list(asked.values())), strict=True))


def draw(ws: Workspace, span: Span, frequent: Mapping[str, list[str]]) -> dict[str, Any]:
    """The boxes, filled from the URL; returns the filters for a question. `frequent` are the options of FREQUENT."""
    with st.grid(len(FREQUENT) + 1, min_column_width=148):
        chosen = {column: _box(column, frequent[column]) for column in FREQUENT}
        used = sum(_wanted(column) not in ("", everything) for column, everything in MORE.items())
        label = f"More filters ({used})" if used else "More filters"
        more = st.popover(
            label, icon=":material/tune:", width="stretch", key="usage.more", on_change="rerun", type="secondary"
        )
        with more:
            values = _more(ws, span, frequent["tags"]) if more.open else {}
            chosen |= {column: _box(column, values.get(column, [])) for column in MORE}
    filters: dict[str, Any] = {}
    for column, value in chosen.items():
        if value == EVERYTHING[column]:
            continue
        if column == "tag":
            name, _, text = value.partition("=")
            filters[f"tag:{name}"] = text
        else:
            filters[column] = None if value == NONE else value
    hour = _hour()
    if hour is not None:
        filters["hour_of_week"] = {"weekday": hour[0], "hour": hour[1], "tz": span.tz}
    return filters


def _box(column: str, values: list[str]) -> str:
    """What a link or a click asks for can be chosen too, whether it is among the frequent values or not."""
    everything, wanted = EVERYTHING[column], _wanted(column)
    options = [everything, *values]
    if wanted and wanted not in options:
        options.append(wanted)
    return str(
        st.selectbox(column.capitalize(), options, key=key(column), bind="query-params", label_visibility="collapsed")
    )


def _wanted(column: str) -> str:
    return str(st.session_state.get(key(column)) or st.query_params.get(key(column), ""))


def _more(ws: Workspace, span: Span, tags: list[str]) -> dict[str, list[str]]:
    names = [f"tag:{name}" for name in tags]
    found = options(ws, span, [*(column for column in MORE if column != "tag"), *names])
    return found | {"tag": [f"{name.removeprefix('tag:')}={value}" for name in names for value in found[name]]}


def dates() -> tuple[date, date] | None:
    """First and last day of a custom span; None where the URL has none that can be."""
    try:
        first = date.fromisoformat(st.query_params.get(FIRST, ""))
        return first, date.fromisoformat(st.query_params.get(LAST, "") or first.isoformat())
    except ValueError:
        return None


def span_name(ws: Workspace) -> str:
    """The span to begin with where the URL has none: the one last chosen."""
    kept = choice(ws, "span")
    return kept if kept in NAMES and kept != CUSTOM else USUAL


def show_days(first: date, last: date) -> None:
    """Callback: look at these days."""
    st.session_state["span"] = CUSTOM
    st.query_params[FIRST], st.query_params[LAST] = first.isoformat(), last.isoformat()


def dates_picked(widget: str) -> None:
    """Callback of a date range; while its second day is not chosen nothing happens."""
    picked = st.session_state[widget]
    if len(picked) == 2:
        show_days(*picked)


def only(column: str, value: str | None) -> None:
    """Callback: what has this value alone. Tags come as tag:team."""
    if column.startswith("tag:"):
        st.session_state[key("tag")] = f"{column.removeprefix('tag:')}={value}"
    else:
        st.session_state[key(column)] = NONE if value is None else value


def only_hour(weekday: int, hour: int) -> None:
    """Callback: what began in this hour of the week."""
    st.query_params[HOUR] = f"{weekday}-{hour}"


def _hour() -> tuple[int, int] | None:
    weekday, _, hour = st.query_params.get(HOUR, "").partition("-")
    if weekday.isdecimal() and hour.isdecimal() and int(weekday) < 7 and int(hour) < 24:
        return int(weekday), int(hour)
    return None


def chips(filters: Mapping[str, Any]) -> None:
    """What is filtered by, each to be dropped by a click. Their row has its place also when it is empty: what comes
    below would be drawn anew otherwise.
    """
    shown: dict[str, tuple[str, str]] = {}
    for column, value in filters.items():
        if column == "hour_of_week":
            shown["hour"] = ("When", f"{DAYS_OF_WEEK[value['weekday']]} {value['hour']:02d}:00")
        elif column.startswith("tag:"):
            shown["tag"] = (column.removeprefix("tag:").capitalize(), str(value))
        else:
            shown[column] = (column.capitalize(), NONE if value is None else str(value))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for name, (label, value) in shown.items():
            st.button(
                f"{label}: {figures.plain(value)}",
                key=f"usage.chip.{name}",
                icon=":material/close:",
                icon_position="right",
                help="Drop this filter",
                on_click=drop,
                args=(name,),
            )
        if len(shown) > 1:
            st.button("Clear all", key="usage.chip.all", type="tertiary", on_click=clear)


def drop(name: str) -> None:
    """Callback: without this filter."""
    if name == HOUR:
        st.query_params.pop(HOUR, None)
    else:
        st.session_state[key(name)] = EVERYTHING[name]


def clear() -> None:
    """Callback: no filter any more. The URL follows."""
    for name in (*EVERYTHING, HOUR):
        drop(name)
