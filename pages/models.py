"""Which models there are and what they cost, and the choice of one for each task."""

from __future__ import annotations

import streamlit as st

from llm_core.types import TASKS
from pages.components import model_details, model_selector, model_table, shell

shell.guard()
ws = shell.workspace()
shell.header("Models")

models = ws.models.list()
if not models:
    model_selector.nothing_to_choose(ws)
    st.stop()

active = {task: chosen for task in TASKS if (chosen := ws.models.active(task))}
search, connection = st.columns([3, 1])
with search:
    words = st.text_input(
        "Search",
        key="search",
        bind="query-params",
        type="search",
        live=True,
        placeholder="Search by name",
        label_visibility="collapsed",
    )
with connection:
    every = "All connections"
    owner = st.selectbox(
        "Connection",
        [every, *dict.fromkeys(model.connection for model in models)],
        key="connection",
        bind="query-params",
        label_visibility="collapsed",
    )
shown = [
    model
    for model in models
    if owner in (every, model.connection)
    and all(word in f"{model.name} {model.display_name}".lower() for word in (words or "").lower().split())
]
if not shown:
    st.info("No model matches. Search for less, or look at all connections.", icon=":material/search_off:")
    st.stop()

chosen = model_table.draw(shown, active)
if chosen is None:
    st.caption("Choose a row to see all of a model, and to make it active.")
else:
    model_details.draw(ws, chosen, active)
