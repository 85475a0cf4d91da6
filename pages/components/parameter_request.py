"""The exact request that a call would send, what became of each parameter in it, and what an answer may cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import streamlit as st

from llm_core import LLMModel, Parameters, Workspace
from pages.components import figures, parameter_editor
from pages.components.facts import Fact, row

if TYPE_CHECKING:
    from llm_core.parameters.wire import WireRequest

HAPPENED = {
    "renamed": ("blue", "Renamed"),
    "changed": ("blue", "Written otherwise"),
    "added": ("blue", "Added"),
    "dropped": ("orange", "Left out"),
    "clamped": ("orange", "Moved into range"),
    "routed": ("blue", "Sent elsewhere"),
}


def wire_of(ws: Workspace, model: LLMModel, edited: Parameters, prompt: str) -> WireRequest:
    """As a call with these values as a preset would send it: what the model lacks is left out."""
    return ws.parameters.preview(model.id, ws.parameters.suited(model.id, edited), prompt)


def draw(ws: Workspace, model: LLMModel, edited: Parameters, prompt: str) -> None:
    wire = wire_of(ws, model, edited, prompt)
    if wire.body is None:
        parameter_editor.told(wire.validation)
        return
    st.code(f"{wire.method} {wire.url}", language=None, wrap_lines=True)
    for change in ws.parameters.changes(model.id, edited):
        _note(change.field, "dropped" if change.to is None else "clamped", change.why)
    for note in wire.notes:
        _note(note.field, note.happened, note.why, note.after)
    st.code(pretty(wire.body), language="json", wrap_lines=True)
    with st.expander("Headers and a command for the shell", type="compact"):
        st.code("\n".join(f"{name}: {value}" for name, value in wire.headers.items()), language="http", wrap_lines=True)
        st.code(wire.curl, language="bash", wrap_lines=True)
    st.caption("Made the way a call makes it, and not sent. The key is shown as \\*\\*\\*.")


def pretty(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


def _note(field: str, happened: str, why: str, after: Any = None) -> None:
    colour, word = HAPPENED.get(happened, ("gray", happened.capitalize()))
    where = f" → `{', '.join(after)}`" if isinstance(after, dict) and after else ""
    st.markdown(
        f":{colour}-badge[{word}] **{figures.plain(figures.sentence(field))}**{where}  \n:small[{figures.plain(why)}]"
    )


def cost(ws: Workspace, model: LLMModel, edited: Parameters, prompt: str) -> None:
    """Tokens of the prompt and the money from the shortest answer to the longest."""
    wire = wire_of(ws, model, edited, prompt)
    if wire.body is None:
        parameter_editor.told(wire.validation)
        return
    tokens, found = wire.prompt_tokens, wire.cost
    low = found.low.usd if found else None
    high = found.high.usd if found and found.high else None
    row(
        [
            Fact(
                "Prompt", f"{figures.count(tokens.count)} tokens" if tokens else figures.UNKNOWN, tokens and tokens.by
            ),
            Fact("Longest answer", _tokens(found.high_tokens if found else None), found.note if found else None),
            Fact("Shortest costs", figures.usd(low), _missing(found.low if found else None)),
            Fact("Longest costs", figures.usd(high), _missing(found.high if found else None)),
        ],
        width=120,
    )
    if low is None:
        st.caption("The price of this model is not known, so its cost is not either.")
    elif high is None:
        st.caption("Nothing ends the answer that is known here: set Max tokens to know the most it can cost.")
    else:
        st.caption(f"A thousand such calls: {figures.usd(low * 1000)} to {figures.usd(high * Decimal(1000))}.")
    if tokens:
        st.caption(f"Prompt counted by {figures.plain(tokens.by)}.")


def _tokens(number: int | None) -> str:
    return f"{figures.count(number)} tokens" if number is not None else figures.UNKNOWN


def _missing(cost: Any) -> str | None:
    if cost is None or cost.usd is not None:
        return None
    return f"Not known: {', '.join(cost.missing) or 'the price'}."


def quote(ws: Workspace, model: LLMModel, calls: Sequence[Parameters], prompt: str) -> str:
    """What such calls may cost in all, for a button: "free", "up to $0.02", "at least $0.01", "price unknown"."""
    if not prompt.strip():
        return "no prompt"
    costs = [wire_of(ws, model, edited, prompt).cost for edited in calls]
    lows = [found.low.usd if found else None for found in costs]
    highs = [found.high.usd if found and found.high else None for found in costs]
    if None in lows:
        return "price unknown"
    if None in highs:
        return f"at least {figures.usd(sum(lows))}"
    return f"up to {figures.usd(sum(highs))}" if sum(highs) else "free"
