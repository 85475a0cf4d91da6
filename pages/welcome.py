"""Three ways to start, and four steps that tick themselves off."""

from __future__ import annotations

import streamlit as st

from pages.components import dialogs, first_answer, shell, steps

shell.guard()
ws = shell.workspace()


def connect() -> None:
    shell.use_sample(False)
    st.switch_page("pages/providers.py")


def sample() -> None:
    shell.use_sample(True)
    st.switch_page("pages/usage.py")


shell.header("Welcome", "Connect models, know what they cost, and see every call you make.")

doors = st.grid(3, min_column_width=260, gap="medium")
with doors, st.container(border=True, height="stretch"):
    st.subheader("Try a model on this machine, no key", icon=":material/computer:", anchor=False)
    st.markdown("SmolLM2 135M runs inside this app: a download of about 93 MB, then answers within seconds, for free.")
    st.space("stretch")
    st.button(
        "Try it here",
        type="primary",
        icon=":material/play_arrow:",
        key="door.local",
        on_click=first_answer.begin,
        disabled=first_answer.busy(),
        width="stretch",
    )
with doors, st.container(border=True, height="stretch"):
    st.subheader("Connect a provider", icon=":material/hub:", anchor=False)
    st.markdown("With an API key, or at the address of any OpenAI-compatible endpoint, like Ollama or vLLM.")
    st.space("stretch")
    st.button("Connect a provider", key="door.provider", icon=":material/link:", on_click=connect, width="stretch")
with doors, st.container(border=True, height="stretch"):
    st.subheader("Look around with sample data", icon=":material/science:", anchor=False)
    st.markdown("Made-up connections and calls, in a workspace of their own. They never mix with your records.")
    st.space("stretch")
    if ws.is_sample:
        st.button("Leave sample data", key="door.leave", on_click=shell.use_sample, args=(False,), width="stretch")
    else:
        st.button(
            "Open sample data", key="door.sample", icon=":material/travel_explore:", on_click=sample, width="stretch"
        )

here = st.container()
if not ws.is_sample:
    steps.draw(ws)
with here:
    first_answer.draw(ws)
dialogs.open_if_asked()
