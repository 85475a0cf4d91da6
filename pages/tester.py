"""Which model is better: for now one lane, where a prompt is answered as you watch, with its tokens, time and cost."""

from __future__ import annotations

import streamlit as st

from llm_core.providers.model_files import ensure_model
from pages.components import choices, dialogs, figures, model_selector, model_tester, shell

KEY = "tester"

shell.guard()
ws = shell.workspace()
shell.header("Tester", "Ask a model and see its answer, the tokens it took, its time and its cost.")

choices.take_asked(ws)
busy = model_tester.running(KEY)
left, right = st.columns(2)
with left:
    model = model_selector.model(ws, f"{KEY}.model", disabled=busy)
if model is None:
    model_selector.nothing_to_choose(ws)
    st.stop()
with right:
    preset = model_selector.preset(ws, f"{KEY}.preset", model.id, disabled=busy)

prompt = st.text_area(
    "Prompt",
    "Why is the sky blue? Answer in three sentences.",
    key=f"{KEY}.prompt",
    height=120,
    persist_state="session",
    on_change="ignore",
)
model_tester.buttons(KEY, disabled=ws.is_sample)
if ws.is_sample:
    st.caption("Sample data makes no calls. Leave it to ask a model.")
connection = ws.providers.get(model.connection)

with st.container(border=True):
    model_tester.answer(
        KEY,
        f"**{figures.plain(model.display_name or model.name)}** :gray[{figures.plain(preset)}]",
        lambda: ws.llm.stream(prompt, model=model.id, preset=preset, app=shell.APP, user=shell.identity()),
        lambda progress, stop: ensure_model(connection.options, progress, stop) if model.provider == "local" else None,
        lambda: st.page_link("pages/usage.py", label="See it on Usage", icon=":material/monitoring:"),
    )
dialogs.open_if_asked()
