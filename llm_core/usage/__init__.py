"""The usage ledger: what every call used and cost, kept by many processes at once, and questions about it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import ending as ending  # first, so that it comes last at the end: after the room's threads have stopped

if TYPE_CHECKING:
    from .service import UsageService as UsageService
    from .view import Problem as Problem

_HOME_OF = {"UsageService": "service", "Problem": "view"}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
