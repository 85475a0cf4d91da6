"""What a piece of advice leads to: the page where it is done."""

from __future__ import annotations

import streamlit as st

from llm_core.usage.advice import Advice
from pages.components import choices

_PAGES = {
    "sizes": ("Limit answers in a preset", "parameters"),
    "idle": ("See the connection", "providers"),
}


def draw(each: Advice) -> None:
    """A link to it."""
    if each.kind == "cheaper":
        model = candidate(each)
        query = {choices.ASKED: model} if model else None
        st.page_link("pages/tester.py", label="Test it", icon=":material/science:", query_params=query)
    elif each.kind == "ending":
        st.page_link("pages/models.py", label="Choose another model", icon=":material/arrow_forward:")
    elif each.kind in _PAGES:
        label, page = _PAGES[each.kind]
        st.page_link(f"pages/{page}.py", label=label, icon=":material/arrow_forward:")
    else:
        query = {"view": "Calls", "span": "30 d", "model": each.subject.partition(":")[2]}
        if each.kind == "failures":
            query["view"] = "Speed and errors"
        st.page_link("pages/usage.py", label="See these calls", icon=":material/arrow_forward:", query_params=query)


def candidate(each: Advice) -> str:
    """The id of the model that is advised: its key ends with it."""
    found = each.evidence.get("model", ())
    return next((str(model) for model in found if each.key.endswith(f":{model}")), "")
