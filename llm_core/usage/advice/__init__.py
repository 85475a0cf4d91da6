"""Advice: what to do about spend, each piece with the money it saves on one's own records, and the evidence."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .piece import Advice as Advice
    from .service import Advisor as Advisor

_HOME_OF = {"Advice": "piece", "Advisor": "service"}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
