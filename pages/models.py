"""Which models there are, what they cost and how they did here; the choice of one for each task."""

from __future__ import annotations

import streamlit as st

from pages.components import (
    dialogs,
    model_active,
    model_compare,
    model_details,
    model_filters,
    model_radar,
    model_refresh,
    model_rows,
    model_selector,
    model_table,
    model_workload,
    own_model,
    price_update,
    shell,
)

shell.guard()
ws = shell.workspace()
controls = shell.header("Models")
with controls:
    everything = model_filters.scope()
    model_refresh.button(ws)
    own_model.button(ws)
model_refresh.run_if_asked(ws)

frame = model_rows.rows(ws, everything=everything)
if frame.empty:
    model_selector.nothing_to_choose(ws)
    dialogs.open_if_asked()
    st.stop()

model_active.row(ws)
price_update.banner(ws)
model_radar.draw(ws)

load, origin = model_workload.current(ws)
wanted = model_filters.draw(frame)
shown = model_filters.matching(frame.assign(workload=model_rows.costs(ws, load, everything=everything)), wanted)
chosen = model_rows.models(ws, model_table.chosen())
comparing = 2 <= len(chosen) <= model_table.MOST
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.caption(f"{len(shown):,} of {len(frame):,} models · {model_refresh.checked(ws)}", width="content")
    if not comparing:  # the comparison shows the calculator itself
        model_workload.opener(ws, load, origin)
if shown.empty:
    model_filters.nothing_found()
else:
    model_table.draw(shown)

if not chosen:
    st.caption("Choose a row to see all of a model. Choose two to four to compare them.")
elif len(chosen) == 1:
    model_details.draw(ws, chosen[0])
elif comparing:
    model_compare.draw(ws, chosen, load, origin)
else:
    model_table.too_many()
price_update.source(ws)
dialogs.open_if_asked()
