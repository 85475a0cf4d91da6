"""The file of a model that runs on this machine: fetched when it is missing, with its progress on the page."""

from __future__ import annotations

import time

import streamlit as st

from llm_core import LLMProvider
from llm_core.providers.model_files import ensure_model, find_model
from pages.components import figures


def is_missing(connection: LLMProvider) -> bool:
    return connection.provider == "local" and find_model(connection.options) is None


def fetch(connection: LLMProvider) -> None:
    """Fetch the model's file if it is missing. Leaving the page, or any click on it, stops the fetching.

    Raises ModelFileError.
    """
    if not is_missing(connection):
        return
    bar = st.progress(0.0, "Fetching the model")
    began = time.monotonic()

    def show(done: int, total: int | None) -> None:
        speed = done / max(time.monotonic() - began, 0.1)
        part = min(done / total, 1.0) if total else 0.0
        of = f" of {figures.size(total)}" if total else ""
        bar.progress(part, f"Fetching the model: {figures.size(done)}{of} · {figures.size(speed)}/s")

    ensure_model(connection.options, show)
    bar.empty()
