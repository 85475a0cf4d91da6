"""How a connection is: the card of one on Providers, and the word and colour for its state anywhere."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import streamlit as st

from llm_core import LLMProvider, Workspace
from llm_core.providers.registry import REGISTRY
from pages.components import figures, shell
from pages.components.facts import Fact, row

SLOW_MS = 2_000


class Health(NamedTuple):
    word: str
    colour: str
    icon: str


def health(connection: LLMProvider) -> Health:
    if not connection.enabled or connection.state == "disabled":
        return Health("Disabled", "gray", ":material/pause_circle:")
    if connection.state == "needs_key":
        return Health("Needs key", "orange", ":material/key_off:")
    if connection.state == "error":
        return Health("Failing", "red", ":material/error:")
    if connection.state == "connected" and (connection.test_latency_ms or 0) > SLOW_MS:
        return Health("Slow", "orange", ":material/schedule:")
    if connection.state == "connected":
        return Health("Healthy", "green", ":material/check_circle:")
    return Health("Not tested", "gray", ":material/help:")


def label(provider: str) -> str:
    """The vendor's own spelling."""
    return REGISTRY[provider].label if provider in REGISTRY else provider.capitalize()


def title(connection: LLMProvider) -> str:
    """The provider's name, with the connection's own where it has one."""
    name = label(connection.provider)
    return name if connection.name == connection.provider else f"{connection.name} · {name}"


def key_line(connection: LLMProvider) -> str:
    """Where the key comes from, in words: never the key, at most its last four letters."""
    source, _, variable = (connection.key_source or "").partition(":")
    hint = f"key …{connection.key_hint}" if connection.key_hint else "key"
    if source == "memory":
        return f"{hint}, in memory until the app stops"
    if source == "environment":
        return f"{hint} from {variable}"
    return "no key needed" if connection.provider == "local" else "no key"


def tested_line(connection: LLMProvider) -> str:
    if connection.tested_at is None:
        return "not tested yet"
    took = f" in {figures.duration(connection.test_latency_ms)}" if (connection.test_latency_ms or 0) >= 1 else ""
    return f"tested {figures.moment(connection.tested_at, shell.tz())}{took}"


def models_line(connection: LLMProvider) -> str:
    found = connection.models_found
    return "" if found is None else f"{found:,} model{'' if found == 1 else 's'}"


def card(ws: Workspace, connection: LLMProvider, week: pd.DataFrame) -> None:
    """One connection: state, key, last test, the last seven days, and what can be done. `week` has a row for each."""
    key = f"card.{connection.name}"
    state = health(connection)
    with st.container(border=True, height="stretch", key=key):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(figures.plain(title(connection)), anchor=False, width="content")
            st.badge(state.word, icon=state.icon, color=state.colour)
        line = [key_line(connection), tested_line(connection), models_line(connection)]
        if connection.base_url:
            line.insert(0, connection.base_url)
        st.caption(" · ".join(figures.plain(part) for part in line if part))
        row(_of_week(connection.name, week))
        if connection.message and state.colour in ("red", "orange"):
            st.error(figures.plain(connection.message), icon=state.icon)
        st.space("stretch")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Test", key=f"{key}.test", on_click=test, args=(ws, connection.name))
            on = "Disable" if connection.enabled else "Enable"
            st.button(on, key=f"{key}.on", type="tertiary", on_click=enable, args=(ws, connection))
            with st.popover("Disconnect", type="tertiary"):
                st.markdown("The connection and its key go. Its usage records stay.")
                st.button("Disconnect", key=f"{key}.off", type="primary", on_click=disconnect, args=(ws, connection))


def _of_week(name: str, week: pd.DataFrame) -> list[Fact]:
    if name not in week.index:
        return [Fact("Last 7 days", "No calls")]
    of = week.loc[name]
    unpriced = f"{figures.exact(of.unpriced)} requests have no known price." if of.unpriced else None
    failed = float(of.errors) / float(of.attempts) if of.attempts else None
    return [
        Fact("Spend 7 d", figures.usd(of.cost_usd), unpriced),
        Fact("Calls", figures.count(of.calls)),
        Fact("Errors", figures.share(failed), f"{figures.exact(of.errors)} of {figures.exact(of.attempts)} requests"),
    ]


@shell.callback
def test(ws: Workspace, name: str) -> None:
    found = ws.providers.test(name)
    shell.tell(f"{title(found)}: {health(found).word.lower()}, {tested_line(found)}.")


@shell.callback
def enable(ws: Workspace, connection: LLMProvider) -> None:
    ws.providers.enable(connection.name, not connection.enabled)


@shell.callback
def disconnect(ws: Workspace, connection: LLMProvider) -> None:
    ws.providers.disconnect(connection.name)
    shell.tell(f"{title(connection)} is disconnected. Its usage records stay.")
