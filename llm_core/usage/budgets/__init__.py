"""Budgets: limits on what calls may spend, kept across threads, processes and crashes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .budget import Budget as Budget
    from .service import Budgets as Budgets
    from .service import Bundle as Bundle

_HOME_OF = {"Budget": "budget", "Budgets": "service", "Bundle": "service"}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
