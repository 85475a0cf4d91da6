"""How an alert reads: its severity as icon, word and colour, and the place that shows what it is about."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

TAB = "Alerts"
"""The name of the panel below the first screen of Usage."""


class Severity(NamedTuple):
    word: str
    colour: str
    icon: str


SEVERITIES = {
    "critical": Severity("Critical", "red", ":material/error:"),
    "warning": Severity("Warning", "orange", ":material/warning:"),
    "info": Severity("Note", "gray", ":material/info:"),
}


class Place(NamedTuple):
    """A page, and what its URL says."""

    label: str
    page: str
    query: dict[str, str]


_PLACES = {
    "budget": Place("See budgets", "usage", {"view": "Budgets"}),
    "pace": Place("See spend", "usage", {"span": "30 d"}),
    "spike": Place("See the hours", "usage", {"span": "24 h"}),
    "errors": Place("See what failed", "usage", {"view": "Speed and errors", "span": "24 h"}),
    "latency": Place("See times", "usage", {"view": "Speed and errors", "span": "7 d"}),
    "unpriced": Place("See unpriced calls", "usage", {"view": "Unpriced"}),
    "down": Place("See the connection", "providers", {}),
    "key_age": Place("Rotate the key", "providers", {}),
    "shutdown": Place("See models", "models", {}),
}


def place(kind: str) -> Place:
    return _PLACES.get(kind, Place("See Usage", "usage", {}))


def link(alert: Any) -> None:
    """To what the alert is about."""
    there = place(alert.kind)
    st.page_link(
        f"pages/{there.page}.py", label=there.label, icon=":material/arrow_forward:", query_params=there.query or None
    )


def badge(alert: Any) -> None:
    severity = SEVERITIES[alert.severity]
    st.badge(severity.word, icon=severity.icon, color=severity.colour)
