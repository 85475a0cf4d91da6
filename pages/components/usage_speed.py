"""Speed and errors: quantiles over time, how times are spread, what failed when, and how each model did."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from pages.components import charts, figures, shell, usage_figures, usage_filters, usage_marks
from pages.components.usage_chart import colours
from pages.components.usage_view import View, measured

_COLUMNS = {"Whole answer": "latency_ms", "First token": "ttft_ms"}
_QUANTILES = {"p50": "p50", "p95": "p95", "p99": "p99"}
_FAILED = ["error", "partial", "interrupted"]


def draw(view: View) -> None:
    word = st.segmented_control(
        "Time", list(_COLUMNS), default="Whole answer", required=True, key="usage.time", label_visibility="collapsed"
    )
    column = _COLUMNS[str(word)]
    quantiles = view.about("percentiles", column=column)
    spread = view.about("distribution", column=column)
    failed = view.about("series", by="error_kind", sort="errors", limit=charts.GROUPS, status=_FAILED)
    if view.filters.get("status", "error") not in _FAILED:
        failed = view.about("series", by="error_kind", sort="errors", limit=charts.GROUPS)
    models = view.about("performance", by=("connection", "model"))
    over_time, bins, errors, did = view.ask(quantiles, spread, failed, models)
    left, right = st.columns(2)
    with left:
        usage_marks.titled(f"{word} per {view.span.bucket}", view, "quantiles", quantiles, over_time)
        if over_time.empty:
            st.caption("No times are known here.")
        else:
            figure = usage_figures.lines(over_time, _QUANTILES, unit="s", scale=0.001, theme=shell.theme())
            usage_marks.chart(figure, "quantiles", f"p50, p95 and p99 of the {str(word).lower()}")
            st.markdown("\u2003".join(usage_figures.line_legend(_QUANTILES, theme=shell.theme())))
    with right:
        usage_marks.titled("How times are spread", view, "spread", spread, bins)
        if bins.empty:
            st.caption("No times are known here.")
        else:
            usage_marks.chart(
                usage_figures.histogram(bins, figures.duration, theme=shell.theme()), "spread", "Distribution of times"
            )
            st.caption("Share of requests; the scale is logarithmic.")
    usage_marks.titled(f"What failed per {view.span.bucket}", view, "failed", failed, errors)
    _failures(view, errors)
    usage_marks.titled("How each model did", view, "models", models, did)
    _models(did)


def _failures(view: View, errors: pd.DataFrame) -> None:
    frame = measured(errors, "error_kind", "errors")
    frame = frame[frame["errors"] > 0]
    if frame.empty:
        st.markdown(":green-badge[:material/check: Nothing failed]")
        return
    frame["error_kind"] = [name.replace("_", " ") for name in frame["error_kind"]]
    taken = colours("error_kind", frame.groupby("error_kind")["errors"].sum().sort_values().index[::-1].tolist())
    drawn = {"by": "error_kind", "value": "errors", "taken": taken, "theme": shell.theme()}
    figure = charts.bars(frame, view.span, money=False, **drawn)
    figure.update_layout(height=240)
    usage_marks.chart(figure, "failed", "Failed requests by kind", _failed_clicked)
    with st.container(horizontal=True, gap="small"):
        for name in charts.legend(frame, **drawn):
            st.markdown(name, width="content")


def _failed_clicked(mark: list[str]) -> None:
    usage_filters.only("status", "error")


def _models(did: pd.DataFrame) -> None:
    if did.empty:
        st.caption("Nothing here.")
        return
    key = f"usage.models.{st.session_state.get('usage.clicks', 0)}"
    st.dataframe(
        pd.DataFrame(
            {
                "Model": did["model"],
                "Calls": did["calls"],
                "Errors": did["error_rate"].astype(float) * 100,
                "p50": did["latency_p50_ms"] / 1000,
                "p95": did["latency_p95_ms"] / 1000,
                "First token": did["ttft_p50_ms"] / 1000,
                "tok/s": did["tokens_per_second"],
            }
        ),
        key=key,
        hide_index=True,
        height=min(360, 38 + 35 * len(did)),
        placeholder=figures.UNKNOWN,
        on_select=partial(_model_clicked, key, did["model"].tolist()),
        selection_mode="single-row",
        column_config={
            "Model": st.column_config.TextColumn(width=190),
            "Calls": st.column_config.NumberColumn(format="localized", width=90),
            "Errors": st.column_config.NumberColumn(format="%.1f %%", width=90),
            "p50": st.column_config.NumberColumn(format="%.1f s", width=90),
            "p95": st.column_config.NumberColumn(format="%.1f s", width=90),
            "First token": st.column_config.NumberColumn(format="%.2f s", width=100),
            "tok/s": st.column_config.NumberColumn(format="%.0f", width=90),
        },
        alt="How each model did",
    )


def _model_clicked(key: str, models: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.session_state["usage.clicks"] = st.session_state.get("usage.clicks", 0) + 1
        usage_filters.only("model", models[rows[0]])
