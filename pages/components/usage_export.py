"""Export: every record of what is shown, as a file, written with progress and then downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pandas as pd
import streamlit as st

from llm_core.store.home import cache_folder
from pages.components import feedback, figures
from pages.components.usage_view import View

FORMATS = {
    "CSV": ("csv", "text/csv", "Opens in a spreadsheet; cells that look like formulas are made safe."),
    "Parquet": ("parquet", "application/vnd.apache.parquet", "Smallest, with exact types, for notebooks and DuckDB."),
    "JSON lines": ("jsonl", "application/x-ndjson", "One JSON object a line; money as text, every digit."),
}
MADE, _ASKED = "usage.export", "usage.export.asked"
_MOST_BYTES = 500_000_000
"""A larger file is not sent through the browser's memory; it stays where it was written."""


@dataclass(frozen=True)
class Made:
    """A file of a view; `key` says of which."""

    key: tuple[Any, ...]
    path: Path
    records: int


def draw(view: View, now: pd.Series) -> None:
    st.markdown("**Export what is shown**")
    st.caption(
        f"{figures.exact(now.records)} records of this span and these filters, all columns, oldest first. "
        "Prompts and answers are not in the ledger."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        name = str(
            st.segmented_control(
                "Format", list(FORMATS), default="CSV", required=True, key="usage.format", label_visibility="collapsed"
            )
        )
        st.button("Prepare the file", icon=":material/file_save:", key="usage.prepare", on_click=_ask)
    st.caption(FORMATS[name][2])
    key = (name, repr(view.about("summary").key))
    if st.session_state.pop(_ASKED, False):
        with feedback.boundary():
            st.session_state[MADE] = _make(view, name, key)
    made: Made | None = st.session_state.get(MADE)
    if made is not None and made.key == key and made.path.exists():
        _offer(made, name)


def _ask() -> None:
    """Callback: make a file, of the format that is chosen when the page runs."""
    st.session_state[_ASKED] = True


def _make(view: View, name: str, key: tuple[Any, ...]) -> Made:
    """Into the cache folder; the one made before goes."""
    older: Made | None = st.session_state.pop(MADE, None)
    if older is not None:
        older.path.unlink(missing_ok=True)
    extension = FORMATS[name][0]
    folder = Path(mkdtemp(dir=cache_folder("exports")))
    last = view.span.end or datetime.now(view.span.start.tzinfo)
    path = folder / f"usage-{view.span.start:%Y-%m-%d}-to-{last:%Y-%m-%d}.{extension}"
    bar = st.progress(0.0, "Writing")

    def tell(done: int, total: int) -> None:
        bar.progress(min(1.0, done / max(1, total)), f"{done:,} of {total:,} records")

    asked = view.about("summary").arguments
    write = {
        "csv": view.ws.usage.export_csv,
        "parquet": view.ws.usage.export_parquet,
        "jsonl": view.ws.usage.export_jsonl,
    }[extension]
    records = write(path, progress=tell, **asked)
    bar.empty()
    return Made(key, path, records)


def _offer(made: Made, name: str) -> None:
    size = made.path.stat().st_size
    with st.container(horizontal=True, vertical_alignment="center"):
        if size <= _MOST_BYTES:
            st.download_button(
                "Download",
                made.path.read_bytes,
                file_name=made.path.name,
                mime=FORMATS[name][1],
                icon=":material/download:",
                type="primary",
                on_click="ignore",
                key="usage.download",
            )
            st.caption(f"{made.records:,} records, {figures.size(size)}.")
        else:
            st.caption(f"{made.records:,} records, {figures.size(size)}: too large for a browser. It lies at")
            st.code(str(made.path), language=None)
