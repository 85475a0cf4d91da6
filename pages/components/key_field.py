"""The field for a key: checked as it is typed, taken out of the session before it is used, never sent back.

While the dialog is open the session holds what is being typed, as it must for the check. `take` hands it out and blanks
the field; `forget` is for a dialog that is closed. A key whose test could not run waits wrapped, for "Save anyway".
"""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from llm_core.errors import (
    ConnectionBroken,
    LLMManagerError,
    ProviderFailed,
    ProviderOverloaded,
    RateLimited,
    TimedOut,
    Unreachable,
)
from llm_core.keys.secret import Secret
from llm_core.providers.registry import REGISTRY
from pages.components import figures

KEY, UNTESTED = "connect.key", "connect.untested"
ADDRESS, PASSWORD = "channel.new.address", "channel.new.password"
"""Of a channel of alerts: secrets, too."""
COULD_NOT_RUN = (Unreachable, TimedOut, ConnectionBroken, ProviderOverloaded, ProviderFailed, RateLimited)
"""What says nothing about the key: it may be saved all the same."""


def draw(ws: Workspace, provider: str, *, placeholder: str, own_address: bool = False, label: str = "API key") -> None:
    """`own_address`: it goes to another host than the vendor's, where keys may have any form."""
    page = REGISTRY[provider].key_page
    typed = st.text_input(
        f"{label} [:small[make one]]({page})" if page else label,
        key=KEY,
        type="password",
        autocomplete="off",
        live=True,
        placeholder=placeholder,
    )
    problem = ws.keys.form_problem("compatible" if own_address else provider, typed) if typed else None
    if problem:
        st.markdown(f":small[:orange[:material/warning:] {figures.plain(problem)}]")
    elif typed and REGISTRY[provider].capabilities.needs_key and not own_address:
        st.markdown(":small[:green[:material/check:] It has the form of a key.]")


def take(field: str = KEY) -> str:
    """What was typed. The session has it no more, whatever happens next."""
    typed = str(st.session_state.get(field) or "").strip()
    st.session_state[field] = ""
    return typed


def forget() -> None:
    for field in (KEY, ADDRESS, PASSWORD):
        st.session_state[field] = ""
    st.session_state.pop(UNTESTED, None)


def keep_untested(key: str, error: LLMManagerError) -> None:
    """After a failed test: whether "Save anyway" is offered."""
    if isinstance(error, COULD_NOT_RUN):
        st.session_state[UNTESTED] = Secret(key) if key else None


def may_save_anyway() -> bool:
    return UNTESTED in st.session_state


def take_untested() -> str:
    held = st.session_state.pop(UNTESTED, None)
    return held.reveal() if held else ""
