"""A person's own price of a model: what their contract says, from one day to another; it counts before the lists."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.catalog.cost import UNITS
from pages.components import dialogs, feedback, figures, model_prices
from pages.components.model_words import CLASSES, title

_PREFIX = "own.price."
_MAIN = ("input_tokens", "output_tokens")
_MORE = tuple(name for name in CLASSES if name not in _MAIN)


def ask(ws: Workspace, model: LLMModel) -> None:
    """Callback of a button. The fields begin with the price that counts today."""
    for key in [key for key in st.session_state if str(key).startswith(_PREFIX)]:
        del st.session_state[key]
    for rate in model_prices.in_force(ws.models.prices.history(model.id)).itertuples():
        if not figures.known(rate.over_tokens):
            st.session_state[_PREFIX + str(rate.rate)] = float(rate.usd)
    dialogs.ask(f"Price of {title(model)}", "sell", _body, ws, model)


def _body(ws: Workspace, model: LLMModel) -> None:
    st.caption(
        "US dollars. In its time it counts instead of the price lists; what is left empty is not known then."
        " Recorded costs stay as they are."
    )
    with st.grid(2, min_column_width=180):
        for name in _MAIN:
            _amount(name)
    with st.expander("Cache, audio and more", type="compact"), st.grid(2, min_column_width=180):
        for name in _MORE:
            _amount(name)
    with st.grid(3, min_column_width=130):
        st.date_input("From", value=None, key=_PREFIX + "effective_from", help="Empty: it always counted")
        st.date_input(
            "Until", value=None, key=_PREFIX + "effective_to", help="The first day on which it no longer counts"
        )
        st.selectbox(
            "Mode", ("standard", "batch", "flex", "priority"), key=_PREFIX + "mode", format_func=str.capitalize
        )
    st.text_input("Note", key=_PREFIX + "note", max_chars=200, placeholder="Where it is from, as the contract's number")
    feedback.leftovers()
    st.button(
        "Use this price",
        key=_PREFIX + "save",
        type="primary",
        icon=":material/save:",
        on_click=_save,
        args=(ws, model),
    )
    _kept(ws, model)


def _amount(name: str) -> None:
    st.number_input(
        f"{CLASSES[name]}, per {UNITS[name].name}",
        min_value=0.0,
        max_value=1e6,
        value=None,
        step=0.1,
        format="%g",
        key=_PREFIX + name,
        placeholder="Not known",
    )


def _kept(ws: Workspace, model: LLMModel) -> None:
    """The own prices there are, each with the way back."""
    for price in ws.models.prices.own(model.id):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f":small[{_words(price)}]", width="content")
            st.button(
                "Remove",
                key=f"{_PREFIX}remove.{price.key}",
                type="tertiary",
                icon=":material/delete:",
                on_click=_remove,
                args=(ws, price.key),
            )


def _words(price: Any) -> str:
    rates = ", ".join(f"{CLASSES.get(name, name)} {figures.usd(rate.usd)}" for name, rate in price.rates.items())
    since = f"from {price.effective_from:%d %b %Y}" if price.effective_from else "always"
    until = f" until {price.effective_to:%d %b %Y}" if price.effective_to else ""
    note = f" · {figures.plain(price.note)}" if price.note else ""
    return f"{rates} · {price.mode}, {since}{until}{note}".replace("$", "\\$")


@feedback.callback
def _save(ws: Workspace, model: LLMModel) -> None:
    typed = {name: st.session_state.get(_PREFIX + name) for name in CLASSES}
    ws.models.prices.set_own(
        model.id,
        {name: Decimal(str(value)) for name, value in typed.items() if value is not None},
        effective_from=st.session_state[_PREFIX + "effective_from"],
        effective_to=st.session_state[_PREFIX + "effective_to"],
        mode=st.session_state[_PREFIX + "mode"],
        note=st.session_state[_PREFIX + "note"],
    )
    feedback.tell(f"Your price of {title(model)} counts from now on.")
    dialogs.done()


@feedback.callback
def _remove(ws: Workspace, key: str) -> None:
    ws.models.prices.remove_own(key)
    feedback.tell("Your price is gone; the price lists count again.")
    dialogs.done()
