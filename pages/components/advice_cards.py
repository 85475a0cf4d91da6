"""What to do about spend: the first pieces on the first screen of Usage, and the panel with the evidence of each."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import Workspace
from llm_core.usage.advice import Advice
from pages.components import advice_acts, feedback, figures, live
from pages.components.live import Asked

TAB = "Advice"
"""The name of the panel below the first screen of Usage."""
_SHOWN = 4
"""Pieces on the first screen."""
_MARKS = "advice.marks"
ICONS = {
    "cheaper": "swap_horiz",
    "caching": "bolt",
    "batch": "schedule",
    "sizes": "compress",
    "failures": "sync_problem",
    "idle": "key_off",
    "ending": "event_busy",
}
_WITHOUT_MONEY = {"ending": "Before it ends", "idle": "To tidy up"}
_SAID_BY_BADGE = " (untested)"
QUESTION = Asked("advice", {"dismissed": True})
"""It reads a month several times, so no page waits for it."""
_COMING = "Looking through the records of the last 30 days."


def all_of_it(ws: Workspace) -> list[tuple[Advice, str | None]] | None:
    """Each piece with its mark; None while it is worked out. It is somewhat old, but marks made here are not."""
    made = st.session_state.get(_MARKS, {})
    found: Sequence[Advice] | None = live.soon(ws, QUESTION)
    return None if found is None else [(each, made.get(each.key, each.mark)) for each in found]


def card(ws: Workspace) -> None:
    """Of the first screen."""
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**Advice**", width="content")
            st.button("See all", key="advice.all", type="tertiary", on_click=see)
        with feedback.boundary():
            _first(ws)


def _first(ws: Workspace) -> None:
    """What saves most."""
    found = all_of_it(ws)
    if found is None:
        st.caption(_COMING)
        return
    shown = [each for each, mark in found if mark != "dismissed"]
    if not shown:
        st.caption("Nothing to save was found in the last 30 days.")
    for each in shown[:_SHOWN]:
        st.markdown(f":material/{ICONS[each.kind]}: {_money(each)}:small[{_text(each.title)}]")


def see() -> None:
    """Callback of a button: open the panel."""
    st.session_state["view"] = TAB


def panel(ws: Workspace) -> None:
    found = all_of_it(ws)
    if found is None:
        st.caption(_COMING)
        return
    shown = [(each, mark) for each, mark in found if mark != "dismissed"]
    if not shown:
        st.markdown(":green[:material/check_circle:] **Nothing to advise.**")
        st.caption(
            "Looked for in the records of the last 30 days: cheaper models, caching and batches that would pay, "
            "oversized prompts and answers, failures paid for, idle keys, models about to end."
        )
    else:
        st.caption(_summary([each for each, _ in shown]))
    with st.grid(2, min_column_width=340):
        for each, mark in shown:
            with st.container(border=True, height="stretch"):
                _whole(ws, each, mark)
    _dismissed(ws, [each for each, mark in found if mark == "dismissed"])


def _summary(found: list[Advice]) -> str:
    saves = [each.saved_usd for each in found if each.saved_usd is not None]
    most = max(saves, default=Decimal(0))
    said = f"Up to {figures.usd(most)} a month by a single one; they overlap, so they do not add up. " if saves else ""
    return f"{said}Worked out on your own records of the last 30 days.".replace("$", "\\$")


def _money(each: Advice) -> str:
    return f"**\\{figures.usd(each.saved_usd)} a month** " if each.saved_usd is not None else ""


def _text(words: str) -> str:
    return figures.plain(words)


def _whole(ws: Workspace, each: Advice, mark: str | None) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        worth = _money(each) or f"**{_WITHOUT_MONEY.get(each.kind, 'Worth a look')}**"
        st.markdown(f":material/{ICONS[each.kind]}: {worth}", width="content")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            if each.untested:
                st.badge(
                    "untested",
                    icon=":material/science:",
                    color="orange",
                    help="Whether answers stay as good is not known. Test it on your own prompts first.",
                )
            if mark == "kept":
                st.badge("kept", icon=":material/bookmark:", color="gray")
    st.markdown(f"**{_text(each.title.removesuffix(_SAID_BY_BADGE))}**")
    st.markdown(_text(each.action))
    st.caption(_text(each.basis))
    _evidence(each)
    st.space("stretch")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        advice_acts.draw(each)
        if mark == "kept":
            _button(ws, each, "Do not keep", "bookmark_remove", "unkeep", None)
        else:
            _button(ws, each, "Keep", "bookmark", "keep", "kept")
        _button(ws, each, "Dismiss", "close", "dismiss", "dismissed")


def _button(ws: Workspace, each: Advice, label: str, icon: str, name: str, mark: str | None) -> None:
    st.button(
        label,
        key=f"advice.{name}.{each.key}",
        type="tertiary",
        icon=f":material/{icon}:",
        on_click=_mark,
        args=(ws, each.key, mark),
    )


def _evidence(each: Advice) -> None:
    folded = st.expander("Evidence", type="compact", key=f"advice.evidence.{each.key}", on_change="rerun")
    if not folded.open:
        return
    with folded:
        st.dataframe(
            evidence(each.evidence), hide_index=True, placeholder=figures.UNKNOWN, alt=f"Evidence: {each.title}"
        )
        st.caption("The SQL behind it, for `ws.usage.sql` in a notebook:")
        st.code(each.sql, language="sql")


def evidence(frame: pd.DataFrame) -> pd.DataFrame:
    """Without columns that are empty or 0 in all rows; money and shares in words."""
    columns: dict[str, Any] = {}
    for name in frame.columns:
        values = frame[name]
        if not any(figures.known(value) and value != 0 for value in values):
            continue
        if str(name).endswith("_usd"):
            columns[_heading(name)] = [figures.usd(value) for value in values]
        elif name == "priced":
            columns[_heading(name)] = [figures.share(value) for value in values]
        else:
            columns[_heading(name)] = values.tolist()
    return pd.DataFrame(columns)


def _heading(name: Any) -> str:
    return figures.sentence(str(name).removesuffix("_usd"))


def _dismissed(ws: Workspace, found: list[Advice]) -> None:
    if not found:
        return
    with st.expander(f"Dismissed: {len(found)}", type="compact"):
        for each in found:
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f":small[{_text(each.title)}]", width="content")
                _button(ws, each, "Bring back", "undo", "undo", None)


@feedback.callback
def _mark(ws: Workspace, key: str, mark: str | None) -> None:
    advice = ws.usage.advice
    if mark is None:
        advice.undo(key)
    else:
        (advice.keep if mark == "kept" else advice.dismiss)(key)
    st.session_state.setdefault(_MARKS, {})[key] = mark
    if mark == "dismissed":
        feedback.tell("Dismissed. It can be brought back below.")
