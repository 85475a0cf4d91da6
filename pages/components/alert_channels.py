"""Where alerts are sent: each channel with how it does, a test of it, its switch and its end."""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from llm_core.errors import ChannelFailed
from llm_core.usage.alerts import Channel
from pages.components import alert_channel_dialog, feedback, figures, shell

TESTED = "channel.tested"


def draw(ws: Workspace) -> None:
    if ws.is_sample:
        st.caption("Sample data sends nothing. Leave it to add a channel of yours.")
    found = ws.usage.alerts.channels.list()
    if not found:
        st.markdown("**No channel yet**")
        st.markdown(
            "Alerts show here and in the sidebar. A channel brings them to mail, Slack, Teams or a webhook too."
        )
    with st.container(horizontal=True):
        st.button(
            "Add channel",
            key="channel.add",
            type="secondary" if found else "primary",
            icon=":material/add:",
            on_click=alert_channel_dialog.ask,
            args=(ws,),
            disabled=ws.is_sample,
        )
    with st.grid(2, min_column_width=320):
        for channel in found:
            with st.container(border=True, height="stretch"):
                _card(ws, channel)


def _card(ws: Workspace, channel: Channel) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{figures.plain(channel.name)}**", width="content")
        word, colour, icon = _state(channel)
        st.badge(word, icon=icon, color=colour)
    tz = shell.tz()
    sent = f"last sent {figures.moment(channel.sent_at, tz)}" if channel.sent_at else "nothing sent yet"
    waiting = f" · {channel.waiting} waiting" if channel.waiting else ""
    st.caption(f"{figures.plain(channel.service)} · `{channel.shown}` · {sent}{waiting}")
    if channel.error:
        since = f"Since {figures.moment(channel.failing_since, tz)}: " if channel.failing_since else ""
        st.error(f"{since}{figures.plain(channel.error)}", icon=":material/error:")
    failed, told = st.session_state.get(TESTED, {}).get(channel.id, (False, ""))
    if told and not failed:
        st.success(told, icon=":material/check_circle:")
    elif told and told != channel.error:
        st.error(figures.plain(told), icon=":material/error:")
    st.space("stretch")
    _actions(ws, channel)


def _state(channel: Channel) -> tuple[str, str, str]:
    if not channel.enabled:
        return "Off", "gray", ":material/pause_circle:"
    if channel.error:
        return "Failing", "red", ":material/error:"
    if channel.sent_at:
        return "Works", "green", ":material/check_circle:"
    return "Not tested", "gray", ":material/help:"


def _actions(ws: Workspace, channel: Channel) -> None:
    key = f"channel.{channel.id}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button("Test", key=f"{key}.test", icon=":material/send:", on_click=_test, args=(ws, channel.id))
        st.button(
            "Switch off" if channel.enabled else "Switch on",
            key=f"{key}.on",
            type="tertiary",
            on_click=_enable,
            args=(ws, channel.id, not channel.enabled),
        )
        with st.popover("Remove", type="tertiary"):
            st.markdown("Its address goes from the vault, too. Alerts that wait for it are not sent.")
            st.button("Remove", key=f"{key}.remove", type="primary", on_click=_remove, args=(ws, channel))


@feedback.callback
def _test(ws: Workspace, id: str) -> None:  # noqa: A002
    """Its result stays on the card until the next one."""
    told = st.session_state.setdefault(TESTED, {})
    try:
        ws.usage.alerts.channels.test(id)
    except ChannelFailed as error:
        told[id] = (True, f"{error.message} {error.hint}".strip())
    else:
        told[id] = (False, "A message was sent. Look whether it arrived.")


@feedback.callback
def _enable(ws: Workspace, id: str, on: bool) -> None:  # noqa: A002
    ws.usage.alerts.channels.enable(id, on)


@feedback.callback
def _remove(ws: Workspace, channel: Channel) -> None:
    ws.usage.alerts.channels.remove(channel.id)
    feedback.tell(f"The channel {figures.plain(channel.name)} is gone.")
