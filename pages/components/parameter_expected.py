"""What to expect: a sentence, and the chances of the next word before and after, which move with the sliders."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from llm_core import LLMModel, Parameters, Workspace
from llm_core.parameters import NextTokens
from pages.components import chart_distribution, feedback, figures, shell

SHOWN = 10
"""Tokens in the chart; all others are one row."""
ASKED, NEW, PRESSED = "parameters.next", "parameters.new", "parameters.pressed"
SOURCE, TEXT = "parameters.source", "parameters.after"
PENALTIES = {"frequency_penalty": 0, "presence_penalty": 0, "repetition_penalty": 1}
"""The parameters that look at what was said before, each with the value that does nothing."""


def draw(ws: Workspace, model: LLMModel, edited: Parameters) -> None:
    edited = ws.parameters.suited(model.id, edited)
    st.markdown(figures.plain(ws.parameters.expectation(model.id, edited)))
    tokens = _source(ws)
    before = tokens.own
    after = ws.parameters.reshaped(model.id, tokens, edited, _counts(tokens, edited))
    frame = pd.DataFrame(
        {
            "token": [_visible(token.text) for token in tokens.tokens],
            "before": before.probabilities,
            "after": after.probabilities,
        }
    ).head(SHOWN)
    others = {"token": "all others", "before": 1 - frame["before"].sum(), "after": max(0, 1 - frame["after"].sum())}
    frame = pd.concat([frame, pd.DataFrame([others])], ignore_index=True)
    st.markdown(f"**Next word**  \n{chart_distribution.legend(shell.theme())}")
    st.plotly_chart(
        chart_distribution.bars(frame, shell.theme()), key="parameters.chart", config={"displayModeBar": False}
    )
    st.markdown(
        f"As free as a draw from **{_choices(before.choices)}** equally likely words before, "
        f"**{_choices(after.choices)}** after."
        if abs(before.choices - after.choices) > 0.05
        else f"As free as a draw from **{_choices(before.choices)}** equally likely words, with and without them."
    )
    st.caption(_about(tokens))
    _ask(ws, model)


def _source(ws: Workspace) -> NextTokens:
    """Of those recorded and those asked for in this session, the one chosen; the last one asked for at first."""
    found = [*st.session_state.get(ASKED, ()), *ws.parameters.recorded_next_tokens()]
    names = [f"{tokens.prompt[:60]} · {tokens.model}" for tokens in found]
    if st.session_state.pop(NEW, False) or st.session_state.get(SOURCE) not in names:
        st.session_state[SOURCE] = names[0]
    chosen = st.selectbox("The next word after", names, key=SOURCE, persist_state="session")
    return found[names.index(chosen)]


def _counts(tokens: NextTokens, edited: Parameters) -> list[int] | None:
    """How often each token was said before, as far as the penalties go: which ones is for the person to say."""
    if all(getattr(edited, name) in (None, neutral) for name, neutral in PENALTIES.items()):
        return None
    texts = [token.text for token in tokens.tokens]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        said = st.multiselect(
            "As if it had said",
            texts[:SHOWN],
            texts[:1],
            format_func=_visible,
            key="parameters.said",
            help="Penalties look at what was said before.",
        )
        times = st.number_input("times", 1, 99, 1, key="parameters.times", width=110)
    return [times if text in said else 0 for text in texts]


def _visible(token: str) -> str:
    return token.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥") or "(end)"


def _choices(number: float) -> str:
    return f"{number:.1f}" if number < 10 else f"{number:.0f}"


def _about(tokens: NextTokens) -> str:
    whose = f"Recorded from {tokens.model}" if tokens.recorded else f"Just told by {tokens.model}"
    rest = f"; all others were not told and count as alike, as likely as the last of these ({len(tokens.tokens)})"
    return (
        f"{whose}. These tokens have {figures.share(tokens.told)} of the chance{rest if tokens.told < 0.999 else ''}."
    )


def _ask(ws: Workspace, model: LLMModel) -> None:
    """A text of one's own, asked of the chosen model where that tells how likely its words are, else of a local one."""
    name = figures.plain(model.display_name or model.name)
    local = [one for one in ws.models.list(task="chat") if one.provider == "local"]
    asked = next((one for one in (model, *local) if _tells(ws, one)), None)
    if asked is None:
        st.caption(f"{name} does not tell how likely its words are.")
        return
    if asked.provider == "local" and not asked.available:
        st.page_link("pages/tester.py", label="Fetch the model in the Tester to ask it", icon=":material/download:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Ask for the next word after", key=TEXT, placeholder="A text of your own", max_chars=2_000)
        st.button("Ask", key="parameters.ask", help="One call for one token.", disabled=ws.is_sample, on_click=_press)
    if asked.id != model.id:
        st.caption(f"{name} does not tell how likely its words are: {figures.plain(asked.name)} is asked.")
    if ws.is_sample:
        st.caption("Sample data makes no calls. Leave it to ask a model.")
    elif st.session_state.pop(PRESSED, False) and text.strip():
        with feedback.boundary(), st.spinner(f"Asking {asked.name}"):
            found = ws.parameters.next_tokens(asked.id, text, app=shell.APP, user=shell.identity())
            st.session_state[ASKED] = [found, *st.session_state.get(ASKED, ())][:5]
            st.session_state[NEW] = True
            st.rerun()


def _tells(ws: Workspace, model: LLMModel) -> bool:
    return all(spec.supported for spec in ws.parameters.spec(model.id) if spec.name in ("logprobs", "top_logprobs"))


def _press() -> None:
    st.session_state[PRESSED] = True
