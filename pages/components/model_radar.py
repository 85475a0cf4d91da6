"""Models in use here that will be shut down: when, what they cost last month, and the one to go to."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from llm_core import Workspace
from pages.components import feedback, figures, model_active, model_rows, model_table
from pages.components.model_words import title

SOON_DAYS = 90


def draw(ws: Workspace) -> None:
    """Nothing where no model in use has an announced end."""
    found = model_rows.radar(ws)
    if found.empty:
        return
    soon = found["days_left"].map(lambda days: figures.known(days) and days <= SOON_DAYS)
    with st.expander(
        _headline(found),
        icon=":material/event_busy:" if soon.any() else ":material/event:",
        expanded=False,
        key="models.radar",
        on_change="rerun",
    ) as opened:
        if opened.open:
            for end in found.itertuples():
                _one(ws, end)


def _headline(found: pd.DataFrame) -> str:
    """2 models in use here will be shut down, the first on 14 Jan 2027 · $412.10 in the last 30 days."""
    many = len(found)
    told = f"{many} model{'' if many == 1 else 's'} in use here will be shut down"
    ends = [day for day in found["ends_on"] if figures.known(day)]
    first = min(ends, default=None)
    if first is not None:
        told += f"{',' if many == 1 else ', the first'} on {first.day} {first:%b %Y}"
    spent = [usd for usd in found["spend_30d"] if figures.known(usd)]
    if not found["calls_30d"].sum():
        return f"{told} · no calls in the last 30 days"
    return figures.plain(f"{told} · {figures.usd(sum(spent))} in the last 30 days") if spent else told


def _one(ws: Workspace, end: Any) -> None:
    model = ws.models.get(end.id)
    name, when, spend, instead = st.columns([1.8, 1.3, 1.5, 5.4], vertical_alignment="center")
    name.markdown(f"**{figures.plain(title(model))}**  \n:small[:gray[{figures.plain(model.connection)}]]")
    when.markdown(_when(end))
    calls = f"{figures.count(end.calls_30d)} calls" if end.calls_30d else "no calls"
    spend.markdown(
        f"{figures.plain(figures.usd(end.spend_30d))}  \n:small[:gray[{calls} in 30 days]]",
        help=None if figures.known(end.spend_30d) else "Its calls are not priced.",
    )
    with instead:
        _replacement(ws, end)


def _when(end: Any) -> str:
    if not figures.known(end.ends_on):
        return ":orange[Deprecated]  \n:small[:gray[no date is told]]"
    day = f"{end.ends_on.day} {end.ends_on:%b %Y}"
    if end.days_left < 0:
        return f":red[Shut down]  \n:small[:gray[on {day}]]"
    colour = "orange" if end.days_left <= SOON_DAYS else "gray"
    return f":{colour}[**{end.days_left} days left**]  \n:small[:gray[{day}]]"


def _replacement(ws: Workspace, end: Any) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    if not end.replacement:
        row.markdown(":small[:gray[Its vendor names no replacement]]", width="content")
        row.button("Details", key=f"radar.details.{end.id}", on_click=model_table.choose, args=(end.id,))
        return
    instead = ws.models.get(end.replacement)
    row.markdown(f":small[:gray[Replaced by]]  \n**{figures.plain(title(instead))}**", width="content")
    if end.tasks:
        row.button(
            "Make the replacement active",
            key=f"radar.replace.{end.id}",
            type="primary",
            on_click=_replace,
            args=(ws, end.tasks, end.replacement),
            help=f"For {', '.join(end.tasks)}",
        )
    row.button("Compare", key=f"radar.compare.{end.id}", on_click=model_table.choose, args=(end.id, end.replacement))
    row.page_link("pages/tester.py", label="Try it", icon=":material/science:")
    for task in end.tasks:
        for lack in ws.models.lacks(task, end.replacement):
            st.caption(f":orange[:material/warning:] {figures.plain(f'{lack.message} {lack.hint}')}")


@feedback.callback
def _replace(ws: Workspace, tasks: tuple[str, ...], id: str) -> None:  # noqa: A002
    for task in tasks:
        model_active.make(ws, task, id)
    feedback.tell(f"{title(ws.models.get(id))} is now active for {', '.join(tasks)}.")
