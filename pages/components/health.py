"""How a connection is, in words: its state with a colour, where its key comes from, when it was tested."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from llm_core import LLMProvider
from pages.components import figures, shell

SLOW_MS = 2_000
OPENS_THE_VAULT = {
    "keyring": "the system's keyring",
    "key_file": "a key file",
    "passphrase": "your passphrase",
    "variable": "LLM_MANAGER_KEY",
}


class Health(NamedTuple):
    word: str
    colour: str
    icon: str


def health(connection: LLMProvider) -> Health:
    if not connection.enabled or connection.state == "disabled":
        return Health("Disabled", "gray", ":material/pause_circle:")
    if connection.state == "needs_key":
        return Health("Needs key", "orange", ":material/key_off:")
    if connection.state == "cannot_decrypt":
        return Health("Cannot decrypt", "red", ":material/lock:")
    if connection.state == "error":
        return Health("Failing", "red", ":material/error:")
    if connection.state == "connected" and (connection.test_latency_ms or 0) > SLOW_MS:
        return Health("Slow", "orange", ":material/schedule:")
    if connection.state == "connected":
        return Health("Healthy", "green", ":material/check_circle:")
    return Health("Not tested", "gray", ":material/help:")


def key_line(connection: LLMProvider) -> str:
    """Where the key comes from, in words: never the key, at most its last four letters."""
    source, _, variable = (connection.key_source or "").partition(":")
    hint = f"key …{connection.key_hint}" if connection.key_hint else "key"
    if source == "memory":
        return f"{hint}, in memory until the app stops"
    if source in OPENS_THE_VAULT:
        return f"{hint}, encrypted, opened by {OPENS_THE_VAULT[source]}"
    if source == "vault":
        return f"{hint}, encrypted in the vault"
    if source == "environment":
        return f"{hint} from {variable}"
    return "no key needed" if connection.provider == "local" else "no key"


def key_age(connection: LLMProvider, remind_after_days: int) -> tuple[str, bool]:
    """How old its key in the vault is, in words, and whether it is time for another. Empty where that is not known."""
    if connection.key_made_at is None:
        return "", False
    days = (datetime.now(UTC) - connection.key_made_at).days
    return f"{days} day{'' if days == 1 else 's'} old" if days else "made today", days >= remind_after_days


def tested_line(connection: LLMProvider) -> str:
    if connection.tested_at is None:
        return "not tested yet"
    took = f" in {figures.duration(connection.test_latency_ms)}" if (connection.test_latency_ms or 0) >= 1 else ""
    return f"tested {figures.moment(connection.tested_at, shell.tz())}{took}"


def models_line(connection: LLMProvider) -> str:
    found = connection.models_found
    return "" if found is None else f"{found:,} model{'' if found == 1 else 's'}"
