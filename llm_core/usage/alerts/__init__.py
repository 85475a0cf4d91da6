"""Alerts: what to look out for in calls, spend, keys and models, and whom to tell when it happens."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .channels import Channel as Channel
    from .events import Alert as Alert
    from .rules import Rule as Rule
    from .service import Alerts as Alerts

_HOME_OF = {"Alert": "events", "Alerts": "service", "Channel": "channels", "Rule": "rules"}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
