"""Asking the connections again what they offer, and new price lists that wait to be accepted."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from llm_core import Workspace
from llm_core.catalog.cost import UNITS
from llm_core.catalog.price_changes import PriceUpdate
from llm_core.errors import LLMManagerError
from pages.components import feedback, figures, shell
from pages.components.model_words import CLASSES

ASKED, FAILED, LATER = "models.refreshing", "models.failed", "models.update_later"


def button(ws: Workspace) -> None:
    st.button(
        "Refresh",
        icon=":material/refresh:",
        key="models.refresh",
        on_click=_ask,
        disabled=ws.is_sample or not any(connection.enabled for connection in ws.providers.list()),
        help="Ask every connection again for its models",
    )


def run_if_asked(ws: Workspace) -> None:
    """The page itself asks, where the progress can be seen; what failed is told afterwards."""
    if st.session_state.pop(ASKED, False):
        bar = st.progress(0.0, "Asking every connection for its models")
        found = ws.models.refresh_all(lambda done, of, name: bar.progress(done / of, f"{done} of {of}: {name}"))
        failed = {name: one for name, one in found.items() if isinstance(one, LLMManagerError)}
        st.session_state[FAILED] = {name: (error.message, error.hint) for name, error in failed.items()}
        feedback.tell(f"{len(found)} asked: {len(found) - len(failed)} told their models.")
        st.rerun()
    for name, (message, hint) in st.session_state.pop(FAILED, {}).items():
        st.warning(figures.plain(hint), title=f"{name}: {message}", icon=":material/cloud_off:")


def checked(ws: Workspace) -> str:
    """When the connections were asked last, and which could not be reached: one line."""
    checks = ws.models.checks()
    if not checks:
        return "never listed, refresh asks for them"
    failed = [name for name, check in checks.items() if check.error]
    last = figures.moment(max(check.checked_at for check in checks.values()), shell.tz())
    return f"listed {last} · {', '.join(failed)} did not answer" if failed else f"listed {last}"


def update(ws: Workspace) -> None:
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


def prices(ws: Workspace) -> None:
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
        height=min(250, 38 + 35 * len(table)),
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


def _ask() -> None:
    st.session_state[ASKED] = True
