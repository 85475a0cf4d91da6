"""The model that is active for each task: a row to see and switch them, and what a model lacks for a task."""

from __future__ import annotations

import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.types import TASKS
from pages.components import feedback, figures, model_selector, model_table
from pages.components.choices import choose
from pages.components.model_words import title

_PREFIX = "models.active."


def row(ws: Workspace) -> None:
    """One small tile a task: the model's name, which opens its price, what it lacks, and a choice of another."""
    with st.grid(len(TASKS), min_column_width=148):
        for task in TASKS:
            with st.container(gap="xxsmall"):
                _tile(ws, task, ws.models.active(task))


def _tile(ws: Workspace, task: str, active: str | None) -> None:
    model = ws.models.get(active) if active else None
    lacking = bool(active and ws.models.lacks(task, active))
    st.markdown(f":small[:gray[Active for {task}]]")
    opened = st.popover(
        figures.plain(title(model)) if model else "Choose",
        icon=":material/warning:" if lacking else None,
        width="stretch",
        wrap=False,
        key=f"{_PREFIX}{task}.open",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        if model:
            price = figures.price_pair(model.input_price, model.output_price)
            st.markdown(f"**{figures.plain(title(model))}**  \n:small[{figures.plain(model.connection)} · {price}]")
            warn(ws, task, model.id)
        _chooser(ws, task, active)
        _suggestion(ws, task, active)
        if model:
            st.button("Details", key=f"{_PREFIX}{task}.details", on_click=model_table.choose, args=(model.id,))


def _chooser(ws: Workspace, task: str, active: str | None) -> None:
    fit = {found.id: found for found in ws.models.list(task=task)}
    if active and active not in fit:
        fit = {active: ws.models.get(active), **fit}
    key = _PREFIX + task
    st.session_state[key] = active
    st.selectbox(
        f"Model for {task}",
        list(fit),
        format_func=lambda one: model_selector.label(fit[one]),
        key=key,
        placeholder="Choose a model",
        width=320,
        on_change=_choose,
        args=(ws, task),
    )
    if not fit:
        st.caption("No connection offers a model for this task.")


def _suggestion(ws: Workspace, task: str, active: str | None) -> None:
    """The cheapest that is known to do it, with what speaks for it."""
    for found in ws.models.suggest(task, limit=1).itertuples():
        if found.id != active and figures.known(found.usd_per_1k_calls):
            st.caption(f":material/lightbulb: **{figures.plain(found.model)}**: {figures.plain(found.why)}", width=320)
            st.button("Make it active", key=f"{_PREFIX}{task}.suggested", on_click=activate, args=(ws, task, found.id))


def _choose(ws: Workspace, task: str) -> None:
    chosen = st.session_state[_PREFIX + task]
    if chosen:
        activate(ws, task, chosen)


@feedback.callback
def activate(ws: Workspace, task: str, id: str) -> None:  # noqa: A002  # as in the service
    """Callback: make it the model of calls that name none."""
    make(ws, task, id)
    feedback.tell(f"{title(ws.models.get(id))} is now active for {task}.")


def make(ws: Workspace, task: str, id: str) -> None:  # noqa: A002
    """For chat also the one that pages have chosen."""
    ws.models.activate(task, id)
    if task == "chat":
        choose(ws, "model", id)


def warn(ws: Workspace, task: str, id: str) -> None:  # noqa: A002
    """What the model lacks for the task, where it lacks something."""
    for lack in ws.models.lacks(task, id):
        st.warning(figures.plain(lack.hint), title=figures.plain(lack.message), icon=":material/warning:")


def buttons(ws: Workspace, model: LLMModel) -> None:
    """One click for each task; the lacks of all tasks are said below, before anybody clicks. Its end is said above."""
    lacks = {task: [lack for lack in ws.models.lacks(task, model.id) if lack.need != "future"] for task in TASKS}
    reached = any(connection.name == model.connection for connection in ws.providers.list())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(":small[:gray[Make active for]]", width="content")
        for task in TASKS:
            is_active = ws.models.active(task) == model.id
            st.button(
                task.capitalize(),
                key=f"models.activate.{task}",
                icon=":material/check:" if is_active else ":material/warning:" if lacks[task] else None,
                type="primary" if is_active else "secondary",
                disabled=is_active or not reached,
                help=" ".join(lack.message for lack in lacks[task]) or None,
                on_click=activate,
                args=(ws, task, model.id),
            )
    told: dict[str, list[str]] = {}
    for task, found in lacks.items():
        for lack in found:
            words = lack.message.replace(f", which {task} needs", "")
            told.setdefault(f"{words} {lack.hint}".strip(), []).append(task)
    for words, tasks in told.items():
        st.caption(f":orange[:material/warning:] For {', '.join(tasks)}: {figures.plain(words)}")
