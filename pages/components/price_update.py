"""A newer price list: looked for when asked, shown as a difference, and used once the person says so."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from llm_core import Workspace
from llm_core.catalog.cost import UNITS
from llm_core.catalog.price_changes import PriceUpdate
from pages.components import feedback, figures
from pages.components.model_words import CLASSES

LATER = "models.update_later"


def banner(ws: Workspace) -> None:
    """A newer price list that waits: what would change, and the choice to use it."""
    waiting = _waiting(ws, str(ws.home.path), ws.state.version())
    if waiting is None or st.session_state.get(LATER) == waiting.digest:
        return
    changes = waiting.changes
    with st.container(border=True):
        many = len(changes)
        st.markdown(f"**:material/sell: A new price list is there: {many:,} price{'' if many == 1 else 's'} differ**")
        st.caption("Recorded costs stay as they are. The new prices count for calls from then on.")
        _differences(changes)
        with st.container(horizontal=True):
            st.button(
                "Use these prices",
                key="models.update_accept",
                type="primary",
                icon=":material/check:",
                on_click=_accept,
                args=(ws, waiting.digest),
            )
            st.button("Later", key="models.update_later_button", on_click=_later, args=(waiting.digest,))


@st.cache_data(max_entries=2, ttl="1h", show_spinner=False)
def _waiting(_ws: Workspace, home: str, version: int) -> PriceUpdate | None:
    return _ws.models.prices.update()


def source(ws: Workspace) -> None:
    """Which price list counts, and a look for a newer one, which is never done by itself."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Prices by {figures.plain(ws.models.prices.source)}", width="content")
        if not ws.is_sample:
            st.button(
                "Look for newer prices",
                key="models.look",
                type="tertiary",
                icon=":material/download:",
                on_click=_look,
                args=(ws,),
                help="Fetches the list from genai-prices' own repository. Nothing changes before you have seen it.",
            )


@feedback.callback
def _look(ws: Workspace) -> None:
    st.session_state.pop(LATER, None)
    found = ws.models.prices.check(fetch=True)
    feedback.tell("A newer price list is there." if found else "These prices are the newest there are.")


def _rate(rate: str) -> str:
    """Prompt, million tokens; where longer prompts have another: Prompt past 200,000, million tokens."""
    name, past, tokens = rate.partition(" past ")
    over = f" past {figures.exact(int(tokens))}" if past else ""
    return f"{CLASSES.get(name, name)}{over}, {UNITS[name].name}"


def _differences(changes: pd.DataFrame) -> None:
    old, new = changes["old"].astype(float), changes["new"].astype(float)
    table = pd.DataFrame(
        {
            "Model": changes["model"],
            "Price of": changes["rate"].map(_rate),
            "Mode": changes["mode"],
            "Now": old,
            "Then": new,
            "Change": (new / old - 1) * 100,
            "From": changes["effective_from"],
        }
    )
    money = {name: st.column_config.NumberColumn(format="$%.4g") for name in ("Now", "Then")}
    st.dataframe(
        table,
        hide_index=True,
        height=min(214, 38 + 35 * len(table)),
        placeholder=figures.UNKNOWN,
        column_config={
            **money,
            "Change": st.column_config.NumberColumn(format="%+.0f %%"),
            "From": st.column_config.DateColumn(format="D MMM YYYY", help="– where it always counted"),
        },
        alt="Prices that differ between the list in use and the new one",
    )


@feedback.callback
def _accept(ws: Workspace, digest: str) -> None:
    ws.models.prices.accept(digest)
    feedback.tell("The new prices count from now on.")


def _later(digest: str) -> None:
    st.session_state[LATER] = digest
