"""A lane on the page: Run, the answer as it comes, Stop in the middle of it, then what it took and what it cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from llm_core import Reply, Stream
from pages.components import feedback, figures
from pages.components.facts import Fact, row
from pages.components.lane import Lane, Prepare

LOOK_EVERY = 0.06
"""Seconds between two looks at an answer that is coming."""


def lane_of(key: str) -> Lane | None:
    return st.session_state.get(f"{key}.lane")


def running(key: str) -> bool:
    """From the press of Run to the end of the answer."""
    lane = lane_of(key)
    return f"{key}.asked" in st.session_state or (lane is not None and not lane.done)


def start(key: str) -> None:
    """Callback of a Run button: the run that follows makes the call."""
    st.session_state[f"{key}.asked"] = True


def stop(key: str) -> None:
    """Callback of a Stop button: when it returns, the call has ended and is recorded."""
    lane = lane_of(key)
    if lane is not None:
        lane.stop()


def buttons(key: str, *, disabled: bool = False) -> None:
    """Run and Stop. They stand in the main script, so that Stop works while the answer is still coming."""
    busy = running(key)
    with st.container(horizontal=True):
        st.button(
            "Run",
            type="primary",
            icon=":material/play_arrow:",
            key=f"{key}.start",
            on_click=start,
            args=(key,),
            disabled=disabled or busy,
        )
        st.button(
            "Stop", icon=":material/stop_circle:", key=f"{key}.stop", on_click=stop, args=(key,), disabled=not busy
        )


def answer(
    key: str, title: str, open_stream: Callable[[], Stream], prepare: Prepare, below: Callable[[], object]
) -> None:
    """Call where Run was pressed, after `prepare`, and draw the lane as it stands, with `below` under a reply."""
    if st.session_state.pop(f"{key}.asked", False):
        st.session_state[f"{key}.lane"] = Lane(open_stream, prepare, title)
    lane = lane_of(key)
    if lane is None:
        st.caption("The answer appears here.")
        return
    st.markdown(lane.title)
    text, line, outcome = st.empty(), st.empty(), st.empty()
    if not lane.done:
        _watch(lane, text, line)
        st.rerun()
    text.text(lane.text)
    with outcome.container():
        _outcome(lane)
        if lane.reply is not None:
            below()


def _watch(lane: Lane, text: Any, line: Any) -> None:
    """Draw it as it comes. Any click starts another run of the page, which goes on watching the same lane."""
    while not lane.wait(LOOK_EVERY):
        if lane.fetched is not None:
            done, total = lane.fetched
            of = f"{figures.size(done)} of {figures.size(total)}" if total else figures.size(done)
            speed = figures.size(done / max(lane.waited, 0.1))
            line.progress(min(done / total, 1.0) if total else 0.0, f"Fetching the model: {of} · {speed}/s")
            continue
        # Answers are shown as text: a model's Markdown could load images, or pose as part of the page.
        text.text(lane.text)
        line.caption(_progress(lane))


def _progress(lane: Lane) -> str:
    if lane.text:
        return f"Answering · {lane.waited:.1f} s"
    return f"{'Thinking' if lane.reasoning else 'Waiting for the first token'} · {lane.waited:.1f} s"


def _outcome(lane: Lane) -> None:
    if lane.stopped:
        st.badge("Stopped", icon=":material/stop_circle:", color="gray")
    if lane.error is not None:
        feedback.show(lane.error)
    if lane.reply is not None:
        figures_of(lane.reply)


def figures_of(reply: Reply) -> None:
    """Tokens, times and cost of one call."""
    usage = reply.usage
    if usage is None:
        about = "The provider reported no usage for this call."
    else:
        estimated = reply.usage_source == "estimated"
        about = "Estimated: the call ended before the provider reported its usage." if estimated else None
    row(
        [
            Fact("Tokens in", figures.count(usage and usage.input_tokens), about),
            Fact("Tokens out", figures.count(usage and usage.output_tokens), about),
            Fact("First token", figures.duration(reply.ttft_ms), None if reply.ttft_ms else "None arrived."),
            Fact("Speed", figures.speed(reply.tokens_per_second), "Output tokens a second after the first one."),
            Fact("Time", figures.duration(reply.latency_ms)),
            Fact("Cost", figures.usd(reply.cost_usd), _about_cost(reply)),
        ]
    )
    if not reply.recorded:
        st.warning("The answer is whole, but its record could not be kept. Is the disk full?", title="Not recorded")


def _about_cost(reply: Reply) -> str:
    if reply.cost_usd is None:
        return f"Unpriced: {', '.join(reply.cost.missing) or 'the price of this model'} is not known."
    if reply.cost.source == "local":
        return "It ran on this machine."
    return f"By the price list {reply.cost.source}." if reply.cost.source else "Exact."
