"""Several answers to one prompt as they come, side by side or below each other: started, watched, stopped together."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

import streamlit as st

from llm_core import LLMModel, Parameters, Reply, Stream, Workspace
from llm_core.parameters import Preset
from llm_core.providers.model_files import ensure_model
from pages.components import feedback, figures, shell
from pages.components.facts import Fact
from pages.components.lane import Lane
from pages.components.model_tester import LOOK_EVERY


def opener(ws: Workspace, model: LLMModel, preset: Preset, edited: Parameters, prompt: str) -> Callable[[], Stream]:
    """Opens a stream that follows what was edited. Its record names the preset only where nothing of it was changed."""
    same = edited == preset.parameters
    followed = {"preset": preset.name} if same else {"preset": "", "parameters": ws.parameters.suited(model.id, edited)}
    return lambda: ws.llm.stream(
        prompt, model=model.id, app=shell.APP, user=shell.identity(), source="parameters", **followed
    )


def start(ws: Workspace, key: str, model: LLMModel, asked: Sequence[tuple[str, Callable[[], Stream]]]) -> None:
    """Begin one lane for each title and opener; the first that needs the local model's file fetches it for all."""
    options = ws.providers.get(model.connection).options

    def prepare(progress: Callable[[int, int | None], None], stop: Callable[[], bool]) -> None:
        if model.provider == "local":
            ensure_model(options, progress, stop)

    st.session_state[key] = [Lane(open_stream, prepare, title) for title, open_stream in asked]


def lanes(key: str) -> list[Lane]:
    return st.session_state.get(key, [])


def running(key: str) -> bool:
    return any(not lane.done for lane in lanes(key))


def stop(key: str) -> None:
    """Callback of a Stop button."""
    for lane in lanes(key):
        lane.stop()


def draw(key: str) -> None:
    """Every lane in a card of its own, up to two beside each other. Comes back once all have ended."""
    found = lanes(key)
    places = []
    with st.grid(2, min_column_width=260):
        for lane in found:
            with st.container(border=True):
                st.markdown(f"**{figures.plain(lane.title)}**")
                places.append((st.empty(), st.empty()))
    while True:
        ended = all(lane.done for lane in found)
        for lane, (text, line) in zip(found, places, strict=True):
            # Answers are shown as text: a model's Markdown could load images, or pose as part of the page.
            text.text(lane.text or "…")
            line.caption(_line(lane))
        if ended:
            break
        time.sleep(LOOK_EVERY)
    for lane in found:
        if lane.error is not None:
            feedback.show(lane.error)
            break


def _line(lane: Lane) -> str:
    if lane.error is not None:
        return "Failed"
    if lane.fetched is not None:
        return f"Fetching the model: {figures.size(lane.fetched[0])}"
    if not lane.done:
        return f"{lane.waited:.1f} s"
    if lane.reply is None:
        return "Stopped"
    usage = lane.reply.usage
    tokens = f"{figures.count(usage.output_tokens)} tokens" if usage else "tokens unknown"
    end = " · stopped" if lane.stopped else " · cut off by the limit" if lane.reply.finish == "length" else ""
    return f"{tokens} · {figures.duration(lane.reply.latency_ms)} · {figures.usd(lane.reply.cost_usd)}{end}"


def facts(replies: Sequence[Reply]) -> list[Fact]:
    """Cost and time of all of them."""
    costs = [reply.cost_usd for reply in replies]
    total = None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0))
    times = [reply.latency_ms for reply in replies]
    return [
        Fact("Cost", figures.usd(total), "Of all answers." if total is not None else "The price is not known."),
        Fact("Median time", figures.duration(statistics.median(times)) if times else figures.UNKNOWN),
    ]
