"""Adds a channel: mail, Slack, Teams, a webhook, or any service that apprise knows. Addresses are secrets, as keys are:
typed once, taken out of the session before they are used, kept in the vault, never sent back.
"""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from llm_core.errors import InvalidAlert
from llm_core.usage.alerts import addresses
from pages.components import dialogs, feedback, figures, key_field

_PREFIX = "channel.new."
KINDS = {
    "mail": "Mail",
    "slack": "Slack",
    "teams": "Teams",
    "webhook": "Webhook",
    "other": "Other",
}
_HELP = {
    "slack": (
        "In Slack: Apps, then Incoming WebHooks, then Add to Slack. Choose the channel and copy the webhook URL.",
        "https://hooks.slack.com/services/…",
    ),
    "teams": (
        "In Teams: the channel's menu, then Workflows, then “Send webhook alerts to a channel”. Copy the URL it gives.",
        "https://….logic.azure.com/workflows/…",
    ),
    "webhook": (
        "Gets a POST with JSON for each alert: `title`, `message` and `type` (info, warning or failure).",
        "https://example.com/hook",
    ),
    "other": (
        "An address as [apprise](https://appriseit.com/services/) writes it: Discord, Telegram, ntfy, PagerDuty and a "
        "hundred more.",
        "ntfys://topic",
    ),
}


def ask(ws: Workspace) -> None:
    """Callback of a button."""
    for key in [key for key in st.session_state if str(key).startswith(_PREFIX)]:
        del st.session_state[key]
    st.session_state[_PREFIX + "kind"] = "mail"
    dialogs.ask("Add a channel", "notifications", _body, ws)


def _body(ws: Workspace) -> None:
    kind = st.segmented_control(
        "Kind", list(KINDS), format_func=KINDS.get, required=True, key=_PREFIX + "kind", label_visibility="collapsed"
    )
    st.text_input("Name", key=_PREFIX + "name", max_chars=100, placeholder=f"As: {KINDS.get(str(kind))} of the team")
    if kind == "mail":
        _mail()
    else:
        told, example = _HELP[str(kind)]
        st.markdown(f":small[{told}]")
        st.text_input("Address", key=key_field.ADDRESS, type="password", autocomplete="off", placeholder=example)
    st.caption("The address is kept in the vault, encrypted, and not shown again.")
    feedback.leftovers()
    st.button("Add channel", key=_PREFIX + "save", type="primary", icon=":material/save:", on_click=_add, args=(ws,))


def _mail() -> None:
    left, right = st.columns([3, 1])
    left.text_input("Mail server", key=_PREFIX + "host", placeholder="smtp.example.com")
    right.number_input("Port", key=_PREFIX + "port", min_value=1, max_value=65535, value=587)
    with st.grid(2, min_column_width=170):
        st.text_input("User", key=_PREFIX + "user", placeholder="ann@example.com", autocomplete="off")
        st.text_input("Password", key=key_field.PASSWORD, type="password", autocomplete="off")
        st.text_input("From", key=_PREFIX + "sender", placeholder="As the user")
        st.text_input("To", key=_PREFIX + "to", placeholder="team@example.com")
    st.caption("Sent over TLS. With two-step sign-in, mail services ask for an app password.")


@feedback.callback
def _add(ws: Workspace) -> None:
    address, password = key_field.take(key_field.ADDRESS), key_field.take(key_field.PASSWORD)
    kind = _typed("kind")
    channel = ws.usage.alerts.channels.add(_typed("name") or KINDS[kind], _address(kind, address, password))
    feedback.tell(f"The channel {figures.plain(channel.name)} is added. Test it now.")
    dialogs.done()


def _address(kind: str, address: str, password: str) -> str:
    if kind == "mail":
        return addresses.mail(
            _typed("host"),
            _typed("to"),
            port=int(_typed("port") or 587),
            user=_typed("user"),
            password=password,
            sender=_typed("sender"),
        )
    if not address:
        raise InvalidAlert("The address is missing.", "Paste the whole of it.")
    return addresses.webhook(address) if kind == "webhook" else address


def _typed(name: str) -> str:
    return str(st.session_state.get(_PREFIX + name) or "").strip()
