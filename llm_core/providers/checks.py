"""Checks what a person asks of a connection, before any of it is saved: its name, its address, its options."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidConnection
from ..types import PROVIDERS, LLMProvider
from .base_url import checked_base_url
from .registry import ProviderRow, find

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def checked(name: str, provider: str, base_url: str | None, options: Mapping[str, Any] | None) -> LLMProvider:
    """The connection as it would be kept. Nothing is sent. Raises UnknownProvider, InvalidConnection."""
    row = find(provider)
    wanted = LLMProvider(
        name=_checked_name(name, provider),
        provider=provider,
        base_url=_checked_address(row, base_url),
        options=_checked_options(options),
    )
    row.factory()(wanted, None).close()
    return wanted


def _checked_name(name: str, provider: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidConnection(
            f"A connection cannot be named {name!r}.",
            "Use up to 64 letters of a-z, digits, dot, dash and underscore, beginning with a letter or digit.",
        )
    if name in PROVIDERS and name != provider:
        raise InvalidConnection(f"{name!r} is the name of another provider.", "Choose a name of your own.")
    return name


def _checked_address(row: ProviderRow, base_url: str | None) -> str | None:
    """None stands for the vendor's own address."""
    if base_url is None:
        if row.capabilities.needs_base_url:
            raise InvalidConnection(f"{row.label} needs a base URL.", "As http://127.0.0.1:11434/v1.")
        return None
    if row.base_url is None and not row.capabilities.needs_base_url:
        raise InvalidConnection(f"{row.label} has no base URL.", "Leave it out.")
    checked = checked_base_url(base_url)
    return None if checked == row.base_url else checked


def _checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        return dict(json.loads(json.dumps(dict(options or {}), allow_nan=False)))
    except (TypeError, ValueError):
        raise InvalidConnection("Options must be what JSON can hold.", 'As {"api": "chat"}.') from None
