"""A lane on the page: Run, the answer as it comes, Stop in the middle of it, then what it took and what it cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from llm_core import Reply
from pages.components import figures, shell
from pages.components.facts import Fact, row
from pages.components.lane import Lane

LOOK_EVERY = 0.06
"""Seconds between two looks at an answer that is coming; also the longest wait until a Stop is noticed."""


def running(key: str) -> bool:
    return bool(st.session_state.get(f"{key}.run"))


def start(key: str) -> None:
    """Callback of a Run button: the run that follows makes the call."""
    st.session_state[f"{key}.run"] = True
    st.session_state.pop(f"{key}.lane", None)


def stop(key: str) -> None:
    """Callback of a Stop button. The run that was drawing the answer has ended the call on its way out."""
    st.session_state[f"{key}.run"] = False


def buttons(key: str, *, disabled: bool = False) -> None:
    """Run, or Stop while it runs. Stop stands in the main script, so it works while the answer is still coming."""
    if running(key):
        st.button("Stop", icon=":material/stop_circle:", key=f"{key}.stop", on_click=stop, args=(key,))
        return
    st.button(
        "Run",
        type="primary",
        icon=":material/play_arrow:",
        key=f"{key}.start",
        on_click=start,
        args=(key,),
        disabled=disabled,
    )


def answer(key: str, open_stream: Callable[[], Any], prepare: Callable[[], None]) -> Lane | None:
    """Make the call where Run was pressed, after `prepare`, and draw the lane as it stands; None before the first call.

    A call lives as long as this page draws it: Stop, another page or a closed tab end it, and it is recorded.
    """
    if running(key):
        _run(key, open_stream, prepare)
    lane: Lane | None = st.session_state.get(f"{key}.lane")
    if lane is not None:
        st.text(lane.text)
        _outcome(lane)
    return lane


def _run(key: str, open_stream: Callable[[], Any], prepare: Callable[[], None]) -> None:
    """Ends in a new run of the page, which draws the result."""
    lane = None
    try:
        prepare()
        lane = st.session_state[f"{key}.lane"] = Lane(open_stream)
        text, line = st.empty(), st.empty()
        while not lane.wait(LOOK_EVERY):
            # Answers are shown as text: a model's Markdown could load images, or pose as part of the page.
            text.text(lane.text)
            line.caption(_progress(lane))
    except Exception as error:  # noqa: BLE001  shown where the answer would stand
        st.session_state[f"{key}.lane"] = Lane.failed(error)
    finally:
        if lane is not None:
            lane.stop()
        st.session_state[f"{key}.run"] = False
    st.rerun()


def _progress(lane: Lane) -> str:
    if lane.text:
        return f"Answering · {lane.waited:.1f} s"
    return f"{'Thinking' if lane.reasoning else 'Waiting for the first token'} · {lane.waited:.1f} s"


def _outcome(lane: Lane) -> None:
    if lane.stopped:
        st.badge("Stopped", icon=":material/stop_circle:", color="gray")
    if lane.error is not None:
        shell.show(lane.error)
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
    return f"By the price list {reply.cost.source}." if reply.cost.source else "Exact."
