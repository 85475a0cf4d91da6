"""Opens the dialog that a button asked for, once the page is drawn: one at a time, and gone with the next full run."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components import key_field

ASKED, DONE = "dialog.asked", "dialog.done"


def ask(title: str, icon: str, draw: Callable[..., None], *args: object) -> None:
    """Callback of a button. `draw(*args)` fills the dialog, and is run again for whatever is done in it."""
    st.session_state.pop(DONE, None)
    st.session_state.pop(key_field.UNTESTED, None)
    st.session_state[ASKED] = (title, icon, draw, args)


def done() -> None:
    """In a dialog's callback: it worked, so close it."""
    st.session_state[DONE] = True


def open_if_asked() -> None:
    if ASKED not in st.session_state:
        return
    title, icon, draw, args = st.session_state.pop(ASKED)

    def body() -> None:
        if st.session_state.pop(DONE, False):
            st.rerun()
        draw(*args)

    st.dialog(title, icon=f":material/{icon}:", on_dismiss=key_field.forget)(body)()
